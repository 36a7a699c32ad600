// What an instructor does less often: scores, checkpoints, the stage, the scene, preferences, the session and the record,
// what was agreed to.

import { el, tell } from "./dom.js";
import { field, question, showIn, ticks, why } from "./form.js";
import { plain, sentence } from "./words.js";

const CRITERIA = ["connections", "creativity", "context", "creation", "teaching", "innovation"];
const STAGES = ["onboarding", "introduction", "practice", "application", "mastery"];
const FORMS = [["box", "Cube"], ["ball", "Ball"], ["cylinder", "Cylinder"], ["cone", "Cone"]];
const share = (it) => `${Math.round(it * 100)} %`;
const choices = (all) => all.map((it) => [it, plain(it)]);

async function score() {
  const given = await question("Score", "Write it down",
    field("criterion", "What a person alone can judge", choices(CRITERIA)),
    field("score", "How far it is met", "range", { min: 0, max: 1, step: 0.05, value: 0.5, show: share }), why());
  return given && { criterion: given.get("criterion"), score: Number(given.get("score")), purpose: given.get("why") };
}

async function stage() {
  const given = await question("Stage of learning", "Set it",
    field("event", "Where they stand in your judgement", [["", "Let the models decide"], ...choices(STAGES)]),
    field("minutes", "For how many minutes of the lesson", "number", { min: 1, max: 60, value: 10, required: true, step: 1 }), why());
  return given && { event: given.get("event") || null, seconds: 60 * Number(given.get("minutes")), purpose: given.get("why") };
}

const lessons = new Map();

async function graphOf(way, lesson) {
  if (!lessons.has(lesson)) lessons.set(lesson, await way.read(`lesson://${lesson}/graph`));
  return lessons.get(lesson);
}

/** What can be pointed at: as the learner's machine tells it, else what the lesson's steps are about. */
async function things(way, state) {
  const seen = await way.call("view.scene", { learner: state.learner }).catch(() => null);
  if (seen?.ok) return { all: seen.data.things.map((it) => [it.id, `${it.label || plain(it.id)} – ${it.bearing ? `${it.bearing.distance.toFixed(1)} m away` : it.kind}`]), things: seen.data.things };
  const { steps } = await graphOf(way, state.lesson);
  const names = new Set(state.added ?? []);
  for (const { action } of steps) {
    for (const given of Object.values(action ?? {})) {
      for (const key of ["object", "socket", "at", "to"]) if (typeof given?.[key] === "string") names.add(given[key]);
    }
  }
  return { all: [...names].map((it) => [it, plain(it)]), why: seen?.words };
}

async function point(state, way) {
  const { all, why: elsewhere } = await things(way, state);
  const given = await question("Point at a thing", "Point",
    field("object", "It shines, with a marker over it", all, { required: true, help: elsewhere && "Named as in the lesson: the scene itself is in the learner's headset." }),
    field("seconds", "For how many seconds", "number", { min: 1, max: 60, value: 10, required: true }));
  return given && { object: given.get("object"), seconds: Number(given.get("seconds")) };
}

async function spawn(state) {
  const given = await question("Add a thing", "Add",
    field("label", "What it is, as the learner would say", "text", { required: true, maxlength: 64, placeholder: "a green ball" }),
    field("form", "Form", FORMS),
    field("size", "Size, metres", "number", { min: 0.02, max: 2, value: 0.15, required: true }),
    field("color", "Colour", "color", { value: "#3fbf83" }),
    el("fieldset", { class: "three" }, el("legend", { text: "Where, metres: right, up, towards the learner" }),
      field("x", "Right", "number", { value: 0, required: true }), field("y", "Up", "number", { value: 1.1, required: true }), field("z", "Towards", "number", { value: -0.6, required: true })),
    field("mass", "Kilograms, if it can be taken", "number", { min: 0.01, max: 20, value: 0.3, help: "Left empty it stands fixed." }));
  if (!given) return null;
  const name = given.get("label").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 40) || "thing";
  const position = ["x", "y", "z"].map((it) => Number(given.get(it)));
  const id = `${name}-${Date.now().toString(36).slice(-5)}`;
  return { id, label: given.get("label"), form: given.get("form"), size: Number(given.get("size")), color: given.get("color"), position, mass: given.get("mass") ? Number(given.get("mass")) : null };
}

async function remove(state) {
  const given = await question("Take a thing away", "Take it away", field("object", "What you added", choices(state.added), { required: true }));
  return given && { object: given.get("object") };
}

async function scene(state, way) {
  const { things: all = [], why: elsewhere } = await things(way, state);
  await showIn("What is before them", elsewhere && el("p", { text: sentence(elsewhere) }),
    el("ul", { class: "seen" }, all.map((it) => el("li", {}, el("b", { text: it.label || plain(it.id) }), it.asked_for && el("span", { class: "chip", "data-kind": "on", text: "asked for" }), el("p", { class: "quiet", text: it.words })))));
  return null;
}

async function checkpoint(state, way) {
  const { all } = await things(way, state);
  const given = await question("Checkpoint", "Set it",
    field("id", "Its name", "text", { required: true, pattern: "[A-Za-z0-9_\\-]{1,64}", help: "Letters, digits, - and _." }),
    field("what", "What they have to do", [["touch", "Touch"], ["grab", "Grasp"], ["press", "Press"]]),
    field("object", "Which thing", all, { required: true }),
    ticks("skill", "Evidence for", choices(Object.keys(state.skills)), new Set(Object.keys(state.skills).slice(0, 1))),
    field("within", "Missed after so many seconds", "number", { min: 5, max: 1800, help: "Left empty it waits." }));
  if (!given) return null;
  return { id: given.get("id"), asks: { what: given.get("what"), object: given.get("object") }, skills: given.getAll("skill"), within: given.get("within") ? Number(given.get("within")) : null };
}

async function prefer(state, way) {
  const known = await way.call("learner.get_preferences", { learner: state.learner }).catch(() => null);
  const now = known?.ok ? known.data.preferences : {};
  const given = await question("How they like it", "Set it",
    !known?.ok && el("p", { class: "quiet", text: `What is set now is not known here: ${known?.words ?? "no answer"}.` }),
    field("large_text", "Larger letters on panels", "check", { checked: now.large_text }),
    field("captions", "What is said also stands on the panel", "check", { checked: now.captions ?? true }),
    field("seated", "They sit: the room comes down to them", "check", { checked: now.seated }),
    field("hints_by_themselves", "Hints come by themselves when stuck", "check", { checked: now.hints_by_themselves ?? true }),
    field("turn_degrees", "One flick of the stick turns by", "range", { min: 15, max: 45, step: 5, value: now.turn_degrees ?? 30, show: (it) => `${it}°` }),
    field("vignette", "The view narrows while moving", "range", { min: 0, max: 1, step: 0.1, value: now.vignette ?? 1, show: share }),
    field("more_time", "Time limits are longer by", "range", { min: 1, max: 4, step: 0.25, value: now.more_time ?? 1, show: (it) => `× ${it}` }));
  if (!given) return null;
  const next = {};
  for (const name of ["large_text", "captions", "seated", "hints_by_themselves"]) next[name] = given.has(name);
  for (const name of ["turn_degrees", "vignette", "more_time"]) next[name] = Number(given.get(name));
  // Only what is to change, where it is known what is.
  const preferences = Object.fromEntries(Object.entries(next).filter(([name, it]) => now[name] === undefined || Math.abs(Number(it) - Number(now[name])) > 1e-6));
  if (!Object.keys(preferences).length) return tell("Nothing was changed.", "warn");
  return { preferences };
}

async function agreed(state, way) {
  const { ok, words, data } = await way.call("consent.show", { learner: state.learner });
  if (!ok) return tell(sentence(words), "bad");
  const row = (it) => el("li", {}, el("b", { text: sentence(it.words) }), el("span", { class: "chip", "data-kind": it.allowed ? "on" : "rest", text: it.allowed ? "allowed" : "not allowed" }), it.allowed ? null : el("p", { class: "quiet", text: sentence(it.why_not) }));
  await showIn("What they agreed to",
    el("p", { text: data.shown ? "An instructor may see this learner." : sentence(data.why_not) }),
    el("p", { class: "quiet", text: `Told of them: ${data.telemetry}.${data.restricted_by ? ` Restricted by the ${data.restricted_by}.` : ""}` }),
    el("ul", { class: "seen" }, data.scopes.map(row)));
  return null;
}

async function scopesOf(state, way) {
  const { ok, words, data } = await way.call("consent.show", { learner: state.learner });
  if (!ok) throw new Error(words);
  return data.scopes.map((it) => [it.scope, sentence(it.words)]);
}

const ACTORS = choices(["learner", "guardian", "school"]);
const METHODS = choices(["signed_form", "call", "email_plus", "text_plus", "on_screen"]);

async function withdraw(state, way) {
  const given = await question("They do not agree", "Record it", field("actor", "Who says so", ACTORS), ticks("scope", "To what", await scopesOf(state, way)), why());
  return given && { actor: given.get("actor"), scopes: given.getAll("scope"), purpose: given.get("why") };
}

async function record(state, way) {
  const given = await question("They agreed", "Record it", field("actor", "Who agreed", ACTORS), field("method", "How that is known", METHODS),
    field("reference", "Where the evidence lies (no names)", "text", { maxlength: 80, placeholder: "form 12" }), ticks("scope", "To what", await scopesOf(state, way)), why());
  return given && { actor: given.get("actor"), method: given.get("method"), reference: given.get("reference") || null, scopes: given.getAll("scope"), purpose: given.get("why") };
}

async function telemetry() {
  const given = await question("How much is told", "Set it", field("level", "As far as was agreed to", [["detailed", "All that was agreed to"], ["aggregate", "Where they stand; no single events"], ["off", "Nothing: they vanish from this page"]]), why());
  return given && { level: given.get("level"), purpose: given.get("why") };
}

async function because(title, yes, words) {
  const given = await question(title, yes, el("p", { text: words }), why());
  return given && { purpose: given.get("why") };
}

/** Gives the files of a copy to the browser. */
function save({ data }) {
  for (const { name, text } of data.files ?? []) {
    const url = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
    el("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }
}

const always = () => true;

/** Acts of the second row, in groups, each as in `ACTS`; `over`: also where the session is over. */
export const MORE = [
  ["Judge", [
    { tool: "assess.submit_rubric", words: "Score …", can: always, given: score },
    { tool: "assess.create_checkpoint", words: "Checkpoint …", can: (it) => it.step, no: "No step runs", given: checkpoint },
    { tool: "learner.set_event", words: "Stage …", can: always, given: stage },
  ]],
  ["Scene", [
    { tool: "view.scene", words: "What they see …", can: always, given: scene },
    { tool: "scene.point_at", words: "Point at …", can: always, given: point },
    { tool: "scene.spawn", words: "Add a thing …", can: always, given: spawn },
    { tool: "scene.remove", words: "Take a thing away …", can: (it) => it.added?.length > 0, no: "Nothing was added", given: remove },
  ]],
  ["Learner", [
    { tool: "learner.set_preferences", words: "Preferences …", can: always, given: prefer },
    { tool: "consent.show", words: "Agreed to …", can: always, over: true, given: agreed },
    { tool: "consent.record", words: "They agree …", can: always, over: true, given: record },
    { tool: "consent.withdraw", words: "They do not …", can: always, over: true, given: withdraw },
    { tool: "telemetry.set_level", words: "What is told …", can: always, over: true, given: telemetry },
  ]],
  ["Session", [
    { tool: "session.start", words: "Begin anew …", can: always, over: true, given: () => ({}) },
    { tool: "session.stop", words: "End …", can: always, given: () => ({}) },
    { tool: "session.export", words: "Copy of the record …", can: always, over: true, given: () => because("Copy of the record", "Make it", "The files of their record, for them or their family. That it was made stands in the audit."), then: save },
    { tool: "session.erase", words: "Erase the record …", can: always, over: true, kind: "danger", given: () => ({}) },
  ]],
];
