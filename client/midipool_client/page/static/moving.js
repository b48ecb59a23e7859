// Canvases on which something moves. What is painted on them goes to the screen by itself: that the
// browser puts the page together anew for each picture, which costs more than the painting, is left
// out. Each of them costs something too, so they are few.

export class Moving {
  constructor(canvas) {
    // An old browser puts the page together.
    this.pixels = canvas.transferControlToOffscreen?.() ?? canvas;
    this.g = this.pixels.getContext("2d");
  }

  // So large in pixels of the screen; empty, when `anew` or when it was not.
  fit(width, height, anew = false) {
    const { pixels } = this;
    if (anew || pixels.width !== width || pixels.height !== height) [pixels.width, pixels.height] = [width, height];
  }
}

// That of a canvas: it has only one.
const known = new WeakMap();
export function moving(canvas) {
  if (!known.has(canvas)) known.set(canvas, new Moving(canvas));
  return known.get(canvas);
}
