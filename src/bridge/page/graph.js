// The lesson: the way through its steps, and who stands where.

import { byId, el, mark, say, svg } from "./dom.js";
import { needs } from "./store.js";
import { plain } from "./words.js";

const WIDE = 300;
const HIGH = 74;
const GAP = 26;
const FRAME = 14;
const HEAD = 22;
/** Learners that a step shows one by one. */
const DOTS = 22;

function cut(text, most) {
  const letters = [...String(text ?? "")];
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : letters.join("");
}

/** How large a flow is, and how it is drawn with its upper middle at (x, y). */
function layout(flow, make) {
  const [kind, inner] = Object.entries(flow)[0] ?? ["Sequence", []];
  if (kind === "Step") return { w: WIDE, h: HIGH, draw: (x, y) => make.step(inner, x, y) };
  if (kind === "Sequence") {
    const parts = inner.map((it) => layout(it, make));
    const h = parts.reduce((sum, it) => sum + it.h + GAP, -GAP);
    return {
      w: Math.max(0, ...parts.map((it) => it.w)),
      h: Math.max(0, h),
      draw(x, y) {
        parts.forEach((part, at) => {
          part.draw(x, y);
          y += part.h + GAP;
          if (at < parts.length - 1) make.arrow(x, y - GAP, x, y);
        });
      },
    };
  }
  if (kind === "Optional") return framed(layout(inner, make), "may be left out", make);
  if (kind === "Repeat") return framed(layout(inner.flow, make), `until ${inner.successes} right in a row, at most ${inner.at_most} rounds`, make);
  const parts = inner.map((it) => layout(it.flow ?? it, make));
  const w = parts.reduce((sum, it) => sum + it.w + GAP, -GAP);
  const h = Math.max(0, ...parts.map((it) => it.h));
  return framed({
    w,
    h,
    draw(x, y) {
      let left = x - w / 2;
      for (const part of parts) {
        part.draw(left + part.w / 2, y);
        left += part.w + GAP;
      }
    },
  }, kind === "Choice" ? "one of these, as the learner likes" : "one of these, as it suits the learner", make);
}

function framed(inner, words, make) {
  const w = inner.w + 2 * FRAME;
  const h = inner.h + HEAD + FRAME;
  return {
    w,
    h,
    draw(x, y) {
      make.frame(x - w / 2, y, w, h, words);
      inner.draw(x, y + HEAD);
    },
  };
}

/** The view. */
export class Graph {
  constructor(store, way, find) {
    Object.assign(this, { store, way, find, root: byId("view-lesson"), lesson: null, nodes: new Map(), loading: false });
    store.follow(() => this.soon());
  }

  /** Positions need not be looked at in every picture. */
  soon() {
    if (this.root.hidden || this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.update();
    }, 300);
  }

  async open() {
    const played = new Map();
    for (const { state } of this.store.all()) played.set(state.lesson, (played.get(state.lesson) ?? 0) + 1);
    const lesson = [...played].sort((a, b) => b[1] - a[1])[0]?.[0];
    if (!lesson) {
      this.root.replaceChildren(el("p", { class: "empty", text: "No lesson is played yet." }));
      this.lesson = null;
      return;
    }
    if (this.lesson !== lesson && !this.loading) {
      this.loading = true;
      try {
        const graph = await this.way().read(`lesson://${lesson}/graph`);
        this.lesson = lesson;
        this.build(graph);
      } catch (error) {
        this.lesson = null;
        this.root.replaceChildren(el("p", { class: "empty", text: `The lesson cannot be shown: ${error.message}` }));
      }
      this.loading = false;
    }
    this.update();
  }

  build(graph) {
    this.nodes.clear();
    this.steps = new Map(graph.steps.map((step, at) => [step.id, { ...step, at }]));
    const picture = svg("svg", { class: "graph", role: "group", "aria-label": "The way through the lesson" });
    const make = {
      step: (id, x, y) => picture.append(this.step(id, x, y)),
      arrow: (x1, y1, x2, y2) => picture.append(svg("path", { class: "arrow", d: `M${x1} ${y1 + 2}V${y2 - 7}` }), svg("path", { class: "tip", d: `M${x2 - 5} ${y2 - 8}h10l-5 7z` })),
      frame: (x, y, w, h, words) => picture.append(svg("rect", { class: "frame", x, y, width: w, height: h, rx: 12 }), svg("text", { class: "frame-words", x: x + FRAME, y: y + 15, text: words })),
    };
    const all = layout(graph.flow, make);
    all.draw(all.w / 2 + 8, 8);
    mark(picture, "viewBox", `0 0 ${all.w + 16} ${all.h + 16}`);
    mark(picture, "width", all.w + 16);
    mark(picture, "height", all.h + 16);
    const titles = new Map(graph.skills.map((it) => [it.id, it.title ?? plain(it.id)]));
    const skills = el("ul", { class: "skills" }, graph.skills.map((skill) => el("li", {}, el("b", { text: skill.title ?? plain(skill.id) }), el("small", { class: "quiet", text: skill.requires?.length ? ` after “${skill.requires.map((it) => titles.get(it) ?? plain(it)).join("”, “")}”` : "" }))));
    this.root.replaceChildren(
      el("div", { class: "lesson" },
        el("div", { class: "lesson-graph" }, picture),
        el("div", { class: "lesson-words" }, el("h2", { text: graph.title ?? plain(graph.lesson) }), el("p", { text: graph.summary ?? "" }), el("h3", { text: "Skills" }), skills,
          el("p", { class: "quiet", text: "A dot is a learner. Choose a step to see who is at it." }))));
  }

  step(id, x, y) {
    const step = this.steps.get(id) ?? { id, goal: "", at: 0 };
    const count = svg("text", { class: "step-count", x: x + WIDE / 2 - 12, y: y + 24, "text-anchor": "end" });
    const dots = svg("g", {});
    const go = () => this.find(id);
    const node = svg("g", { class: "node", tabindex: 0, role: "button", on: { click: go, keydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); go(); } } } },
      svg("rect", { class: "box", x: x - WIDE / 2, y, width: WIDE, height: HIGH, rx: 10 }),
      svg("text", { class: "step-name", x: x - WIDE / 2 + 14, y: y + 24, text: `${step.at + 1}. ${plain(id)}` }),
      svg("text", { class: "step-goal", x: x - WIDE / 2 + 14, y: y + 43, text: cut(step.goal, 44) }),
      svg("title", { text: step.goal ?? "" }), count, dots);
    this.nodes.set(id, { node, count, dots, name: `${step.at + 1}. ${plain(id)}`, goal: cut(step.goal, 44), left: x - WIDE / 2 + 18, y: y + 59 });
    return node;
  }

  update() {
    if (this.root.hidden || !this.lesson) return;
    const at = new Map();
    for (const record of this.store.all()) {
      const { state } = record;
      if (state.lesson !== this.lesson || state.ended || !state.step) continue;
      if (!at.has(state.step)) at.set(state.step, []);
      at.get(state.step).push(record);
    }
    for (const [id, { node, count, dots, name, goal, left, y }] of this.nodes) {
      const here = at.get(id) ?? [];
      say(count, here.length ? String(here.length) : "");
      mark(node, "data-here", here.length ? "yes" : null);
      mark(node, "aria-label", `${name} ${goal} ${here.length === 1 ? "1 learner" : `${here.length} learners`}`);
      const levels = here.map((it) => needs(it, this.store.stuck)[0]?.level ?? 0).sort((a, b) => b - a).slice(0, DOTS);
      const stamp = levels.join("");
      if (dots.dataset.stamp === stamp) continue;
      dots.dataset.stamp = stamp;
      dots.replaceChildren(...levels.map((level, n) => svg("circle", { class: "dot", "data-level": level, cx: left + n * 12.4, cy: y, r: 4.4 })));
    }
  }
}
