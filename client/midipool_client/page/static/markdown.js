// Notes in Markdown, shown as elements that are made here, of a fixed list. What others wrote stays
// text: markup is shown as it was typed, nothing is loaded, and only http, https and mailto are links.

import { html, nothing } from "./vendor/lit-html/lit-html.js";
import { lexer } from "./vendor/marked/marked.esm.js";

const DEEPEST = 12;
let last = { text: "", shown: nothing };

export function markdown(text) {
  if (text !== last.text) last = { text, shown: shownOf(text) };
  return last.shown;
}

function shownOf(text) {
  try {
    return blocks(lexer(text, { gfm: true, breaks: true }), 0);
  } catch {
    return html`<pre>${text}</pre>`;
  }
}

const blocks = (tokens, depth) => (tokens ?? []).map((token) => block(token, depth + 1));
const inlines = (tokens, depth) => (tokens ?? []).map((token) => inline(token, depth + 1));

function block(token, depth) {
  if (depth > DEEPEST) return html`<p>${token.raw}</p>`;
  switch (token.type) {
    case "heading": return heading(token.depth, inlines(token.tokens, depth));
    case "paragraph": return html`<p>${inlines(token.tokens, depth)}</p>`;
    case "text": return token.tokens ? inlines(token.tokens, depth) : token.text;
    case "code": return html`<pre><code>${token.text}</code></pre>`;
    case "blockquote": return html`<blockquote>${blocks(token.tokens, depth)}</blockquote>`;
    case "list": return list(token, depth);
    case "table": return table(token, depth);
    case "hr": return html`<hr>`;
    case "space": case "def": return nothing;
    default: return html`<p>${token.raw}</p>`;
  }
}

// The page's own headings are above these.
function heading(depth, words) {
  if (depth === 1) return html`<h4>${words}</h4>`;
  return depth === 2 ? html`<h5>${words}</h5>` : html`<h6>${words}</h6>`;
}

function list({ ordered, start, items }, depth) {
  const lines = items.map((item) => html`<li>${item.task ? (item.checked ? "☑ " : "☐ ") : nothing}${blocks(item.tokens.filter(({ type }) => type !== "checkbox"), depth)}</li>`);
  return ordered ? html`<ol start=${Number(start) || 1}>${lines}</ol>` : html`<ul>${lines}</ul>`;
}

function table({ header, rows }, depth) {
  return html`<div class="scrolls" tabindex="0" role="group" aria-label="table"><table>
    <thead><tr>${header.map((cell) => html`<th scope="col">${inlines(cell.tokens, depth)}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${inlines(cell.tokens, depth)}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}

function inline(token, depth) {
  if (depth > DEEPEST) return token.raw;
  switch (token.type) {
    case "strong": return html`<strong>${inlines(token.tokens, depth)}</strong>`;
    case "em": return html`<em>${inlines(token.tokens, depth)}</em>`;
    case "del": return html`<s>${inlines(token.tokens, depth)}</s>`;
    case "codespan": return html`<code>${token.text}</code>`;
    case "br": return html`<br>`;
    case "link": return link(token.href, inlines(token.tokens, depth));
    case "image": return link(token.href, token.text || token.href);
    case "text": return token.tokens ? inlines(token.tokens, depth) : token.text;
    case "escape": return token.text;
    default: return token.raw;
  }
}

const SCHEMES = ["http:", "https:", "mailto:"];

// Where it leads is seen before it is followed; what is no address of these stays text.
export function link(address, words) {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !SCHEMES.includes(url.protocol)) return words;
  return html`<a href=${url.href} title=${url.href} target="_blank" rel="noopener noreferrer nofollow">${words}</a>`;
}

const ADDRESS = /https?:\/\/[^\s<>"]+[^\s<>"'.,;:!?)\]]/g;

// A text in which addresses are links.
export function linked(text) {
  const parts = [];
  let from = 0;
  for (const { 0: address, index } of text.matchAll(ADDRESS)) {
    parts.push(text.slice(from, index), link(address, address));
    from = index + address.length;
  }
  return [...parts, text.slice(from)];
}
