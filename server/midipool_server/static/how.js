// How to join, in one command that is copied.

import { html } from "./vendor/lit-html/lit-html.js";

// `midipool-client` takes port 8765 where an address names none; a browser 80.
export function address(room) {
  const { protocol, hostname, port } = location;
  if (protocol === "https:") return `wss://${hostname}${port ? `:${port}` : ""}/${room}`;
  return `ws://${hostname}:${port || 80}/${room}`;
}

const said = document.getElementById("said");
let silence = 0;
function say(text) {
  said.textContent = text;
  said.className = "shown";
  clearTimeout(silence);
  silence = setTimeout(() => (said.className = ""), 4000);
}

// The clipboard is there on https and on this machine; else what is to be copied is marked.
async function copy(event) {
  const field = event.target.closest("div").querySelector("input");
  try {
    await navigator.clipboard.writeText(field.value);
    say("copied: paste it in a terminal");
  } catch {
    field.focus();
    field.select();
    say(document.execCommand("copy") ? "copied: paste it in a terminal" : "marked: copy it with Ctrl-C");
  }
}

// An invitation stands behind the # of the page's own address, which a browser tells nobody.
const invited = () => (/^#invite=[A-Za-z0-9_.-]+$/.test(location.hash) ? location.hash : "");

export function howToJoin(room) {
  const whole = `${address(room)}${invited()}`;
  const command = `midipool-client join ${invited() ? `'${whole}'` : whole} --name YOU`;
  return html`<div class="copied">
    <input readonly aria-label="the command that joins this room" .value=${command} size=${command.length} @focus=${(e) => e.target.select()}>
    <button type="button" class="start" @click=${copy}>copy</button></div>
    <p class="dim">In a terminal, with your name in place of YOU. Or run <code>midipool-client</code> alone, and paste <code>${whole}</code> into its page.</p>`;
}
