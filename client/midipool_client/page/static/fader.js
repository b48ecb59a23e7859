// A fader: its law, and what keys, wheel and a double click do to it.

const LAW = [[0, -90], [0.05, -60], [0.2, -40], [0.4, -20], [0.75, 0], [1, 12]];
export const STEPS = 1000;

const between = (x, [x0, y0], [x1, y1]) => y0 + ((x - x0) * (y1 - y0)) / (x1 - x0);

export function dbOf(steps) {
  const x = steps / STEPS;
  const i = Math.max(LAW.findIndex(([at]) => at >= x), 1);
  return Math.round(between(x, LAW[i - 1], LAW[i]) * 10) / 10;
}

export function stepsOf(db) {
  const flipped = LAW.map(([x, y]) => [y, x]);
  const i = flipped.findIndex(([at]) => at >= db);
  if (i < 0) return STEPS;
  return Math.round(STEPS * (i === 0 ? 0 : between(db, flipped[i - 1], flipped[i])));
}

export const dbText = (db) =>
  db === null ? "off" : db <= -90 ? "−∞" : `${db < 0 ? "−" : db > 0 ? "+" : ""}${Math.abs(db).toFixed(1)}`;

export function dbTyped(text) {
  const plain = text.trim().replace("−", "-").replace(",", ".").replace(/\s*db$/i, "");
  if (/^(-?∞|-inf|off)$/i.test(plain)) return -90;
  const db = plain === "" ? NaN : Number(plain);
  return Number.isFinite(db) ? Math.min(Math.max(db, -90), 18) : null;
}

const KEYS = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 6, PageDown: -6 };

// What a key on a slider adds, in its unit; null if it is none of its keys. Shift is finer.
export function keyStep(event, unit) {
  const by = KEYS[event.key];
  if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return null;
  event.preventDefault();
  return by * unit * (event.shiftKey ? 0.2 : 1);
}

export function wheelStep(event, unit) {
  event.preventDefault();
  return (event.deltaY < 0 ? 1 : -1) * unit * (event.shiftKey ? 0.2 : 1);
}
