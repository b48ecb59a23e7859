// Sliders and fields that show the state, but not while a hand is on them.

import { dbOf, dbText, dbTyped, keyStep, stepsOf, STEPS, wheelStep } from "./fader.js";
import { html, nothing } from "./vendor/lit-html/lit-html.js";

const held = new Map();
const HELD_MS = 400;

export const hold = (element) => held.set(element, performance.now());

// After a rendering: let what nobody moves show the state.
export function settle(root) {
  for (const element of root.querySelectorAll("[data-value]")) {
    const typing = element.type !== "range" && element === document.activeElement;
    const moved = performance.now() - (held.get(element) ?? -Infinity) < HELD_MS;
    if (!typing && !moved && element.value !== element.dataset.value) element.value = element.dataset.value;
  }
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const round1 = (value) => Math.round(value * 10) / 10;

export function fader({ label, db, change, reset = 0 }) {
  const now = db ?? -90;
  const to = (value) => change(clamp(round1(value), -90, 18));
  const set = (event, value) => (hold(event.target), (event.target.value = stepsOf(value)), to(value));
  return html`<input class="fader" type="range" min="0" max=${STEPS} step="1"
    aria-label=${`${label}: level`} aria-valuetext=${`${dbText(db)} dB`} title="double-click: ${dbText(reset)} dB"
    data-value=${stepsOf(now)} data-db=${now}
    @input=${(e) => (hold(e.target), to(dbOf(Number(e.target.value))))}
    @dblclick=${(e) => set(e, reset)}
    @keydown=${(e) => step(e, keyStep(e, 0.5), set, now)}
    @wheel=${(e) => step(e, wheelStep(e, 0.5), set, now)}>`;
}

function step(event, by, set, now) {
  if (by === null) return;
  const from = Number(event.target.dataset.db ?? now);
  const value = clamp(round1((from <= -90 && by > 0 ? -60.5 : from) + by), -90, 18);
  event.target.dataset.db = value <= -60.1 && by < 0 ? -90 : value;
  set(event, Number(event.target.dataset.db));
}

export function dbField({ label, db, change }) {
  return field({
    label: `${label}: level in dB`, value: dbText(db), name: "db",
    commit: (text) => { const typed = dbTyped(text); if (typed !== null) change(typed); },
  });
}

// A frequency in Hz, or `off`.
export function hzField({ label, hz, change }) {
  const typed = (text) => (/^\s*(off|-|)\s*$/i.test(text) ? 0 : Number(text.replace(",", ".").replace(/\s*hz\s*$/i, "")));
  return field({
    label, value: hz ? String(hz) : "off", name: "hz",
    commit: (text) => { const value = typed(text); if (Number.isFinite(value)) change(value); },
  });
}

// A text that is taken with Enter or when it is left, and put back with Escape.
export function field({ label, value, commit, name = "", mode = "decimal" }) {
  const take = (e) => { if (e.target.value !== e.target.dataset.value) commit(e.target.value); };
  return html`<input class=${`field ${name}`} type="text" inputmode=${mode} autocomplete="off" spellcheck="false"
    aria-label=${label} data-value=${value}
    @focus=${(e) => e.target.select()}
    @blur=${(e) => { take(e); setTimeout(() => (e.target.value = e.target.dataset.value), HELD_MS); }}
    @keydown=${(e) => {
      if (e.key === "Escape") e.target.value = e.target.dataset.value;
      if (e.key === "Enter" || e.key === "Escape") e.target.blur();
      e.stopPropagation();
    }}>`;
}

export function panner({ label, pan, change, reset = () => change(0) }) {
  const words = pan === 0 ? "middle" : `${Math.abs(Math.round(pan * 100))} % ${pan < 0 ? "left" : "right"}`;
  const set = (e, value) => (hold(e.target), (e.target.value = Math.round(value * 100)), change(value));
  const move = (e, by) => by === null || set(e, clamp(Number(e.target.value) / 100 + by, -1, 1));
  return html`<input class="pan" type="range" min="-100" max="100" step="1" aria-label=${`${label}: pan`}
    aria-valuetext=${words} title="pan: ${words}; double-click: as it was" data-value=${Math.round(pan * 100)}
    @input=${(e) => (hold(e.target), change(Number(e.target.value) / 100))}
    @dblclick=${() => reset()}
    @keydown=${(e) => move(e, keyStep(e, 0.05))}
    @wheel=${(e) => move(e, wheelStep(e, 0.05))}>`;
}

export function toggle({ label, text, on, change, kind = "" }) {
  return html`<button type="button" class=${`toggle ${kind}`} aria-pressed=${on ? "true" : "false"} aria-label=${label}
    title=${label} @click=${() => change(!on)}>${text}</button>`;
}

export const when = (shown, what) => (shown ? what() : nothing);
