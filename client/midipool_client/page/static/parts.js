// What the page is made of. On a wide screen `left` and `right` are beside each other, else below.
//
// A part has `view(state, ask, page)`, which makes its panel (`page.us` is the room time, or null),
// and may have `paint(root, state, page)`, 25 times a second while it is shown, for what changes
// without a new state; `second(root, state, page)`, once a second; and `key(key, state, ask)`, which
// says whether it took a key that no field or button has.

import { effects } from "./effects.js";
import { health } from "./health.js";
import { mixer } from "./mixer.js";
import { record } from "./record.js";
import { transport } from "./transport.js";

export const left = [transport, mixer, effects];
export const right = [health, record];
export const parts = [...left, ...right];
