// The last minutes of whom we hear, once a second, as plots; or the session, as history.js has it.

import { colours } from "./meters.js";

// The page can be used before it can plot.
let uPlot = null;
const load = () => import("./vendor/uplot/uPlot.esm.js").then((module) => (uPlot = module.default));

const KEPT_S = 300;
const KINDS = [
  ["one way, ms", (h) => h.latency_ms],
  ["jitter, ms", (h) => h.jitter_ms],
  ["missing after repair, %", (h) => 100 * h.residual_loss],
];
const PAST_KINDS = [
  ["one way, 95 % within, ms", (cell) => cell.latency_p95_ms],
  ["jitter at most, ms", (cell) => cell.jitter_max_ms],
  ["missing after repair, %", (cell) => 100 * cell.residual_loss],
];
const LINES = ["#0d9488", "#d97706", "#7c3aed", "#dc2626", "#2563eb", "#65a30d", "#db2777", "#0891b2", "#92400e", "#64748b",
  "#c026d3", "#15803d"];

export class Plots {
  constructor() {
    this.times = [];
    this.rows = [];
    this.names = [];
    this.drawn = null;
    this.loading = null;
    this.looks = 0;
    this.past = null;
  }

  // Times, rows and names of the session; null are the last minutes.
  show(past) {
    this.past = past;
    this.looks = 1;
  }

  get kinds() {
    return this.past ? PAST_KINDS : KINDS;
  }

  // What was before this page; `heard` are lists of [member, latency, jitter, share that is left].
  begin({ at_s, heard }) {
    this.times = at_s.slice(-KEPT_S);
    this.rows = heard.slice(-KEPT_S).map((row) => new Map(row.map(([member, latency_ms, jitter_ms, residual_loss]) =>
      [member, { latency_ms, jitter_ms, residual_loss }])));
  }

  take(health) {
    const me = health.members.find((m) => m.me);
    if (!me) return;
    this.times.push(Date.now() / 1000);
    this.rows.push(new Map(me.hears.map((h) => [h.member, h])));
    while (this.times.length > KEPT_S) this.times.shift(), this.rows.shift();
    this.names = [...new Set(this.rows.flatMap((row) => [...row.keys()]))].sort();
  }

  data(of) {
    const { times, rows, names } = this.past ?? this;
    const line = (name) => rows.map((row) => { const h = row.get(name); return h ? of(h) : null; });
    return [times, ...names.map(line)];
  }

  draw(root) {
    if (!root) return;
    this.loading ??= load();
    if (!uPlot) return;
    const { names } = this.past ?? this;
    root.hidden = !names.length;
    if (root.hidden) return;
    const width = Math.max(Math.floor((root.clientWidth - 24) / (root.clientWidth > 540 ? 3 : 1)), 160);
    const made = JSON.stringify([names, width, colours().text, Boolean(this.past)]);
    if (this.drawn !== made || !root.firstChild) this.make(root, width, made);
    if (this.looks++ % 2) this.kinds.forEach(([, of], i) => this.plots[i].setData(this.data(of)));
  }

  make(root, width, made) {
    root.replaceChildren();
    this.drawn = made;
    const { text, line } = colours();
    const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line }, font: "11px system-ui" };
    this.plots = this.kinds.map(([title, of]) => new uPlot({
      title, width, height: 150, cursor: { show: false }, legend: { show: false },
      scales: { y: { range: (_, low, high) => [0, Math.max(high ?? 0, 1) * 1.1] } },
      axes: [{ ...axis, space: 70, values: (_, all) => all.map(all.at(-1) - all[0] > 86400 ? day : hour) }, { ...axis, size: 44 }],
      series: [{}, ...(this.past ?? this).names.map((label, n) => ({ label, stroke: LINES[n % LINES.length], width: 2, points: { show: false } }))],
    }, this.data(of), root));
    root.append(this.legend());
  }

  // One for all of them.
  legend() {
    const list = document.createElement("ul");
    list.className = "legend";
    list.append(...(this.past ?? this).names.map((name, n) => {
      const [one, mark] = [document.createElement("li"), document.createElement("span")];
      mark.style.background = LINES[n % LINES.length];
      one.append(mark, name);
      return one;
    }));
    return list;
  }
}

const day = (s) => new Date(s * 1000).toLocaleString([], { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const hour = (s) => new Date(s * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
