// What needs somebody, and who did what: alerts as they come, and the audit for operators.

import { byId, el, mark, say, show } from "./dom.js";
import { needs } from "./store.js";
import { clock, commandWords, plain, refusalWords } from "./words.js";

/** What is not in the live stream is asked for this often. */
const LOOK_EVERY = 4000;

/** Alerts: of learners at once from what streams in, of the machine every few seconds. */
export class Alerts {
  constructor(store, way, pick) {
    Object.assign(this, { store, way, pick, root: byId("view-alerts"), machine: [], known: new Map(), first: true });
    this.list = el("ul", { class: "alerts" });
    this.none = el("p", { class: "empty", text: "Nothing needs you just now." });
    this.root.append(el("h2", { text: "What needs somebody" }), this.none, this.list);
    store.follow(() => this.soon());
    setInterval(() => this.ask(), LOOK_EVERY);
  }

  soon() {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.update();
    }, 250);
  }

  async ask() {
    const way = this.way();
    if (!way || document.hidden || !this.store.me) return;
    try {
      const { alerts } = await way.read("ops://alerts");
      const stuck = new Set(alerts.filter((it) => it.what === "stuck").map((it) => it.learner));
      const before = this.store.stuck;
      this.store.stuck = stuck;
      for (const learner of new Set([...stuck, ...before])) {
        if (stuck.has(learner) !== before.has(learner)) this.store.touch(learner);
      }
      this.machine = alerts.filter((it) => !it.learner);
      this.soon();
    } catch {
      // The link's own line says what is wrong; the next look is in a few seconds.
    }
  }

  update() {
    const now = new Map();
    for (const it of this.machine) {
      now.set(`machine ${it.what} ${it.at_unix_ms ?? ""}`, { level: 3, title: plain(it.what), words: it.why ?? "", at: it.at_unix_ms });
    }
    for (const record of this.store.all()) {
      const needed = needs(record, this.store.stuck).filter((it) => it.level >= 2);
      if (!needed.length) continue;
      const words = needed.map((it) => it.words).join(" · ");
      now.set(record.id, { level: needed[0].level, title: this.store.nameOf(record.id), words, learner: record.id });
    }
    for (const [key, it] of this.known) {
      if (now.has(key)) continue;
      it.node.remove();
      this.known.delete(key);
    }
    const fresh = [];
    for (const [key, it] of now) {
      let there = this.known.get(key);
      if (!there) {
        const title = el("b");
        const words = el("span");
        const look = it.learner && el("button", { class: "small", text: "Look", on: { click: () => this.pick(it.learner) } });
        const node = el("li", {}, title, words, el("time", { class: "quiet", text: clock(it.at ?? this.store.now()) }), look);
        there = { node, title, words, look, level: 0 };
        this.list.prepend(node);
        this.known.set(key, there);
      }
      say(there.title, it.title);
      say(there.words, it.words);
      mark(there.node, "data-level", it.level);
      if (there.look) mark(there.look, "aria-label", `Look at ${it.title}`);
      // Told again only where it became worse.
      if (it.level > there.level) fresh.push(it);
      there.level = it.level;
    }
    show(this.none, now.size === 0);
    const count = byId("alert-count");
    show(count, now.size > 0);
    say(count, String(now.size));
    mark(count, "aria-label", `${now.size} alerts`);
    // Not everything that was already so when the page came.
    if (fresh.length && !this.first) {
      const [one] = fresh.sort((a, b) => b.level - a.level);
      say(byId("alarm"), `${one.title}: ${one.words}${fresh.length > 1 ? `, and ${fresh.length - 1} more` : ""}`);
    }
    if (this.store.learners.size) this.first = false;
  }
}

/** Who asked for what, why, and what came of it. */
export class Audit {
  constructor(store, way) {
    Object.assign(this, { store, way, root: byId("view-audit"), stamp: "" });
    this.body = el("tbody");
    this.words = el("p", { class: "empty", hidden: true });
    this.people = el("input", { type: "checkbox", checked: true, on: { change: () => this.fill() } });
    this.entries = [];
    this.root.append(
      el("h2", { text: "Who asked for what" }),
      el("p", { class: "quiet", text: "Commands of everybody here since this process began. The sealed log on the machine has all of them: malloc-vr records audit." }),
      el("label", { class: "audit-which" }, this.people, "Only people, not the rules"),
      this.words,
      el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Audit" },
        el("table", {}, el("thead", {}, el("tr", {}, ["When", "Learner", "Who", "What", "Why", "What came of it"].map((text) => el("th", { scope: "col", text })))), this.body)));
    setInterval(() => this.ask(), LOOK_EVERY);
  }

  async ask() {
    if (this.root.hidden || document.hidden) return;
    try {
      const { entries } = await this.way().read("ops://audit");
      const stamp = entries.map((it) => it.command.id).join();
      if (stamp === this.stamp) return;
      this.stamp = stamp;
      this.entries = entries;
      this.fill();
    } catch (error) {
      show(this.words, true);
      say(this.words, `The audit cannot be read: ${error.message}`);
    }
  }

  fill() {
    const chosen = this.entries.filter((it) => !this.people.checked || it.command.asker || it.command.principal === "learner");
    this.body.replaceChildren(...chosen.slice(-300).reverse().map((it) => this.row(it)));
    show(this.words, chosen.length === 0);
    say(this.words, "Nobody asked for anything yet.");
  }

  row({ at_unix_ms: at, command, refused }) {
    const who = command.asker ? `${plain(command.asker.role)}, token ${String(command.asker.token).slice(0, 6)}` : plain(command.principal);
    return el("tr", {},
      el("td", {}, el("time", { datetime: new Date(at).toISOString(), text: clock(at) })),
      el("td", { text: this.store.nameOf(command.learner), title: command.learner }),
      el("td", { text: who }),
      el("td", { text: commandWords(command.body) }),
      el("td", { text: command.purpose || "–" }),
      el("td", { "data-kind": refused ? "bad" : "good", text: refused ? `Refused: ${refusalWords(refused)}` : "Applied" }));
  }
}
