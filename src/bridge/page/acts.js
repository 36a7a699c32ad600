// What an instructor can do: buttons, the questions some of them ask first, and what came of it.

import { byId, el, tell } from "./dom.js";
import { plain, sentence } from "./words.js";

const MESSAGE = 280;

/** Opens the dialog with these parts; comes back with the form's fields, or `null` when it was left. */
export function question(title, yes, ...parts) {
  const dialog = byId("dialog");
  const form = el("form", { method: "dialog" },
    el("h2", { id: "dialog-title", text: title }),
    ...parts,
    el("div", { class: "row end" },
      el("button", { type: "button", class: "plain", text: "Leave it", on: { click: () => dialog.close("") } }),
      el("button", { class: "primary", value: "yes", text: yes })));
  dialog.replaceChildren(form);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes" ? new FormData(form) : null);
      dialog.replaceChildren();
    }, { once: true });
  });
}

function why() {
  return [el("label", { for: "why", text: "Why (kept in the record; no names)" }), el("input", { id: "why", name: "why", maxlength: 200, autocomplete: "off" })];
}

function slider(name, words, [low, high], now) {
  const shown = el("output", { for: name, text: `× ${now.toFixed(2)}` });
  const input = el("input", { id: name, name, type: "range", min: low, max: high, step: 0.05, value: now });
  input.addEventListener("input", () => {
    shown.textContent = `× ${Number(input.value).toFixed(2)}`;
  });
  return el("div", { class: "slider" }, el("label", { for: name, text: words }), shown, input);
}

async function speak() {
  const left = el("output", { class: "quiet", text: `${MESSAGE} characters left` });
  const text = el("textarea", { id: "text", name: "text", rows: 3, maxlength: MESSAGE, required: true });
  text.addEventListener("input", () => {
    left.textContent = `${MESSAGE - [...text.value].length} characters left`;
  });
  const given = await question("Message", "Send", el("label", { for: "text", text: "The learner reads it on the guide panel" }), text, left);
  return given && { text: given.get("text") };
}

const ROUTES = [["another_way", "Another way to the same skill"], ["move_on", "The next skill, no more repetitions"], ["review", "Go over what is due"]];

async function adapt(state) {
  const option = (value, text) => el("option", { value, text });
  const select = (name, words, ...options) => el("div", { class: "field" }, el("label", { for: name, text: words }), el("select", { id: name, name }, ...options));
  const given = await question("Adapt the lesson", "Apply",
    slider("difficulty", "Difficulty", [0.4, 1.6], state.difficulty),
    slider("pace", "Pace", [0.6, 1.4], state.pace),
    select("support", "Support", option("", "leave as it is"), option("guidance 1", "Guidance, a little"), option("guidance 3", "Guidance, much"), option("wider_tolerance 2", "Wider tolerance")),
    select("route", "Way", option("", "leave as it is"), ...ROUTES.map(([value, words]) => option(value, words))),
    ...why());
  if (!given) return null;
  const changes = [];
  for (const what of ["difficulty", "pace"]) {
    const multiplier = Number(given.get(what));
    if (Math.abs(multiplier - state[what]) > 0.02) changes.push({ what, multiplier });
  }
  const [kind, level] = String(given.get("support")).split(" ");
  if (level) changes.push({ what: "support", kind, level: Number(level), modality: "text" });
  if (given.get("route")) changes.push({ what: given.get("route") });
  const purpose = String(given.get("why") ?? "");
  return changes.map((change) => ({ change, purpose }));
}

/** Buttons: the tool each one calls, its words, whether it can be pressed, and what it asks first. */
export const ACTS = [
  { tool: "intervene.hint", words: "Give hint", can: (it) => it.step && it.hint_level < it.hints_available, no: "No further hint at this step", given: () => ({}) },
  { tool: "intervene.hint", words: "Take hint away", can: (it) => it.hint_level > 0, hide: true, given: () => ({ level: 0 }) },
  { tool: "intervene.message", words: "Message …", can: () => true, given: speak },
  { tool: "intervene.pause", words: "Pause", can: (it) => !it.paused_by.includes("instructor"), hide: true, given: () => ({}) },
  { tool: "intervene.resume", words: "Resume", can: (it) => it.paused_by.includes("instructor"), hide: true, given: () => ({}) },
  { tool: "intervene.break", words: "Offer break", can: (it) => !it.paused_by.includes("break"), no: "On a break already", given: () => ({ now: false }) },
  { tool: "adapt.apply", words: "Adapt …", can: () => true, given: adapt },
  { tool: "adapt.revert", words: "As authored", can: (it) => Math.abs(it.difficulty - 1) > 0.005 || Math.abs(it.pace - 1) > 0.005 || it.support > 0, hide: true, given: () => ({}) },
];

/** Does one thing and tells what came of it. Gives whether it was done. */
export async function carryOut(way, tool, given) {
  const retried = { ...given };
  // Sent twice, it is done once.
  if (tool !== "adapt.revert" && !tool.endsWith("_all")) retried.command_id = crypto.randomUUID?.() ?? undefined;
  try {
    const { ok, words, data } = await way.call(tool, retried);
    const all = data?.outcomes?.map((it) => it.effect).join("; ");
    const said = data?.outcomes && data.done !== undefined ? `Done for ${data.done} of ${data.outcomes.length}` : words;
    tell(sentence((tool === "adapt.revert" ? all : said) || (ok ? "done" : "it was not done")), ok ? "good" : "bad");
    return ok;
  } catch (error) {
    tell(`${plain(tool.split(".")[1])}: ${error.message}`, "bad");
    return false;
  }
}

/** Asks what an act wants to know, and does it. */
export async function act(way, one, state) {
  const given = await one.given(state);
  if (!given) return;
  for (const each of Array.isArray(given) ? given : [given]) {
    await carryOut(way, one.tool, { learner: state.learner, ...each });
  }
}
