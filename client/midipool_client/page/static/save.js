// The room as a file: into the browser's downloads, and from a file that is chosen.

import { when } from "./controls.js";
import { read, written } from "./files.js";
import { html } from "./vendor/lit-html/lit-html.js";

const YAML = "application/yaml";
// One more than is taken, so that what is too long is refused and not cut.
const MOST_BYTES = (1 << 20) + 1;

let working = false;
let said = []; // lines
let bad = false;

async function work(ask, what) {
  [working, said, bad] = [true, [], false];
  ask(null);
  try {
    said = await what();
  } catch (error) {
    [said, bad] = [[error.message], true];
  }
  working = false;
  ask(null);
}

async function fetched(more) {
  const answer = await fetch("/room.yaml", more).catch(() => {
    throw new Error("midipool-client does not answer");
  });
  if (answer.ok) return answer;
  const text = await answer.text();
  try {
    throw new Error(JSON.parse(text).text);
  } catch (error) {
    throw error instanceof SyntaxError ? new Error(text) : error;
  }
}

const save = (room, ask) => work(ask, async () => {
  written(`${room}.yaml`, await (await fetched({})).text(), YAML);
  return [`${room} is in your downloads.`];
});

const load = (input, ask) => work(ask, async () => {
  const text = await read(input, MOST_BYTES);
  if (text === null) return [];
  const answer = await fetched({ method: "POST", body: text, headers: { "Content-Type": YAML } });
  return ["The room is what the file says.", ...(await answer.json()).notes];
});

function view({ session }, ask) {
  const off = working || !session.connected;
  return html`<section class="panel save" aria-labelledby="save-head">
    <header><h2 id="save-head">Save and load</h2></header>
    <div class="row">
      <button type="button" class="small" ?disabled=${off} @click=${() => save(session.room.split("/").pop(), ask)}>save the room</button>
      <button type="button" class="small" ?disabled=${off} @click=${(e) => e.target.nextElementSibling.click()}>load a room</button>
      <input type="file" hidden accept=".yaml,.yml,.json" aria-label="a room's file" @change=${(e) => load(e.target, ask)}></div>
    <p class="dim">Timeline, mode, roles, who hears whom, songs, and everybody's mix and effects, as a file to read and change.</p>
    ${when(said.length, () => html`<div role=${bad ? "alert" : "status"}>${said.map((line) => html`<p class=${bad ? "note bad" : "note"}>${line}</p>`)}</div>`)}
  </section>`;
}

export const saving = { of: ["session"], view };
