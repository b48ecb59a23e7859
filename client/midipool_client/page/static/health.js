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
    <td class="words dim" data-head="">${h.reason}</td></tr>`;
}

const plots = new Plots();

function second(root, { health: now }) {
  plots.take(now);
  plots.draw(root.querySelector(".plots"));
}

function view({ health }) {
  const pairs = health.members.flatMap((m) => m.hears.map((h) => hearing(m.name, h)));
  return html`<section class="panel health" aria-labelledby="health-head">
    <header><h2 id="health-head">Health</h2>${badge(health.state, health.words)}</header>
    ${when(!health.known, () => html`<p class="note">The server does not tell how the others do.</p>`)}
    <div class="tables">
      <table><caption>clocks and ticks</caption><thead><tr><th scope="col">player</th><th scope="col">clock</th>
        <th scope="col">round trip</th><th scope="col">late ticks</th><th scope="col">state</th></tr></thead>
        <tbody>${health.members.map(player)}</tbody></table>
      ${when(pairs.length, () => html`<table><caption>sound</caption><thead><tr><th scope="col">who hears whom</th>
        <th scope="col">one way</th><th scope="col">jitter</th><th scope="col">lost</th><th scope="col">left</th>
        <th scope="col">buffer</th><th scope="col">path</th><th scope="col">why</th></tr></thead>
        <tbody>${pairs}</tbody></table>`)}
    </div>
    <div class="plots" role="img" aria-label="latency, jitter and loss of the last minutes, of those you hear"></div>
    <p class="dim">${health.xruns ? `${health.xruns} xruns of your sound device` : "no xruns of your sound device"};
      <em>lost</em> is before repair, <em>left</em> after it</p>
  </section>`;
}

export const health = { view, second };
