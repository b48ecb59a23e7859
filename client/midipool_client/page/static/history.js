// How the others were heard over the session: asked for when it is looked at, and for a file.

import { html } from "./vendor/lit-html/lit-html.js";

const RANGES = [["", "last minutes"], ["60", "6 hours"], ["3600", "week"]];
const AGAIN_MS = 15000;

// What GET /stats says, as plots want it.
export function pastOf({ pairs }) {
  const looks = new Map();
  for (const { member, cells } of pairs)
    for (const cell of cells) looks.set(cell.at_s, (looks.get(cell.at_s) ?? new Map()).set(member, cell));
  const times = [...looks.keys()].sort((a, b) => a - b);
  return { times, rows: times.map((at) => looks.get(at)), names: pairs.map((pair) => pair.member).sort() };
}

export class History {
  constructor(plots) {
    this.plots = plots;
    this.cell = "";
    this.askedAt = -Infinity;
  }

  choose(cell) {
    this.cell = cell;
    this.askedAt = -Infinity;
    if (!cell) this.plots.show(null);
    this.look();
  }

  // Once a second.
  look() {
    if (!this.cell || performance.now() < this.askedAt + AGAIN_MS) return;
    this.askedAt = performance.now();
    const asked = this.cell;
    fetch(`/stats?cell_s=${asked}`)
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)))
      .then((said) => this.cell === asked && this.plots.show(pastOf(said)))
      .catch(() => {}); // the client is away: what was seen last stays
  }

  view(ask) {
    const file = (format, words) => html`<a href=${`/stats?format=${format}&cell_s=${this.cell || 1}`} download=${`midipool-statistics.${format}`}>${words}</a>`;
    return html`<p class="row past"><label>plotted <select @change=${(e) => (this.choose(e.target.value), ask(null))}>
      ${RANGES.map(([cell, words]) => html`<option value=${cell} ?selected=${cell === this.cell}>${words}</option>`)}</select></label>
      <span>download ${file("csv", "CSV")} ${file("json", "JSON")}</span></p>`;
  }
}
