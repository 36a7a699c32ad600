// What an instructor can do with a learner or a group in the lesson, and what came of it.

import { el, tell } from "./dom.js";
import { field, question, sure, why } from "./form.js";
import { plain, sentence } from "./words.js";

const MESSAGE = 280;
const times = (it) => `× ${it.toFixed(2)}`;

async function speak() {
  const left = el("output", { class: "quiet", text: `${MESSAGE} characters left` });
  const part = field("text", "They read it on the guide panel", "area", { maxlength: MESSAGE, required: true });
  part.addEventListener("input", (event) => {
    left.textContent = `${MESSAGE - [...event.target.value].length} characters left`;
  });
  const given = await question("Message", "Send", part, left);
  return given && { text: given.get("text") };
}

async function rest() {
  const given = await question("Break", "Do it", field("now", "How", [["", "Offer it; the learner may pass it over"], ["yes", "Begin it now; only the learner ends it"]]));
  return given && { now: given.get("now") === "yes" };
}

const STAYS = ["", "leave as it is"];
const SUPPORT = [STAYS, ["guidance 1", "Guidance, a little"], ["guidance 3", "Guidance, much"], ["wider_tolerance 2", "Wider tolerance"]];
const ROUTES = [STAYS, ["another_way", "Another way to the same skill"], ["move_on", "The next skill, no more repetitions"], ["review", "Go over what is due"]];

async function adapt(state) {
  const given = await question("Adapt the lesson", "Apply",
    field("difficulty", "Difficulty", "range", { min: 0.4, max: 1.6, step: 0.05, value: state.difficulty, show: times }),
    field("pace", "Pace", "range", { min: 0.6, max: 1.4, step: 0.05, value: state.pace, show: times }),
    field("support", "Support", SUPPORT), field("route", "Way", ROUTES), why());
  if (!given) return null;
  const changes = [];
  for (const what of ["difficulty", "pace"]) {
    const multiplier = Number(given.get(what));
    if (Math.abs(multiplier - state[what]) > 0.02) changes.push({ what, multiplier });
  }
  const [kind, level] = String(given.get("support")).split(" ");
  if (level) changes.push({ what: "support", kind, level: Number(level), modality: "text" });
  if (given.get("route")) changes.push({ what: given.get("route") });
  if (!changes.length) tell("Nothing was changed.", "warn");
  return changes.map((change) => ({ change, purpose: String(given.get("why") ?? "") }));
}

/** Buttons: the tool each one calls, its words, whether it can be pressed, and what it asks first. */
export const ACTS = [
  { tool: "intervene.hint", words: "Give hint", can: (it) => it.step && it.hint_level < it.hints_available, no: "No further hint at this step", given: () => ({}) },
  { tool: "intervene.hint", words: "Take hint away", can: (it) => it.hint_level > 0, hide: true, given: () => ({ level: 0 }) },
  { tool: "intervene.message", words: "Message …", can: () => true, given: speak },
  { tool: "intervene.pause", words: "Pause", can: (it) => !it.paused_by.includes("instructor"), hide: true, given: () => ({}) },
  { tool: "intervene.resume", words: "Resume", can: (it) => it.paused_by.includes("instructor"), hide: true, given: () => ({}) },
  { tool: "intervene.break", words: "Break …", can: (it) => !it.paused_by.includes("break"), no: "On a break already", given: rest },
  { tool: "adapt.apply", words: "Adapt …", can: () => true, given: adapt },
  { tool: "adapt.revert", words: "As authored", can: (it) => Math.abs(it.difficulty - 1) > 0.005 || Math.abs(it.pace - 1) > 0.005 || it.support > 0, hide: true, given: () => ({ what: ["everything"] }) },
];

/** What can be done with a whole group: the same, for nobody in particular. */
export const ACTS_OF_MANY = ACTS.filter((it) => it.words !== "Take hint away");

/** What stands for a group's state where an act asks about one. */
export const NOBODY = { difficulty: 1, pace: 1, paused_by: [] };

/** What the machine asks back before it does what cannot be undone; `null`: it asked nothing. */
function askedBack(words) {
  const token = /confirm: "([^"]+)"/.exec(words ?? "")?.[1];
  return token && { token, words: words.replace(/^not done yet, because it cannot be undone\. /, "").replace(/ Ask the person you act for;.*$/s, "") };
}

/** Calls a tool, and asks the person where the machine asks back. `null`: they left it. */
export async function callAsking(way, tool, given) {
  const first = await way.call(tool, given);
  const back = first.ok ? null : askedBack(first.words);
  if (!back) return first;
  const [title, ...rest] = back.words.split(": ");
  const meant = await sure(`${title}?`, title, el("p", { text: rest.join(": ") }), el("p", { class: "quiet", text: "It cannot be undone." }));
  return meant ? way.call(tool, { ...given, confirm: back.token }) : null;
}

/** Sent twice, it is done once. */
const WITHOUT_ID = new Set(["adapt.revert", "intervene.pause_all", "intervene.resume_all", "lesson.switch", "adapt.set_policy"]);

/** Does one thing and tells what came of it. Gives the result, or `null` where it was not done. */
export async function carryOut(way, tool, given) {
  const retried = { ...given };
  if (!WITHOUT_ID.has(tool)) retried.command_id = crypto.randomUUID?.() ?? undefined;
  try {
    const result = await callAsking(way, tool, retried);
    if (!result) return null;
    const { ok, words, data } = result;
    const all = data?.outcomes?.map((it) => it.effect).join("; ");
    const said = data?.outcomes && Number.isFinite(data.done) ? `Done for ${data.done} of ${data.outcomes.length}` : words;
    tell(sentence((tool === "adapt.revert" ? all : said) || (ok ? "done" : "it was not done")), ok ? "good" : "bad");
    return ok ? result : null;
  } catch (error) {
    tell(`${plain(tool.split(".")[1])}: ${error.message}`, "bad");
    return null;
  }
}

/** Asks what an act wants to know, and does it for `whom`: `{ learner }` or `{ group }`. */
export async function act(way, one, state, whom) {
  const given = await one.given(state, way);
  if (!given) return;
  for (const each of Array.isArray(given) ? given : [given]) {
    const result = await carryOut(way, one.tool, { ...whom, ...each });
    if (result) one.then?.(result);
  }
}
