// Song lists as files, as `midipool-client songs export` and `import` have them.

import { read, written } from "./files.js";

const FORMAT = "midiPool songs 1";
const MOST_BYTES = 2_000_000;
const EDITED = ["name", "bpm", "meter", "loop", "key", "notes"];
const meterText = ({ numerator, denominator }) => `${numerator}/${denominator}`;

export function exported(songs) {
  const inFile = ({ name, bpm, meter, loop, key, notes }) =>
    ({ name, bpm, meter: meterText(meter), ...(loop && { loop }), ...(key && { key }), ...(notes && { notes }) });
  written("songs.json", `${JSON.stringify({ format: FORMAT, songs: songs.map(inFile) }, null, 2)}\n`);
}

// The songs of a text, as they are asked for; or null if it holds none.
function songsIn(text) {
  try {
    const { format, songs } = JSON.parse(text.replaceAll("\\r\\n", "\\n"));
    if (format !== FORMAT) return null;
    return songs.map(({ name, bpm = 120, meter = "4/4", loop = null, key = "", notes = "" }) => {
      const [numerator, denominator] = meter.split("/").map(Number);
      return { name, bpm, meter: { numerator: numerator || 0, denominator: denominator || 0 }, loop, key, notes };
    });
  } catch {
    return null;
  }
}

const same = (song, wanted) => EDITED.every((field) => JSON.stringify(song[field]) === JSON.stringify(wanted[field]));

// Songs of the chosen file come to the list; those that are there by their name become as the file
// says. Resolves with what came of it, in words; with "" when no file was chosen.
export async function imported(input, songs, ask) {
  const text = await read(input, MOST_BYTES);
  if (text === null) return "";
  const wanted = songsIn(text);
  if (wanted === null) return "The file holds no list of songs as exported.";
  const left = [...songs];
  let added = 0, changed = 0;
  for (const song of wanted) {
    const at = left.findIndex(({ name }) => name.toLowerCase() === String(song.name).toLowerCase());
    const [known] = at < 0 ? [] : left.splice(at, 1);
    if (known && same(known, song)) continue;
    const problem = known ? await ask("song_change", { song: known.id, revision: known.revision, ...song }) : await ask("song_add", song);
    if (problem) return `${added} added, ${changed} changed; then “${song.name}”: ${problem}`;
    if (known) changed += 1;
    else added += 1;
  }
  return `${added} added, ${changed} changed`;
}
