// One learner in depth: where they are, what can be done, what they know, why the rules did what they did, what happened.

import { ACTS, act } from "./acts.js";
import { MORE } from "./more.js";
import { byId, el, makeBar, mark, say, show, svg, tell } from "./dom.js";
import { needs, signal } from "./store.js";
import { kindOf } from "./tiles.js";
import { actionWords, ago, clock, featureWords, figure, percent, phase, plain, refusalWords, SHARES, standing, commandWords } from "./words.js";

/** Lines of the timeline that are shown at first, and more at each wish. */
const LINES = 40;
/** Decisions that are shown. */
const DECISIONS = 6;

function section(title, ...parts) {
  return el("section", { class: "part" }, el("h3", { text: title }), ...parts);
}

/** Rows with a name, a bar and a figure, kept by key. */
class Rows {
  constructor() {
    this.root = el("ul", { class: "rows" });
    this.rows = new Map();
  }

  set(key, words, value, low, high, kind, more) {
    let row = this.rows.get(key);
    if (!row) {
      const bar = makeBar();
      row = { bar, name: el("span", { class: "what" }), value: el("b"), more: el("small", { class: "quiet" }) };
      row.root = el("li", {}, row.name, row.value, bar.root, row.more);
      this.rows.set(key, row);
      this.root.append(row.root);
    }
    say(row.name, words);
    say(row.value, percent(value));
    say(row.more, more);
    row.bar.set(value, low, high, kind);
  }

  drop(keys) {
    for (const [key, row] of this.rows) {
      if (keys.has(key)) continue;
      row.root.remove();
      this.rows.delete(key);
    }
  }
}

/** The panel. */
export class Learner {
  constructor(store, way, close) {
    Object.assign(this, { store, way, close, root: byId("learner"), id: null, lines: LINES });
    store.follow((changed) => {
      if (this.id && changed.has(this.id)) this.update();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.id && !byId("dialog").open) this.close();
    });
    setInterval(() => this.id && this.timeline(false), 10000);
  }

  open(id) {
    this.id = id;
    this.lines = LINES;
    this.build();
    show(this.root, true);
    this.update();
    this.root.scrollTop = 0;
    this.root.focus({ preventScroll: true });
    const record = this.store.learners.get(id);
    // The tile knows what happened last; here somebody wants to know what went before.
    if (record?.state) this.way().replay(id, Math.max(0, record.state.seq - 600));
    this.way().regard?.(id);
  }

  shut() {
    if (this.id) this.way().regard?.(null);
    this.id = null;
    show(this.root, false);
    this.root.replaceChildren();
  }

  build() {
    const tools = new Set(this.store.me?.tools ?? []);
    this.name = el("h2", { class: "name" });
    this.chip = el("span", { class: "chip" });
    this.under = el("p", { class: "quiet under" });
    this.goal = el("p", { class: "goal" });
    this.facts = el("p", { class: "quiet" });
    this.shown = el("div", { class: "shown" });
    this.needs = el("ul", { class: "needs" });
    const button = (it, kind) => ({ it, node: el("button", { class: kind, "data-tool": it.tool, text: it.words, on: { click: () => this.press(it) } }) });
    const offered = (all, kind) => all.filter((it) => tools.has(it.tool)).map((it) => button(it, it.kind === "danger" ? `${kind} danger` : kind));
    const first = offered(ACTS, "");
    const second = MORE.map(([title, all]) => [title, offered(all, "small")]).filter(([, all]) => all.length);
    this.buttons = [first, ...second.map(([, all]) => all)].flat();
    this.skills = new Rows();
    this.figures = new Rows();
    this.absent = el("p", { class: "quiet" });
    this.why = el("ol", { class: "decisions" });
    this.strip = el("div", { class: "strip" });
    this.list = el("ol", { class: "timeline" });
    this.more = el("button", { class: "small plain", text: "Show more", hidden: true, on: { click: () => { this.lines += 100; this.timeline(true); } } });
    this.stamp = {};
    this.renames = el("button", { class: "small plain", text: "Rename", title: "A name for this tab only; it is never sent", on: { click: () => this.rename() } });
    const leave = el("button", { class: "small", "aria-label": "Close", text: "✕", on: { click: () => this.close() } });
    this.root.replaceChildren(...[
      el("header", {}, el("div", { class: "row" }, this.name, this.chip, el("span", { class: "push" }), this.renames, leave), this.under),
      section("Now", this.goal, this.facts, this.needs, this.shown),
      first.length ? el("div", { class: "acts", role: "group", "aria-label": "What you can do" }, first.map((it) => it.node)) : el("p", { class: "quiet", text: "You look on: to help, come in with a code for instructors." }),
      second.length && el("details", { class: "more" }, el("summary", { text: "More: scores, scene, preferences, session" }),
        el("div", { class: "more-groups" }, second.map(([title, all]) => el("div", { role: "group", "aria-label": title }, el("h4", { text: title }), el("div", { class: "acts" }, all.map((it) => it.node)))))),
      tools.has("view.capture") && this.eyes(),
      section("What they know", this.skills.root),
      section("How it goes", this.figures.root, this.absent),
      section("Why the lesson was adapted", this.why),
      section("What happened", this.strip, this.list, this.more),
    ].filter(Boolean));
  }

  /** What the learner sees, where the machine offers it and the learner agreed. */
  eyes() {
    const picture = el("img", { class: "picture", alt: "What the learner sees", hidden: true });
    const words = el("p", { class: "quiet" });
    const look = el("button", { class: "small", text: "Look now", on: { click: async () => {
      look.disabled = true;
      try {
        const { ok, words: said, content } = await this.way().call("view.capture", { learner: this.id });
        const image = content.find((it) => it.type === "image" && /^image\/(png|jpeg|webp)$/.test(it.mimeType));
        show(picture, ok && Boolean(image));
        if (ok && image) picture.src = `data:${image.mimeType};base64,${image.data}`;
        say(words, ok && image ? `Seen at ${clock(Date.now())}` : said);
      } catch (error) {
        tell(error.message, "bad");
      }
      look.disabled = false;
    } } });
    return section("Through their eyes", look, words, picture);
  }

  rename() {
    const input = el("input", { class: "rename", maxlength: 40, value: this.store.names[this.id] ?? "", "aria-label": "Name on this screen" });
    let over = false;
    const done = (back) => {
      // Taking a field away that has the focus blurs it.
      if (over) return;
      over = true;
      const id = this.id;
      if (input.isConnected) input.replaceWith(this.name);
      if (id) this.store.rename(id, input.value);
      if (back) this.renames.focus();
    };
    input.addEventListener("blur", () => done(false));
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        // The key would go on and press the button that gets the focus.
        event.preventDefault();
        done(true);
      }
      if (event.key === "Escape") {
        event.stopPropagation();
        input.value = this.store.names[this.id] ?? "";
        done(true);
      }
    });
    this.name.replaceWith(input);
    input.focus();
  }

  async press(one) {
    const record = this.store.learners.get(this.id);
    try {
      if (record?.state) await act(this.way(), one, record.state, { learner: record.id });
    } catch (error) {
      tell(error.message, "bad");
    }
  }

  /** Whether something else is to be shown than before. */
  changed(part, ...of) {
    const stamp = JSON.stringify(of);
    if (this.stamp[part] === stamp) return false;
    this.stamp[part] = stamp;
    return true;
  }

  update() {
    const record = this.store.learners.get(this.id);
    if (!record?.state) {
      tell("The learner left.", "warn");
      return this.close();
    }
    const { state, sample } = record;
    const stands = standing(state);
    say(this.name, this.store.nameOf(this.id));
    say(this.chip, stands.word);
    mark(this.chip, "data-kind", stands.kind);
    mark(this.root, "data-learner", this.id);
    mark(this.root, "data-state-seq", state.seq);
    say(this.under, [plain(state.lesson), phase(state.place), stands.more, state.link === "linked" ? "headset is linked" : null, state.acknowledged_seq < state.seq ? "being recorded" : null].filter(Boolean).join(" · "));
    this.now(record);
    for (const { it, node } of this.buttons) {
      const can = it.can(state) && (it.over || !state.ended);
      show(node, can || !it.hide);
      mark(node, "disabled", !can);
      mark(node, "title", can ? null : state.ended ? "The session is over" : it.no);
    }
    for (const [skill, known] of Object.entries(state.skills)) {
      const tries = known.attempts === 1 ? "1 try" : `${known.attempts} tries`;
      this.skills.set(skill, plain(skill), known.known, known.known_low, known.known_high, known.attempts ? "plain" : "faint", known.attempts ? `between ${percent(known.known_low)} and ${percent(known.known_high)}, ${tries}` : "not tried yet");
    }
    this.skills.drop(new Set(Object.keys(state.skills)));
    const there = SHARES.filter(([key]) => signal(sample, key));
    for (const [key, words] of there) {
      const it = signal(sample, key);
      const from = it.from === "measured" ? "measured" : `concluded, between ${percent(it.low)} and ${percent(it.high)}`;
      this.figures.set(key, words, it.value, it.low, it.high, kindOf(key, it.value), from);
    }
    this.figures.drop(new Set(there.map(([key]) => key)));
    const absent = SHARES.filter(([key]) => !signal(sample, key)).map(([, words]) => words.toLowerCase());
    say(this.absent, absent.length ? `Not measured just now: ${absent.join(", ")}.` : "");
    this.decisions(record);
    this.timeline(false);
  }

  now({ state }) {
    say(this.goal, state.ended ? "The lesson is over." : state.goal ?? "Not begun yet.");
    const wrong = state.failures_on_step ? ` · ${state.failures_on_step} wrong here` : "";
    const adapted = [["difficulty", state.difficulty], ["pace", state.pace]].filter(([, it]) => Math.abs(it - 1) > 0.005).map(([name, it]) => ` · ${name} × ${it.toFixed(2)}`).join("");
    say(this.facts, `${state.completed.length} of ${state.steps_total} steps · ${state.correct} of ${state.attempts} tries right${wrong}${adapted}${state.support ? ` · support ${state.support}` : ""}`);
    const needed = needs(this.store.learners.get(this.id), this.store.stuck);
    if (this.changed("needs", needed)) {
      this.needs.replaceChildren(...needed.map((it) => el("li", { "data-level": it.level, text: it.words })));
    }
    if (this.changed("shown", state.hint, state.hint_level, state.message, state.hints_available)) {
      this.shown.replaceChildren(...[
        state.hint && el("p", { class: "quote" }, el("b", { text: `Hint ${state.hint_level} of ${state.hints_available} ` }), el("span", { text: state.hint })),
        state.message && el("p", { class: "quote" }, el("b", { text: "Your message " }), el("span", { text: state.message })),
      ].filter(Boolean));
    }
  }

  decisions(record) {
    const all = record.events.filter((it) => it.body.type === "decided").slice(-DECISIONS).reverse();
    const after = (seq) => {
      const rest = record.events.filter((it) => it.seq > seq);
      const end = rest.findIndex((it) => it.body.type === "decided");
      return (end < 0 ? rest : rest.slice(0, end)).filter((it) => it.body.command?.principal === "automatic" || it.body.command?.principal === "safety");
    };
    const rows = all.map((it) => [it, after(it.seq)]);
    if (!this.changed("why", rows.map(([it, then]) => [it.seq, then.map((one) => one.seq)]))) return;
    if (!rows.length) {
      this.why.replaceChildren(el("li", { class: "quiet", text: "The rules have decided nothing yet." }));
      return;
    }
    const open = new Set([...this.why.querySelectorAll("details[open]")].map((it) => it.dataset.seq));
    this.why.replaceChildren(...rows.map(([it, then]) => this.decision(it, then, open)));
  }

  decision(it, then, open) {
    const decided = it.body;
    const first = decided.chosen?.[0];
    const came = then.map((one) => (one.body.type === "command_applied" ? `Done: ${commandWords(one.body.command.body)}` : `Not done: ${refusalWords(one.body.refusal)}`));
    const rows = (decided.chosen ?? []).flatMap((chosen) => chosen.reasons ?? []).map((reason) => {
      const [side, edge] = Object.entries(reason.enter ?? {})[0] ?? ["", NaN];
      const range = reason.interval ? ` (${figure(reason.interval.low)} to ${figure(reason.interval.high)})` : "";
      return el("tr", {}, el("td", { text: featureWords(reason.feature) }), el("td", { text: `${figure(reason.value)}${range}` }), el("td", { text: `${plain(side).toLowerCase()} ${figure(edge)}` }), el("td", { text: String(reason.n ?? "") }));
    });
    const others = (decided.considered ?? []).slice(0, 6).map((other) => `${plain(other.rule)}: ${plain(typeof other.why_not === "string" ? other.why_not : Object.keys(other.why_not ?? {})[0]).toLowerCase()}`);
    return el("li", {}, el("details", { "data-seq": it.seq, open: open.has(String(it.seq)) },
      el("summary", {}, el("b", { text: first ? actionWords(first.action) : "Let it be" }), el("span", { class: "quiet", text: ` ${clock(it.at)}` }), el("p", { text: first ? `because ${first.because}` : "Nothing was drawn in the comparison." })),
      rows.length ? el("table", { class: "small" }, el("thead", {}, el("tr", {}, ["What was seen", "Value", "Speaks from", "Tries"].map((text) => el("th", { text })))), el("tbody", {}, rows)) : null,
      came.length ? el("p", { text: came.join("; ") }) : null,
      others.length ? el("p", { class: "quiet", text: `Weighed as well: ${others.join("; ")}` }) : null,
      el("p", { class: "quiet", text: `Rules ${decided.table}` })));
  }

  timeline(more) {
    const record = this.store.learners.get(this.id);
    if (!record) return;
    const { events } = record;
    const newest = events[events.length - 1]?.seq ?? 0;
    const now = this.store.now();
    if (!more && !this.changed("timeline", newest, events.length, Math.floor(now / 10000))) return;
    const shown = events.slice(-this.lines).reverse();
    const have = new Map([...this.list.children].map((it) => [Number(it.dataset.seq), it]));
    shown.forEach((event, at) => {
      const line = have.get(event.seq) ?? el("li", { "data-seq": event.seq, "data-kind": event.kind }, el("span", { class: "words", text: event.words }), event.more ? el("small", { class: "quiet", text: event.more }) : null, el("time", { class: "quiet", datetime: new Date(event.at).toISOString(), title: clock(event.at) }));
      have.delete(event.seq);
      say(line.lastChild, ago(event.at, now));
      if (this.list.children[at] !== line) this.list.insertBefore(line, this.list.children[at] ?? null);
    });
    for (const line of have.values()) line.remove();
    show(this.more, events.length > this.lines);
    this.picture(events);
  }

  /** Attempts in time: high is right, low is wrong; what was done from outside stands between. */
  picture(events) {
    const dots = events.filter((it) => ["right", "wrong", "act", "no", "why"].includes(it.kind)).slice(-60);
    if (!this.changed("picture", dots.map((it) => it.seq))) return;
    if (dots.length < 2) return this.strip.replaceChildren();
    const [from, to] = [dots[0].at, dots[dots.length - 1].at];
    const x = (at) => 8 + (404 * (at - from)) / Math.max(1, to - from);
    const y = { right: 12, act: 28, why: 28, no: 28, wrong: 44 };
    const right = dots.filter((it) => it.kind === "right").length;
    const tried = dots.filter((it) => it.kind === "right" || it.kind === "wrong").length;
    const shape = (it) => (it.kind === "wrong"
      ? svg("path", { class: "wrong", d: `M${x(it.at) - 4} 40l8 8m0-8l-8 8` })
      : it.kind === "right" ? svg("circle", { class: "right", cx: x(it.at), cy: y.right, r: 4.5 })
        : svg("rect", { class: it.kind, x: x(it.at) - 3.5, y: 24.5, width: 7, height: 7, rx: 1.5 }));
    this.strip.replaceChildren(
      svg("svg", { viewBox: "0 0 420 56", role: "img", "aria-label": `${right} of the latest ${tried} tries were right` },
        svg("path", { class: "axis", d: "M4 28h412" }), dots.map(shape)),
      el("p", { class: "legend quiet" }, el("i", { class: "right" }), "right", el("i", { class: "wrong" }), "wrong", el("i", { class: "act" }), "command", el("i", { class: "why" }), "decision"));
  }
}
