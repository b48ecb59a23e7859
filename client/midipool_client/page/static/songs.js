// The room's song list: load a song, see its notes, write and order the list.

import { when } from "./controls.js";
import { markdown } from "./markdown.js";
import { exported, imported } from "./song_files.js";
import { html, nothing } from "./vendor/lit-html/lit-html.js";

const plain = (bpm) => String(Math.round(bpm * 1000) / 1000);
const meterText = ({ numerator, denominator }) => `${numerator}/${denominator}`;
const loopText = (loop) => (loop ? `${loop.start_bar}-${loop.end_bar}` : "");

// What is being written: a song of the list, or a new one (`id` is null).
let draft = null;
let problem = "";
let brought = "";

const draftOf = (song) => ({
  id: song?.id ?? null, revision: song?.revision ?? null, name: song?.name ?? "", bpm: plain(song?.bpm ?? 120),
  meter: meterText(song?.meter ?? { numerator: 4, denominator: 4 }), loop: loopText(song?.loop), key: song?.key ?? "", notes: song?.notes ?? "",
});

function open(song, ask) {
  draft = draftOf(song);
  problem = "";
  ask(null);
  requestAnimationFrame(() => document.querySelector(".song-form [name=name]")?.focus());
}

function close(ask) {
  draft = null;
  ask(null);
}

// What was typed, as the room takes it.
function typed() {
  const [numerator, denominator] = draft.meter.split("/").map(Number);
  const [start_bar, end_bar] = draft.loop.split(/[-–\s]+/).map(Number);
  return {
    name: draft.name.trim(), bpm: Number(draft.bpm.replace(",", ".")) || 0, key: draft.key.trim(), notes: draft.notes,
    meter: { numerator: numerator || 0, denominator: denominator || 0 },
    loop: draft.loop.trim() ? { start_bar: start_bar || 0, end_bar: end_bar || 0 } : null,
  };
}

async function save(event, ask) {
  event.preventDefault();
  const written = draft;
  const said = written.id === null
    ? await ask("song_add", typed())
    : await ask("song_change", { song: written.id, revision: written.revision, ...typed() });
  problem = said ?? "";
  if (!problem && draft === written) draft = null;
  ask(null);
}

async function remove(ask) {
  problem = (await ask("song_remove", { song: draft.id })) ?? "";
  if (!problem) draft = null;
  ask(null);
}

async function bring(event, songs, ask) {
  brought = await imported(event.target, songs, ask);
  ask(null);
}

const field = (ask, name, label, more = {}) => html`<label>${label} <input name=${name} type="text" .value=${draft[name]} autocomplete="off"
  maxlength=${more.most ?? 16} ?required=${more.required} placeholder=${more.hint ?? nothing} spellcheck="false"
  @input=${(e) => { draft[name] = e.target.value; }}></label>`;

function form(songs, ask) {
  const now = songs.find(({ id }) => id === draft.id);
  const gone = draft.id !== null && !now, stale = now && now.revision !== draft.revision;
  return html`<form class="song-form" aria-label=${draft.id === null ? "a new song" : "change a song"} @submit=${(e) => save(e, ask)}
      @keydown=${(e) => e.key === "Escape" && close(ask)}>
    ${field(ask, "name", "name", { most: 64, required: true })}
    <div class="row">${field(ask, "bpm", "BPM")} ${field(ask, "meter", "meter")} ${field(ask, "loop", "loop", { hint: "5-9" })} ${field(ask, "key", "key", { hint: "F#m" })}</div>
    <label>notes, in Markdown <textarea name="notes" rows="8" maxlength="8000" .value=${draft.notes}
      @input=${(e) => { draft.notes = e.target.value; ask(null); }}></textarea></label>
    ${when(draft.notes, () => html`<div class="notes" aria-label="preview" role="group">${markdown(draft.notes)}</div>`)}
    ${when(gone, () => html`<p class="note" role="status">This song was removed meanwhile.</p>`)}
    ${when(stale, () => html`<p class="note" role="status">Somebody changed this song meanwhile.
      <button type="button" class="small" @click=${() => open(now, ask)}>take theirs</button>
      <button type="button" class="small" @click=${() => { draft.revision = now.revision; ask(null); }}>keep mine</button></p>`)}
    ${when(problem, () => html`<p class="note bad" role="alert">${problem}</p>`)}
    <div class="row"><button type="submit" class="start" ?disabled=${gone}>save</button>
      <button type="button" @click=${() => close(ask)}>cancel</button>
      ${when(draft.id !== null && !gone, () => html`<button type="button" @click=${() => remove(ask)}>remove from the list</button>`)}</div>
  </form>`;
}

function row(song, index, songs, loaded, ask) {
  const is = song.id === loaded?.song;
  const about = [`${plain(song.bpm)} BPM`, meterText(song.meter), song.key, song.loop ? `loop ${loopText(song.loop)}` : ""];
  const up = songs[index - 1]?.id, down = songs[index + 2]?.id ?? null;
  return html`<li class=${is ? "loaded" : ""}>
    <span class="what"><bdi class="song-name" title=${song.name}>${song.name}</bdi> <span class="dim">${about.filter(Boolean).join(", ")}</span></span>
    <span class="does">
      <button type="button" class="small load" aria-pressed=${is ? "true" : "false"} aria-label=${`load ${song.name}`}
        @click=${() => ask("song_load", { song: song.id })}>load</button>
      <button type="button" class="small" aria-label=${`change ${song.name}`} @click=${() => open(song, ask)}>change</button>
      <button type="button" class="small" aria-label=${`move ${song.name} up`} ?disabled=${index === 0}
        @click=${() => ask("song_move", { song: song.id, before: up })}>↑</button>
      <button type="button" class="small" aria-label=${`move ${song.name} down`} ?disabled=${index === songs.length - 1}
        @click=${() => ask("song_move", { song: song.id, before: down })}>↓</button>
    </span></li>`;
}

function notes(songs, loaded) {
  const song = songs.find(({ id }) => id === loaded?.song);
  if (!song) return nothing;
  return html`<article class="notes loaded-notes" aria-labelledby="loaded-head">
    <h3 id="loaded-head"><bdi>${song.name}</bdi> <span class="dim">loaded by <bdi>${loaded.by ?? "somebody"}</bdi></span></h3>
    ${song.notes ? markdown(song.notes) : html`<p class="dim">no notes</p>`}</article>`;
}

function view({ songs: { known, songs, loaded }, session }, ask) {
  return html`<section class="panel songs" aria-labelledby="songs-head">
    <header><h2 id="songs-head">Songs</h2>
      ${when(known, () => html`<div class="row"><button type="button" class="small" @click=${() => open(null, ask)}>new song</button>
        <button type="button" class="small" ?disabled=${!songs.length} @click=${() => exported(songs)}>export</button>
        <label class="button small">import <input type="file" accept=".json,application/json" aria-label="import songs"
          @change=${(e) => bring(e, songs, ask)}></label></div>`)}</header>
    ${when(brought, () => html`<p class="dim" role="status">${brought}</p>`)}
    ${when(!known && session.connected, () => html`<p class="note">The server is older than song lists.</p>`)}
    ${when(songs.length, () => html`<ol class="song-list">${songs.map((song, index) => row(song, index, songs, loaded, ask))}</ol>`)}
    ${when(known && !songs.length && !draft, () => html`<p class="dim">No songs yet. A song sets tempo, meter and loop when it is loaded, and shows its notes to everybody.</p>`)}
    ${draft ? form(songs, ask) : notes(songs, loaded)}
  </section>`;
}

export const songs = { of: ["songs", "session"], view };
