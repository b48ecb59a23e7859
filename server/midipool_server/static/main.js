// The server's pages: which rooms there are, and one room. What changes comes by itself.

import { Clock } from "./clock.js";
import { listView } from "./list.js";
import { paintRoom, roomView } from "./room.js";
import { html, render } from "./vendor/lit-html/lit-html.js";

const root = document.getElementById("page");
const name = decodeURIComponent(location.pathname.match(/^\/rooms\/([^/]+)$/)?.[1] ?? "");
const clock = new Clock();
let now = null;
let open = true;

const events = new EventSource(name ? `/api/rooms/${encodeURIComponent(name)}/events` : "/api/events");
events.onmessage = ({ data }) => {
  const said = JSON.parse(data);
  clock.see(said.room_time_us);
  [now, open] = [said.now, true];
  show();
};
events.onerror = () => {
  open = false;
  show();
};

let wanted = false;
function show() {
  if (wanted) return;
  wanted = true;
  requestAnimationFrame(() => {
    wanted = false;
    document.title = name ? `${name} · midiPool` : "midiPool: rooms";
    render(page(), root);
  });
}

const away = () => html`<p class="note bad" role="alert">The server does not answer. This page goes on by itself when it is back.</p>`;

function page() {
  return html`<header class="top"><h1>midiPool</h1>
      ${name ? html`<nav><a href="/">rooms</a></nav><span class="name"><bdi>${name}</bdi></span>` : html`<span class="room">the rooms of this server</span>`}
    </header>
    ${open ? "" : away()}
    <main class="board">${!now ? html`<p class="note">asking the server…</p>` : name ? roomView(name, now.room, clock.now()) : listView(now)}</main>`;
}

show();

const PICTURE_MS = 40;
let painted = 0;
function animate(time) {
  requestAnimationFrame(animate);
  if (time - painted < PICTURE_MS) return;
  painted = time;
  if (now?.room) paintRoom(root, now.room, clock.now());
}
requestAnimationFrame(animate);
setInterval(show, 1000); // times that pass: "10 s ago"
