// Tempo by tapping: the mean of the last gaps; a long pause begins anew.

const PAUSE_MS = 2500, MOST = 8;
let taps = [];

// The tempo so far, or null at the first tap.
export function tap(now = performance.now()) {
  if (taps.length && now - taps.at(-1) > PAUSE_MS) taps = [];
  taps = [...taps, now].slice(-MOST);
  if (taps.length < 2) return null;
  const bpm = (60000 * (taps.length - 1)) / (taps.at(-1) - taps[0]);
  return Math.min(Math.max(Math.round(bpm * 10) / 10, 20), 999);
}
