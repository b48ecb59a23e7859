// Boards as files: written into the browser's downloads, and read from a file that is chosen.

const MOST_BYTES = 12_000;

export function exported(title, effects) {
  const saved = effects.map(({ kind, bypass, values }) => ({ kind, bypass, values }));
  const json = `${JSON.stringify({ midipool_effects: 1, name: title, effects: saved }, null, 2)}\n`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([json], { type: "application/json" }));
  link.download = `${title.replaceAll(" ", "-")}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}

// The text of the chosen file; what is too long is cut, and refused by the client.
export async function read(input) {
  const [file] = input.files;
  input.value = "";
  return file ? file.slice(0, MOST_BYTES).text() : null;
}
