// Files that the browser writes into its downloads, or reads when one is chosen.

export function written(name, text, type = "application/json") {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

// The text of the chosen file, up to so many bytes; null when none was chosen.
export async function read(input, mostBytes) {
  const [file] = input.files;
  input.value = "";
  return file ? file.slice(0, mostBytes).text() : null;
}
