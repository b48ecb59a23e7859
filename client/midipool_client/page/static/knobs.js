// What can be set of an effect: a slider with its value, a choice, or a text.

import { field, hold } from "./controls.js";
import { html } from "./vendor/lit-html/lit-html.js";

const STEPS = 1000;
const words = (name) => name.replaceAll("_", " ");

// Frequencies and times are felt by their ratios.
const byRatio = ({ least, most, unit }) => least > 0 && most / least >= 50 && (unit === "Hz" || unit === "ms");

const at = (knob, value) => {
  const { least, most } = knob;
  const part = byRatio(knob) ? Math.log(value / least) / Math.log(most / least) : (value - least) / (most - least);
  return Math.round(STEPS * part);
};

const from = (knob, steps) => {
  const { least, most, step } = knob;
  const part = steps / STEPS;
  const value = byRatio(knob) ? least * (most / least) ** part : least + part * (most - least);
  const whole = Math.round(value / step) * step;
  return Math.min(Math.max(Number(whole.toFixed(4)), least), most);
};

const shown = (value, step) => String(Number(Number(value).toFixed(step >= 1 ? 0 : step >= 0.1 ? 1 : 3)));

export function knob(one, value, label, set) {
  const name = words(one.name);
  if (one.choices.length) return choice(one, value, `${label}: ${name}`, set);
  if (one.least === null) return text(one, value, `${label}: ${name}`, set);
  const slide = (e) => { hold(e.target); set(one.name, from(one, Number(e.target.value))); };
  const reset = (e) => { hold(e.target); e.target.value = at(one, one.default); set(one.name, one.default); };
  const typed = (said) => { const to = Number(said.replace(",", ".").replace("−", "-")); if (said.trim() && Number.isFinite(to)) set(one.name, to); };
  return html`<label class="knob"><span>${name}</span>
    <input type="range" min="0" max=${STEPS} step="1" aria-label=${`${label}: ${name}`} aria-valuetext=${`${shown(value, one.step)} ${one.unit}`}
      title=${`double-click: ${shown(one.default, one.step)} ${one.unit}`} data-value=${at(one, value)} @input=${slide} @dblclick=${reset}>
    ${field({ label: `${label}: ${name}, typed`, value: shown(value, one.step), commit: typed })}<span class="unit dim">${one.unit}</span></label>`;
}

function choice(one, value, label, set) {
  return html`<label class="knob"><span>${words(one.name)}</span>
    <select aria-label=${label} data-value=${value} @change=${(e) => set(one.name, e.target.value)}>
      ${one.choices.map((word) => html`<option value=${word}>${word}</option>`)}</select></label>`;
}

function text(one, value, label, set) {
  return html`<label class="knob"><span>${words(one.name)}</span>
    ${field({ label, value, name: "words", mode: "text", commit: (said) => set(one.name, said) })}</label>`;
}
