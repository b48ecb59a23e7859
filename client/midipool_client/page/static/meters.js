// Meters: a frame's levels, peak hold, and their painting, once for each picture of the screen.

const HOLD_MS = 1500, FALL_DB_S = 24, FLOOR_DB = -60, TOP_DB = 6, CLIP = 1.0;
const HEAD = 12, LEVEL = 8;
const FADED = 0.55; // as in mixer.css

const SILENT = { peak: -120, rms: -120, hold: -120, clip: -Infinity };

const db = (level) => (level > 1e-6 ? 20 * Math.log10(level) : -120);
const share = (value) => Math.min(Math.max((value - FLOOR_DB) / (TOP_DB - FLOOR_DB), 0), 1);

// To ask each time how large it is would have the page laid out each time.
function fit(canvas) {
  const scale = devicePixelRatio || 1;
  const [width, height] = [Math.round(canvas.clientWidth * scale), Math.round(canvas.clientHeight * scale)];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height, canvas.looks] = [width, height, ""];
}
const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => fit(target)));

// A canvas that has as many pixels as its place on the screen.
export function sized(canvas) {
  if (!canvas.seen) sizes.observe(canvas), (canvas.seen = true), fit(canvas);
  return canvas;
}

export class Meters {
  constructor() {
    this.byKey = new Map();
    this.roomUs = NaN;
  }

  // What a frame holds; one of another order is left out until the state tells that.
  take(view, mixer) {
    if (view.getUint8(0) !== 1) return;
    this.roomUs = view.getFloat64(4, true);
    if (!mixer || view.getUint16(2, true) !== mixer.meters_of) return;
    const now = performance.now();
    for (let i = 0; i < view.getUint8(1); i++) {
      const at = HEAD + i * LEVEL;
      this.see(keyOf(i, mixer.meters[i], mixer), view.getFloat32(at, true), view.getFloat32(at + 4, true), now);
    }
  }

  see(key, peak, rms, now) {
    const m = this.byKey.get(key) ?? { peak: -120, rms: -120, hold: -120, heldUntil: 0, clip: -Infinity, seen: now };
    const fallen = m.peak - (FALL_DB_S * (now - m.seen)) / 1000;
    m.peak = Math.max(db(peak), fallen);
    m.rms = db(rms);
    if (m.peak >= m.hold || now > m.heldUntil) [m.hold, m.heldUntil] = [m.peak, now + HOLD_MS];
    if (peak >= CLIP) m.clip = now;
    m.seen = now;
    this.byKey.set(key, m);
  }

  // Let go of who has gone.
  keep(keys) {
    for (const key of this.byKey.keys()) if (!keys.has(key)) this.byKey.delete(key);
  }

  // The loudest of several, each behind its fader: [key, dB].
  loudest(of) {
    const found = { ...SILENT };
    for (const [key, gain] of of) {
      const m = this.byKey.get(key) ?? SILENT;
      for (const part of ["peak", "rms", "hold"]) found[part] = Math.max(found[part], m[part] + gain);
      found.clip = Math.max(found.clip, m.clip);
    }
    return found;
  }

  // The peak that is held, in dB.
  text(key) {
    const { hold } = this.byKey.get(key) ?? SILENT;
    return hold > -119 ? `${hold.toFixed(1).replace("-", "−")} dB` : "−∞ dB";
  }

  // On a canvas of its own. A wide one is a meter that lies.
  paintWhole(canvas, of) {
    const { width, height } = sized(canvas);
    const g = canvas.getContext("2d");
    if (width > height) this.paint(canvas, { g, w: height, h: width, turned: true }, of);
    else this.paint(canvas, { g, w: width, h: height }, of);
  }

  // At its place on a canvas, if it looks otherwise than it did there.
  paint(meter, { g, x = 0, y: top = 0, w, h, turned = false, faded = false }, of) {
    const scale = devicePixelRatio || 1;
    const colour = colours();
    const m = this.loudest(of);
    const y = (value) => Math.round(h * (1 - share(value)));
    const clipped = performance.now() - m.clip < HOLD_MS;
    // What looks the same is not painted again.
    const looks = `${w} ${h} ${x} ${y(m.peak)} ${y(m.rms)} ${y(m.hold)} ${clipped} ${colour.well}`;
    if (meter.looks === looks) return;
    meter.looks = looks;
    if (turned) g.setTransform(0, 1, -1, 0, h, 0);
    else g.setTransform(1, 0, 0, 1, x, top);
    g.clearRect(0, 0, w, h);
    g.fillStyle = colour.well;
    g.fillRect(0, 0, w, h);
    const zones = [[-120, -18, colour.low], [-18, -3, colour.mid], [-3, 120, colour.high]];
    const bar = (value, x, width) => {
      for (const [from, to, fill] of zones) {
        if (value <= from) continue;
        const top = h * (1 - share(Math.min(value, to)));
        const bottom = h * (1 - share(from));
        g.fillStyle = fill;
        g.fillRect(x, top, width, bottom - top);
      }
    };
    g.globalAlpha = 0.45;
    bar(m.peak, 0, w);
    g.globalAlpha = 1;
    bar(m.rms, Math.round(w * 0.2), Math.round(w * 0.6));
    if (m.hold > FLOOR_DB) {
      g.fillStyle = m.hold > -3 ? colour.high : colour.hold;
      g.fillRect(0, y(m.hold), w, Math.max(2 * scale, 1));
    }
    if (clipped) {
      g.fillStyle = colour.high;
      g.fillRect(0, 0, w, 4 * scale);
    }
    if (faded) this.fade(g, w, h);
  }

  // As what is around it.
  fade(g, w, h) {
    g.globalCompositeOperation = "destination-out";
    g.globalAlpha = 1 - FADED;
    g.fillRect(0, 0, w, h);
    g.globalCompositeOperation = "source-over";
    g.globalAlpha = 1;
  }
}

// The first are one's own, whatever members are called.
export const keyOf = (index, name, { channels }) => (index < 2 + channels.length ? `own:${name}` : `member:${name}`);

let cached = null;
export function colours() {
  if (cached) return cached;
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  cached = Object.fromEntries(
    ["well", "low", "mid", "high", "hold", "line", "text", "dim", "accent", "loop"].map((n) => [n, of(`--${n}`)]),
  );
  return cached;
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (cached = null));
