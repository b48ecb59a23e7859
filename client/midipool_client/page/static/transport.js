// The transport: tempo, meter, start and stop, place and loop, and who may change them.

import { field, hold, when } from "./controls.js";
import { Ruler } from "./ruler.js";
import { recordButton } from "./record.js";
import { at, bpmAt, position, songBeats } from "./song.js";
import { tap } from "./tap.js";
import { html } from "./vendor/lit-html/lit-html.js";

const plain = (bpm) => String(Math.round(bpm * 1000) / 1000);
const ruler = new Ruler();

const newest = (state) => state.transport.timelines.at(-1);

function nudge(state, ask, by) {
  const bpm = newest(state).ramp ? newest(state).ramp.to_mbpm / 1000 : newest(state).mbpm / 1000;
  ask("tempo", { bpm: Math.min(Math.max(Math.round((bpm + by) * 1000) / 1000, 20), 999) });
}

function tapped(ask) {
  const bpm = tap();
  if (bpm !== null) ask("tempo", { bpm });
}

const counted = ({ page: { count_in_bars } }) => (count_in_bars ? { count_in_bars } : {});

function startStop(state, ask) {
  if (newest(state).playing) ask("stop");
  else ask("start", counted(state));
}

// Up and down on the number moves the tempo, as on a drum machine.
function dragged(ask, bpm) {
  let from = null;
  return {
    down: (e) => { from = { y: e.clientY, bpm, sent: bpm }; e.currentTarget.setPointerCapture(e.pointerId); },
    move: (e) => {
      if (!from) return;
      const to = Math.min(Math.max(Math.round(from.bpm + (from.y - e.clientY) / 4), 20), 999);
      if (to !== from.sent) ask("tempo", { bpm: (from.sent = to) });
    },
    up: () => { from = null; },
  };
}

let drag = null;
function tempo(state, ask) {
  const t = newest(state);
  const bpm = (t.ramp?.to_mbpm ?? t.mbpm) / 1000;
  const handle = (name) => (e) => { if (name === "down") drag = dragged(ask, bpm); drag?.[name](e); };
  return html`<div class="tempo" role="group" aria-label="tempo">
    <button type="button" class="small" aria-label="tempo down by 1" @click=${() => nudge(state, ask, -1)}>−</button>
    ${field({ label: "tempo in BPM", value: plain(bpm), name: "bpm",
      commit: (text) => ask("tempo", { bpm: Number(text.replace(",", ".")) || 0 }) })}
    <button type="button" class="small" aria-label="tempo up by 1" @click=${() => nudge(state, ask, 1)}>+</button>
    <span class="unit" title="drag up or down" @pointerdown=${handle("down")} @pointermove=${handle("move")}
      @pointerup=${handle("up")} @pointercancel=${handle("up")}>BPM ↕</span>
    <button type="button" class="small" title="tap the tempo (T)" @click=${() => tapped(ask)}>tap</button>
  </div>`;
}

function meter(state, ask) {
  const { numerator, denominator } = newest(state).meter;
  return html`<label class="meter-of">meter ${field({ label: "meter", value: `${numerator}/${denominator}`, name: "meter-field",
    mode: "text", commit: (text) => {
      const [n, d] = text.split("/").map(Number);
      ask("meter", { meter: { numerator: n || 0, denominator: d || 4 } });
    } })}</label>`;
}

function buttons(state, ask, us) {
  const { playing } = newest(state);
  return html`<div class="go" role="group" aria-label="transport">
    <button type="button" class="start" aria-label="start from bar 1" aria-pressed=${playing ? "true" : "false"} title="start from bar 1 (space)"
      @click=${() => ask("start", counted(state))}>▶ start</button>
    <button type="button" class="stop" aria-label="stop" title="stop (space)" @click=${() => ask("stop")}>■ stop</button>
    <button type="button" aria-label="continue from here" title="continue from here (C)"
      @click=${() => ask("continue", counted(state))}>continue</button>
    ${recordButton(state, ask, us)}
    <label>count-in <select aria-label="bars of count-in" data-value=${state.page.count_in_bars}
      @change=${(e) => ask("set_page", { count_in_bars: Number(e.target.value) })}>
      ${[0, 1, 2, 4].map((n) => html`<option value=${n}>${n === 0 ? "none" : n === 1 ? "1 bar" : `${n} bars`}</option>`)}
    </select></label>
  </div>`;
}

const typedPosition = (text) => {
  const [bar, beat] = text.split(".").map(Number);
  return { bar: bar || 0, beat: beat || 1 };
};

function place(state, ask, us) {
  const t = us === null ? newest(state) : at(state.transport.timelines, us);
  const now = position(t, songBeats(t, us ?? t.origin_time_us));
  const loop = newest(state).loop;
  const set = (start_bar, end_bar) => ask("loop", { loop: { start_bar, end_bar } });
  return html`<div class="place">
    <div class="bars"><canvas class="ruler" tabindex="0" role="slider" aria-label="place in the song, in bars" aria-valuemin="1"
      aria-valuenow=${now.bar} aria-valuetext=${`bar ${now.bar}`} title="click: go there; drag: loop"
      @pointerdown=${(e) => ruler.down(e)} @pointermove=${(e) => ruler.move(e)} @pointerup=${() => ruler.up(ask)}
      @pointercancel=${() => (ruler.drag = null)} @keydown=${(e) => ruler.key(e, now.bar, ask)}></canvas><canvas class="playhead"></canvas></div>
    <div class="row">
      <label>go to ${field({ label: "go to bar, or bar.beat", value: "", name: "goto", mode: "decimal",
        commit: (text) => text && ask("locate", { position: typedPosition(text) }) })}</label>
      <label>loop from ${field({ label: "loop from bar", value: loop ? String(loop.start_bar) : "", name: "loop",
        mode: "numeric", commit: (text) => set(Number(text), Math.max(loop?.end_bar ?? 0, Number(text) + 1)) })}</label>
      <label>to before ${field({ label: "loop to before bar", value: loop ? String(loop.end_bar) : "", name: "loop",
        mode: "numeric", commit: (text) => set(loop?.start_bar ?? 1, Number(text)) })}</label>
      <button type="button" class="small" ?disabled=${!loop} @click=${() => ask("loop", { loop: null })}>no loop</button>
    </div>
  </div>`;
}

const MODES = { open: "open: everybody", leader: "leader: one of you", vote: "vote: more than half", locked: "locked: nobody" };

function mode(state, ask) {
  const { mode: m } = state.conduct;
  const names = [state.session.name, ...state.mixer.strips.map((s) => s.member)];
  const set = (e) => {
    hold(e.target);
    ask("mode", e.target.value === "leader" ? { mode: "leader", leader: state.session.name } : { mode: e.target.value });
  };
  return html`<div class="row mode">
    <label>who may change this <select aria-label="who may change the room" data-value=${m.mode} @change=${set}>
      ${Object.entries(MODES).map(([name, words]) => html`<option value=${name}>${words}</option>`)}
    </select></label>
    ${when(m.mode === "leader", () => html`<label>leader <select aria-label="who leads" data-value=${m.leader}
      @change=${(e) => (hold(e.target), ask("mode", { mode: "leader", leader: e.target.value }))}>
      ${names.map((name) => html`<option value=${name}>${name}</option>`)}</select></label>`)}
    ${when(m.mode === "locked", () => html`<span>by ${m.locked_by}</span>`)}
  </div>`;
}

function vote(state, ask, us) {
  const { vote: v, result } = state.conduct;
  if (!v) return when(result, () => html`<p class="dim">${result}</p>`);
  const left = us === null ? "" : `, ${Math.max(Math.ceil((v.ends_us - us) / 1e6), 0)} s left`;
  const cast = (yes) => ask("ballot", { vote: v.vote, yes });
  const voted = [...v.yes, ...v.no].includes(state.session.name);
  return html`<div class="vote" role="group" aria-label="vote">
    <span><strong>${v.proposer}</strong> wants <strong>${v.text}</strong>: ${v.yes.length} yes, ${v.no.length} no,
    ${v.needed} needed${left}</span>
    <button type="button" class="yes" @click=${() => cast(true)}>yes</button>
    <button type="button" class="no" @click=${() => cast(false)}>no</button>
    ${when(voted, () => html`<span class="dim">you voted</span>`)}
  </div>`;
}

function changes(state, us) {
  const list = state.conduct.changes.slice(-4).reverse();
  const ago = (at) => (us === null ? "" : age((us - at) / 1e6));
  return when(list.length, () => html`<ul class="changes" aria-label="who changed what">
    ${list.map((c) => html`<li><b>${c.by ?? "somebody"}</b> ${c.text} <span class="dim">${ago(c.at_us)}</span></li>`)}
  </ul>`);
}

const age = (s) => (s < 10 ? "now" : s < 60 ? `${Math.round(s)} s ago` : s < 3600 ? `${Math.round(s / 60)} min ago` : `${Math.round(s / 3600)} h ago`);

function view(state, ask, { us }) {
  const t = us === null ? newest(state) : at(state.transport.timelines, us);
  const ramp = us !== null && t.ramp && t.playing ? html`<span class="dim ramp">${bpmAt(t, us).toFixed(1)} →</span>` : "";
  return html`<section class="panel transport" aria-labelledby="transport-head">
    <header><h2 id="transport-head">Transport</h2>${mode(state, ask)}</header>
    <div class="main">
      <output class=${`where ${t.playing ? "playing" : ""}`} aria-label="bar and beat"></output>
      ${buttons(state, ask, us)} <div class="row">${ramp}${tempo(state, ask)} ${meter(state, ask)}</div>
    </div>
    ${place(state, ask, us)}
    ${vote(state, ask, us)}
    ${changes(state, us)}
  </section>`;
}

function paint(root, state, { us }) {
  const canvas = root.querySelector(".ruler");
  if (!canvas) return;
  const at_us = us ?? newest(state).origin_time_us;
  const timeline = at(state.transport.timelines, at_us);
  ruler.paint(canvas, canvas.nextElementSibling, timeline, at_us);
  const now = position(timeline, songBeats(timeline, at_us));
  const where = root.querySelector(".where");
  const text = `${now.bar}.${now.beat}`;
  if (where.textContent !== text) where.textContent = text;
}

function key(pressed, state, ask) {
  if (pressed === " ") startStop(state, ask);
  else if (pressed === "t") tapped(ask);
  else if (pressed === "c") ask("continue");
  else return false;
  return true;
}

export const transport = { of: ["transport", "conduct", "session", "mixer", "page", "recording"], ticks: true, view, paint, key };
