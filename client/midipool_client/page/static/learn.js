// Controllers and pedals: while one is learned, a touch of the page says for what.

import { when } from "./controls.js";
import { html } from "./vendor/lit-html/lit-html.js";

const GESTURES = { tap: "tap the tempo", play: "start or stop", record: "record" };
const OWN = ["learn", "learn_end", "forget", "leave", "set_page"];

// Waiting for a touch of the page; from the touch on the client waits for a controller.
let armed = false, waited = false;

// What is asked for instead while something is learned.
export function learning(type, fields = {}) {
  if (!armed || OWN.includes(type)) return [type, fields];
  return ["learn", { request: { type, ...fields } }];
}

function arm(ask, request) {
  armed = request === undefined;
  waited = !armed;
  if (request) ask("learn", { request });
  else ask(null);
}

function end(ask) {
  armed = waited = false;
  ask("learn_end");
}

// It was learned, or took too long.
function follow({ learning: what }) {
  if (waited && !what) armed = waited = false;
  if (what) waited = true;
}

const HOW = { pickup: "takes hold at its value", jump: "jumps", toggle: "each press", hold: "while pressed" };

function one({ source, does, how, waits }, ask) {
  return html`<li class="learned row"><strong>${source}</strong> <span>${does}</span>
    <span class="dim">${waits ? "waits: move it to where the value is" : HOW[how] ?? how}</span>
    <button type="button" class="small" aria-label=${`forget ${source}`} @click=${() => ask("forget", { source })}>forget</button></li>`;
}

function button(state, ask) {
  const what = state.controllers.learning;
  if (armed || what) {
    return html`<button type="button" class="toggle" aria-pressed="true" @click=${() => end(ask)}>stop learning</button>`;
  }
  return html`<select aria-label="learn a controller" data-value="" @change=${(e) => {
      const { value } = e.target;
      e.target.value = "";
      if (value === "touch") arm(ask);
      else if (value) arm(ask, { type: value });
    }}>
    <option value="">learn…</option><option value="touch">what I touch on this page</option>
    ${Object.entries(GESTURES).map(([type, words]) => html`<option value=${type}>${words}</option>`)}
  </select>`;
}

function words({ learning: what }) {
  if (what) return `Now move a controller or press a pedal at midi_control: it is for ${what}.`;
  if (armed) return "Touch here what a controller is to move: a fader, a mute, a knob of an effect, start …";
  return "";
}

function view(state, ask) {
  const { controllers } = state;
  follow(controllers);
  return html`<section class="panel controllers" aria-labelledby="controllers-head">
    <header><h2 id="controllers-head">Controllers</h2>${button(state, ask)}</header>
    <p class=${words(controllers) ? "note" : ""} role="status">${words(controllers)}</p>
    ${when(controllers.problem, () => html`<p class="note bad">The last one did nothing: ${controllers.problem}</p>`)}
    ${when(!controllers.learned.length, () => html`<p class="dim">Faders and pedals that come in at midi_control do nothing yet.</p>`)}
    <ul>${controllers.learned.map((learned) => one(learned, ask))}</ul>
  </section>`;
}

export const controllers = { view };
