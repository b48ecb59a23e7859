// The bar ruler: playhead, loop, and what a pointer or a key does there.

import { barBeats, songBeats } from "./song.js";
import { colours, sized } from "./meters.js";
import { moving } from "./moving.js";

const BAR_PX = 34;

export class Ruler {
  constructor() {
    this.first = 1;
    this.drag = null;
  }

  bars(canvas) {
    return Math.max(Math.floor(sized(canvas).width / (devicePixelRatio || 1) / BAR_PX), 8);
  }

  barAt(canvas, event) {
    const x = event.clientX - canvas.getBoundingClientRect().left;
    return Math.max(Math.floor(this.first + (x / canvas.clientWidth) * this.bars(canvas)), 1);
  }

  down(event) {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const bar = this.barAt(event.currentTarget, event);
    this.drag = { from: bar, to: bar };
  }

  move(event) {
    if (this.drag) this.drag.to = this.barAt(event.currentTarget, event);
  }

  up(ask) {
    const { drag } = this;
    this.drag = null;
    if (!drag) return;
    if (drag.from === drag.to) locate(ask, drag.from);
    else ask("loop", { loop: span(drag) });
  }

  key(event, bar, ask) {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageUp: 4, PageDown: -4 }[event.key];
    if (by === undefined && event.key !== "Home") return;
    event.preventDefault();
    locate(ask, event.key === "Home" ? 1 : Math.max(bar + by, 1));
  }

  // The canvas is painted when it looks otherwise, and the playhead's, which lies on it. To move an
  // element would cost more.
  paint(canvas, head, timeline, us) {
    const scale = devicePixelRatio || 1;
    const { width: w, height: h } = sized(canvas);
    const beats = songBeats(timeline, us);
    const at = Math.max(beats, 0) / barBeats(timeline.meter) + 1;
    const count = this.bars(canvas);
    // It turns pages, as a score does.
    if (at < this.first || at >= this.first + count) this.first = Math.max(Math.floor(at) - (at < this.first ? 0 : 1), 1);
    const x = (bar) => ((bar - this.first) / count) * w;
    const colour = colours();
    this.paintHead(moving(head), [w, h], Math.round(x(at)), scale, colour);
    const { loop, meter } = timeline;
    const looks = JSON.stringify([this.first, w, h, loop, meter, this.drag, colour.text]);
    if (canvas.looks === looks) return;
    canvas.looks = looks;
    const g = canvas.getContext("2d");
    g.fillStyle = colour.well;
    g.fillRect(0, 0, w, h);
    this.paintLoop(g, x, h, this.drag ? span(this.drag) : timeline.loop, colour, this.drag !== null);
    g.font = `${11 * scale}px system-ui, sans-serif`;
    for (let bar = this.first; bar < this.first + count; bar++) {
      const strong = (bar - 1) % 4 === 0;
      g.fillStyle = colour.line;
      g.fillRect(Math.round(x(bar)), strong ? 0 : h * 0.45, scale, h);
      g.fillStyle = strong ? colour.text : colour.dim;
      if (strong || count <= 16) g.fillText(String(bar), x(bar) + 5 * scale, h * 0.38);
    }
  }

  paintHead(painted, [w, h], x, scale, colour) {
    const looks = `${x} ${w} ${h} ${colour.accent}`;
    if (painted.looks === looks) return;
    painted.looks = looks;
    painted.fit(w, h);
    const { g } = painted;
    g.clearRect(0, 0, w, h);
    g.fillStyle = colour.accent;
    g.fillRect(x - scale, 0, 2 * scale + 1, h);
  }

  paintLoop(g, x, h, loop, colour, pending) {
    if (!loop) return;
    g.globalAlpha = pending ? 0.25 : 0.4;
    g.fillStyle = colour.loop;
    g.fillRect(x(loop.start_bar), h * 0.45, x(loop.end_bar) - x(loop.start_bar), h * 0.55);
    g.globalAlpha = 1;
  }
}

const locate = (ask, bar) => ask("locate", { position: { bar, beat: 1 } });
const span = ({ from, to }) => ({ start_bar: Math.min(from, to), end_bar: Math.max(from, to) + 1 });
