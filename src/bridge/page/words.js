// What figures, events and decisions are called, for people.

/** `0.214` → `21 %`; nothing known: a dash. */
export function percent(value) {
  return Number.isFinite(value) ? `${Math.round(value * 100)} %` : "–";
}

/** Identifiers of the machine as words: `place-cube` → `Place cube`. */
export function plain(name) {
  const text = String(name ?? "").replace(/([a-z])([A-Z])/g, "$1 $2").replace(/[-_]+/g, " ").trim();
  return text ? text[0].toUpperCase() + text.slice(1).toLowerCase() : "";
}

/** With a large first letter. */
export function sentence(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : "";
}

/** How a learner is called who has no name here: the end of the pseudonym. */
export function shortName(learner) {
  return `Learner ${String(learner).slice(-4).toUpperCase()}`;
}

/** How long ago, on the machine's clock. */
export function ago(ms, now) {
  const seconds = Math.max(0, Math.round((now - ms) / 1000));
  if (seconds < 5) return "now";
  // In steps: sixty tiles that count seconds are sixty layouts a second, and nobody reads them.
  if (seconds < 60) return `${seconds - (seconds % 10) || 5} s ago`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ago` : `${Math.floor(hours / 24)} d ago`;
}

/** A time of the day. */
export function clock(ms) {
  return new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

const PAUSED_BY = {
  learner: "by the learner's menu", instructor: "by an instructor", runtime: "headset off", break: "break",
};

/** Where a session is in its life: a word, and of which kind. */
export function standing(state) {
  if (state.ended) return { word: "Finished", kind: "done" };
  if (state.link === "gone") return { word: "Not reached", kind: "bad" };
  const life = state.life?.is;
  if (state.paused_by?.includes("break") || life === "on_break") return { word: "On a break", kind: "rest" };
  if (state.paused_by?.length) return { word: "Paused", kind: "rest", more: PAUSED_BY[state.paused_by[0]] };
  if (life === "idle") return { word: "Idle", kind: "rest" };
  if (life === "joining") return { word: "Joining", kind: "rest" };
  if (life === "reviewing") return { word: "Reviewing", kind: "on" };
  if (life === "intervening") return { word: "Getting help", kind: "on" };
  return { word: "At work", kind: "on" };
}

/** In which phase of learning somebody is. */
export function phase(place) {
  if (place?.in) return plain(place.in[0]);
  if (place?.completed) return place.completed === "full_mastery" ? "Full mastery" : "Mastery shown";
  return "";
}

/** Seconds of a duration as the machine writes it. */
export function seconds(duration) {
  return duration ? duration.secs + duration.nanos / 1e9 : NaN;
}

const DID = {
  looked: "looked at", touched: "touched", grabbed: "grasped", placed: "placed", thrown: "threw", pressed: "pressed",
  teleported: "moved to", answered: "answered", timed_out: "ran out of time",
};

function attempt(body) {
  const seen = body.evidence ?? {};
  const thing = seen.object ?? seen.panel ?? "";
  const did = `${DID[seen.interaction] ?? plain(seen.interaction)} ${thing.replace(/[-_]/g, " ")}`.trim();
  const mm = Number.isFinite(body.position_error) ? `, ${(body.position_error * 1000).toFixed(0)} mm off` : "";
  const took = seconds(body.latency);
  const time = Number.isFinite(took) ? `, ${took.toFixed(1)} s` : "";
  const hints = body.hints_used > 0 ? `, hint ${body.hints_used}` : "";
  return { kind: body.correct ? "right" : "wrong", words: `${body.correct ? "Right" : "Wrong"}: ${did}`, more: `${plain(body.step)}${time}${mm}${hints}` };
}

const BY = { learner: "the learner", instructor: "an instructor", automatic: "the rules", safety: "safety", governor: "the machine" };

/** What a command does, in words. */
export function commandWords(body) {
  switch (body?.do) {
    case "give_hint": return body.level ? `Hint ${body.level}` : "Next hint";
    case "fade_hint": return "Hint taken away";
    case "pause": return "Pause";
    case "resume": return "Resume";
    case "message": return `Message: “${body.text}”`;
    case "set_difficulty": return `Difficulty × ${body.multiplier}`;
    case "set_pace": return `Pace × ${body.multiplier}`;
    case "add_support": return `Support: ${plain(body.kind).toLowerCase()}, level ${body.level}`;
    case "point_at": return `Point at ${body.object}`;
    case "spawn": return `Add ${body.object?.label ?? "a thing"}`;
    case "tell_instructor": return "Tell the instructor";
    default: return plain(body?.do);
  }
}

/** Why a command was not done. */
export function refusalWords(refusal) {
  const reason = plain(refusal?.reason ?? "refused").toLowerCase();
  const more = refusal?.state ?? refusal?.what ?? refusal?.instead ?? "";
  return more ? `${reason}: ${more}` : reason;
}

/** What a decision of the rules was for: its action, in words. */
export function actionWords(action) {
  if (typeof action === "string") return plain(action);
  const [name, given] = Object.entries(action ?? {})[0] ?? ["", {}];
  if (action?.do) return commandWords(action);
  const details = Object.values(given ?? {}).map((it) => (typeof it === "number" ? String(Number(it.toFixed(2))) : plain(it).toLowerCase()));
  return details.length ? `${plain(name)}: ${details.join(", ")}` : plain(name);
}

/** A line of a learner's log for people; `null`: nothing they want to see. */
export function eventWords(body) {
  switch (body?.type) {
    case "session_started": return { kind: "mark", words: `Began ${plain(body.lesson).toLowerCase()}` };
    case "session_resumed": return { kind: "mark", words: "Took the lesson up again" };
    case "step_entered": return { kind: "step", words: `Step: ${plain(body.step)}` };
    case "step_completed": return { kind: body.skipped ? "step" : "done", words: `${body.skipped ? "Passed over" : "Done"}: ${plain(body.step)}` };
    case "attempted": return attempt(body);
    case "told": return { kind: "mark", words: `${plain(BY[body.by] ?? body.by)} said: ${plain(body.about?.criterion ?? body.about).toLowerCase()} ${percent(body.value)}` };
    case "decided": {
      const first = body.chosen?.[0];
      return { kind: "why", words: first ? `Decided: ${actionWords(first.action)}` : "Weighed, and let be", more: first?.because };
    }
    case "command_applied":
      return { kind: "act", words: commandWords(body.command?.body), more: `by ${BY[body.command?.principal] ?? body.command?.principal}${body.command?.purpose ? `: ${body.command.purpose}` : ""}` };
    case "command_refused":
      return { kind: "no", words: `Not done: ${commandWords(body.command?.body)}`, more: refusalWords(body.refusal) };
    case "paused": return { kind: "rest", words: "Stands still", more: PAUSED_BY[body.by] };
    case "resumed": return { kind: "on", words: "Goes on", more: PAUSED_BY[body.by] };
    case "session_ended": return { kind: "mark", words: body.reason === "lesson_completed" ? "Finished the lesson" : `Ended: ${plain(body.reason).toLowerCase()}` };
    case "life_changed": return body.cause?.why === "link_lost" ? { kind: "no", words: "Link lost" } : body.cause?.why === "link_back" ? { kind: "on", words: "Link is back" } : null;
    default: return null;
  }
}

const FIGURES = {
  mastery: "Mastery of this step", next_success: "Next try succeeds", load: "Load", comfort: "Comfort", engagement: "Engagement",
  recent_success: "Right lately", recent_hints: "With hints lately", on_task: "On task", head_on_task: "Looks at the task",
  path_efficiency: "Straight to it", frame_health: "Frames in time", tracking: "Hands tracked",
};

/** Figures of a sample that are shares, in the order in which they are shown. */
export const SHARES = Object.entries(FIGURES);

/** What a feature of the rules is called. */
export function featureWords(feature) {
  return plain(typeof feature === "string" ? feature : Object.keys(feature ?? {})[0]);
}

/** A figure of a decision, short. */
export function figure(value) {
  if (!Number.isFinite(value)) return "–";
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toFixed(2)));
}
