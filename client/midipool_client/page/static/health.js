// Health: whose link is the problem, how everybody hears everybody, and the last minutes.

import { when } from "./controls.js";
import { History } from "./history.js";
import { Plots } from "./plots.js";
import { html } from "./vendor/lit-html/lit-html.js";

const MARK = { good: "●", watch: "▲", bad: "■" };
const number = (value) => (value === null || value === undefined ? "–" : value.toFixed(1));
const percent = (share) => (share ? (100 * share).toFixed(2) : "0");

export const badge = (state, words) =>
  html`<span class=${`badge ${state}`}><span aria-hidden="true">${MARK[state]}</span> ${words}</span>`;

// Of columns: its head with its unit, and what is in it.
const HEARD = [
  ["one way", "ms", (h) => number(h.latency_ms)],
  ["jitter", "ms", (h) => number(h.jitter_ms)],
  ["lost", "%", (h) => percent(h.loss)],
  ["left", "%", (h) => percent(h.residual_loss)],
  ["buffer", "ms", (h) => html`<span title=${h.buffer}>${number(h.target_ms)}</span>`],
  ["path", "", (h) => html`<span class=${`path ${h.path}`} title=${h.reason}>${h.path}</span>`],
];
const CLOCK = [
  ["clock", "± ms", (s) => html`<span title=${`room time is ${(s.offset_us / 1e6).toFixed(3)} s ahead of this player's clock, to within that; measured over ${
    s.probes}, drift ${s.drift_ppm.toFixed(1)} ppm`}>${(s.error_bound_us / 1000).toFixed(2)}</span>`],
  ["round trip", "ms", (s) => html`<span title=${`${number(s.jitter_us / 1000)} ms more in the mean`}>${number(s.round_trip_us / 1000)}</span>`],
  ["tick jitter", "ms", (s) => html`<span title="the most that a MIDI clock came late, in the last second">${(s.tick_jitter_us / 1000).toFixed(2)}</span>`],
  ["late ticks", "%", (s) => html`<span title=${`${s.late_ticks} of ${s.ticks}`}>${percent(s.ticks ? s.late_ticks / s.ticks : 0)}</span>`],
];
const heads = (first, columns) => html`<thead><tr><th scope="col">${first}</th>${columns.map(([name, unit]) =>
  html`<th scope="col" class=${name === "why" ? "words" : ""}>${name} <span class="unit">${unit}</span></th>`)}</tr></thead>`;
const cells = (columns, of) => columns.map(([name, unit, show]) =>
  html`<td class=${of ? "" : "none"} data-head=${unit ? `${name}, ${unit}` : name}>${of ? show(of) : "–"}</td>`);

// What a listener says to a stream that it does not take, or cannot now.
const answer = (h) => (h.answer && h.answer !== "accepted" ? `${h.answer}${h.answer === "failed" ? ", tried again" : ""}: ${h.answer_reason}` : "");

// What is wrong, and why sound takes another way than the straight one.
function about(words, h) {
  const way = h && h.path !== "direct" ? answer(h) || h.reason : "";
  return when(words || way, () => html`<tr class="about"><td class="words" colspan=${1 + HEARD.length + CLOCK.length}>
    ${words} <span class="dim">${way}</span></td></tr>`);
}

function player(member, heard) {
  return html`<tr data-player=${member.name}>
    <th scope="row" title=${member.name}>${badge(member.state, "")} ${member.name}${member.me ? " (me)" : ""}</th>
    ${cells(HEARD, heard)}${cells(CLOCK, member.status)}</tr>${about(member.words, heard)}`;
}

function hearing(listener, h) {
  const words = answer(h) || (h.path === "direct" ? "" : h.reason);
  return html`<tr><th scope="row">${listener} <span class="dim">hears</span> ${h.member}</th>${cells(HEARD, h)}
    <td class="words dim" title=${words}><span class="lines">${words}</span></td></tr>`;
}

const plots = new Plots();
const past = new History(plots);

let begun = null;
function second(root, { health: now }, { heardSoFar }) {
  if (heardSoFar && heardSoFar !== begun) plots.begin((begun = heardSoFar));
  plots.take(now);
  past.look();
  plots.draw(root.querySelector(".plots"));
}

const between = (caption, ways) => html`<table class="between"><caption>${caption}</caption>${heads("who hears whom", [...HEARD, ["why", ""]])}
  <tbody>${ways.map(({ m, h }) => hearing(m.name, h))}</tbody></table>`;

// How the others hear each other: what is bad at a glance, the rest when asked for.
let open = false;
function others(members, ask) {
  const ways = members.filter((m) => !m.me).flatMap((m) => m.hears.map((h) => ({ m, h, bad: h.path === "none" || h.residual_loss >= 0.001 })));
  const bad = ways.filter((way) => way.bad), rest = ways.filter((way) => !way.bad);
  return html`${when(bad.length, () => between("between the others, where sound is missing", bad))}
    ${when(rest.length, () => html`<details ?open=${open} @toggle=${(e) => { if (open !== e.target.open) { open = e.target.open; ask(null); } }}>
      <summary>how the others hear each other: ${rest.length} ${rest.length > 1 ? "ways, all" : "way,"} good</summary>
      ${when(open, () => between("between the others", rest))}</details>`)}`;
}

function view({ health }, ask) {
  const heard = new Map(health.members.find((m) => m.me)?.hears.map((h) => [h.member, h]));
  return html`<section class="panel health" aria-labelledby="health-head">
    <header><h2 id="health-head">Health</h2>${badge(health.state, health.words)}</header>
    ${when(!health.known, () => html`<p class="note">The server does not tell how the others do.</p>`)}
    <div class="tables scrolls" tabindex="0" role="group" aria-label="tables">
      <table><caption>players, and how you hear them</caption>${heads("player", [...HEARD, ...CLOCK])}
        <tbody>${health.members.map((m) => player(m, heard.get(m.name)))}</tbody></table>
      ${others(health.members, ask)}
    </div>
    <div class="plots" role="img" aria-label="latency, jitter and loss over time, of those you hear"></div>
    ${past.view(ask)}
    <p class="dim">${health.xruns ? `${health.xruns} xruns of your sound device` : "no xruns of your sound device"};
      <em>lost</em> is before repair, <em>left</em> after it</p>
  </section>`;
}

export const health = { of: ["health"], view, second };
