// Where the song is at a room time: the same arithmetic as midipool/timeline.py, in floats.

export const BEAT = 1e6;
const MBPM_US = 60000;

export const barBeats = (meter) => (meter.numerator * 4 * BEAT) / meter.denominator;
export const barStart = (meter, bar) => (bar - 1) * barBeats(meter);

// The timeline in force.
export function at(timelines, us) {
  for (let i = timelines.length - 1; i > 0; i--) if (timelines[i].origin_time_us <= us) return timelines[i];
  return timelines[0];
}

function elapsedBeats(t, us) {
  if (!t.playing) return t.origin_beats;
  const passed = us - t.origin_time_us;
  const { ramp } = t;
  if (!ramp || passed < 0) return t.origin_beats + (t.mbpm * passed) / MBPM_US;
  const [m0, m1, length] = [t.mbpm, ramp.to_mbpm, ramp.length_beats];
  const endUs = (2 * MBPM_US * length) / (m0 + m1);
  if (passed >= endUs) return t.origin_beats + length + (m1 * (passed - endUs)) / MBPM_US;
  const bent = ((m1 * m1 - m0 * m0) * passed * passed) / (4 * length * MBPM_US * MBPM_US);
  return t.origin_beats + (m0 * passed) / MBPM_US + bent;
}

export function songBeats(t, us) {
  const beats = elapsedBeats(t, us);
  if (!t.loop) return beats;
  const start = barStart(t.meter, t.loop.start_bar);
  const end = barStart(t.meter, t.loop.end_bar);
  if (beats < end || t.origin_beats >= end) return beats;
  return start + ((beats - start) % (end - start));
}

export function bpmAt(t, us) {
  if (!t.ramp || !t.playing) return t.mbpm / 1000;
  const passed = Math.min(Math.max(elapsedBeats(t, us) - t.origin_beats, 0), t.ramp.length_beats);
  const square = t.mbpm ** 2 + ((t.ramp.to_mbpm ** 2 - t.mbpm ** 2) * passed) / t.ramp.length_beats;
  return Math.sqrt(square) / 1000;
}

export function position(t, beats) {
  const whole = barBeats(t.meter);
  const bar = Math.floor(Math.max(beats, 0) / whole);
  const count = Math.floor(((beats - bar * whole) * t.meter.denominator) / (4 * BEAT));
  return { bar: bar + 1, beat: Math.min(Math.max(count, 0), t.meter.numerator - 1) + 1 };
}
