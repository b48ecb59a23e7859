// What the page is made of, in three columns: what one plays with, what all have together, and what
// one needs now and then. A wide screen has the third below the first, a narrow one all in a row.
//
// A part has `view(state, ask, page)`, which makes its panel (`page.us` is the room time, or null).
// It is made anew when one of the state's parts that `of` names is another, or, without `of`, any of
// them; with `ticks` once a second too. A part may have `paint(root, state, page)`, 21 times a
// second, for what changes without a new state (`page.drawn` counts renderings: elements are the
// same until it is another number); `second(root, state, page)`, once a second; `key(key, state,
// ask)`, which says whether it took a key that no field or button has; `top(state, ask)`, what it
// shows at the top of the page; and `unread()`, how much of it was not seen yet.

import { chat } from "./chat.js";
import { effects } from "./effects.js";
import { graph } from "./graph.js";
import { health } from "./health.js";
import { controllers } from "./learn.js";
import { mixer } from "./mixer.js";
import { modules } from "./modules.js";
import { people } from "./people.js";
import { record } from "./record.js";
import { saving } from "./save.js";
import { songs } from "./songs.js";
import { transport } from "./transport.js";

export const columns = {
  play: [transport, mixer, effects],
  together: [health, songs, chat],
  more: [people, modules, graph, record, saving, controllers],
};
export const parts = Object.values(columns).flat();
