// One canvas for the meters of each row of strips, which lies over them.

import { moving } from "./moving.js";

function boxOf(meter) {
  const { offsetLeft: left, offsetTop: top, offsetWidth: width, offsetHeight: height } = meter;
  return { left, top, width, height, faded: meter.closest(".silent") !== null };
}

// Gives each meter the `place` where it is painted.
export function layRows(root, meters) {
  const boxes = meters.map((meter) => [meter, boxOf(meter)]);
  const tops = [...new Set(boxes.map(([, { top }]) => top))];
  while (root.children.length > tops.length) root.lastElementChild.remove();
  tops.forEach((at, n) => {
    const canvas = root.children[n] ?? root.appendChild(document.createElement("canvas"));
    lay(canvas, boxes.filter(([, { top }]) => top === at));
  });
}

function lay(canvas, boxes) {
  const scale = devicePixelRatio || 1;
  const looks = JSON.stringify([scale, boxes.map(([, box]) => box)]);
  if (canvas.looks === looks && boxes.every(([meter]) => meter.place?.canvas === canvas)) return;
  canvas.looks = looks;
  const [[, { left, top }], [, last]] = [boxes[0], boxes.at(-1)];
  const width = last.left + last.width - left;
  const height = Math.max(...boxes.map(([, box]) => box.height));
  Object.assign(canvas.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  const painted = moving(canvas);
  const pixels = (length) => Math.round(length * scale);
  painted.fit(pixels(width), pixels(height), true);
  for (const [meter, box] of boxes) {
    meter.looks = "";
    const at = { x: pixels(box.left - left), y: 0, w: pixels(box.width), h: pixels(box.height) };
    meter.place = { canvas, g: painted.g, ...at, faded: box.faded };
  }
}
