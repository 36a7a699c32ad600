// The page: coming in, the views, and what holds for all of them.

import { byId, mark, roving, say, show, tell } from "./dom.js";
import { Door, pair, Refused, whoAmI } from "./door.js";
import { Host } from "./host.js";
import { Store } from "./store.js";
import { carryOut } from "./acts.js";
import { question } from "./form.js";
import { Groups } from "./groups.js";
import { Access } from "./access.js";
import { Machine } from "./machine.js";
import { Tiles } from "./tiles.js";
import { Learner } from "./learner.js";
import { Graph } from "./graph.js";
import { Alerts, Audit } from "./lists.js";

const TOKEN = "malloc-vr token";
const VIEWS = ["class", "lesson", "alerts", "machine", "audit", "access"];
/** In a chat client's frame the way to the machine leads through the client. */
const inside = window.parent !== window;

const store = new Store();
let way = null;
const theWay = () => way;

const learner = new Learner(store, theWay, () => leave());
const tiles = new Tiles(store, (id) => look(id));
const graph = new Graph(store, theWay, (step) => {
  byId("filter").value = step;
  tiles.search(step, byId("order").value);
  view("class");
});
const groups = new Groups(store, theWay, (members) => tiles.only(members));
const audit = new Audit(store, theWay);
const access = new Access(store, theWay);
const machine = new Machine(store, theWay);
new Alerts(store, theWay, (id) => look(id));

function view(name) {
  // In a frame the learner stands in the place of a view.
  if (inside && narrow.matches && learner.id) leave();
  for (const each of VIEWS) {
    const chosen = each === name;
    show(byId(`view-${each}`), chosen);
    const tab = byId(`tab-${each}`);
    mark(tab, "aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
  document.body.dataset.view = name;
  if (name === "lesson") graph.open();
  if (name === "audit") audit.ask();
  if (name === "access") access.ask();
  if (name === "machine") machine.open();
  if (name === "class") groups.ask();
}

/** On a narrow screen the learner covers the rest, which then cannot be reached by keyboard either. */
const narrow = matchMedia("(max-width: 979px)");
function cover() {
  const covered = narrow.matches && !inside && document.body.dataset.open === "yes";
  for (const each of [document.querySelector(".top"), ...VIEWS.map((name) => byId(`view-${name}`))]) each.inert = covered;
}
narrow.addEventListener("change", cover);

function look(id) {
  document.body.dataset.open = "yes";
  cover();
  tiles.choose(id);
  learner.open(id);
}

function leave() {
  const { id } = learner;
  delete document.body.dataset.open;
  cover();
  learner.shut();
  tiles.choose(null);
  if (id && !byId("view-class").hidden) tiles.focus(id);
}

/** Where one learner is alone here, there is nothing to choose from: they are shown in depth at once, if nobody does anything else. */
let alone = setTimeout(() => {}, 0);
function soonAlone() {
  clearTimeout(alone);
  alone = setTimeout(() => {
    const all = store.all();
    const idle = !learner.id && document.activeElement === document.body && !byId("view-class").hidden;
    if (all.length === 1 && idle && !narrow.matches && !inside) look(all[0].id);
  }, 1500);
}

function heard(kind, body) {
  store.take(kind, body);
  if (kind === "welcome") soonAlone();
  if (kind === "me") meet(body);
}

/** Who one is here, and so what is offered. */
async function meet(me) {
  if (!me.tools) {
    // Over the socket the role comes first; which tools there are is asked for beside it.
    try {
      const known = await way.call("door.me", {});
      if (known.ok) heard("me", known.data);
    } catch {
      tell("What you may do here could not be asked; you look on until the link is back.", "warn");
    }
    return;
  }
  const may = new Set(me.tools);
  show(byId("role"), true);
  say(byId("role"), me.role);
  show(byId("pause-all"), may.has("intervene.pause_all"));
  show(byId("resume-all"), may.has("intervene.resume_all"));
  show(byId("tab-machine"), may.has("ops.health"));
  show(byId("tab-audit"), me.role === "operator");
  // Codes and tokens are made over HTTP, which a page inside a chat has not.
  show(byId("tab-access"), me.role === "operator" && Boolean(way?.http));
  groups.ask();
  show(byId("sign-out"), !inside);
  if (learner.id) learner.open(learner.id);
}

function linked(state, words) {
  const link = byId("link");
  mark(link, "data-state", state);
  say(link, state === "live" ? "Live" : state === "lost" ? "Not linked" : "Out");
  const banner = byId("banner");
  show(banner, state !== "live");
  say(banner, words ?? "");
  document.body.dataset.link = state;
  if (state === "refused" && !inside) signIn(words);
}

/** What this tab came in with: `{ token, paired }`, or `null`. */
let came = null;

function remembered() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(TOKEN) ?? "null");
    return typeof kept?.token === "string" ? kept : null;
  } catch {
    return null;
  }
}

function remember(kept) {
  came = kept;
  try {
    if (kept) sessionStorage.setItem(TOKEN, JSON.stringify(kept));
    else sessionStorage.removeItem(TOKEN);
  } catch {
    // Without storage the token holds until the page is closed.
  }
}

/** Asks for a code, and says why. */
function signIn(why) {
  way?.close();
  way = null;
  remember(null);
  leave();
  for (const id of [...store.learners.keys()]) store.take("gone", { learner: id });
  store.me = null;
  show(byId("app"), false);
  show(byId("signin"), true);
  show(byId("signin-why"), Boolean(why));
  say(byId("signin-why"), why ?? "");
  byId("code").value = "";
  byId("token").value = "";
  byId("code").focus();
}

function comeIn(kept) {
  remember(kept);
  show(byId("signin"), false);
  show(byId("app"), true);
  view("class");
  way = new Door(kept.token, heard, linked);
}

byId("pair").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter ?? byId("pair").querySelector("button");
  const code = byId("code").value.trim();
  const token = byId("token").value.trim();
  const why = byId("signin-why");
  if (!code && !token) {
    show(why, true);
    say(why, "Type the six digits, or paste a token.");
    return;
  }
  button.disabled = true;
  try {
    const given = code ? await pair(code) : token;
    await whoAmI(given);
    comeIn({ token: given, paired: Boolean(code) });
  } catch (error) {
    show(why, true);
    say(why, error instanceof Refused ? error.message : `${error.message} Is this tablet in the same network?`);
  }
  button.disabled = false;
});

byId("sign-out").addEventListener("click", async () => {
  // A token that was made for this tab has no further use; one that was brought along may have.
  if (came?.paired) {
    await fetch("/tokens/self", { method: "DELETE", headers: { Authorization: `Bearer ${came.token}` } }).catch(() => {});
  }
  signIn("You are signed out.");
});

for (const each of VIEWS) byId(`tab-${each}`).addEventListener("click", () => view(each));
const tabs = byId("tab-class").parentElement;
roving(tabs, () => [...tabs.children].filter((it) => !it.hidden), () => 1);

byId("filter").addEventListener("input", (event) => tiles.search(event.target.value, byId("order").value));
byId("order").addEventListener("change", (event) => tiles.search(byId("filter").value, event.target.value));
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select");
  if (event.key !== "/" || typing || byId("app").hidden) return;
  event.preventDefault();
  view("class");
  byId("filter").focus();
});

byId("pause-all").addEventListener("click", async () => {
  const sure = await question("Pause everybody?", "Pause all");
  if (sure) carryOut(way, "intervene.pause_all", { purpose: "the whole class" });
});
byId("resume-all").addEventListener("click", () => carryOut(way, "intervene.resume_all", { purpose: "the whole class" }));

if (inside) {
  document.documentElement.dataset.inside = "yes";
  show(byId("app"), true);
  view("class");
  way = new Host(heard, linked);
} else if (remembered()) {
  comeIn(remembered());
} else {
  signIn(null);
}
