// Strips: of each player, one's own channels, oneself, the click, and the master.

import { dbField, fader, panner, toggle, when } from "./controls.js";
import { html } from "./vendor/lit-html/lit-html.js";

// Whether meters stand behind the faders.
let post = false;
export const standBehind = (is) => { post = is; };

// `of` are the levels that it shows the loudest of, each [key, dB of its fader or -Infinity].
const meter = (label, ...of) =>
  html`<div class="meter" data-meter=${JSON.stringify(of.map(([key, db]) => [key, post ? (db === -Infinity ? -200 : db) : 0]))}
    role="img" aria-label=${`${label}: meter`}></div>`;

const sounding = (db, sounds) => (sounds ? db : -Infinity);

function strip({ name, kind, about = "", why = "", meters, level, buttons, pan = "" }) {
  return html`<section class=${`strip ${kind}`} aria-label=${name} data-strip=${name}>
    <h3 title=${name}>${name}</h3>
    <p class="about" title=${why ? `${about}: ${why}` : about}>${about}</p>
    <div class="throw">${meters}${level.db === undefined ? "" : fader({ label: name, ...level })}</div>
    ${level.db === undefined ? "" : dbField({ label: name, ...level })}
    ${pan}
    <div class="buttons">${buttons}</div>
  </section>`;
}

const PROGRAMS = ["module", "instrument", "analyzer"];

// A program is marked as one; what the server runs, with how it does.
function programWords({ kind, module }) {
  if (module && module !== "playing") return `module: ${module}`;
  return module || PROGRAMS.includes(kind) ? "module" : "";
}

export function playerStrip(one, ask) {
  const { member, connected, strip: s, heard, linked, module, why } = one;
  const said = !connected ? "away" : !linked ? "not linked" : heard ? "" : s.mute ? "muted" : "others solo";
  const program = programWords(one);
  const ill = module && module !== "playing" ? "ill" : "";
  const set = (fields) => ask("set_strip", { member, ...fields }, member);
  return strip({
    name: member,
    kind: `player ${heard && connected && linked ? "" : "silent"} ${program ? "program" : ""} ${ill}`,
    about: [program, said].filter(Boolean).join(", "),
    why: program ? why : "",
    meters: meter(member, [`member:${member}`, sounding(s.gain_db, heard)]),
    level: { db: s.gain_db, change: (gain_db) => set({ gain_db }) },
    pan: panner({ label: member, pan: s.pan, change: (pan) => set({ pan }) }),
    buttons: [
      toggle({ label: `mute ${member}`, text: "M", kind: "mute", on: s.mute, change: (mute) => set({ mute }) }),
      toggle({ label: `solo ${member}`, text: "S", kind: "solo", on: s.solo, change: (solo) => set({ solo }) }),
    ],
  });
}

const channelKey = ({ channel }) => `own:input ${channel}`;
const sent = (mix, { strip: s }) => sounding(mix.send_db + s.gain_db, !s.mute && !mix.send_mute);

export function channelStrip(one, mix, ask) {
  const { channel, strip: s, pan, heard } = one;
  const label = `in ${channel}`;
  const set = (fields) => ask("set_channel", { channel, ...fields }, channel);
  const away = mix.monitor_db !== null && !heard;
  return strip({
    name: label,
    kind: `own ${s.mute ? "silent" : ""}`,
    about: s.mute ? "room: muted" : away ? "others solo" : "own input",
    meters: meter(label, [channelKey(one), sounding(s.gain_db, !s.mute)]),
    level: { db: s.gain_db, change: (gain_db) => set({ gain_db }) },
    pan: panner({ label, pan, change: (to) => set({ pan: to }), reset: () => set({ pan: null }) }),
    buttons: [
      toggle({ label: `mute ${label} to the room: only the others do not hear it`, text: "M", kind: "mute", on: s.mute,
        change: (mute) => set({ mute }) }),
      toggle({ label: `solo ${label} in your own mix`, text: "S", kind: "solo", on: s.solo, change: (solo) => set({ solo }) }),
    ],
  });
}

export function ownStrip({ channels, listening: { mix } }, ask) {
  const set = (fields) => ask("set_mix", fields, "me");
  const monitored = mix.monitor_db !== null;
  return strip({
    name: "me",
    kind: `own ${mix.send_mute ? "silent" : ""}`,
    about: mix.send_mute ? "room: muted" : "to the room",
    meters: meter("own input", ...channels.map((one) => [channelKey(one), sent(mix, one)])),
    level: { db: mix.send_db, change: (send_db) => set({ send_db }) },
    pan: html`<div class="monitor">${toggle({
      label: "monitor: hear yourself in your own mix", text: "monitor", kind: "listen", on: monitored,
      change: (on) => set({ monitor_db: on ? 0 : null }),
    })}${when(monitored, () => dbField({
      label: "own monitor", db: mix.monitor_db, change: (monitor_db) => set({ monitor_db }),
    }))}</div>`,
    buttons: [toggle({
      label: "mute to room: only the others do not hear you", text: "mute to room", kind: "mute", on: mix.send_mute,
      change: (send_mute) => set({ send_mute }),
    })],
  });
}

export function masterStrip(mix, ask) {
  return strip({
    name: "master", kind: "master", about: "your mix",
    meters: meter("master", ["own:master", 0]),
    level: { db: mix.master_db, change: (master_db) => ask("set_mix", { master_db }, "master") },
    buttons: "",
  });
}

const volumeDb = (volume) => (volume <= 0 ? -90 : Math.max(20 * Math.log10(volume), -90));

export function clickStrip(mixer, ask) {
  const set = (fields) => ask("set_click", fields, "click");
  const db = Math.round(volumeDb(mixer.click_volume) * 10) / 10;
  const { clicks } = mixer;
  return strip({
    name: "click", kind: `click ${clicks.some(({ on }) => on) ? "" : "silent"}`, about: "by MIDI", meters: "",
    level: { db, change: (to) => set({ volume: to <= -90 ? 0 : Math.min(10 ** (to / 20), 1) }) },
    buttons: html`${clicks.map(({ name, on }, i) => toggle({
      label: `click on MIDI port ${name}`, text: clicks.length > 1 ? name : "click", kind: "listen", on,
      change: (wanted) => ask("switch_click", { port: i + 1, on: wanted }),
    }))}${toggle({
      label: "count-in only: no click while the song plays", text: "count-in only", on: mixer.click_only_count_in,
      change: (only_count_in) => set({ only_count_in }),
    })}`,
  });
}
