// Who may come in: pairing codes made, tokens listed, issued and revoked. For operators, in a browser of their own.

import { byId, el, mark, say, show, tell } from "./dom.js";
import { field, question, showIn, sure, ticks } from "./form.js";
import { plain } from "./words.js";

const TOKENS_EVERY = 4000;
const ROLES = [["observer", "Observer: looks on"], ["instructor", "Instructor: acts"], ["operator", "Operator: runs the machine"], ["learner", "Learner: one headset"]];
const LIVES = [[3600, "1 hour"], [14400, "4 hours"], [43200, "12 hours"], [86400, "1 day"], [604800, "7 days"], [2592000, "30 days"]];

function day(ms) {
  return new Date(ms).toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

/** The view. */
export class Access {
  constructor(store, way) {
    Object.assign(this, { store, way, root: byId("view-access"), stamp: "", until: 0, tokens: [] });
    this.digits = el("p", { class: "digits" });
    this.about = el("p", { class: "quiet" });
    this.code = el("div", { class: "code", hidden: true, role: "status" }, this.digits, this.about,
      el("button", { class: "small", "data-act": "close code", text: "Take it back", on: { click: () => this.shut() } }));
    this.body = el("tbody");
    this.over = el("input", { type: "checkbox", on: { change: () => this.fill(true) } });
    this.root.append(
      el("div", { class: "cards one" },
        el("section", { class: "box" }, el("h2", { text: "Let somebody in" }),
          el("p", { class: "quiet", text: "A code is typed on the other device, once, within five minutes. It makes a token there with the role, reach and life chosen here." }),
          el("div", { class: "row" },
            el("button", { class: "primary", "data-act": "pair", text: "Pairing code …", on: { click: () => this.open() } }),
            el("button", { "data-act": "issue", text: "Token …", on: { click: () => this.issue() } })),
          this.code)),
      el("section", { class: "box wide" },
        el("div", { class: "row" }, el("h2", { text: "Tokens" }), el("span", { class: "push" }), el("label", { class: "check" }, this.over, el("span", { text: "Also those that are over" }))),
        el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Tokens" },
          el("table", {}, el("thead", {}, el("tr", {}, ["Name", "Role", "Reach", "Made", "Ends", ""].map((text) => el("th", { scope: "col", text })))), this.body))));
    setInterval(() => this.ask(), TOKENS_EVERY);
    setInterval(() => this.tick(), 1000);
  }

  async ask() {
    const way = this.way();
    if (this.root.hidden || document.hidden || !way?.http) return;
    try {
      this.tokens = (await way.http("GET", "/tokens")).tokens;
      this.fill(false);
    } catch (error) {
      this.body.replaceChildren(el("tr", {}, el("td", { colspan: 6, text: error.message })));
    }
  }

  /** Role, reach and life, as they are asked for a code and for a token. */
  parts(role) {
    const people = this.store.all().map(({ id }) => [id, this.store.nameOf(id)]);
    return [field("role", "Role", ROLES, { value: role }),
      field("life", "How long it is good", LIVES, { value: 43200 }),
      el("details", {}, el("summary", { text: "Only for some learners" }), people.length ? ticks("learner", "None ticked: the whole class", people) : el("p", { class: "quiet", text: "Nobody is here." }))];
  }

  wish(given) {
    const learners = given.getAll("learner");
    return { role: given.get("role"), life_seconds: Number(given.get("life")), ...(learners.length ? { learners } : {}) };
  }

  async open() {
    const given = await question("Pairing code", "Make it", this.parts("instructor"));
    if (!given) return;
    try {
      const made = await this.way().http("POST", "/pairing", this.wish(given));
      this.until = Date.now() + 1000 * made.good_for_seconds;
      say(this.digits, `${made.code.slice(0, 3)} ${made.code.slice(3)}`);
      this.where = `${given.get("role")}, at ${made.address}${made.fingerprint ? `, certificate ${made.fingerprint}` : ""}`;
      show(this.code, true);
      this.tick();
    } catch (error) {
      tell(error.message, "bad");
    }
  }

  tick() {
    if (this.code.hidden) return;
    const left = Math.round((this.until - Date.now()) / 1000);
    if (left <= 0) return show(this.code, false);
    say(this.about, `For an ${this.where}. Good for ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}.`.replace("For an learner", "For a learner"));
  }

  async shut() {
    show(this.code, false);
    try {
      await this.way().http("DELETE", "/pairing");
      tell("The code opens nothing any more.");
    } catch (error) {
      tell(error.message, "bad");
    }
  }

  async issue() {
    const given = await question("Token", "Make it", field("name", "Which device it is for (no person's name)", "text", { required: true, maxlength: 64, placeholder: "tablet 3" }), ...this.parts("instructor"));
    if (!given) return;
    try {
      const made = await this.way().http("POST", "/tokens", { name: given.get("name"), ...this.wish(given) });
      this.ask();
      const token = el("input", { class: "token", readonly: true, value: made.token, "aria-label": "Token", on: { focus: (event) => event.target.select() } });
      await showIn("The token, this once", el("p", { text: "Copy it now: what is kept here is only its fingerprint." }), token);
    } catch (error) {
      tell(error.message, "bad");
    }
  }

  async revoke(it) {
    const own = it.id === this.store.me?.id;
    if (!(await sure(`Revoke “${it.name}”?`, "Revoke", el("p", { text: own ? "It is the token of this very tab: you will be signed out." : "Whoever uses it is cut off within a second." })))) return;
    try {
      await this.way().http("DELETE", `/tokens/${it.id}`);
      tell(`“${it.name}” opens nothing any more.`);
    } catch (error) {
      tell(error.message, "bad");
    }
    this.ask();
  }

  fill(now) {
    const stamp = JSON.stringify(this.tokens);
    if (!now && stamp === this.stamp) return;
    this.stamp = stamp;
    const shown = this.tokens.filter((it) => it.in_force || this.over.checked).sort((a, b) => b.in_force - a.in_force || b.issued_unix_ms - a.issued_unix_ms);
    const back = document.activeElement?.dataset?.token;
    this.body.replaceChildren(...shown.map((it) => this.row(it)));
    if (!shown.length) this.body.append(el("tr", {}, el("td", { colspan: 6, class: "quiet", text: "No token was made yet beside the one that this program prints when it starts." })));
    if (back) this.body.querySelector(`[data-token="${CSS.escape(back)}"]`)?.focus();
  }

  row(it) {
    const those = it.scope?.learners;
    const ends = it.revoked_unix_ms ? `revoked ${day(it.revoked_unix_ms)}` : it.expires_unix_ms ? day(it.expires_unix_ms) : "with the program";
    const row = el("tr", {},
      el("td", {}, el("b", { text: it.name }), it.id === this.store.me?.id ? el("span", { class: "quiet", text: " this tab" }) : null),
      el("td", { text: plain(it.role) }),
      el("td", { text: those ? those.map((id) => this.store.nameOf(id)).join(", ") : "The class" }),
      el("td", { text: day(it.issued_unix_ms) }), el("td", { text: ends }),
      el("td", {}, it.in_force ? el("button", { class: "small", "data-token": it.id, "aria-label": `Revoke ${it.name}`, text: "Revoke", on: { click: () => this.revoke(it) } }) : null));
    mark(row, "class", it.in_force ? null : "past");
    return row;
  }
}
