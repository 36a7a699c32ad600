// The way to the machine in a browser: the live stream over the WebSocket, the rest over MCP. It comes back by itself
// after a lost link, and asks for what it missed.

import { mcp, resourceJson, toolResult } from "./mcp.js";

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15000;
/** Nothing heard for so long: the link is dead although nobody said so. */
const SILENCE = 25000;
/** Events asked for of each learner at first, so that a tile can say what happened last. */
const AT_FIRST = 40;

/** What keeps one out for good, until a person does something. */
export class Refused extends Error {}

/** Who the token is for; throws `Refused` where it opens nothing. */
export async function whoAmI(token) {
  let response;
  try {
    response = await fetch("/tokens/self", { headers: { Authorization: `Bearer ${token}` } });
  } catch {
    throw new Error("The machine does not answer.");
  }
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  if (problem.error === "token_over") throw new Refused("Your access has ended: it expired or was revoked. Come in with a new pairing code.");
  if (response.status === 401) throw new Refused("This token opens nothing here. Come in with a pairing code.");
  throw new Error(problem.message ?? `The machine answered ${response.status}.`);
}

/** A pairing code becomes a token. */
export async function pair(code) {
  const body = JSON.stringify({ code, name: "instructor's page" });
  const response = await fetch("/pair", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer.token;
  const wait = Number(response.headers.get("retry-after"));
  const words = answer.message ?? `The machine answered ${response.status}.`;
  throw new Refused(response.status === 429 && wait ? `Too many wrong codes. Wait ${wait} s, then type the code again.` : words);
}

/** The stream. `hears(kind, body)` gets what comes; `is(state, words)` how the link fares. */
export class Door {
  constructor(token, hears, is) {
    Object.assign(this, { token, hears, is, pause: FIRST_PAUSE, replays: [], asked: null, last: new Map(), over: false });
    this.clock = setInterval(() => this.look(), 5000);
    this.again = () => {
      if (this.timer) this.connect();
    };
    addEventListener("online", this.again);
    document.addEventListener("visibilitychange", this.again);
    this.connect();
  }

  close() {
    this.over = true;
    clearInterval(this.clock);
    clearTimeout(this.timer);
    removeEventListener("online", this.again);
    document.removeEventListener("visibilitychange", this.again);
    this.socket?.close();
  }

  async connect() {
    clearTimeout(this.timer);
    this.timer = null;
    try {
      const who = await whoAmI(this.token);
      if (this.over) return;
      this.hears("me", who);
    } catch (error) {
      if (error instanceof Refused) return this.end(error.message);
      return this.later(error.message);
    }
    const address = `${location.origin.replace(/^http/, "ws")}/ws?token=${encodeURIComponent(this.token)}`;
    const socket = new WebSocket(address, ["malloc-vr.v1.json"]);
    this.socket = socket;
    this.heard = Date.now();
    socket.onopen = () => this.send({ hello: { protocol: 1, role: "instructor", client: { name: "malloc-vr-page", version: "1" } } });
    socket.onmessage = (event) => this.take(event.data);
    socket.onclose = () => {
      if (this.socket === socket) this.later(this.why ?? "The link to the machine was lost.");
    };
  }

  later(words) {
    if (this.over) return;
    this.socket = null;
    this.replays = [];
    this.asked = null;
    this.why = null;
    // Not all tablets of a school come back in the same moment.
    const pause = this.pause * (0.75 + Math.random() / 2);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    this.is("lost", `${words} Trying again${pause > 1500 ? ` in ${Math.round(pause / 1000)} s` : ""} …`);
    this.timer = setTimeout(() => this.connect(), pause);
  }

  end(words) {
    this.close();
    this.is("refused", words);
  }

  look() {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    if (Date.now() - this.heard > SILENCE) {
      const dead = this.socket;
      this.later("The machine has gone silent.");
      dead.close();
    } else {
      this.send({ ping: { at: Date.now() } });
    }
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  take(text) {
    this.heard = Date.now();
    const [kind, body] = Object.entries(JSON.parse(text))[0] ?? [];
    switch (kind) {
      case "welcome":
        this.pause = FIRST_PAUSE;
        this.is("live");
        break;
      case "snapshot": {
        const last = this.last.get(body.learner);
        // What was missed while the link was gone, or happened before we came.
        const after = last ?? Math.max(0, body.seq - AT_FIRST);
        if (last === undefined || body.seq > last + 1) this.replay(body.learner, after);
        if (last === undefined) this.last.set(body.learner, after);
        break;
      }
      case "event":
        this.last.set(body.learner, Math.max(body.seq, this.last.get(body.learner) ?? 0));
        break;
      case "resume":
        this.replay(body.learner, body.after);
        break;
      case "replayed":
        if (body.more) this.replays.unshift({ learner: body.learner, after: body.to });
        this.asked = null;
        this.next();
        break;
      case "error":
        if (this.failed(body)) return;
        break;
      case "gone":
        this.last.delete(body.learner);
        break;
      case "bye":
        this.why = "The machine is going down.";
        break;
    }
    this.hears(kind, body);
  }

  failed(error) {
    if (error.code === "forbidden" && !error.id && !this.asked) {
      this.end("Your access has ended: it expired or was revoked. Come in with a new pairing code.");
      return true;
    }
    if (error.code === "version") {
      this.end(error.message);
      return true;
    }
    if (this.asked && !error.id) {
      const asked = this.asked;
      asked.tries += 1;
      if (asked.tries < 4 && ["busy", "too_fast", "record"].includes(error.code)) this.replays.push(asked);
      this.asked = null;
      setTimeout(() => this.next(), 700);
    }
    return false;
  }

  /** Asks for events after a place in a log; one request at a time is what the machine takes. */
  replay(learner, after) {
    const waits = this.replays.find((it) => it.learner === learner);
    if (waits) waits.after = Math.min(waits.after, after);
    else if (this.asked?.learner !== learner || after < this.asked.after) this.replays.push({ learner, after, tries: 0 });
    this.next();
  }

  next() {
    if (this.asked || !this.replays.length) return;
    this.asked = { tries: 0, ...this.replays.shift() };
    this.send({ replay: { learner: this.asked.learner, after: this.asked.after } });
  }

  /** Asks the machine beside MCP: codes and tokens. */
  async http(method, where, body) {
    const headers = { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" };
    const response = await fetch(where, { method, headers, body: body && JSON.stringify(body) });
    if (response.status === 204) return null;
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(answer.message ?? `The machine answered ${response.status}.`);
    return answer;
  }

  /** Calls a tool. */
  async call(name, given) {
    return toolResult(await mcp(this.token, "tools/call", { name, arguments: given }));
  }

  /** Reads a resource. */
  async read(uri) {
    return resourceJson(await mcp(this.token, "resources/read", { uri }));
  }
}
