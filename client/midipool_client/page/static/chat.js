// The chat: what was said, and a field to say something in, which takes commands too.

import { when } from "./controls.js";
import { linked } from "./markdown.js";
import { html } from "./vendor/lit-html/lit-html.js";

const keyOf = (line) => `${line.unix_ms} ${line.number} ${line.name}`;
const MOST = 500;

// What was there when the page was opened is read; later lines are when they were seen.
let seen = null;
let newest = null;
let unread = 0;
let problem = "";
let stuck = true;
let settling = 0;

// Times in words are slow to make, and lines are many.
let made = { day: "", of: new WeakMap() };
function place(line) {
  const day = new Date().toDateString();
  if (made.day !== day) made = { day, of: new WeakMap() };
  if (!made.of.has(line)) made.of.set(line, placed(line, day));
  return made.of.get(line);
}

function placed(line, day) {
  const when = new Date(line.unix_ms);
  const today = when.toDateString() === day;
  const time = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return html`<time datetime=${when.toISOString()} title=${when.toLocaleString()}>${today ? time : `${when.toLocaleDateString([], { month: "short", day: "numeric" })} ${time}`}</time>`;
}

const NOTICES = { came: "is here", left: "has left" };

function said(line, me) {
  const name = line.name ?? "somebody";
  if (line.kind !== "said") return html`<p class="line notice">${place(line)} <span><bdi>${name}</bdi> ${NOTICES[line.kind] ?? line.text}</span></p>`;
  return html`<p class=${`line ${line.name === me ? "mine" : ""}`} title=${line.retold ? "from before the server was restarted, as a player remembers it" : ""}>
    ${place(line)} <span><b><bdi>${name}</bdi>${line.retold ? "*" : ""}:</b> <bdi>${linked(line.text)}</bdi></span></p>`;
}

async function say(event, ask) {
  event.preventDefault();
  const field = event.target.elements.text;
  const text = field.value.replace(/\s+/g, " ").trim();
  if (!text) return;
  field.value = "";
  stuck = true;
  problem = (await ask("say", { text })) ?? "";
  // What was not taken can be mended, unless the next line was begun.
  if (problem && text !== "/help" && !field.value) field.value = text;
  ask(null);
}

function view({ talk, session }, ask) {
  const lines = talk.lines;
  const first = unread ? lines.length - unread : -1;
  return html`<section class="panel chat" aria-labelledby="chat-head">
    <header><h2 id="chat-head">Chat</h2>${when(unread, () => html`<span class="badge watch">${unread} new</span>`)}</header>
    ${when(!talk.known && session.connected, () => html`<p class="note">The server is older than the chat.</p>`)}
    <div class="lines-said" role="log" aria-label="what was said" tabindex="0"
      @scroll=${({ target }) => { stuck = target.scrollTop + target.clientHeight >= target.scrollHeight - 24; }}>
      ${lines.map((line, index) => html`${when(index === first, () => html`<p class="new">new</p>`)}${said(line, session.name)}`)}
      ${when(!lines.length, () => html`<p class="dim">Nobody has said anything yet.</p>`)}
    </div>
    <form class="say" @submit=${(e) => say(e, ask)}>
      <input name="text" type="text" maxlength=${MOST} autocomplete="off" aria-label="say something"
        placeholder="say something, or /help" @input=${() => problem && ((problem = ""), ask(null))}>
      <button type="submit">say</button>
    </form>
    ${when(problem, () => html`<p class="note" role="status">${problem}</p>`)}
  </section>`;
}

const inSight = (log) => {
  if (document.visibilityState !== "visible" || !document.hasFocus()) return false;
  const { bottom } = log.getBoundingClientRect();
  return bottom > 0 && bottom <= innerHeight + 40;
};

function count(root, { talk, session }) {
  const log = root.querySelector(".lines-said");
  if (!log) return;
  const key = talk.lines.length ? keyOf(talk.lines.at(-1)) : "";
  if (seen === null || (stuck && inSight(log))) seen = key;
  let behind = talk.lines.length - 1;
  while (behind >= 0 && keyOf(talk.lines[behind]) !== seen) behind--;
  const later = talk.lines.slice(behind + 1);
  // A list that holds nothing of what was seen is another room's, or another life of it.
  unread = later.some((l) => l.kind === "said" && l.name !== session.name) ? later.length : 0;
}

// A new line is in the page a picture later, and moves others once it has its height.
function paint(root, state) {
  const { lines } = state.talk;
  const key = lines.length ? keyOf(lines.at(-1)) : "";
  if (key !== newest) [newest, settling] = [key, 5];
  if (!settling) return;
  settling -= 1;
  toEnd(root);
  if (!settling) count(root, state);
}

function toEnd(root) {
  const log = root.querySelector(".lines-said");
  if (log && stuck) log.scrollTop = log.scrollHeight;
}

function second(root, state) {
  toEnd(root);
  count(root, state);
}

function key(pressed) {
  if (pressed !== "/") return false;
  const field = document.querySelector(".say input");
  field?.focus();
  return Boolean(field);
}

function top() {
  return when(unread, () => html`<button type="button" class="small" @click=${() => {
    document.querySelector(".lines-said")?.scrollIntoView({ block: "center" });
    document.querySelector(".say input")?.focus({ preventScroll: true });
  }}>${unread} new in chat</button>`);
}

export const chat = { of: ["talk", "session"], ticks: true, view, paint, key, top, second, unread: () => unread };
