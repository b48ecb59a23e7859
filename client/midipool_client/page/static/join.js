// The way in: server, room, name, and the devices, with a level check.

import { when } from "./controls.js";
import { keyOf } from "./meters.js";
import { html } from "./vendor/lit-html/lit-html.js";

const form = () => document.querySelector(".join form");

// What is chosen now, as the form has it.
function chosen(said) {
  const data = new FormData(form());
  const text = (name) => String(data.get(name) ?? "");
  const [midi, ...port] = text("midi").split(":");
  return {
    audio: text("audio") || said.audio, channels: Number(text("channels")) || said.channels, click: data.get("click") === "on",
    input_device: text("input_device"), output_device: text("output_device"), midi, midi_port: port.join(":"),
  };
}

function join(event, ask, choice) {
  event.preventDefault();
  const data = new FormData(event.target);
  const [server, room, name, password] = ["server", "room", "name", "password"].map((key) => String(data.get(key)));
  ask("join", { server, room, name, password, choice: chosen(choice) });
}

const check = (way, ask, more = {}) =>
  ask("check_devices", { choice: chosen(way.choice), hear_yourself: way.hear_yourself, ...more });

// What is changed while devices are open opens others.
function changed(way, ask) {
  ask(null);
  if (way.check === "off") return;
  if (chosen(way.choice).audio === "none") ask("end_check");
  else check(way, ask);
}

const option = (value, words, now) => html`<option value=${value} ?selected=${value === now}>${words}</option>`;

function device(label, name, devices, now) {
  const known = devices.some((d) => d.name === now);
  return html`<label>${label} <select name=${name}>
    ${option("", "the system's", now)} ${option("none", "none", now)}
    ${devices.map((d) => option(d.name, `${d.name} (${d.channels} ch${d.usual ? ", the system's" : ""})`, now))}
    ${when(now && now !== "none" && !known, () => option(now, `${now} (not there now)`, now))}
  </select></label>`;
}

function sound(way, ask) {
  const { choice } = way;
  const audio = form() ? chosen(choice).audio : choice.audio;
  const jack = way.jack ? `runs, ${way.jack}` : "does not run";
  return html`<fieldset><legend>Sound</legend>
    <label>through <select name="audio">
      ${option("auto", `JACK if it runs, else the system's devices (JACK ${jack})`, choice.audio)}
      ${option("jack", `JACK, also PipeWire's (${jack})`, choice.audio)}
      ${option("portaudio", "the system's devices", choice.audio)} ${option("none", "none: MIDI only", choice.audio)}
    </select></label>
    ${when(audio === "portaudio", () => html`${device("Input", "input_device", way.inputs, choice.input_device)}
      ${device("Output", "output_device", way.outputs, choice.output_device)}`)}
    ${when(audio !== "none", () => html`<label>Channels <select name="channels">
      ${[1, 2, 4].map((n) => option(String(n), n === 1 ? "1: mono" : n === 2 ? "2: stereo" : "4", String(choice.channels)))}</select></label>`)}
    ${when(way.problem && audio !== "jack", () => html`<p class="dim">The system's devices cannot be seen: ${way.problem}</p>`)}
    ${when(audio !== "none", () => level(way, ask))}
  </fieldset>`;
}

function level(way, ask) {
  const on = way.check !== "off";
  return html`<div class="row check">
    <button type="button" aria-pressed=${on ? "true" : "false"} class="toggle" @click=${() => (on ? ask("end_check") : check(way, ask))}>
      ${on ? "end the check" : "check the level"}</button>
    ${when(on, () => html`<button type="button" class="toggle" aria-pressed=${way.hear_yourself ? "true" : "false"}
      title="your input comes out: with headphones only" @click=${() => check(way, ask, { hear_yourself: !way.hear_yourself })}>hear yourself</button>`)}
    <button type="button" class="small" ?disabled=${way.looking} @click=${() => ask("look_for_devices")}>
      ${way.looking ? "looking for devices…" : "look for devices again"}</button>
  </div>`;
}

function levels({ way_in: way, mixer }) {
  return when(way.check !== "off", () => html`<div class="levels">
    ${when(way.check === "running", () => mixer.channels.map(({ channel }) => html`<p class="level"><span>in ${channel}</span>
      <canvas class="meter across" data-level=${`own:input ${channel}`} role="img" aria-label=${`input ${channel}: level`}></canvas>
      <output class="db" data-db=${`own:input ${channel}`}>−∞</output></p>`))}
    <p class=${way.check === "unavailable" ? "note bad" : "dim"} role="status">${mixer.device || "The sound device is being opened."}</p>
  </div>`);
}

function midi({ choice, midi_ports }) {
  const now = choice.midi_port ? `${choice.midi}:${choice.midi_port}` : choice.midi;
  const value = (port) => `rtmidi:${port}`;
  return html`<fieldset><legend>MIDI</legend>
    <label>port <select name="midi">
      ${option("auto", "virtual, on JACK if it runs", now)} ${option("jack", "virtual, on JACK", now)}
      ${option("rtmidi", "virtual, of the system", now)}
      ${midi_ports.map((port) => option(value(port), port, now))}
      ${when(choice.midi_port && !midi_ports.includes(choice.midi_port), () => option(now, `${choice.midi_port} (not there now)`, now))}
    </select></label>
    <label class="check"><input type="checkbox" name="click" ?checked=${choice.click}> click on this port</label>
  </fieldset>`;
}

function recent(rooms, ask, choice) {
  return when(rooms.length, () => html`<h2>Rooms you were in</h2><ul class="recent">
    ${rooms.map((room) => html`<li><button type="button"
      @click=${() => ask("join", { server: room.url, name: room.name, choice: chosen(choice) })}>${room.url} <span class="dim">as ${room.name}</span></button></li>`)}
  </ul>`);
}

function choose(server, room) {
  const fields = form().elements;
  fields.server.value = server;
  if (room) fields.room.value = room;
  (room ? fields.name : fields.room).focus();
}

const nearbyRoom = (one, room) => html`<button type="button" ?disabled=${Boolean(one.problem)}
  @click=${() => choose(one.server, room)}>${room || "another room"} <span class="dim">on ${one.name}</span></button>`;

// Servers that announce themselves. Names are the network's: text, never markup.
function around({ servers, players, problem }) {
  return html`<section class="nearby" aria-labelledby="nearby-head"><h2 id="nearby-head">On this network</h2>
    ${when(!servers.length, () => html`<p class="dim">${problem || "No server announces itself here."}</p>`)}
    <ul class="recent">${servers.map((one) => html`<li>
      ${one.rooms.map((room) => nearbyRoom(one, room))} ${nearbyRoom(one, "")}
      <small class="dim">${one.server}${one.more_rooms ? `, ${one.more_rooms} more rooms` : ""}</small>
      ${when(one.problem, () => html`<small class="bad">${one.problem}</small>`)}</li>`)}</ul>
    ${when(players.length, () => html`<p class="dim">Who plays here: ${players.join(", ")}</p>`)}
  </section>`;
}

export function joinView(state, ask) {
  const { session, way_in: way } = state;
  const [before] = session.recent;
  const last = session.room ? { name: before?.name, url: session.room } : before;
  const joining = session.phase === "joining";
  return html`<main class="join"><section class="panel">
    <h1>Join a room</h1>
    <form @submit=${(e) => join(e, ask, way.choice)} @change=${(e) => e.target.tagName === "SELECT" && changed(way, ask)}>
      <label>Server, or an address or link that you were sent <input name="server" required placeholder="HOST, HOST:PORT, or ws://HOST:PORT/ROOM"
        autocomplete="off" spellcheck="false" value=${last ? new URL(last.url).host : "127.0.0.1:8765"}></label>
      <label>Room <input name="room" placeholder="not needed with a whole address" autocomplete="off" spellcheck="false"
        value=${last ? new URL(last.url).pathname.slice(1) : "jam"}></label>
      <label>Your name <input name="name" required maxlength="64" autocomplete="off" value=${last?.name ?? ""}></label>
      <label>Password <input name="password" type="password" maxlength="128" autocomplete="off" placeholder="only if the room has one"></label>
      ${sound(way, ask)} ${levels(state)} ${midi(way)}
      <button class="start" type="submit" ?disabled=${joining}>${joining ? "joining…" : "join"}</button>
    </form>
    ${when(session.problem, () => html`<p class="note bad" role="alert">${session.problem}</p>`)}
    ${around(state.nearby)} ${recent(session.recent, ask, way.choice)}
  </section></main>`;
}

// The levels of the check.
export function paintJoin(root, { mixer }, { meters }) {
  const known = new Set(mixer.meters.map((name, i) => keyOf(i, name, mixer)));
  for (const canvas of root.querySelectorAll("[data-level]")) meters.paintWhole(canvas, [[canvas.dataset.level, 0]]);
  for (const output of root.querySelectorAll("[data-db]")) {
    const text = known.has(output.dataset.db) ? meters.text(output.dataset.db) : "−∞";
    if (output.textContent !== text) output.textContent = text;
  }
}
