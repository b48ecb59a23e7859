// Health: whose link is the problem, how everybody hears everybody, and the last minutes.

import { when } from "./controls.js";
import { Plots } from "./plots.js";
import { html } from "./vendor/lit-html/lit-html.js";

const MARK = { good: "●", watch: "▲", bad: "■" };
const ms = (value, digits = 1) => (value === null || value === undefined ? "–" : `${value.toFixed(digits)} ms`);
const percent = (share) => (share ? `${(100 * share).toFixed(2)} %` : "0");

export const badge = (state, words) =>
  html`<span class=${`badge ${state}`}><span aria-hidden="true">${MARK[state]}</span> ${words}</span>`;

function clock(status) {
  if (!status) return html`<td colspan="3" class="dim">not measured yet</td>`;
  const late = status.ticks ? status.late_ticks / status.ticks : 0;
  return html`<td data-head="clock">±${(status.error_bound_us / 1000).toFixed(2)} ms</td>
    <td data-head="round trip">${ms(status.round_trip_us / 1000)}</td>
    <td data-head="late ticks">${percent(late)}</td>`;
}

function player(member) {
  return html`<tr data-player=${member.name}>
    <th scope="row">${badge(member.state, "")} ${member.name}${member.me ? " (me)" : ""}</th>
    ${clock(member.status)}<td class=${`words ${member.words ? "" : "fine"}`} data-head="">${member.words || "good"}</td></tr>`;
}

function hearing(listener, h) {
  return html`<tr><th scope="row">${listener} <span class="dim">hears</span> ${h.member}</th>
    <td data-head="one way">${ms(h.latency_ms)}</td>
    <td data-head="jitter">${ms(h.jitter_ms)}</td>
    <td data-head="lost">${percent(h.loss)}</td>
    <td data-head="left">${percent(h.residual_loss)}</td>
    <td data-head="buffer" title=${h.buffer}>${ms(h.target_ms)}</td>
    <td data-head="path"><span class=${`path ${h.path}`}>${h.path}</span></td>
    <td class="words dim" data-head="" title=${h.reason}><span class="lines">${h.reason}</span></td></tr>`;
}

const plots = new Plots();

let begun = null;
function second(root, { health: now }, { heardSoFar }) {
  if (heardSoFar && heardSoFar !== begun) plots.begin((begun = heardSoFar));
  plots.take(now);
  plots.draw(root.querySelector(".plots"));
}

const HEAD = html`<thead><tr><th scope="col">who hears whom</th><th scope="col">one way</th><th scope="col">jitter</th>
  <th scope="col">lost</th><th scope="col">left</th><th scope="col">buffer</th><th scope="col">path</th><th scope="col">why</th></tr></thead>`;

const table = (caption, rows) => when(rows.length, () => html`<table><caption>${caption}</caption>${HEAD}<tbody>${rows}</tbody></table>`);

// What oneself hears, and what is bad, at a glance; the rest when asked for.
function sound(members) {
  const ways = members.flatMap((m) => m.hears.map((h) => ({ m, h, shown: m.me || h.path === "none" || h.residual_loss >= 0.001 })));
  const rows = (some) => some.map(({ m, h }) => hearing(m.name, h));
  const rest = ways.filter(({ shown }) => !shown);
  return html`${table("sound", rows(ways.filter(({ shown }) => shown)))}
    ${when(rest.length, () => html`<details><summary>how the others hear each other: ${rest.length} ways, all good</summary>
      ${table("sound between the others", rows(rest))}</details>`)}`;
}

function view({ health }) {
  return html`<section class="panel health" aria-labelledby="health-head">
    <header><h2 id="health-head">Health</h2>${badge(health.state, health.words)}</header>
    ${when(!health.known, () => html`<p class="note">The server does not tell how the others do.</p>`)}
    <div class="tables scrolls" tabindex="0" role="group" aria-label="tables">
      <table><caption>clocks and ticks</caption><thead><tr><th scope="col">player</th><th scope="col">clock</th>
        <th scope="col">round trip</th><th scope="col">late ticks</th><th scope="col">state</th></tr></thead>
        <tbody>${health.members.map(player)}</tbody></table>
      ${sound(health.members)}
    </div>
    <div class="plots" role="img" aria-label="latency, jitter and loss of the last minutes, of those you hear"></div>
    <p class="dim">${health.xruns ? `${health.xruns} xruns of your sound device` : "no xruns of your sound device"};
      <em>lost</em> is before repair, <em>left</em> after it</p>
  </section>`;
}

export const health = { of: ["health"], view, second };
