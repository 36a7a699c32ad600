// What is known of the class. It notes who changed, and tells once for each picture that the screen shows.

import { eventWords, sentence, shortName, standing } from "./words.js";

/** Events kept of a learner. */
const KEPT = 400;
/** Below this comfort, or above this load, somebody should look. */
const UNWELL = 0.45;
const OVERLOADED = 0.85;
const NAMES = "malloc-vr names";

/** The figure of a signal: `{ value, low, high, from }`, or `null`. */
export function signal(sample, name) {
  return sample?.fields?.[name] ?? null;
}

/** A learner's latest `value` of a signal, or NaN. */
export function valueOf(record, name) {
  return signal(record.sample, name)?.value ?? NaN;
}

/** Why somebody should look at this learner, the weightiest first: `{ level, words }`; levels 3 (now) to 1. */
export function needs(record, stuck) {
  const { state } = record;
  const found = [];
  if (!state || state.ended) return found;
  const add = (level, words) => found.push({ level, words });
  const comfort = valueOf(record, "comfort");
  if (comfort < UNWELL) add(3, "May not feel well");
  if (state.link === "gone") add(2, "Headset is not reached");
  if (state.failures_on_step >= 5) add(3, `${state.failures_on_step} wrong tries on this step`);
  else if (state.failures_on_step >= 3) add(2, `${state.failures_on_step} wrong tries on this step`);
  if (state.notice) add(2, sentence(state.notice.replace(/^decision \d+: /, "")));
  if (stuck?.has(state.learner)) add(2, "Far longer on this step than the others");
  if (valueOf(record, "load") > OVERLOADED) add(1, "Load is high");
  if (valueOf(record, "frame_health") < 0.9) add(1, "Frames come late");
  if (valueOf(record, "tracking") < 0.7) add(1, "Hands are tracked badly");
  return found.sort((a, b) => b.level - a.level);
}

/** The class. */
export class Store {
  constructor() {
    this.learners = new Map();
    this.offset = 0;
    this.stuck = new Set();
    this.dirty = new Set();
    this.follows = [];
    this.me = null;
    this.names = this.readNames();
  }

  /** `does(changed)` is called before the next picture, with the ids of those who changed. */
  follow(does) {
    this.follows.push(does);
  }

  touch(learner) {
    this.dirty.add(learner);
    this.stir();
  }

  stir() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = null;
      const changed = this.dirty;
      this.dirty = new Set();
      for (const does of this.follows) does(changed);
    });
  }

  /** The machine's clock. */
  now() {
    return Date.now() + this.offset;
  }

  record(learner) {
    let record = this.learners.get(learner);
    if (!record) {
      record = { id: learner, state: null, sample: null, events: [], last: null };
      this.learners.set(learner, record);
    }
    return record;
  }

  /** Takes in what came. */
  take(kind, body) {
    switch (kind) {
      case "welcome":
      case "pong":
        if (body.at_unix_ms) this.offset = body.at_unix_ms - Date.now();
        break;
      case "me":
        this.me = body;
        this.stir();
        break;
      case "snapshot":
        this.record(body.learner).state = body;
        this.touch(body.learner);
        break;
      case "sample":
        this.record(body.learner).sample = body;
        this.touch(body.learner);
        break;
      case "event":
        this.event(body);
        break;
      case "gone":
        this.learners.delete(body.learner);
        this.touch(body.learner);
        break;
    }
  }

  event(event) {
    const words = eventWords(event.body);
    if (!words) return;
    const record = this.record(event.learner);
    const { events } = record;
    let at = events.length;
    while (at > 0 && events[at - 1].seq > event.seq) at -= 1;
    if (events[at - 1]?.seq === event.seq) return;
    events.splice(at, 0, { seq: event.seq, at: event.at_unix_ms, session: event.session, body: event.body, ...words });
    if (events.length > KEPT) events.shift();
    record.last = events[events.length - 1] ?? null;
    this.touch(event.learner);
  }

  /** Everybody of whom a state is known. */
  all() {
    return [...this.learners.values()].filter((it) => it.state);
  }

  /** How a learner is called on this screen. */
  nameOf(learner) {
    return this.names[learner] ?? shortName(learner);
  }

  /** Names are for this tab only; they are never sent. */
  rename(learner, name) {
    const cut = name.trim().slice(0, 40);
    if (cut) this.names[learner] = cut;
    else delete this.names[learner];
    try {
      sessionStorage.setItem(NAMES, JSON.stringify(this.names));
    } catch {
      // A chat client's frame may have no storage; the name holds until the page is closed.
    }
    this.touch(learner);
  }

  readNames() {
    try {
      const read = JSON.parse(sessionStorage.getItem(NAMES) ?? "{}");
      const fine = Object.entries(read).filter(([, name]) => typeof name === "string");
      return Object.fromEntries(fine);
    } catch {
      return {};
    }
  }

  /** How many are in which standing. */
  counts() {
    const counts = { all: 0, on: 0, rest: 0, done: 0, need: 0 };
    for (const record of this.all()) {
      counts.all += 1;
      const { kind } = standing(record.state);
      if (kind in counts) counts[kind] += 1;
      if (needs(record, this.stuck).some((it) => it.level >= 2)) counts.need += 1;
    }
    return counts;
  }
}
