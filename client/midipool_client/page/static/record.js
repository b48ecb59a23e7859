// Recordings: the button, the recording that is played into the room, and the list of all.

import { field, toggle, when } from "./controls.js";
import { at, position, songBeats } from "./song.js";
import { html } from "./vendor/lit-html/lit-html.js";

// What people do on this page alone: which recording is open, renamed, or about to be deleted.
const here = { open: "", renaming: "", deleting: "", setTempo: false };

const length = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
const size = (bytes) => (bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`);
const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

function start({ page: { record_format: format, quota_gb } }, ask) {
  ask("record_start", { format, quota_gb });
}

// Bars that were recorded, by the song's own count; a song that jumped has none that mean anything.
function bars(state, from, us) {
  const begin = at(state.transport.timelines, from);
  const now = at(state.transport.timelines, us);
  if (begin !== now || !now.playing || now.loop) return "";
  const count = position(now, songBeats(now, us)).bar - position(now, songBeats(now, from)).bar;
  return count >= 0 ? `, bar ${count + 1}` : "";
}

function recorded(state, us) {
  const { now } = state.recording;
  if (now.phase === "ending") return "is being written";
  if (now.from_us === null) return "armed: begins when the song plays";
  if (us === null || us < now.from_us) {
    const t = at(state.transport.timelines, now.from_us);
    return `armed: begins with bar ${position(t, songBeats(t, now.from_us)).bar}`;
  }
  const lost = now.dropped_frames ? `, ${now.dropped_frames} frames lost to the disk` : "";
  return `${length((us - now.from_us) / 1e6)}${bars(state, now.from_us, us)}, ${plural(now.tracks, "track")}${lost}`;
}

// It stands in the transport.
export function recordButton(state, ask, us) {
  const { now, can_record: can } = state.recording;
  const running = now !== null && us !== null && now.from_us !== null && us >= now.from_us;
  return html`<button type="button" class=${`record ${running ? "running" : now ? "armed" : ""}`} aria-pressed=${now ? "true" : "false"}
      ?disabled=${!can && !now} @click=${() => (now ? ask("record_stop") : start(state, ask))}
      title=${now ? "end the recording" : "record everybody on a track of their own, from the next bar line on"}>
      <span aria-hidden="true">●</span> ${now ? "stop recording" : "record"}</button>
    <output class="recorded" aria-label="recording">${now ? recorded(state, us) : ""}</output>`;
}

function room(state, ask) {
  const { free_bytes: free, size_bytes: used, quota_gb: limit } = state.takes;
  const { record_format: format, quota_gb: gb } = state.page;
  const set = (fields) => ask("set_page", fields);
  return html`<div class="row space">
    <label>as <select aria-label="format of recordings" data-value=${format}
      @change=${(e) => set({ record_format: e.target.value })}>
      <option value="flac">FLAC</option><option value="wav">WAV</option></select></label>
    <label>at most ${field({ label: "GB that all recordings may take; empty is no limit", value: gb === null ? "" : String(gb),
      name: "quota", commit: (text) => set({ quota_gb: Number(text.replace(",", ".")) || null }) })} GB</label>
    <span class="dim">${size(used)} recorded${limit ? ` of ${limit} GB` : ""}${free ? `, ${size(free)} free` : ""}</span>
  </div>`;
}

function playedWords(p, us) {
  if (p.phase === "paused") return `paused at bar ${p.bar} of ${p.bars}`;
  if (p.phase === "ended") return "is over";
  if (p.phase === "playing") return `bar ${p.bar} of ${p.bars}`;
  if (p.begins_us === null) return `waits until the song plays, at bar ${p.bar}`;
  const left = us === null ? 0 : Math.max((p.begins_us - us) / 1e6, 0);
  return `from bar ${p.bar}, in ${left.toFixed(0)} s`;
}

function played(state, ask, us) {
  const p = state.recording.playing;
  const take = state.takes.takes.find((one) => one.name === p.name);
  const going = p.phase === "playing" || p.phase === "waiting";
  const loop = (start_bar, end_bar) => ask("loop_take", { loop: { start_bar, end_bar } });
  const mute = (file, on) => ask("mute_take", { files: on ? [...p.muted, file] : p.muted.filter((f) => f !== file) });
  return html`<div class="played" role="group" aria-label=${`${p.name} is played into the room`}>
    <div class="row"><strong>${p.name}</strong> <output aria-label="place in the recording">${playedWords(p, us)}</output>
      ${when(going, () => html`<button type="button" class="small" @click=${() => ask("pause_take")}>pause</button>`)}
      ${when(!going, () => html`<button type="button" class="small" @click=${() => ask("resume_take")}>go on</button>`)}
      <button type="button" class="small" @click=${() => ask("stop_take")}>stop playing</button>
    </div>
    <div class="row">
      <label>go to bar ${field({ label: "go to a bar of the recording", value: "", name: "goto", mode: "numeric",
        commit: (text) => text && ask("seek_take", { bar: Number(text) }) })}</label>
      <label>loop from ${field({ label: "loop from a bar of the recording", value: p.loop ? String(p.loop.start_bar) : "", name: "loop",
        mode: "numeric", commit: (text) => text && loop(Number(text), Math.max(p.loop?.end_bar ?? 0, Number(text) + 1)) })}</label>
      <label>to before ${field({ label: "loop to before a bar of the recording", value: p.loop ? String(p.loop.end_bar) : "", name: "loop",
        mode: "numeric", commit: (text) => text && loop(p.loop?.start_bar ?? 1, Number(text)) })}</label>
      <button type="button" class="small" ?disabled=${!p.loop} @click=${() => ask("loop_take", { loop: null })}>no loop</button>
    </div>
    <div class="row">${(take?.tracks ?? []).filter((t) => t.played).map((t) => toggle({
      label: `mute ${t.name} in the recording`, text: `mute ${t.name}`, kind: "mute", on: p.muted.includes(t.file),
      change: (on) => mute(t.file, on),
    }))}</div>
    ${when(p.beside, () => html`<p class="dim">It plays ${p.beside}.</p>`)}
  </div>`;
}

const KINDS = { input: "own input", effects: "own input with effects", mix: "own mix", player: "player" };
const path = (...names) => `/takes/${names.map(encodeURIComponent).join("/")}`;

function facts(take) {
  if (take.state === "waiting" || take.state === "recording") return "is being recorded";
  const bars = take.bars ? `${plural(take.bars, "bar")}, ` : "";
  const cut = take.state === "cut" ? `, cut: ${take.why}` : take.why ? `, ${take.why}` : "";
  return `${length(take.seconds)}, ${bars}${take.bpm} BPM, ${take.meter}, ${size(take.size_bytes)}${cut}`;
}

function tracks(take) {
  return html`<ul class="tracks" aria-label=${`files of ${take.name}`}>
    ${take.tracks.map((t) => html`<li><a href=${path(take.name, t.file)} download=${t.file}>${t.file}</a>
      <span class="dim">${t.kind === "player" ? t.name : KINDS[t.kind]}, ${length(t.seconds)}${
        t.dropped_frames ? `, ${t.dropped_frames} frames lost` : ""}${
        t.missing_s ? `, ${t.missing_s} s missing` : ""}</span></li>`)}
    ${when(take.midi, () => html`<li><a href=${path(take.name, take.midi)} download=${take.midi}>${take.midi}</a>
      <span class="dim">tempo, meter, markers and all MIDI</span></li>`)}
  </ul>`;
}

function rename(take, ask) {
  const done = (text) => { here.renaming = ""; if (text !== take.name) ask("rename_take", { take: take.name, new: text }); ask(null); };
  return html`<form class="row" @submit=${(e) => (e.preventDefault(), done(e.target.elements.new.value.trim()))}>
    <input name="new" type="text" class="field new-name" maxlength="64" required autocomplete="off" spellcheck="false"
      aria-label=${`new name of ${take.name}`} value=${take.name} @keydown=${(e) => {
        e.stopPropagation();
        if (e.key === "Escape") done(take.name);
      }}>
    <button class="small">rename</button>
    <button type="button" class="small" @click=${() => done(take.name)}>cancel</button></form>`;
}

function remove(take, ask) {
  const close = () => { here.deleting = ""; ask(null); };
  return html`<div class="row" role="alertdialog" aria-label=${`delete ${take.name}?`}>
    <span>Delete it for good?</span>
    <button type="button" class="small danger" @click=${() => (ask("delete_take", { take: take.name }), close())}>delete ${take.name}</button>
    <button type="button" class="small" @click=${close}>keep it</button></div>`;
}

function row(state, take, ask) {
  const live = take.state === "waiting" || take.state === "recording";
  const is = (what) => here[what] === take.name;
  const set = (what) => { here[what] = is(what) ? "" : take.name; ask(null); };
  const play = () => ask("play_take", { take: take.name, set_tempo: here.setTempo });
  return html`<li class="take" data-take=${take.name}>
    <div class="row">
      <button type="button" class="name" aria-expanded=${is("open") ? "true" : "false"} @click=${() => set("open")}
        title="its files">${take.name}</button>
      <span class="dim facts">${facts(take)}</span>
      ${when(!live, () => html`<span class="row doing">
        <button type="button" class="small" aria-label=${`play ${take.name} into the room`} ?disabled=${!take.bars}
          @click=${play}>play</button>
        <a class="button small" href=${`${path(take.name)}.zip`} download=${`${take.name}.zip`}
          aria-label=${`download ${take.name}`}>download</a>
        <button type="button" class="small" aria-label=${`rename ${take.name}`} @click=${() => set("renaming")}>rename</button>
        <button type="button" class="small" aria-label=${`delete ${take.name}`} @click=${() => set("deleting")}>delete</button>
      </span>`)}
    </div>
    ${when(is("renaming"), () => rename(take, ask))}
    ${when(is("deleting"), () => remove(take, ask))}
    ${when(is("open"), () => tracks(take))}
  </li>`;
}

function list(state, ask) {
  const { takes, problem } = state.takes;
  if (problem) return html`<p class="note bad">${problem}</p>`;
  if (!takes.length) return html`<p class="dim">Nothing was recorded yet.</p>`;
  return html`<div class="row"><label><input type="checkbox" .checked=${here.setTempo}
      @change=${(e) => (here.setTempo = e.target.checked)}> playing sets the room to the recording's tempo and meter</label></div>
    <ul class="takes" aria-label="recordings">${takes.map((take) => row(state, take, ask))}</ul>`;
}

export const record = {
  of: ["recording", "takes", "page"],
  ticks: true,
  view(state, ask, { us }) {
    return html`<section class="panel recordings" aria-labelledby="record-head">
      <header><h2 id="record-head">Recordings</h2>${room(state, ask)}</header>
      ${when(state.recording.playing, () => played(state, ask, us))}
      ${list(state, ask)}
    </section>`;
  },
};
