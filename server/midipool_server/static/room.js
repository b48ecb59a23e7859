// One room: how to join it, where the song is, who plays, and how well they hear each other.

import { howToJoin } from "./how.js";
import { at, bpmAt, position, songBeats } from "./song.js";
import { html } from "./vendor/lit-html/lit-html.js";

const MARK = { good: "●", watch: "▲", bad: "■" };
const ms = (value) => (value === null || value === undefined ? "–" : `${value.toFixed(1)} ms`);
const percent = (share) => (share ? `${(100 * share).toFixed(2)} %` : "0");
const mark = (state, words) => html`<span class=${`badge ${state}`}><span aria-hidden="true">${MARK[state]}</span> ${words}</span>`;

function ago(us) {
  const s = us / 1e6;
  if (s < 10) return "now";
  return s < 60 ? `${Math.round(s)} s ago` : s < 3600 ? `${Math.round(s / 60)} min ago` : `${Math.round(s / 3600)} h ago`;
}

const MODES = { open: "everybody", vote: "more than half of the players" };
const who = ({ mode, leader, locked_by: by }) => (mode === "leader" ? leader : mode === "locked" ? `nobody: ${by} locked it` : MODES[mode]);

function transport(room, us) {
  const t = us === null ? room.timelines.at(-1) : at(room.timelines, us);
  const bpm = us === null ? t.mbpm / 1000 : bpmAt(t, us);
  return html`<section class="panel" aria-labelledby="song-head"><header><h2 id="song-head">Song</h2>
      ${mark(t.playing ? "good" : "watch", t.playing ? "playing" : "stopped")}</header>
    <div class="row song-now"><output class=${`where ${t.playing ? "playing" : ""}`} aria-label="bar and beat">–</output>
      <span><b class="bpm">${Math.round(bpm * 10) / 10}</b> BPM</span> <span><b>${t.meter.numerator}/${t.meter.denominator}</b></span>
      ${t.loop ? html`<span>loop <b>${t.loop.start_bar}–${t.loop.end_bar}</b></span>` : ""}
      ${room.song ? html`<span>song <b><bdi>${room.song}</bdi></b></span>` : ""}</div>
    <p class="dim">who may change it: <bdi>${who(room)}</bdi></p>
    ${room.vote ? html`<p class="note">vote: <bdi>${room.vote.proposer}</bdi> wants <bdi>${room.vote.text}</bdi>: ${room.vote.yes.length} yes, ${room.vote.no.length} no, ${room.vote.needed} needed</p>` : ""}
    <ul class="changes" aria-label="who changed what">${room.changes.slice(-4).reverse().map((change) => html`<li>
      <b><bdi>${change.by ?? "somebody"}</bdi></b> <bdi>${change.text}</bdi> <span class="dim">${us === null ? "" : ago(us - change.at_us)}</span></li>`)}</ul>
  </section>`;
}

// What a player's own clock is worth, and what it hears worst.
function grade({ connected, status }, heard) {
  if (!connected) return ["bad", "away: the connection is broken"];
  const none = heard.find(({ path }) => path === "none");
  if (none) return ["bad", `hears nothing of ${none.member}`];
  const left = Math.max(0, ...heard.map(({ residual_loss: share }) => share));
  if (left >= 0.01) return ["bad", `${percent(left)} of the sound is missing`];
  if (!status) return ["watch", "the clock is not measured yet"];
  const bound = status.error_bound_us / 1000;
  if (bound >= 20) return ["bad", `the clock is known to ±${bound.toFixed(0)} ms only`];
  if (bound >= 5) return ["watch", `the clock is known to ±${bound.toFixed(0)} ms only`];
  if (left >= 0.001) return ["watch", `${percent(left)} of the sound is missing`];
  return ["good", "good"];
}

function player(member, hears) {
  const { status } = member, heard = hears[member.name] ?? [];
  const [state, words] = grade(member, heard);
  const late = status?.ticks ? status.late_ticks / status.ticks : 0;
  return html`<tr><th scope="row"><bdi>${member.name}</bdi></th><td>${mark(state, words)}</td>
    <td>${status ? `±${(status.error_bound_us / 1000).toFixed(2)} ms` : "–"}</td><td>${ms(status && status.round_trip_us / 1000)}</td>
    <td>${percent(late)}</td></tr>`;
}

function players({ members, hears }) {
  const here = members.filter(({ connected }) => connected).length;
  return html`<section class="panel" aria-labelledby="players-head"><header><h2 id="players-head">Players</h2><span class="dim">${here} here</span></header>
    <div class="scrolls" tabindex="0" role="group" aria-label="players"><table>
      <thead><tr><th scope="col">player</th><th scope="col" class="words">health</th><th scope="col">clock</th><th scope="col">round trip</th><th scope="col">late ticks</th></tr></thead>
      <tbody>${members.map((member) => player(member, hears))}</tbody></table></div>${sound(hears)}</section>`;
}

const STATES = { playing: "good", degraded: "watch", starting: "watch", waiting: "watch", stopping: "watch", stopped: "watch", restarting: "bad", failed: "bad" };

function modules(listed, us) {
  const words = ({ state, again_us: again }) => (again === null || again === undefined || us === null ? state
    : `${state} in ${Math.max(Math.round((again - us) / 1e6), 0)} s`);
  return html`<section class="panel" aria-labelledby="modules-head"><header><h2 id="modules-head">Modules</h2><span class="dim">programs of the server's</span></header>
    <div class="scrolls" tabindex="0" role="group" aria-label="modules"><table>
      <thead><tr><th scope="col">module</th><th scope="col" class="words">state</th><th scope="col">started again</th></tr></thead>
      <tbody>${listed.map((one) => html`<tr data-module=${one.name}><th scope="row"><bdi>${one.name}</bdi></th>
        <td>${mark(STATES[one.state], one.why ? `${words(one)}: ${one.why}` : words(one))}</td><td>${one.restarts ?? 0}</td></tr>`)}</tbody></table></div></section>`;
}

function sound(hears) {
  const ways = Object.entries(hears).flatMap(([name, heard]) => heard.map((h) => [name, h]));
  if (!ways.length) return "";
  return html`<div class="scrolls" tabindex="0" role="group" aria-label="sound"><table><caption>who hears whom</caption>
    <thead><tr><th scope="col">hears</th><th scope="col">one way</th><th scope="col">jitter</th><th scope="col">lost</th><th scope="col">left</th><th scope="col">path</th></tr></thead>
    <tbody>${ways.map(([name, h]) => html`<tr><th scope="row"><bdi>${name}</bdi> <span class="dim">hears</span> <bdi>${h.member}</bdi></th>
      <td>${ms(h.latency_ms)}</td><td>${ms(h.jitter_ms)}</td><td>${percent(h.loss)}</td><td>${percent(h.residual_loss)}</td><td>${h.path}</td></tr>`)}</tbody>
  </table></div>`;
}

export function roomView(name, room, us) {
  return html`<section class="panel" aria-labelledby="join-head"><header><h2 id="join-head">Join</h2></header>${howToJoin(name)}</section>
    ${room?.private ? html`<p class="note">${room.needed === "password" ? "A password, or an invitation, lets you in." : "An invitation lets you in: the link that you were given."} Who plays here, and what, only those see who are in. ${room.players} here now.</p>`
      : room ? html`${transport(room, us)}${players(room)}${room.modules ? modules(room.modules, us) : ""}`
      : html`<p class="note">Nobody is in this room now. It begins when the first player joins, and is shown here then.</p>`}`;
}

// The place in the song moves without news.
export function paintRoom(root, room, us) {
  const where = root.querySelector(".where");
  if (!where || us === null || room.private) return;
  const t = at(room.timelines, us);
  const { bar, beat } = position(t, songBeats(t, us));
  const text = `${bar}.${beat}`;
  if (where.textContent !== text) where.textContent = text;
}
