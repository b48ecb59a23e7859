// How soon the others are heard, and where meters stand.

import { when } from "./controls.js";
import { html } from "./vendor/lit-html/lit-html.js";

const PROFILES = { lan: "lan: as soon as possible", jam: "jam: soon, without holes",
  safe: "safe: late, over bad lines", bar: "bar: whole bars later" };

export function listening({ listening: l }, { meters }, ask) {
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
    <label>meters <select aria-label="meters before or behind the faders" data-value=${meters}
      @change=${(e) => ask("set_page", { meters: e.target.value })}>
      <option value="pre">before the fader</option><option value="post">behind the fader</option>
    </select></label>
  </div>`;
}
