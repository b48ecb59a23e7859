// Programs that the server runs in the room: how each does, and for hosts, which there are.

import { when } from "./controls.js";
import { badge } from "./health.js";
import { html } from "./vendor/lit-html/lit-html.js";

const GRADES = { playing: "good", degraded: "watch", starting: "watch", waiting: "watch", restarting: "bad", failed: "bad" };
let chosen = ""; // the program that would be added

const button = (label, text, act) => html`<button type="button" class="small" aria-label=${label} @click=${act}>${text}</button>`;

function words({ state, again_us: again }, us) {
  if (again === null || us === null) return state;
  return `${state} in ${Math.max(Math.round((again - us) / 1e6), 0)} s`;
}

const said = (options) => Object.entries(options).map(([name, value]) => `${name} ${value}`).join(", ");

function line(module, host, us, ask) {
  const { name, program, options, state, why } = module;
  const rests = state === "stopped" || state === "failed";
  const about = [program === name ? "" : program, said(options)].filter(Boolean).join(", ");
  return html`<li data-module=${name}><bdi>${name}</bdi><span class="about dim"><bdi>${about}</bdi></span>
    ${state === "stopped" || state === "stopping" ? html`<span class="dim">${state}</span>` : badge(GRADES[state], words(module, us))}
    ${when(host, () => html`<span class="buttons">
      ${rests ? button(`start ${name}`, "start", () => ask("module_start", { name }))
        : button(`stop ${name}`, "stop", () => ask("module_stop", { name }))}
      ${button(`restart ${name}`, "restart", () => ask("module_restart", { name }))}
      ${button(`remove ${name}`, "remove", () => ask("module_remove", { name }))}</span>`)}
    ${when(why, () => html`<p class="why dim">${why}</p>`)}</li>`;
}

function field({ name, default: usual, least, most, choices, about }) {
  const label = about ? `${name}: ${about}` : name;
  if (choices.length) {
    return html`<label title=${label}>${name} <select name=${name}>${choices.map((one) => html`<option ?selected=${one === usual}>${one}</option>`)}</select></label>`;
  }
  const number = typeof usual === "number";
  return html`<label title=${label}>${name} <input name=${name} type=${number ? "number" : "text"} step="any" maxlength="64"
    min=${least ?? ""} max=${most ?? ""} .value=${String(usual)}></label>`;
}

function adding(programs, ask) {
  const program = programs.find(({ name }) => name === chosen) ?? programs[0];
  const add = (event) => {
    event.preventDefault();
    const given = new FormData(event.target);
    const values = program.options.map(({ name, default: usual }) => [name, typeof usual === "number" ? Number(given.get(name)) : given.get(name)]);
    const name = given.get("module name").trim();
    ask("module_add", { program: program.name, options: Object.fromEntries(values), ...(name ? { name } : {}) });
  };
  return html`<form @submit=${add}>
    <label>program <select aria-label="program to add" @change=${(e) => { chosen = e.target.value; ask(null); }}>
      ${programs.map(({ name, about }) => html`<option value=${name} ?selected=${name === program.name} title=${about}>${name}</option>`)}</select></label>
    ${program.options.map(field)}
    <label>name <input name="module name" maxlength="64" placeholder=${program.name} autocomplete="off"></label>
    <button type="submit" class="small">add</button>${when(program.about, () => html`<span class="dim">${program.about}</span>`)}
  </form>`;
}

function view({ modules: { known, programs, modules: listed }, access }, ask, { us }) {
  if (!known || (!programs.length && !listed.length)) return html``;
  const host = access.role === "host";
  return html`<section class="panel modules" aria-labelledby="modules-head">
    <header><h2 id="modules-head">Modules</h2><span class="dim">${host ? "programs that the server runs here" : "hosts change what the server runs here"}</span></header>
    <ul aria-label="modules" aria-live="polite">${listed.map((one) => line(one, host, us, ask))}</ul>
    ${when(host && programs.length, () => adding(programs, ask))}
  </section>`;
}

export const modules = { of: ["modules", "access"], ticks: true, view };
