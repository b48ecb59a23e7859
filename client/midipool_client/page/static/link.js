// The WebSocket to the client: state comes, requests go and are answered by their id.

const AGAIN_MS = 1000;

export class Link {
  constructor({ onState, onFrame, onOpen }) {
    this.state = null;
    this.open = false;
    this.heardSoFar = null;
    this.waiting = new Map();
    this.nextId = 1;
    Object.assign(this, { onState, onFrame, onOpen });
    this.connect();
  }

  connect() {
    const socket = new WebSocket(`ws://${location.host}/socket`);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => this.take(event.data);
    socket.onopen = () => this.opened(true);
    socket.onclose = () => {
      this.opened(false);
      for (const done of this.waiting.values()) done("midipool-client is away");
      this.waiting.clear();
      setTimeout(() => this.connect(), AGAIN_MS);
    };
    this.socket = socket;
  }

  opened(open) {
    this.open = open;
    this.onOpen(open);
  }

  take(data) {
    if (typeof data !== "string") return this.onFrame(new DataView(data));
    const message = JSON.parse(data);
    let changed = null;
    if (message.type === "snapshot") this.state = message.state;
    else if (message.type === "delta") this.state = { ...this.state, ...(changed = message.changed) };
    else if (message.type === "heard_so_far") this.heardSoFar = message;
    else return this.answered(message);
    this.onState(this.state, changed && Object.keys(changed));
  }

  answered({ id, text }) {
    const done = this.waiting.get(id);
    this.waiting.delete(id);
    done?.(text ?? "");
  }

  // Resolves with what stands against it, in words; empty when it is done.
  ask(type, fields = {}) {
    if (!this.open) return Promise.resolve("midipool-client is away");
    const id = this.nextId++;
    this.socket.send(JSON.stringify({ type, id, ...fields }));
    return new Promise((done) => this.waiting.set(id, done));
  }
}
