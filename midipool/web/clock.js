// Room time by the times in frames of meters: the least delayed of the last seconds is right.

const KEPT = 100;

export class Clock {
  constructor() {
    this.offsets = [];
    this.offset = null;
  }

  see(roomUs) {
    if (Number.isNaN(roomUs)) return;
    const offset = roomUs - performance.now() * 1000;
    // Another clock counts now.
    if (this.offset !== null && Math.abs(offset - this.offset) > 1e6) this.offsets = [];
    this.offsets.push(offset);
    if (this.offsets.length > KEPT) this.offsets.shift();
    this.offset = Math.max(...this.offsets);
  }

  now() {
    return this.offset === null ? null : performance.now() * 1000 + this.offset;
  }
}
