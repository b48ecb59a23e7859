// Ties the page together: state comes in and is shown, hands and keys ask for changes.

import { Clock } from "./clock.js";
import { settle, when } from "./controls.js";
import { badge, healthView } from "./health.js";
import { joinView } from "./join.js";
import { Link } from "./link.js";
import { keyOf, Meters } from "./meters.js";
import { mixerView } from "./mixer.js";
import { Plots } from "./plots.js";
import { Ruler } from "./ruler.js";
import { at, position, songBeats } from "./song.js";
import { startStop, tapped, transportView } from "./transport.js";
import { html, render } from "./vendor/lit-html/lit-html.js";

const root = document.getElementById("page");
const said = document.getElementById("said");
const clock = new Clock();
const meters = new Meters();
const plots = new Plots();
let wanted = false;

if (location.search) history.replaceState(null, "", "/");

const link = new Link({
  onState: show,
  onOpen: show,
  onFrame: (view) => {
    meters.take(view, link.state?.mixer);
    clock.see(meters.roomUs);
  },
});

// A fader's newest place is asked for once in a picture of the screen, not at each step.
const pending = new Map();
function ask(type, fields) {
  if (type === null) return show();
  if (!type.startsWith("set_")) return send(type, fields);
  const key = `${type} ${fields.member ?? ""}`;
  if (!pending.size) requestAnimationFrame(flush);
  pending.set(key, [type, { ...pending.get(key)?.[1], ...fields }]);
}

function flush() {
  for (const [type, fields] of pending.values()) send(type, fields);
  pending.clear();
}

async function send(type, fields) {
  const problem = await link.ask(type, fields);
  if (problem) say(problem);
}

let silence = 0;
function say(text) {
  said.textContent = text;
  said.className = "shown";
  clearTimeout(silence);
  silence = setTimeout(() => (said.className = ""), 6000);
}

const ruler = new Ruler({
  locate: (bar) => ask("locate", { position: { bar, beat: 1 } }),
  loop: (loop) => ask("loop", { loop }),
});

function show() {
  if (wanted) return;
  wanted = true;
  requestAnimationFrame(draw);
}

function draw() {
  wanted = false;
  const { state } = link;
  if (!state) return;
  document.title = state.session.phase === "choosing" ? "midiPool" : `${state.session.name} · midiPool`;
  render(state.session.phase === "in_room" && state.transport.timelines.length ? room(state) : waiting(state), root);
  settle(root);
}

const away = () => when(!link.open, () => html`<p class="note bad" role="alert">midipool-client has ended, or does not answer.
  When it runs again, open the address that it prints.</p>`);

function waiting(state) {
  if (state.session.phase === "choosing" || !state.session.room) return html`${away()}${joinView(state, ask)}`;
  return html`${away()}<main class="join"><section class="panel"><h1>Joining ${state.session.room}</h1>
    <p>as ${state.session.name}</p></section></main>`;
}

function room(state) {
  const { session, health } = state;
  return html`<header class="top">
      <h1>midiPool</h1><span class="room" title=${session.room}>${session.room}</span><span class="name">${session.name}</span>
      ${session.connected ? badge(health.state, health.words) : badge("bad", "the server is away: playing on")}
      ${when(session.can_leave, () => html`<button type="button" class="small" @click=${() => ask("leave")}>leave</button>`)}
    </header>${away()}
    <main>${transportView(state, ask, ruler, clock.now())}${mixerView(state, ask)}${healthView(state)}</main>`;
}

// Playhead and meters: no oftener than meters come, which is all that eyes ask for.
const PICTURE_MS = 36;
let painted = 0;
function animate(time) {
  requestAnimationFrame(animate);
  if (time - painted < PICTURE_MS) return;
  painted = time;
  const { state } = link;
  const canvas = root.querySelector(".ruler");
  if (!canvas || !state?.transport.timelines.length) return;
  const us = clock.now() ?? state.transport.timelines.at(-1).origin_time_us;
  const timeline = at(state.transport.timelines, us);
  ruler.paint(canvas, timeline, us);
  const now = position(timeline, songBeats(timeline, us));
  const where = root.querySelector(".where");
  const text = `${now.bar}.${now.beat}`;
  if (where.textContent !== text) where.textContent = text;
  for (const canvas of root.querySelectorAll("[data-meter]")) {
    meters.paint(canvas, canvas.dataset.meter, Number(canvas.dataset.gain));
  }
}
requestAnimationFrame(animate);

setInterval(() => {
  const { state } = link;
  if (!state) return;
  plots.take(state.health);
  plots.draw(root.querySelector(".plots"));
  meters.keep(new Set(state.mixer.meters.map((name, i) => keyOf(i, name))));
  show(); // times that pass: "10 s ago"
}, 1000);

addEventListener("keydown", (event) => {
  const { target, key, repeat } = event;
  if (repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.closest?.("input:not([type=range]), select, textarea, button")) return;
  const { state } = link;
  if (!state || state.session.phase !== "in_room") return;
  if (key === " ") event.preventDefault(), startStop(state, ask);
  else if (key === "t") tapped(ask);
  else if (key === "c") ask("continue");
});
