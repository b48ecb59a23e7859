// The way in: server, room, name.

import { html } from "./vendor/lit-html/lit-html.js";
import { when } from "./controls.js";

const kept = (name, otherwise) => localStorage.getItem(name) ?? otherwise;

function send(event, ask) {
  event.preventDefault();
  const form = new FormData(event.target);
  const [server, room, name] = ["server", "room", "name"].map((key) => String(form.get(key)));
  localStorage.setItem("name", name);
  ask("join", { server, room, name, click: form.get("click") === "on" });
}

function recent(rooms, ask) {
  return when(rooms.length, () => html`<h2>Rooms you were in</h2><ul class="recent">
    ${rooms.map((room) => html`<li><button type="button"
      @click=${() => ask("join", { server: room.url, name: room.name })}>${room.url} <span class="dim">as ${room.name}</span></button></li>`)}
  </ul>`);
}

export function joinView({ session }, ask) {
  const last = session.recent[0];
  const joining = session.phase === "joining";
  return html`<main class="join"><section class="panel">
    <h1>Join a room</h1>
    <form @submit=${(e) => send(e, ask)}>
      <label>Server <input name="server" required placeholder="HOST or HOST:PORT" autocomplete="off" spellcheck="false"
        value=${kept("server", last ? new URL(last.url).host : "127.0.0.1:8765")}></label>
      <label>Room <input name="room" placeholder="jam" autocomplete="off" spellcheck="false"
        value=${last ? new URL(last.url).pathname.slice(1) : "jam"}></label>
      <label>Your name <input name="name" required maxlength="64" autocomplete="off" value=${kept("name", last?.name ?? "")}></label>
      <label class="check"><input type="checkbox" name="click"> click on my MIDI port</label>
      <button class="start" type="submit" ?disabled=${joining}>${joining ? "joining…" : "join"}</button>
    </form>
    ${when(session.problem, () => html`<p class="note bad" role="alert">${session.problem}</p>`)}
    ${recent(session.recent, ask)}
  </section></main>`;
}
