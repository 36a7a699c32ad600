// The way to the machine inside a chat client (MCP Apps, SEP-1865): everything goes through the client, by messages to
// the window around. It lets tools be called, so the class is asked for every second.

import { resourceJson, toolResult } from "./mcp.js";

const EVERY = 1000;
const HIDDEN_EVERY = 10000;
const ANSWER_WITHIN = 20000;

/** The stream, as `Door` gives it. */
export class Host {
  constructor(hears, is) {
    Object.assign(this, { hears, is, asked: new Map(), last: 0, known: {}, here: new Set(), failures: 0 });
    this.listens = (event) => {
      if (event.source === window.parent) this.take(event.data);
    };
    addEventListener("message", this.listens);
    this.begin();
  }

  async begin() {
    try {
      const about = { appInfo: { name: "malloc-vr-page", version: "1" }, appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] }, protocolVersion: "2026-01-26" };
      const host = await this.ask("ui/initialize", about);
      this.context(host?.hostContext);
      this.tellHost("ui/notifications/initialized", {});
      this.watchSize();
      await this.meet();
    } catch (error) {
      this.is("refused", `The chat client does not let this page work: ${error.message}`);
    }
  }

  async meet() {
    const me = await this.call("door.me", {});
    if (!me.ok) throw new Error(me.words);
    this.hears("me", me.data);
    this.poll();
  }

  post(message) {
    // The client's origin is not known to the page; nothing secret is in what it sends.
    window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  }

  tellHost(method, params) {
    this.post({ method, params });
  }

  ask(method, params) {
    this.last += 1;
    const id = this.last;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.asked.delete(id);
        reject(new Error("no answer came"));
      }, ANSWER_WITHIN);
      this.asked.set(id, { resolve, reject, timer });
      this.post({ id, method, params });
    });
  }

  take(message) {
    if (message?.jsonrpc !== "2.0") return;
    const waits = message.method === undefined && this.asked.get(message.id);
    if (waits) {
      this.asked.delete(message.id);
      clearTimeout(waits.timer);
      if (message.error) waits.reject(new Error(message.error.message ?? "refused"));
      else waits.resolve(message.result);
      return;
    }
    switch (message.method) {
      case "ui/notifications/host-context-changed":
        this.context(message.params);
        break;
      case "ui/resource-teardown":
        this.close();
        this.post({ id: message.id, result: {} });
        break;
      case "ping":
        this.post({ id: message.id, result: {} });
        break;
      default:
        if (message.id !== undefined && message.method) {
          this.post({ id: message.id, error: { code: -32601, message: `${message.method} is not known to this page` } });
        }
    }
  }

  context(context) {
    if (context?.theme) document.documentElement.dataset.theme = context.theme;
    const font = context?.styles?.variables?.["--font-sans"];
    if (font) document.documentElement.style.setProperty("--font", font);
  }

  watchSize() {
    let told = "";
    const observer = new ResizeObserver(() => {
      const box = document.body.getBoundingClientRect();
      const now = { width: Math.ceil(box.width), height: Math.ceil(box.height) };
      if (told === JSON.stringify(now)) return;
      told = JSON.stringify(now);
      this.tellHost("ui/notifications/size-changed", now);
    });
    observer.observe(document.body);
  }

  close() {
    this.over = true;
    clearTimeout(this.timer);
    removeEventListener("message", this.listens);
  }

  async poll() {
    try {
      const news = await this.call("class.watch", { known: this.known });
      if (!news.ok) throw new Error(news.words);
      this.failures = 0;
      this.is("live");
      this.deliver(news.data);
      if (news.data.more) return this.poll();
    } catch (error) {
      this.failures += 1;
      this.is("lost", `The class cannot be seen just now: ${error.message}`);
    }
    if (this.over) return;
    const calm = document.hidden ? HIDDEN_EVERY : EVERY;
    this.timer = setTimeout(() => this.poll(), Math.min(15000, calm * 2 ** Math.min(4, this.failures)));
  }

  deliver(news) {
    for (const { version, snapshot, sample } of news.changed) {
      const seq = this.known[snapshot.learner]?.seq ?? 0;
      this.known[snapshot.learner] = { version, seq };
      this.hears("snapshot", snapshot);
      if (sample) this.hears("sample", sample);
    }
    for (const event of news.events) {
      const known = this.known[event.learner];
      if (known) known.seq = Math.max(known.seq, event.seq);
      this.hears("event", event);
    }
    const here = new Set(news.here);
    for (const learner of this.here) {
      if (here.has(learner)) continue;
      delete this.known[learner];
      this.hears("gone", { learner });
    }
    this.here = here;
    this.hears("pong", { at_unix_ms: news.at_unix_ms });
  }

  /** Events come with what is asked for every second. */
  replay() {}

  async call(name, given) {
    return toolResult(await this.ask("tools/call", { name, arguments: given }));
  }

  async read(uri) {
    return resourceJson(await this.ask("resources/read", { uri }));
  }

  /** Tells the model in the chat whom the instructor looks at. */
  async regard(learner) {
    const text = learner ? `The instructor is looking at learner ${learner} on the class page.` : "The instructor is looking at the whole class.";
    // A client may not offer it; the page goes on without.
    await this.ask("ui/update-model-context", { content: [{ type: "text", text }] }).catch(() => {});
  }
}
