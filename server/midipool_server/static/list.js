// The rooms of this server, if it says which there are, and the way to one.

import { html } from "./vendor/lit-html/lit-html.js";

const NAME = "[A-Za-z0-9][A-Za-z0-9_.\\-]*";

function go(event) {
  event.preventDefault();
  const name = event.target.elements.room.value.trim();
  if (name) location.href = `/rooms/${encodeURIComponent(name)}`;
}

function row(room) {
  const players = `${room.players} ${room.players === 1 ? "player" : "players"}`;
  return html`<tr><th scope="row"><a href=${`/rooms/${encodeURIComponent(room.name)}`}><bdi>${room.name}</bdi></a></th>
    <td>${players}</td><td>${room.playing ? "playing" : "stopped"}</td><td>${Math.round(room.bpm * 10) / 10} BPM</td><td>${room.meter}</td></tr>`;
}

function rooms({ listed, rooms: all }) {
  if (!listed) return html`<p>This server does not tell which rooms it has. Who knows a room's name can look at it and join.</p>`;
  if (!all.length) return html`<p>Nobody is in any room now. A room begins when the first player joins it.</p>`;
  return html`<div class="scrolls" tabindex="0" role="group" aria-label="rooms"><table><caption>rooms with somebody in them</caption>
    <thead><tr><th scope="col">room</th><th scope="col">players</th><th scope="col">song</th><th scope="col">tempo</th><th scope="col">meter</th></tr></thead>
    <tbody>${all.map(row)}</tbody></table></div>`;
}

export const listView = (now) => html`<section class="panel" aria-labelledby="rooms-head">
  <header><h2 id="rooms-head">Rooms</h2></header>${rooms(now)}
  <form class="row to-room" @submit=${go}><label>look at a room, or begin one <input name="room" required maxlength="64" pattern=${NAME}
    title="letters, digits, _ . and -" autocomplete="off" autocapitalize="none" spellcheck="false" placeholder="jam"></label>
    <button type="submit">go</button></form>
</section>`;
