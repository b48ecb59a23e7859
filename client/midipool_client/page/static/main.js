// Ties the page together: state comes in and is shown, hands and keys ask for changes.

import { Clock } from "./clock.js";
import { settle, when } from "./controls.js";
import { badge } from "./health.js";
import { joinView, paintJoin } from "./join.js";
import { learning } from "./learn.js";
import { Link } from "./link.js";
import { Meters } from "./meters.js";
import { columns, parts } from "./parts.js";
import { html, noChange, render } from "./vendor/lit-html/lit-html.js";

const root = document.getElementById("page");
const said = document.getElementById("said");
const clock = new Clock();
const meters = new Meters();
let wanted = false;
let drawn = 0;

if (location.search) history.replaceState(null, "", "/");

const link = new Link({
  onState: (state, changed) => show(changed),
  onOpen: () => show(),
  onFrame: (view) => {
    meters.take(view, link.state?.mixer);
    clock.see(meters.roomUs);
    framed = performance.now();
    paint();
  },
});

// `moving` names what a hand moves: the first step is asked for at once, and of those that follow
// the newest, once in a picture of the screen. Without a type all is shown anew.
const moves = new Map();
function ask(type, fields, moving) {
  if (type === null) return show();
  if (moving === undefined) return send(type, fields);
  const key = `${type} ${moving}`;
  if (moves.has(key)) return moves.set(key, [type, { ...moves.get(key)?.[1], ...fields }]);
  moves.set(key, null);
  requestAnimationFrame(() => follow(key));
  return send(type, fields);
}

function follow(key) {
  const newest = moves.get(key);
  moves.delete(key);
  if (newest) ask(...newest, key.slice(newest[0].length + 1));
}

async function send(type, fields) {
  const problem = await link.ask(...learning(type, fields));
  if (problem) say(problem);
  return problem;
}

let silence = 0;
function say(text) {
  said.textContent = text;
  said.className = "shown";
  clearTimeout(silence);
  silence = setTimeout(() => (said.className = ""), 6000);
}

// `changed` names parts of the state, or is null for all of it.
let dirty = null;
let was = false; // in a room
function show(changed = null) {
  dirty = changed === null ? null : dirty && new Set([...dirty, ...changed]);
  if (wanted) return;
  wanted = true;
  if (drawn) requestAnimationFrame(draw);
  else draw(); // the first picture waits for nothing
}

function draw() {
  wanted = false;
  const { state } = link;
  if (!state) return;
  if (inRoom(state) !== was) [dirty, was] = [null, inRoom(state)];
  const unread = parts.reduce((sum, part) => sum + (part.unread?.() ?? 0), 0);
  document.title = state.session.phase === "choosing" ? "midiPool" : `${unread ? `(${unread}) ` : ""}${state.session.name} · midiPool`;
  render(inRoom(state) ? room(state) : waiting(state), root);
  settle(root);
  if (!drawn++) paint();
  dirty = new Set();
}

// What parts may want to know beside the state.
const about = () => ({ us: clock.now(), meters, heardSoFar: link.heardSoFar, drawn });
const inRoom = (state) => state?.session.phase === "in_room" && state.transport.timelines.length > 0;

const away = () => when(!link.open, () => html`<p class="note bad" role="alert">midipool-client has ended, or does not answer.
  When it runs again, open the address that it prints.</p>`);

function waiting(state) {
  if (state.session.phase === "choosing" || !state.session.room) return html`${away()}${joinView(state, ask)}`;
  return html`${away()}<main class="join"><section class="panel"><h1>Joining ${state.session.room}</h1>
    <p>as ${state.session.name}</p>${when(state.session.problem, () => html`<p class="note" role="status">${state.session.problem}</p>`)}</section></main>`;
}

function room(state) {
  const { session, health } = state;
  const page = about();
  const isAnew = ({ of, ticks }) => !dirty || !of || (ticks && dirty.has("time")) || of.some((name) => dirty.has(name));
  const column = ([name, list]) => html`<div class=${`column ${name}`}>
    ${list.map((part) => (isAnew(part) ? part.view(state, ask, page) : noChange))}</div>`;
  return html`<header class="top">
      <h1>midiPool</h1><span class="room" title=${session.room}>${session.room}</span><span class="name">${session.name}</span>
      ${session.connected ? badge(health.state, health.words) : badge("bad", "the server is away: playing on")}
      ${when(session.going_down, () => badge("watch", session.going_down))}
      ${parts.map((part) => part.top?.(state, ask))}
      ${when(session.can_leave, () => html`<button type="button" class="small" @click=${() => ask("leave")}>leave</button>`)}
    </header>${away()}
    <main class="board">${Object.entries(columns).map(column)}</main>`;
}

// Playhead and meters: when meters come, and without any as often, as long as somebody can see it.
// To wait for the next picture of the page would have one made, although nothing else of it changes.
const PICTURE_MS = 48, WITHOUT_MS = 200;
let framed = 0;
let alone = 0; // the timer while no meters come

function paint() {
  if (document.hidden || !link.state || !drawn) return;
  const page = about();
  if (!inRoom(link.state)) return paintJoin(root, link.state, page);
  for (const part of parts) part.paint?.(root, link.state, page);
}

setInterval(() => {
  const without = performance.now() - framed > WITHOUT_MS;
  if (without && !alone) alone = setInterval(paint, PICTURE_MS);
  if (!without) alone = clearInterval(alone) ?? 0;
}, WITHOUT_MS);

setInterval(() => {
  if (!link.state) return;
  const page = about();
  if (inRoom(link.state)) for (const part of parts) part.second?.(root, link.state, page);
  show(["time"]); // "10 s ago"
}, 1000);

addEventListener("keydown", (event) => {
  const { target, key, repeat } = event;
  if (repeat || event.ctrlKey || event.metaKey || event.altKey || !inRoom(link.state)) return;
  if (target.closest?.("input:not([type=range]), select, textarea, button")) return;
  if (parts.some((part) => part.key?.(key, link.state, ask))) event.preventDefault();
});
