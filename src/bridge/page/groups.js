// Groups: named sets of learners, shown alone and acted upon together.

import { act, ACTS_OF_MANY, carryOut, NOBODY } from "./acts.js";
import { byId, el, mark, show } from "./dom.js";
import { field, question, sure, ticks } from "./form.js";
import { plain } from "./words.js";

const GROUPS_EVERY = 5000;
const MODES = [["peer", "Beside each other"], ["mentor", "Some help others"], ["project", "They work on one thing"]];

/** The line over the tiles: everybody, each group, and what can be done with the one that is chosen. */
export class Groups {
  constructor(store, way, choose) {
    Object.assign(this, { store, way, choose, root: byId("groups"), all: {}, chosen: null, stamp: "" });
    byId("new-group").addEventListener("click", () => this.create());
    setInterval(() => this.ask(), GROUPS_EVERY);
  }

  tools() {
    return new Set(this.store.me?.tools ?? []);
  }

  async ask() {
    const way = this.way();
    if (!way || document.hidden || byId("view-class").hidden || !this.tools().has("group.list")) return;
    try {
      const { ok, data } = await way.call("group.list", {});
      if (ok) this.take(data.groups);
    } catch {
      // The link's own line says what is wrong.
    }
  }

  take(groups) {
    this.all = groups;
    if (this.chosen && !groups[this.chosen]) this.pick(null);
    this.fill();
  }

  pick(name) {
    this.chosen = name;
    this.choose(name === null ? null : new Set(this.all[name]?.members ?? []));
    this.fill();
  }

  fill() {
    const tools = this.tools();
    const stamp = JSON.stringify([this.all, this.chosen, [...tools]]);
    if (stamp === this.stamp) return;
    this.stamp = stamp;
    if (this.chosen) this.choose(new Set(this.all[this.chosen].members));
    const back = document.activeElement?.dataset?.key;
    const one = (key, words, name, count) => {
      const node = el("button", { class: "small pick", "data-key": key, on: { click: () => this.pick(name) } }, words, count === undefined ? null : el("span", { class: "quiet", text: ` ${count}` }));
      mark(node, "aria-pressed", String(this.chosen === name));
      return node;
    };
    const names = Object.keys(this.all);
    const makes = tools.has("group.create");
    const picks = el("div", { class: "row", role: "group", "aria-label": "Groups" },
      names.length ? one("all", "Everybody", null) : null,
      names.map((name) => one(`group ${name}`, name, name, this.all[name].members.length)));
    show(byId("new-group"), makes);
    const whole = this.chosen === null;
    const acts = whole ? [] : ACTS_OF_MANY.filter((it) => tools.has(it.tool)).map((it) => el("button", { class: "small", "data-key": `act ${it.words}`, text: it.words, on: { click: () => act(this.way(), it, NOBODY, { group: this.chosen }) } }));
    const extra = whole ? [] : [
      tools.has("lesson.switch") && el("button", { class: "small", "data-key": "lesson", text: "Another lesson …", on: { click: () => otherLesson(this.way(), this.chosen) } }),
      makes && el("button", { class: "small", "data-key": "members", text: "Members …", on: { click: () => this.members() } }),
      makes && el("button", { class: "small plain", "data-key": "dissolve", text: "Dissolve", on: { click: () => this.dissolve() } })];
    this.root.replaceChildren(picks, ...(whole ? [] : [el("div", { class: "row acts-of-many", role: "group", "aria-label": `With ${this.chosen}` }, acts, extra)]));
    show(this.root, picks.childElementCount > 0);
    if (back) [...this.root.querySelectorAll("button")].find((it) => it.dataset.key === back)?.focus();
  }

  people() {
    return this.store.all().map(({ id }) => [id, this.store.nameOf(id)]).sort((a, b) => a[1].localeCompare(b[1]));
  }

  async create() {
    const given = await question("New group", "Form it",
      field("name", "Its name", "text", { required: true, maxlength: 40, pattern: "[\\p{L}\\p{N} _\\-]+", help: "Letters, digits, spaces, - and _." }),
      field("mode", "What it is for", MODES), ticks("member", "Who is in it", this.people()));
    if (!given) return;
    const done = await carryOut(this.way(), "group.create", { name: given.get("name").trim(), mode: given.get("mode"), members: given.getAll("member") });
    await this.ask();
    if (done && this.all[given.get("name").trim()]) this.pick(given.get("name").trim());
  }

  async members() {
    const name = this.chosen;
    const before = new Set(this.all[name].members);
    const given = await question(`Who is in ${name}`, "Set it", ticks("member", plain(this.all[name].mode), this.people(), before));
    if (!given) return;
    const after = new Set(given.getAll("member"));
    const [add, gone] = [[...after].filter((it) => !before.has(it)), [...before].filter((it) => !after.has(it))];
    if (add.length || gone.length) await carryOut(this.way(), "group.assign", { name, add, remove: gone });
    this.ask();
  }

  async dissolve() {
    const name = this.chosen;
    if (!(await sure(`Dissolve ${name}?`, "Dissolve", el("p", { text: "Nothing changes for its learners." })))) return;
    await carryOut(this.way(), "group.dissolve", { name });
    this.pick(null);
    this.ask();
  }
}

/** Another lesson for a group, or (`null`) for everybody; the machine asks back. */
export async function otherLesson(way, group) {
  const { ok, data } = await way.call("lesson.list", {});
  if (!ok) return;
  const given = await question("Another lesson", "Begin it …", field("lesson", group ? `For ${group}` : "For everybody", data.lessons.map((it) => [it, `${plain(it)}${it === data.running ? " (runs now)" : ""}`])));
  if (given) await carryOut(way, "lesson.switch", { lesson: given.get("lesson"), ...(group ? { group } : {}) });
}
