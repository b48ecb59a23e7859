// Effects: boards in order, their knobs, presets, and the tuner.

import { field, toggle, when } from "./controls.js";
import { knob } from "./knobs.js";
import { chosen as chosenFile, exported } from "./preset_files.js";
import { html } from "./vendor/lit-html/lit-html.js";

let dragged = null;

function view({ effects, effects_now: now, effect_kinds: { kinds }, page }, ask) {
  return html`<section class="panel effects" aria-labelledby="effects-head">
    <header><h2 id="effects-head">Effects</h2>${when(effects.available, () => tuner(effects, now, ask))}</header>
    ${when(effects.problem, () => html`<p class="note bad">${effects.problem}</p>`)}
    ${effects.available ? boards(effects, now, kinds, page.board, ask)
      : html`<p class="note">This client has no audio to put effects on.</p>`}
  </section>`;
}

function boards(effects, now, kinds, chosen, ask) {
  const board = effects.boards.find(({ board }) => board === chosen) ?? effects.boards.find(({ board }) => board === "own");
  return html`<div class="row" role="group" aria-label="boards">${effects.boards.map(({ board: name, title, effects: list }) => toggle({
      label: `board of ${title}`, text: list.length ? `${title} (${list.length})` : title, on: name === board.board,
      change: () => ask("set_page", { board: name }),
    }))}</div>
    <ol class="pedals" aria-label=${`effects on ${board.title}`}>${board.effects.map((one, i) => pedal(one, i, board, kinds, ask))}</ol>
    <div class="row">${adding(board, kinds, ask)}${presets(board, effects, ask)}</div>
    <p class="dim cost">${cost(now)}</p>`;
}

const later = (what, ms) => (ms ? `${what} ${ms.toFixed(1)} ms later` : "");

function cost(now) {
  if (!now.running) return "No effect is on: nothing is later, and nothing is used.";
  const words = [`effects late ${now.late}`, `load ${(100 * now.load).toFixed(0)} % of a period`,
    later("own channels", now.own_later_ms), later("what you hear", now.master_later_ms)];
  return words.filter(Boolean).join(" · ");
}

function pedal(effect, i, board, kinds, ask) {
  const kind = kinds.find(({ id }) => id === effect.kind);
  const { title } = kind;
  const move = (by) => ask("move_effect", { effect: effect.id, position: i + 1 + by });
  const set = (name, value) => ask("set_effect", { effect: effect.id, values: { [name]: value } }, `${effect.id} ${name}`);
  const label = `${title} ${i + 1}`;
  const drop = (event) => {
    event.preventDefault();
    if (dragged !== null && dragged !== effect.id) ask("move_effect", { effect: dragged, position: i + 1 });
    dragged = null;
  };
  return html`<li class=${`pedal ${effect.bypass ? "off" : ""}`} data-effect=${effect.kind}
      @dragover=${(e) => dragged !== null && e.preventDefault()} @drop=${drop}>
    <header draggable="true" title="drag to another place" @dragstart=${(e) => { dragged = effect.id; e.dataTransfer.effectAllowed = "move"; }}
      @dragend=${() => (dragged = null)}><h3>${title}</h3></header>
    <div class="buttons">
      ${toggle({ label: `${label}: on`, text: "on", kind: "listen", on: !effect.bypass,
        change: (on) => ask("bypass_effect", { effect: effect.id, bypass: !on }) })}
      <button type="button" class="small" aria-label=${`${label}: earlier`} title="earlier" ?disabled=${i === 0} @click=${() => move(-1)}>◀</button>
      <button type="button" class="small" aria-label=${`${label}: later`} title="later" ?disabled=${i === board.effects.length - 1}
        @click=${() => move(1)}>▶</button>
      <button type="button" class="small" aria-label=${`${label}: remove`} title="remove" @click=${() => ask("remove_effect", { effect: effect.id })}>✕</button>
    </div>
    ${when(effect.problem, () => html`<p class="problem bad">${effect.problem}</p>`)}
    <div class="knobs">${[...kind.knobs, ...own(effect)].map((one) => knob(one, effect.values[one.name] ?? one.default, label, set))}</div>
  </li>`;
}

// What only a plug-in itself knows.
const own = ({ found }) => Object.entries(found).map(([name, value]) => ({
  name, default: value, least: 0, most: 1, step: 0.001, unit: "", choices: [],
}));

function adding({ board, title }, kinds, ask) {
  const groups = [...new Set(kinds.map(({ group }) => group))];
  const add = (e) => { if (e.target.value) ask("add_effect", { board, kind: e.target.value }); e.target.value = ""; };
  return html`<select aria-label=${`add an effect to ${title}`} @change=${add}>
    <option value="">add an effect …</option>
    ${groups.map((group) => html`<optgroup label=${group}>${kinds.filter((k) => k.group === group).map(
      (k) => html`<option value=${k.id}>${k.title}</option>`)}</optgroup>`)}
  </select>`;
}

const named = (label, first, names, take) => html`<select aria-label=${label} @change=${(e) => {
  if (e.target.value) take(e.target.value);
  e.target.value = "";
}}><option value="">${first}</option>${names.map((name) => html`<option value=${name}>${name}</option>`)}</select>`;

function presets({ board, title, effects }, { presets: names, shared }, ask) {
  const bring = async (e) => {
    const json = await chosenFile(e.target);
    if (json !== null) ask("import_board", { board, json });
  };
  return html`${named(`load a preset into ${title}`, "load a preset …", names, (name) => ask("load_preset", { board, name }))}
    <label>keep as ${field({ label: `keep the board of ${title} as a preset called`, value: "", name: "words", mode: "text",
      commit: (name) => name.trim() && ask("save_preset", { board, name }) })}</label>
    ${when(names.length, () => named("forget a preset", "forget a preset …", names, (name) => ask("delete_preset", { name })))}
    ${when(shared.length, () => named(`take a board from the room for ${title}`, "take from the room …", shared,
      (name) => ask("take_board", { board, name })))}
    <label>share as ${field({ label: `share the board of ${title} with the room as`, value: "", name: "words", mode: "text",
      commit: (name) => name.trim() && ask("share_board", { board, name }) })}</label>
    <button type="button" class="small" ?disabled=${!effects.length} @click=${() => exported(title, effects)}>export</button>
    <label class="button small">import <input type="file" accept=".json,application/json" aria-label=${`import a board into ${title}`} @change=${bring}></label>`;
}

function tuner({ channels, tuner: on }, now, ask) {
  const listen = (channel) => ask("set_tuner", { channel });
  const numbers = Array.from({ length: channels }, (_, i) => i + 1);
  return html`<div class="row tuner" role="group" aria-label="tuner">
    <span>tuner</span>${numbers.map((n) => toggle({ label: `tuner on channel ${n}`, text: String(n), on: on === n,
      change: (wanted) => listen(wanted ? n : 0) }))}
    ${when(on, () => needle(now))}
  </div>`;
}

function needle({ hz, note, cents }) {
  if (!hz) return html`<output class="dim">no note</output>`;
  const state = Math.abs(cents) <= 3 ? "good" : "watch";
  return html`<output class=${`pitch ${state}`}><b>${note}</b> ${cents > 0 ? "+" : cents < 0 ? "−" : ""}${Math.abs(cents).toFixed(0)} cents
    <span class="dim">${hz.toFixed(1)} Hz</span></output>
    <meter class="needle" min="-50" max="50" low="-4" high="4" optimum="0" value=${cents} aria-label="cents off the note"></meter>`;
}

export const effects = { of: ["effects", "effects_now", "effect_kinds", "page"], view };
