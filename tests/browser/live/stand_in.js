/**
 * Stands in the page for the server's two live sockets: pictures and events come when a test says so.
 * It counts what the page acknowledges, and how many pictures it was ever sent without that.
 */
(() => {
  const Real = window.WebSocket;
  const open = new Map();
  const encoder = new TextEncoder();
  const unseen = new Map();
  const frames = [];

  const fake = window.fake = {
    up: true, tiles: [], listened: [], acked: 0, shown: 0, mostUnseen: 0, timer: 0,
    /** A connection that breaks: everything at once, and nothing comes back until `up`. */
    cut(code = 1006) {
      fake.up = code !== 1006;
      for (const socket of [...open.values()]) socket.break(code);
    },
    say(path, message) { open.get(path)?.tell(JSON.stringify(message)); },
    events(list) { fake.say("/ws/dashboard/", { type: "events", events: list, sequence: Math.max(...list.map((event) => event.sequence)) }); },
    async picture(tile, number) {
      const key = `${tile.camera} ${tile.size}`;
      const waiting = unseen.get(key) ?? [];
      if (waiting.length >= 2) return;
      const jpeg = frames[number % frames.length];
      const at = Date.now() - 40;
      const shift = (number % 20) / 40;
      const meta = encoder.encode(JSON.stringify({
        camera: tile.camera, size: tile.size, number, at, epoch: 1, width: 320, height: 180, gated: false,
        objects: [[number % 7 + 1, "person", 0.87, 0.1 + shift, 0.2, 0.15, 0.5], [3, "dog", 0.61, 0.6, 0.5, 0.2, 0.3]],
        occupancy: Object.fromEntries((fake.zones ?? []).map((zone) => [String(zone), 2])), ms: { total: 36 },
      }));
      const message = new Uint8Array(4 + meta.length + jpeg.length);
      new DataView(message.buffer).setUint32(0, meta.length);
      message.set(meta, 4);
      message.set(jpeg, 4 + meta.length);
      waiting.push(number);
      unseen.set(key, waiting);
      fake.mostUnseen = Math.max(fake.mostUnseen, waiting.length);
      fake.shown += 1;
      open.get("/ws/cameras/")?.tell(message.buffer);
    },
    run(rate = 10) {
      clearInterval(fake.timer);
      let number = Date.now();
      fake.timer = setInterval(() => {
        number += 1;
        for (const tile of fake.tiles) void fake.picture(tile, number);
      }, 1000 / rate);
    },
    stop() { clearInterval(fake.timer); },
  };

  async function draw() {
    for (let at = 0; at < 6; at += 1) {
      const canvas = new OffscreenCanvas(320, 180);
      const context = canvas.getContext("2d");
      context.fillStyle = `hsl(${at * 60} 60% 45%)`;
      context.fillRect(0, 0, 320, 180);
      context.fillStyle = "white";
      context.fillRect(at * 40, 60, 40, 80);
      frames.push(new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg" })).arrayBuffer()));
    }
  }
  const drawn = draw();

  class FakeSocket extends EventTarget {
    constructor(path) {
      super();
      this.path = path;
      this.readyState = 0;
      setTimeout(() => void this.begin(), 5);
    }
    async begin() {
      await drawn;
      if (!fake.up) { this.break(1006); return; }
      open.get(this.path)?.break(1000);
      open.set(this.path, this);
      this.readyState = 1;
      this.dispatchEvent(new Event("open"));
      this.tell(JSON.stringify({ type: "hello", sequence: 0 }));
    }
    tell(data) { this.dispatchEvent(new MessageEvent("message", { data })); }
    break(code) {
      if (this.readyState === 3) return;
      this.readyState = 3;
      if (open.get(this.path) === this) open.delete(this.path);
      if (this.path === "/ws/cameras/") { unseen.clear(); fake.tiles = []; }
      this.dispatchEvent(new CloseEvent("close", { code }));
    }
    close() { this.break(1000); }
    send(text) {
      const message = JSON.parse(text);
      if (message.type === "watch") fake.tiles = message.tiles;
      if (message.type === "listen") fake.listened.push(message.after);
      if (message.type === "ping") this.tell(JSON.stringify({ type: "pong" }));
      if (message.type !== "ack") return;
      const key = `${message.camera} ${message.size}`;
      fake.acked += 1;
      unseen.set(key, (unseen.get(key) ?? []).filter((number) => number > message.number));
    }
  }

  window.WebSocket = new Proxy(Real, {
    construct(target, [address, ...rest]) {
      const { pathname } = new URL(address, location.href);
      return ["/ws/cameras/", "/ws/dashboard/"].includes(pathname) ? new FakeSocket(pathname) : new target(address, ...rest);
    },
  });
})();
