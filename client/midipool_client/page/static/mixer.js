// The mixer: all strips, how soon the others are heard, and the sound device.

import { when } from "./controls.js";
import { listening } from "./listening.js";
import { keyOf } from "./meters.js";
import { layRows } from "./rows.js";
import { channelStrip, clickStrip, masterStrip, ownStrip, playerStrip, standBehind } from "./strips.js";
import { html } from "./vendor/lit-html/lit-html.js";

function view({ mixer, page }, ask) {
  standBehind(page.meters === "post");
  const { mix } = mixer.listening;
  const running = mixer.audio === "running";
  return html`<section class="panel mixer" aria-labelledby="mixer-head">
    <header><h2 id="mixer-head">Mixer</h2>${when(mixer.audio !== "off", () => listening(mixer, page, ask))}</header>
    ${when(!running, () => html`<p class="note">${mixer.audio === "off"
      ? "This client joined without audio (--no-audio)." : mixer.device || "The sound device is being opened."}</p>`)}
    ${when(mixer.not_saved, () => html`<p class="note bad">The mix is not kept: ${mixer.not_saved}</p>`)}
    <div class="strips" role="group" aria-label="strips" tabindex="0">
      <div class="rows" aria-hidden="true"></div>
      ${when(mixer.audio !== "off", () => html`${mixer.channels.map((one) => channelStrip(one, mix, ask))}
        ${ownStrip(mixer, ask)}
        ${mixer.strips.map((one) => playerStrip(one, ask))}
        ${when(!mixer.strips.length, () => html`<p class="note alone">Nobody else is here yet.</p>`)}`)}
      ${when(mixer.clicks.length, () => clickStrip(mixer, ask))}
      ${when(mixer.audio !== "off", () => masterStrip(mix, ask))}
    </div>
    ${when(running, () => html`<p class="dim device">${mixer.device}</p>`)}
  </section>`;
}

let shown = { drawn: -1, meters: [] };
const sizes = new ResizeObserver(() => (shown.drawn = -1));

function look(root, drawn) {
  const rows = root.querySelector(".rows");
  const all = rows ? [...root.querySelectorAll("[data-meter]")] : []; // none before the first picture of the room
  shown = { drawn, meters: all.map((meter) => [meter, JSON.parse(meter.dataset.meter)]) };
  if (!rows) return;
  if (!rows.seen) sizes.observe(rows.parentElement), (rows.seen = true);
  layRows(rows, all);
}

function paint(root, state, { meters, drawn }) {
  if (shown.drawn !== drawn) look(root, drawn);
  for (const [meter, of] of shown.meters) meters.paint(meter, meter.place, of);
}

function second(root, { mixer: now }, { meters }) {
  meters.keep(new Set(now.meters.map((name, i) => keyOf(i, name, now))));
}

export const mixer = { of: ["mixer", "page"], view, paint, second };
