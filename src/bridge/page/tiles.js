// The class at a glance: a tile for each learner, changed only where something changed.

import { byId, el, filled, makeBar, mark, roving, say, show, size } from "./dom.js";
import { needs, signal } from "./store.js";
import { ago, percent, plain, standing } from "./words.js";

/** The order is looked at again at most this often, so that tiles do not jump about. */
const CALM = 2500;
const ON_TILES = [["mastery", "Mastery"], ["load", "Load"], ["comfort", "Comfort"], ["frame_health", "Frames"]];

/** Which of these places can stay when the rest is moved into order: the longest run that rises. */
export function staying(places) {
  const tails = [];
  const before = new Array(places.length).fill(-1);
  places.forEach((place, at) => {
    let [low, high] = [0, tails.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (places[tails[middle]] < place) low = middle + 1;
      else high = middle;
    }
    if (low > 0) before[at] = tails[low - 1];
    tails[low] = at;
  });
  const stay = new Set();
  for (let at = tails[tails.length - 1] ?? -1; at >= 0; at = before[at]) stay.add(at);
  return stay;
}

/** Of which kind a figure is: what is fine, what to look at, what is bad. */
export function kindOf(name, value) {
  if (!Number.isFinite(value)) return "none";
  switch (name) {
    case "load": return value > 0.85 ? "bad" : value > 0.65 ? "warn" : "good";
    case "comfort": return value < 0.45 ? "bad" : value < 0.65 ? "warn" : "good";
    case "frame_health":
    case "tracking": return value < 0.7 ? "bad" : value < 0.9 ? "warn" : "good";
    default: return "plain";
  }
}

function makeTile(id, pick) {
  const name = el("strong", { class: "name" });
  const chip = el("span", { class: "chip" });
  const step = el("span", { class: "step" });
  const track = el("span", { class: "track", "aria-hidden": "true" }, el("i"));
  const need = el("span", { class: "need", hidden: true });
  const last = el("span", { class: "last" });
  const figures = ON_TILES.map(([, words]) => {
    const bar = makeBar();
    const value = el("b");
    return { bar, value, root: el("span", { class: "figure" }, el("small", { text: words }), value, bar.root) };
  });
  const button = el("button", { class: "tile", "data-learner": id, "aria-pressed": "false", tabindex: -1, on: { click: () => pick(id) } },
    el("span", { class: "head" }, name, chip), step, track,
    el("span", { class: "figures" }, figures.map((it) => it.root)), need, last);
  return { id, name, chip, step, fill: track.firstChild, need, last, figures, button, root: el("li", {}, button), at: 0, seen: null };
}

/** The grid. */
export class Tiles {
  constructor(store, pick) {
    Object.assign(this, { store, pick, grid: byId("tiles"), tiles: new Map(), words: "", order: "need", members: null, ordered: -Infinity });
    roving(this.grid, () => this.shown(), () => this.columns());
    store.follow((changed) => this.update(changed));
    setInterval(() => this.tick(), 1000);
    this.search("", "need");
    this.summary = ["all", "on", "need", "rest", "done"].map((key) => {
      const value = el("b", { text: "0" });
      byId("summary").append(el("li", { "data-key": key }, value, el("span", { text: { all: "here", on: "at work", need: "need help", rest: "pausing", done: "finished" }[key] })));
      return { key, value };
    });
  }

  shown() {
    return [...this.grid.children].filter((it) => !it.hidden).map((it) => it.firstChild);
  }

  columns() {
    const [first, ...rest] = this.shown();
    if (!first) return 1;
    const next = rest.findIndex((it) => it.offsetTop > first.offsetTop);
    return next < 0 ? rest.length + 1 : next + 1;
  }

  /** Only those of a group; `null`: everybody. */
  only(members) {
    this.members = members;
    this.arrange(true);
  }

  /** Only those who fit these words, in this order. */
  search(words, order) {
    this.words = words.trim().toLowerCase();
    this.order = order;
    this.arrange(true);
  }

  update(changed) {
    for (const id of changed) {
      const record = this.store.learners.get(id);
      let tile = this.tiles.get(id);
      if (!record?.state) {
        tile?.root.remove();
        this.tiles.delete(id);
        continue;
      }
      if (!tile) {
        tile = makeTile(id, this.pick);
        this.tiles.set(id, tile);
        this.grid.append(tile.root);
        this.ordered = -Infinity;
      }
      this.fill(tile, record);
    }
    const counts = this.store.counts();
    for (const { key, value } of this.summary) say(value, String(counts[key]));
    this.arrange(false);
  }

  fill(tile, record) {
    const { state, sample, last } = record;
    const name = this.store.nameOf(record.id);
    const stands = standing(state);
    const needed = needs(record, this.store.stuck);
    const done = state.completed.length;
    say(tile.name, name);
    mark(tile.name, "title", name);
    say(tile.chip, stands.word);
    mark(tile.chip, "data-kind", stands.kind);
    const goal = state.ended ? "The lesson is over" : state.goal ?? plain(state.step ?? "") ?? "";
    say(tile.step, goal || "Not begun yet");
    size(tile.fill, "transform", filled(done / Math.max(1, state.steps_total)));
    ON_TILES.forEach(([key], at) => {
      const figure = signal(sample, key);
      const { bar, value } = tile.figures[at];
      say(value, percent(figure?.value));
      bar.set(figure?.value, figure?.low, figure?.high, kindOf(key, figure?.value));
    });
    const first = needed[0];
    show(tile.need, Boolean(first));
    if (first) say(tile.need, first.words);
    mark(tile.need, "data-level", first?.level ?? null);
    mark(tile.button, "data-need", first?.level ?? null);
    mark(tile.button, "data-seq", last?.seq ?? null);
    mark(tile.button, "data-state-seq", state.seq);
    tile.lastWords = last ? ` · ${last.words}` : "";
    tile.lastAt = last?.at ?? null;
    tile.done = `${done}/${state.steps_total}`;
    tile.score = (first?.level ?? 0) * 100 + needed.length;
    tile.share = done / Math.max(1, state.steps_total);
    tile.ended = state.ended;
    tile.text = `${name} ${record.id} ${state.step ?? ""} ${goal} ${stands.word}`.toLowerCase();
    this.age(tile);
  }

  age(tile) {
    const when = tile.lastAt ? ` · ${ago(tile.lastAt, this.store.now())}` : "";
    say(tile.last, `${tile.done}${tile.lastWords}${when}`);
  }

  tick() {
    if (document.hidden) return;
    for (const tile of this.tiles.values()) this.age(tile);
    this.arrange(false);
  }

  /** Puts the tiles in order, but not under the finger of somebody who moves among them. */
  arrange(now) {
    const time = performance.now();
    const busy = this.grid.contains(document.activeElement) && document.activeElement.matches(":focus-visible");
    if (!now && (busy || time - this.ordered < CALM)) return;
    this.ordered = time;
    const by = {
      need: (a, b) => a.ended - b.ended || b.score - a.score || a.share - b.share,
      behind: (a, b) => a.ended - b.ended || a.share - b.share,
      name: () => 0,
    }[this.order];
    const names = (a, b) => this.store.nameOf(a.id).localeCompare(this.store.nameOf(b.id)) || (a.id < b.id ? -1 : 1);
    const sorted = [...this.tiles.values()].sort((a, b) => by(a, b) || names(a, b));
    // As few as possible are moved: each move costs the browser a layout of the grid.
    const places = new Map([...this.grid.children].map((root, at) => [root, at]));
    const stay = staying(sorted.map((tile) => places.get(tile.root)));
    let next = null;
    for (let at = sorted.length - 1; at >= 0; at -= 1) {
      const { root, id, text } = sorted[at];
      show(root, (!this.words || text.includes(this.words)) && (!this.members || this.members.has(id)));
      if (!stay.has(at)) {
        if (this.grid.moveBefore && root.isConnected) this.grid.moveBefore(root, next);
        else this.grid.insertBefore(root, next);
      }
      next = root;
    }
    const shown = this.shown();
    if (shown.length && !shown.some((it) => it.tabIndex === 0)) shown[0].tabIndex = 0;
    const empty = byId("empty");
    show(empty, shown.length === 0);
    if (!shown.length) say(empty, this.tiles.size ? (this.words ? "Nobody fits these words." : "Nobody of this group is here.") : "Nobody is here yet of whom anything may be seen. Learners appear as soon as they start a lesson and have agreed to be seen.");
  }

  /** Which learner is looked at. */
  choose(id) {
    for (const tile of this.tiles.values()) mark(tile.button, "aria-pressed", tile.id === id ? "true" : "false");
  }

  focus(id) {
    this.tiles.get(id)?.button.focus();
  }
}
