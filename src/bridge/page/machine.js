// How the machine fares, and what can be done with it: health, frames and their governor, lessons, rules, draining.

import { carryOut } from "./acts.js";
import { byId, el, say } from "./dom.js";
import { field, question, sure } from "./form.js";
import { otherLesson } from "./groups.js";
import { figure, percent, plain } from "./words.js";

const MACHINE_EVERY = 2000;

/** Names and values, changed where they change. */
class Facts {
  constructor() {
    this.root = el("dl", { class: "facts" });
    this.rows = new Map();
  }

  set(name, words, kind) {
    let value = this.rows.get(name);
    if (!value) {
      value = el("dd");
      this.rows.set(name, value);
      this.root.append(el("div", {}, el("dt", { text: name }), value));
    }
    say(value, words);
    value.dataset.kind = kind ?? "";
  }
}

const millis = (it) => (Number.isFinite(it) ? `${it < 10 ? it.toFixed(1) : Math.round(it)} ms` : "–");

/** The view. */
export class Machine {
  constructor(store, way) {
    Object.assign(this, { store, way, root: byId("view-machine"), stamp: "" });
    this.health = new Facts();
    this.frames = new Facts();
    this.door = new Facts();
    this.noFrames = el("p", { class: "quiet", text: "Nothing is drawn on this machine: a host has no frames of its own. Each headset keeps its own rate; “Frames” on a tile says how it fares." });
    this.rules = el("div", {});
    this.lessons = el("div", {});
    this.drain = el("div", {});
    this.trouble = el("p", { class: "why", role: "alert", hidden: true });
    this.root.append(this.trouble, el("div", { class: "cards" },
      el("section", { class: "box" }, el("h2", { text: "Health" }), this.health.root),
      el("section", { class: "box" }, el("h2", { text: "Frames and governor" }), this.noFrames, this.frames.root),
      el("section", { class: "box" }, el("h2", { text: "The door" }), this.door.root, this.drain),
      el("section", { class: "box" }, el("h2", { text: "Lessons" }), this.lessons),
      el("section", { class: "box" }, el("h2", { text: "Adaptation rules" }), this.rules)));
    setInterval(() => this.ask(), MACHINE_EVERY);
  }

  async ask() {
    const way = this.way();
    if (this.root.hidden || document.hidden || !way) return;
    try {
      const [health, metrics] = await Promise.all([way.call("ops.health", {}), way.read("ops://metrics")]);
      this.tell(health.data, metrics);
      this.trouble.hidden = true;
    } catch (error) {
      this.trouble.hidden = false;
      say(this.trouble, `The machine's figures cannot be read: ${error.message}`);
    }
  }

  /** What changes only when somebody changes it. */
  async open() {
    this.ask();
    const way = this.way();
    const tools = new Set(this.store.me?.tools ?? []);
    try {
      const [lessons, policy] = await Promise.all([way.call("lesson.list", {}), way.call("adapt.get_policy", {})]);
      this.listLessons(way, tools, lessons.data);
      this.listRules(way, tools, policy.data);
    } catch (error) {
      say(this.lessons, `They cannot be read: ${error.message}`);
    }
    this.drain.replaceChildren(...(tools.has("ops.drain") ? [
      el("div", { class: "row under-facts" },
        el("button", { class: "small danger", "data-act": "drain", text: "Drain …", on: { click: () => this.drainIt() } }),
        el("button", { class: "small plain", "data-act": "undrain", text: "Let everybody in again", on: { click: () => carryOut(way, "ops.drain", { on: false }) } }))] : []));
  }

  tell(health, { world, door }) {
    const { health: facts, frames, door: net } = this;
    facts.set("All in all", health.ok ? "Well" : "Not well", health.ok ? "good" : "bad");
    facts.set("Learning records", health.records_written ? "Written as they come" : health.records_why ?? "Not written", health.records_written ? "good" : "bad");
    facts.set("Commands without answer", `${health.commands.unanswered} now, ${health.commands.unanswered_ever} ever`, health.commands.unanswered ? "bad" : "");
    facts.set("Samples off their time", health.stream.intervals ? `half within ${millis(health.stream.off_p50_ms)}, 99 in 100 within ${millis(health.stream.off_p99_ms)}` : "none yet");
    facts.set("Learners", `${world.learners}: ${world.running} at work, ${world.paused} standing still, ${world.ended} finished`);
    facts.set("Version", health.version);
    const drawn = health.frames;
    this.noFrames.hidden = Boolean(drawn);
    this.frames.root.hidden = !drawn;
    if (drawn) {
      frames.set("Period of the display", millis(drawn.period_ms));
      frames.set("Work of a frame", `CPU ${millis(drawn.cpu_ms)}, GPU ${millis(drawn.gpu_ms)}`);
      frames.set("Missed", `${drawn.missed} (${percent(drawn.missed_ratio)})`, drawn.missed_ratio > 0.01 ? "bad" : "good");
      frames.set("Governor", plain(drawn.level), { conservative: "good", balanced: "good", aggressive: "warn", emergency: "bad" }[drawn.level]);
      frames.set("Drawn at", percent(drawn.render_scale));
      frames.set("Why", drawn.why);
    }
    net.set("Open", `${door.connections} connections, ${door.sockets} live streams`);
    net.set("Requests", `${door.requests}, ${door.turned_away} turned away`, door.turned_away ? "warn" : "");
    net.set("Tools called", `${door.calls}, ${door.failed} without success`);
    net.set("Commands", `${world.commands_applied} carried out, ${world.commands_refused} refused`);
    net.set("Waiting", `${world.records_waiting} records, ${world.commands_waiting} commands, ${world.stream_waiting} of the stream`);
    net.set("Loop of this process", `${figure(world.frames.per_second)} a second, 99 in 100 within ${millis(world.frames.took.p99_ms)}`);
    net.set("Draining", world.draining ? "Yes: nobody new is let in" : "No", world.draining ? "warn" : "");
  }

  listLessons(way, tools, { lessons, running }) {
    this.lessons.replaceChildren(
      el("ul", { class: "plain-list" }, lessons.map((it) => el("li", {}, el("span", { text: plain(it) }), it === running && el("span", { class: "chip", "data-kind": "on", text: "runs" })))),
      el("div", { class: "row under-facts" },
        tools.has("lesson.switch") && el("button", { class: "small", "data-act": "switch", text: "Another lesson for everybody …", on: { click: () => otherLesson(way, null) } }),
        tools.has("lesson.load") && el("button", { class: "small", "data-act": "load", text: "Bring a lesson …", on: { click: () => this.bring(way) } })));
  }

  /** Checked first: mistakes come with line and cure, and nothing is brought. */
  async bring(way) {
    const file = el("input", { type: "file", accept: ".ron,text/plain", "aria-label": "Lesson file" });
    const part = field("text", "The lesson's text, or a file of it", "area", { rows: 8, required: true, spellcheck: false });
    file.addEventListener("change", async () => {
      part.querySelector("textarea").value = await file.files[0].text();
    });
    const given = await question("Bring a lesson", "Check and bring", part, file);
    if (!given) return;
    const text = given.get("text");
    const { ok, data, words } = await way.call("lesson.validate", { text });
    if (!ok || !data.playable) {
      const wrong = data?.mistakes?.map((it) => el("li", {}, el("b", { text: `Line ${it.line}: ${it.what}` }), el("p", { class: "quiet", text: it.mend }))) ?? [el("li", { text: words })];
      await sure("It has mistakes", "Try again", el("ul", { class: "seen" }, wrong)).then((again) => again && this.bring(way));
      return;
    }
    if (await carryOut(way, "lesson.load", { text })) this.open();
  }

  listRules(way, tools, { name, changed, rules }) {
    const may = tools.has("adapt.set_policy");
    const set = async (patch) => {
      await carryOut(way, "adapt.set_policy", { patch });
      this.open();
    };
    const off = new Set(Object.entries(changed.rules ?? {}).filter(([, it]) => it.on === false).map(([id]) => id));
    const all = [...new Set([...rules, ...off])];
    const toggle = (words, on, does, key) => el("label", { class: "check" }, el("input", { type: "checkbox", checked: on, disabled: !may, "data-key": key, on: { change: (event) => does(event.target.checked) } }), el("span", { text: words }));
    this.rules.replaceChildren(
      el("p", { class: "quiet", text: `Table ${name}. What is changed here holds on the machines of these learners until they are started again.` }),
      toggle("The rules act by themselves", changed.automatic !== false, (on) => set({ automatic: on }), "automatic"),
      el("details", {}, el("summary", { text: `${all.length} rules` }), all.map((id) => toggle(plain(id), !off.has(id), (on) => set({ rules: { [id]: { on } } }), id))),
      ...(may ? [el("div", { class: "row under-facts" }, el("button", { class: "small", "data-act": "reset rules", text: "As at the start", on: { click: () => set({ reset: true }) } }))] : []));
  }

  async drainIt() {
    const running = this.store.all().filter(({ state }) => !state.ended).length;
    const when = running ? `${running === 1 ? "One session runs" : `${running} sessions run`} now: the program ends when every one has ended or gone.` : "No session runs now: the program ends at once.";
    const given = await sure("Drain this machine?", "Drain", el("p", { text: `Nobody new is let in. ${when}` }), field("minutes", "At the latest after so many minutes", "number", { min: 1, max: 240, value: 60, step: 1, required: true }));
    if (given) carryOut(this.way(), "ops.drain", { within: 60 * Number(given.get("minutes")) });
  }
}
