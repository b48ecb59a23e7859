// Who is what in the room, and for hosts who waits, the door, and what they do about members.

import { when } from "./controls.js";
import { html } from "./vendor/lit-html/lit-html.js";

const ROLES = ["host", "player", "listener"];
const DOORS = { open: "open", ask: "who comes waits", locked: "locked" };

const option = (value, words, now) => html`<option value=${value} ?selected=${value === now}>${words}</option>`;
const button = (label, text, act) => html`<button type="button" class="small" aria-label=${label} title=${label} @click=${act}>${text}</button>`;

// What cannot be taken back by a click is asked for.
const sure = (text, act) => () => confirm(text) && act();

function member({ name, role, muted }, { host, own }, ask) {
  const manage = host && name !== own;
  return html`<li><bdi>${name}</bdi>
    ${host ? html`<select aria-label=${`role of ${name}`} @change=${(e) => ask("give_role", { member: name, role: e.target.value })}>
      ${ROLES.map((one) => option(one, one, role))}</select>` : html`<span class="dim">${role}</span>`}
    ${when(muted && !manage, () => html`<span class="dim">muted</span>`)}
    ${when(manage, () => html`
      <button type="button" class="small toggle" aria-pressed=${muted ? "true" : "false"} aria-label=${`mute for all: ${name}`}
        @click=${() => ask("mute", { member: name, muted: !muted })}>mute for all</button>
      ${button(`put out ${name}`, "put out", sure(`Put ${name} out of the room?`, () => ask("kick", { member: name })))}
      ${button(`ban ${name}`, "ban", sure(`Ban ${name} from the room?`, () => ask("ban", { member: name })))}`)}
  </li>`;
}

const waits = (name, ask) => html`<li><bdi>${name}</bdi> waits
  ${button(`let in ${name}`, "let in", () => ask("admit", { member: name }))}
  ${button(`turn away ${name}`, "turn away", () => ask("turn_away", { member: name }))}</li>`;

const banned = (name, ask) => html`<li><bdi>${name}</bdi> <span class="dim">banned</span>
  ${button(`unban ${name}`, "unban", () => ask("unban", { member: name }))}</li>`;

function door({ door: now, has_password: locked, invitation }, ask) {
  return html`<div class="row door">
    <label>door <select aria-label="the room's door" @change=${(e) => ask("door", { door: e.target.value })}>
      ${Object.entries(DOORS).map(([value, words]) => option(value, words, now))}</select></label>
    ${when(locked, () => html`<span class="dim">with a password</span>`)}
    ${button("invite: make a link that lets a player in for 4 hours", "invite", () => ask("invite", {}))}
    ${when(invitation, () => html`<input readonly aria-label="the link that lets in" .value=${invitation} @focus=${(e) => e.target.select()}>
      ${button("revoke: the link lets in nobody new; who is in stays", "revoke", () => ask("revoke", { invitation: invitation.split("#invite=").pop() }))}`)}
  </div>`;
}

function view({ access, session }, ask) {
  if (!access.known) return html``;
  const host = access.role === "host";
  return html`<section class="panel people" aria-labelledby="people-head">
    <header><h2 id="people-head">People</h2><span class="dim">${host ? "you are a host" : access.role === "listener" ? "you listen: nobody hears you" : access.muted ? "a host has muted you: nobody hears you" : ""}</span></header>
    ${when(host, () => door(access, ask))}
    <ul aria-label="people" aria-live="polite">${access.waiting.map((name) => waits(name, ask))}
      ${access.members.map((one) => member(one, { host, own: session.name }, ask))}
      ${access.banned.map((name) => banned(name, ask))}</ul>
  </section>`;
}

const top = ({ access }) => when(access.waiting.length, () => html`<a class="badge watch" href="#people-head">${access.waiting.length} at the door</a>`);

export const people = { of: ["access", "session"], view, top };
