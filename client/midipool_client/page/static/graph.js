// Who hears whom: a patchbay. A line from an output to an input is a link; so are two keys or clicks.

import { dbField, hzField, when } from "./controls.js";
import { html, nothing, svg } from "./vendor/lit-html/lit-html.js";

const ROW = 34; // as .jack is high, in pixels
const shown = (name) => (name === "@click" ? "click" : name);
const KINDS = ["notes", "controllers", "pitch_bend", "programs", "aftertouch", "sysex"];

let medium = "audio";
let armed = null; // the output that a line is drawn from, by hand or by key
let chosen = null; // a link, { source, target }, or an input, { target }
let pull = null; // where the hand is, in the picture

const of = (graph) => ({
  outs: graph.nodes.filter(({ gives }) => gives.includes(medium)).map(({ name }) => name),
  ins: graph.nodes.filter(({ takes }) => takes.includes(medium)).map(({ name }) => name),
  links: graph.links.filter((link) => link.medium === medium),
});
const find = (links, source, target) => links.find((link) => link.source === source && link.target === target);

function arm(source, ask) {
  [armed, chosen] = [armed === source ? null : source, null];
  ask(null);
}

// A link that is there is looked at; one that is not is made.
function join(source, target, links, ask) {
  [armed, pull] = [null, null];
  chosen = source === target ? null : { source, target };
  if (source === target) ask(null);
  else if (find(links, source, target)) ask(null);
  else ask("graph_link", { source, target, medium });
}

function take(target, links, ask) {
  if (armed !== null) return join(armed, target, links, ask);
  chosen = chosen?.target === target && !chosen.source ? null : { target };
  return ask(null);
}

const unlink = ({ source, target }, ask) => {
  chosen = { source, target };
  ask("graph_unlink", { source, target, medium });
};

// ---- by hand ----

function grab(event, source, links, ask) {
  if (event.button !== 0) return;
  const picture = event.target.closest(".patchbay");
  const begin = [event.clientX, event.clientY];
  const move = (e) => {
    if (pull === null && Math.hypot(e.clientX - begin[0], e.clientY - begin[1]) < 5) return;
    const box = picture.querySelector("svg").getBoundingClientRect();
    [armed, chosen] = [source, null];
    pull = [(100 * (e.clientX - box.left)) / box.width, e.clientY - box.top];
    ask(null);
  };
  const drop = (e) => {
    stop();
    if (pull === null) return;
    // What follows a drag is no click.
    const swallow = (click) => click.stopPropagation();
    addEventListener("click", swallow, true);
    setTimeout(() => removeEventListener("click", swallow, true), 0);
    const target = document.elementFromPoint(e.clientX, e.clientY)?.closest("[data-in]")?.dataset.in;
    if (target !== undefined) join(source, target, links, ask);
    else ([armed, pull] = [null, null]), ask(null);
  };
  const stop = () => {
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", drop);
    removeEventListener("pointercancel", drop);
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", drop);
  addEventListener("pointercancel", drop);
}

// ---- the picture ----

const curve = (from, to, x = 100) => `M0 ${from} C ${x / 2} ${from}, ${x / 2} ${to}, ${x} ${to}`;
const middle = (index) => index * ROW + ROW / 2;
const isPlain = (link) => !link.gain_db && !link.high_pass_hz && !link.low_pass_hz && !link.channels.length && !link.kinds.length;

function line(link, outs, ins, ask) {
  const path = curve(middle(outs.indexOf(link.source)), middle(ins.indexOf(link.target)));
  const is = chosen?.source === link.source && chosen.target === link.target;
  const choose = () => { [chosen, armed] = [is ? null : { source: link.source, target: link.target }, null]; ask(null); };
  return svg`<g class=${`line ${is ? "chosen" : ""} ${isPlain(link) ? "" : "changed"}`} @click=${choose}>
    <title>${`${shown(link.source)} → ${shown(link.target)}${words(link)}`}</title>
    <path class="hit" d=${path}></path><path d=${path}></path></g>`;
}

function picture({ outs, ins, links }, ask) {
  const high = Math.max(outs.length, ins.length, 1) * ROW;
  return html`<svg viewBox=${`0 0 100 ${high}`} height=${high} preserveAspectRatio="none" aria-hidden="true">
    ${links.map((link) => line(link, outs, ins, ask))}
    ${pull === null ? nothing : svg`<path class="pull" d=${`M0 ${middle(outs.indexOf(armed))} L ${pull[0]} ${pull[1]}`}></path>`}</svg>`;
}

function jacks(graph, patch, ask) {
  const { outs, ins, links } = patch;
  const heard = (source) => links.filter((link) => link.source === source).map((link) => shown(link.target));
  const hears = (target) => links.filter((link) => link.target === target).map((link) => shown(link.source));
  const list = (names) => names.join(", ") || "nobody";
  return html`<div class="patchbay" role="group" aria-label=${`${medium === "midi" ? "MIDI" : medium} links`}
      @keydown=${(e) => e.key === "Escape" && ([armed, chosen, pull] = [null, null, null], ask(null))}>
    <div class="jacks" role="group" aria-label="who is heard">${outs.map((name) => html`<button type="button" class="jack out" data-out=${name}
      aria-pressed=${armed === name ? "true" : "false"} aria-label=${`${shown(name)} is heard by ${list(heard(name))}: draw a line from here`}
      @pointerdown=${(e) => grab(e, name, links, ask)} @click=${() => arm(name, ask)}><bdi>${shown(name)}</bdi></button>`)}</div>
    ${picture(patch, ask)}
    <div class="jacks" role="group" aria-label="who hears">${ins.map((name) => {
      const there = armed !== null && find(links, armed, name);
      const what = armed === null ? "set what it hears" : there ? `look at the line from ${shown(armed)}` : `draw the line from ${shown(armed)} to here`;
      return html`<button type="button" class="jack in" data-in=${name} aria-pressed=${chosen?.target === name && !chosen.source ? "true" : "false"}
        ?disabled=${armed === name} aria-label=${`${name} hears ${list(hears(name))}: ${what}`} @click=${() => take(name, links, ask)}><bdi>${name}</bdi></button>`;
    })}</div>
  </div>`;
}

// ---- one link, or one input ----

const db = (value) => `${value > 0 ? "+" : ""}${value} dB`;
const hz = (value) => (value < 1000 ? `${value} Hz` : `${value / 1000} kHz`);
function words({ gain_db, channels, kinds, high_pass_hz, low_pass_hz }) {
  const said = [gain_db ? db(gain_db) : "", channels.length ? `channels ${channels.join(", ")}` : "", kinds.map((kind) => kind.replace("_", " ")).join(", "),
    high_pass_hz ? `above ${hz(high_pass_hz)}` : "", low_pass_hz ? `below ${hz(low_pass_hz)}` : ""];
  return said.some(Boolean) ? ` (${said.filter(Boolean).join(", ")})` : "";
}

const numbers = (text, most) => [...new Set(text.split(/[\s,]+/).map(Number).filter((n) => Number.isInteger(n) && n >= 1 && n <= most))];

function settings(link, ask) {
  const { source, target } = link;
  const set = (fields) => ask("graph_link", { source, target, medium, ...fields }, `${source} ${target}`);
  const most = medium === "audio" ? 4 : 16;
  return html`${when(medium === "audio", () => html`<label class="row">level ${dbField({
      label: `${shown(source)} to ${target}`, db: link.gain_db, change: (gain_db) => set({ gain_db }),
    })} dB</label>
    ${[["high_pass_hz", "above", "lower"], ["low_pass_hz", "below", "higher"]].map(([name, what, less]) => html`<label class="row">${what} ${hzField({
      label: `${shown(source)} to ${target}: cut what is ${less} than, in Hz`, hz: link[name], change: (value) => set({ [name]: value }),
    })} Hz</label>`)}`)}
    <label class="row">channels <input class="field" type="text" size="6" placeholder="all" aria-label=${`channels of ${shown(source)} that ${target} hears, of 1 to ${most}`}
      .value=${link.channels.join(", ")} @change=${(e) => set({ [medium === "audio" ? "audio_channels" : "midi_channels"]: numbers(e.target.value, most) })}></label>
    ${when(medium === "midi", () => html`<fieldset class="row kinds"><legend>only</legend>${KINDS.map((kind) => html`<label><input type="checkbox"
      .checked=${link.kinds.includes(kind)} @change=${(e) => set({ midi_kinds: KINDS.filter((k) => (k === kind ? e.target.checked : link.kinds.includes(k))) })}>
      ${kind.replace("_", " ")}</label>`)}</fieldset>`)}
    <button type="button" class="small" @click=${() => unlink(link, ask)}>unlink</button>`;
}

function detail({ links, outs }, ask) {
  if (armed !== null) return html`<p class="detail dim" role="status">From <bdi>${shown(armed)}</bdi> to … (Escape: to nobody)</p>`;
  if (chosen === null) return html`<p class="detail dim">Draw a line from who is heard to who hears it, or choose one after the other; choose a line to change it.</p>`;
  const { source, target } = chosen;
  if (!source) {
    const hear = (...sources) => ask("graph_hear", { target, sources, medium });
    return html`<div class="detail row" role="group" aria-label=${`what ${target} hears`}><bdi>${target}</bdi> hears
      <button type="button" class="small" @click=${() => hear("@all")}>everybody</button>
      <button type="button" class="small" @click=${() => hear()}>nobody</button>
      ${when(outs.includes("@click"), () => html`<button type="button" class="small" @click=${() => hear("@click")}>only the click</button>`)}</div>`;
  }
  const link = find(links, source, target);
  if (!link) return html`<div class="detail row" role="status"><span><bdi>${target}</bdi> does not hear <bdi>${shown(source)}</bdi>.</span>
    <button type="button" class="small" @click=${() => ask("graph_link", { source, target, medium })}>link</button></div>`;
  return html`<div class="detail row" role="group" aria-label=${`${shown(source)} to ${target}`}><span><bdi>${shown(source)}</bdi> → <bdi>${target}</bdi></span>${settings(link, ask)}</div>`;
}

// The same without a picture.
function table({ outs, ins, links }, ask) {
  const pick = (e) => {
    e.preventDefault();
    const { source, target } = Object.fromEntries(new FormData(e.target));
    join(source, target, links, ask);
  };
  const options = (names) => names.map((name) => html`<option value=${name}>${shown(name)}</option>`);
  return html`<details class="as-list"><summary>as a list</summary>
    <form class="row" @submit=${pick}><label>let <select name="target" aria-label="who hears">${options(ins)}</select></label>
      <label>hear <select name="source" aria-label="who is heard">${options(outs)}</select></label><button type="submit" class="small">link</button></form>
    <ul>${ins.map((target) => html`<li><bdi>${target}</bdi> hears ${links.filter((link) => link.target === target).map((link) => html`<span class="one">
      <bdi>${shown(link.source)}</bdi>${words(link)} <button type="button" class="small" aria-label=${`change ${shown(link.source)} to ${target}`}
        @click=${() => { chosen = { source: link.source, target }; ask(null); }}>change</button>
      <button type="button" class="small" aria-label=${`unlink ${shown(link.source)} from ${target}`} @click=${() => unlink(link, ask)}>unlink</button></span>`)}
      ${when(!links.some((link) => link.target === target), () => html`<span class="dim">nobody</span>`)}</li>`)}</ul></details>`;
}

function view({ graph, session }, ask) {
  const patch = of(graph);
  if (armed !== null && !patch.outs.includes(armed)) [armed, pull] = [null, null];
  const choose = (to) => { [medium, armed, chosen, pull] = [to, null, null, null]; ask(null); };
  return html`<section class="panel graph" aria-labelledby="graph-head">
    <header><h2 id="graph-head">Who hears whom</h2>
      ${when(graph.known, () => html`<span class="row" role="group" aria-label="of what">${["audio", "midi"].map((one) => html`<button type="button" class="toggle small"
        aria-pressed=${medium === one ? "true" : "false"} @click=${() => choose(one)}>${one === "midi" ? "MIDI" : "audio"}</button>`)}
        ${when(graph.rules, () => html`<button type="button" class="small" title="everybody hears everybody" @click=${() => ask("graph_reset")}>as usual</button>`)}</span>`)}</header>
    ${when(!graph.known && session.connected, () => html`<p class="note">The server is older than the graph: everybody hears everybody.</p>`)}
    ${when(graph.known, () => html`${jacks(graph, patch, ask)}${detail(patch, ask)}${table(patch, ask)}
      ${graph.groups.map(({ name, members }) => html`<p class="dim">${name}: <bdi>${members.join(", ")}</bdi></p>`)}`)}
  </section>`;
}

export const graph = { of: ["graph", "session"], view };
