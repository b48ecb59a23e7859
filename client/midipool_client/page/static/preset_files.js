// Boards as files.

import { read, written } from "./files.js";

const MOST_BYTES = 12_000;

export function exported(title, effects) {
  const saved = effects.map(({ kind, bypass, values }) => ({ kind, bypass, values }));
  const json = JSON.stringify({ midipool_effects: 1, name: title, effects: saved }, null, 2);
  written(`${title.replaceAll(" ", "-")}.json`, `${json}\n`);
}

// What is too long is cut, and refused by the client.
export const chosen = (input) => read(input, MOST_BYTES);
