// The mixer: a strip for each player, for oneself, the click, and the master.

import { dbField, fader, panner, toggle, when } from "./controls.js";
import { keyOf } from "./meters.js";
import { html } from "./vendor/lit-html/lit-html.js";

let post = localStorage.getItem("meters") === "post";

const meter = (key, gain, label) =>
  html`<canvas class="meter" data-meter=${key} data-gain=${gain} role="img" aria-label=${`${label}: meter`}></canvas>`;

const gainOf = (db, sounds) => (!post ? 0 : sounds ? db : -Infinity);

function strip({ name, kind, about = "", meters, level, buttons, pan = "" }) {
  return html`<section class=${`strip ${kind}`} aria-label=${name} data-strip=${name}>
    <h3 title=${name}>${name}</h3>
    <p class="about" title=${about}>${about}</p>
    <div class="throw">${meters}${level.db === undefined ? "" : fader({ label: name, ...level })}</div>
    ${level.db === undefined ? "" : dbField({ label: name, ...level })}
    ${pan}
    <div class="buttons">${buttons}</div>
  </section>`;
}

function playerStrip({ member, connected, strip: s, heard }, ask) {
  const set = (fields) => ask("set_strip", { member, ...fields }, member);
  return strip({
    name: member,
    kind: `player ${heard && connected ? "" : "silent"}`,
    about: !connected ? "away" : heard ? "" : s.mute ? "muted" : "others solo",
    meters: meter(`member:${member}`, gainOf(s.gain_db, heard), member),
    level: { db: s.gain_db, change: (gain_db) => set({ gain_db }) },
    pan: panner({ label: member, pan: s.pan, change: (pan) => set({ pan }) }),
    buttons: [
      toggle({ label: `mute ${member}`, text: "M", kind: "mute", on: s.mute, change: (mute) => set({ mute }) }),
      toggle({ label: `solo ${member}`, text: "S", kind: "solo", on: s.solo, change: (solo) => set({ solo }) }),
    ],
  });
}

function ownStrip(mix, ask) {
  const set = (fields) => ask("set_mix", fields, "me");
  const monitored = mix.monitor_db !== null;
  return strip({
    name: "me",
    kind: `own ${mix.send_mute ? "silent" : ""}`,
    about: mix.send_mute ? "the room hears nothing" : "to the room",
    meters: meter("own:input", gainOf(mix.send_db, !mix.send_mute), "own input"),
    level: { db: mix.send_db, change: (send_db) => set({ send_db }) },
    pan: html`<label class="monitor">${toggle({
      label: "monitor: hear yourself in your own mix", text: "monitor", kind: "listen", on: monitored,
      change: (on) => set({ monitor_db: on ? 0 : null }),
    })}${when(monitored, () => dbField({
      label: "own monitor", db: mix.monitor_db, change: (monitor_db) => set({ monitor_db }),
    }))}</label>`,
    buttons: [toggle({
      label: "mute to room: only the others do not hear you", text: "mute to room", kind: "mute", on: mix.send_mute,
      change: (send_mute) => set({ send_mute }),
    })],
  });
}

function masterStrip(mix, ask) {
  return strip({
    name: "master", kind: "master", about: "what you hear",
    meters: meter("own:master", 0, "master"),
    level: { db: mix.master_db, change: (master_db) => ask("set_mix", { master_db }, "master") },
    buttons: "",
  });
}

const volumeDb = (volume) => (volume <= 0 ? -90 : Math.max(20 * Math.log10(volume), -90));

function clickStrip(mixer, ask) {
  const set = (fields) => ask("set_click", fields, "click");
  const db = Math.round(volumeDb(mixer.click_volume) * 10) / 10;
  return strip({
    name: "click", kind: "click", about: "on your MIDI port", meters: "",
    level: { db, change: (to) => set({ volume: to <= -90 ? 0 : Math.min(10 ** (to / 20), 1) }) },
    buttons: [toggle({
      label: "count-in only: no click while the song plays", text: "count-in only", on: mixer.click_only_count_in,
      change: (only_count_in) => set({ only_count_in }),
    })],
  });
}

const PROFILES = { lan: "lan: as soon as possible", jam: "jam: soon, without holes",
  safe: "safe: late, over bad lines", bar: "bar: whole bars later" };

function listening({ listening: l }, ask) {
  const set = (fields) => ask("set_listening", fields);
  return html`<div class="listening">
    <label>hear the others <select aria-label="how soon you hear the others" data-value=${l.profile}
      @change=${(e) => set({ profile: e.target.value })}>
      ${Object.entries(PROFILES).map(([name, words]) => html`<option value=${name}>${words}</option>`)}
    </select></label>
    ${when(l.profile === "bar", () => html`<label>bars <input class="field" type="number" min="1" max="16"
      data-value=${l.bars} @change=${(e) => set({ bars: Number(e.target.value) })}></label>`)}
    ${when(l.profile === "jam", () => html`<label>at most <input class="field" type="number" min="5" max="1000"
      data-value=${l.max_latency_ms} @change=${(e) => set({ max_latency_ms: Number(e.target.value) })}> ms</label>`)}
    <label>meters <select aria-label="meters before or behind the faders" data-value=${post ? "post" : "pre"}
      @change=${(e) => { post = e.target.value === "post"; localStorage.setItem("meters", e.target.value); ask(null); }}>
      <option value="pre">before the fader</option><option value="post">behind the fader</option>
    </select></label>
  </div>`;
}

function view({ mixer }, ask) {
  const { mix } = mixer.listening;
  const running = mixer.audio === "running";
  return html`<section class="panel mixer" aria-labelledby="mixer-head">
    <header><h2 id="mixer-head">Mixer</h2>${when(mixer.audio !== "off", () => listening(mixer, ask))}</header>
    ${when(!running, () => html`<p class="note">${mixer.audio === "off"
      ? "This client joined without audio (--no-audio)." : mixer.device || "The sound device is being opened."}</p>`)}
    ${when(mixer.not_saved, () => html`<p class="note bad">The mix is not kept: ${mixer.not_saved}</p>`)}
    <div class="strips" role="group" aria-label="strips" tabindex="0">
      ${when(mixer.audio !== "off", () => html`${ownStrip(mix, ask)}
        ${mixer.strips.map((one) => playerStrip(one, ask))}
        ${when(!mixer.strips.length, () => html`<p class="note alone">Nobody else is here yet.</p>`)}`)}
      ${when(mixer.click === "on", () => clickStrip(mixer, ask))}
      ${when(mixer.audio !== "off", () => masterStrip(mix, ask))}
    </div>
    ${when(running, () => html`<p class="dim device">${mixer.device}</p>`)}
  </section>`;
}

function paint(root, state, { meters }) {
  for (const canvas of root.querySelectorAll("[data-meter]")) {
    meters.paint(canvas, canvas.dataset.meter, Number(canvas.dataset.gain));
  }
}

function second(root, { mixer: now }, { meters }) {
  meters.keep(new Set(now.meters.map((name, i) => keyOf(i, name))));
}

export const mixer = { view, paint, second };
