//! What an instructor sets beside the lesson's own rules: preferences, stage, checkpoints, the rules themselves, sessions,
//! how much is told. Pure, as `decide` is.

use super::adapted::within;
use super::decide::{Effect, who};
use super::{Strategies, decide::Standing};
use crate::learning::event::LearningEvent;
use crate::learning::skill::SkillId;
use crate::learning::strategy::patch::PolicyPatch;
use crate::lesson::format::{Lesson, Role};
use crate::lesson::{ActiveLesson, Loaded, Shelf};
use crate::protocol::command::{Command, CommandBody, Principal, Refusal, STAGE_HOLD};
use crate::protocol::ids::{LessonId, ObjectId};
use crate::protocol::teaching::{
    CHECKPOINT_TIME, Checkpoint, CheckpointAsks, MORE_TIME, MOST_CHECKPOINTS, Preferences,
    PreferencesPatch, TURN, TelemetryLevel,
};
use crate::session::state::LearnerState;

/// What these decisions rest on.
pub(super) struct Ground<'a> {
    pub state: &'a LearnerState,
    pub strategies: &'a Strategies,
    pub lesson: Option<&'a ActiveLesson>,
    pub shelf: Option<&'a Shelf>,
}

impl Ground<'_> {
    /// The lesson of this name: the one that runs, in the edition that runs, or one of the shelf.
    pub fn lesson_named(&self, id: &LessonId) -> Option<&Loaded> {
        let running = self.lesson.filter(|it| it.lesson.id == *id);
        running.map(|it| &it.0).or_else(|| self.shelf?.get(id))
    }
}

type Decided = Result<(Effect, String), Refusal>;

/// Decides about one of these; `None`: it is another command.
pub(super) fn decide(command: &Command, standing: &Standing, on: &Ground) -> Option<Decided> {
    let decided = match &command.body {
        CommandBody::SetPreferences { patch } => preferences(patch, command.principal, on),
        CommandBody::OverrideStage { event, seconds } => {
            for_people(command.principal).and_then(|()| stage(*event, *seconds, on))
        }
        CommandBody::SetCheckpoint { checkpoint } => {
            for_people(command.principal).and_then(|()| set(checkpoint, standing))
        }
        CommandBody::RemoveCheckpoint { checkpoint } => match standing.adapted.checks(checkpoint) {
            true => Ok((
                Effect::Noted,
                format!("{checkpoint} is not checked any more"),
            )),
            false => Err(Refusal::AlreadySo {
                state: format!("no checkpoint `{checkpoint}` waits"),
            }),
        },
        CommandBody::SetPolicy { patch } => {
            for_people(command.principal).and_then(|()| policy(patch, on))
        }
        CommandBody::StartSession { lesson } => {
            for_people(command.principal).and_then(|()| start(lesson.as_ref(), on))
        }
        CommandBody::SetTelemetry { level } => {
            for_people(command.principal).and_then(|()| telemetry(*level, on))
        }
        _ => return None,
    };
    Some(decided)
}

fn for_people(principal: Principal) -> Result<(), Refusal> {
    match principal {
        Principal::Instructor | Principal::Learner => Ok(()),
        _ => Err(Refusal::NotForYou {
            who: who(principal).to_owned(),
            instead: "only people set this".to_owned(),
        }),
    }
}

fn preferences(patch: &PreferencesPatch, principal: Principal, on: &Ground) -> Decided {
    for_people(principal)?;
    let next = patch.upon(&on.state.preferences);
    within("turn_degrees", next.turn_degrees, TURN)?;
    within("vignette", next.vignette, [0.0, 1.0])?;
    within("more_time", next.more_time, MORE_TIME)?;
    if next == on.state.preferences {
        return Err(Refusal::AlreadySo {
            state: "the learner has it so".to_owned(),
        });
    }
    Ok((Effect::Noted, changed(&on.state.preferences, &next)))
}

/// What is otherwise now, as the learner meets it.
fn changed(before: &Preferences, next: &Preferences) -> String {
    let yes = |is: bool, yes: &str, no: &str| if is { yes } else { no }.to_owned();
    let mut words = Vec::new();
    if before.large_text != next.large_text {
        words.push(yes(
            next.large_text,
            "larger letters",
            "letters of usual size",
        ));
    }
    if before.captions != next.captions {
        words.push(yes(next.captions, "captions", "no captions"));
    }
    if before.seated != next.seated {
        words.push(yes(
            next.seated,
            "the room for somebody who sits",
            "the room for somebody who stands",
        ));
    }
    let differ = |a: f32, b: f32| (a - b).abs() > f32::EPSILON;
    if differ(before.turn_degrees, next.turn_degrees) {
        words.push(format!("turns of {:.0}\u{b0}", next.turn_degrees));
    }
    if differ(before.vignette, next.vignette) {
        words.push(format!(
            "the view narrowed by {:.0} % of the most while moved",
            100.0 * next.vignette
        ));
    }
    if before.hints_by_themselves != next.hints_by_themselves {
        words.push(yes(
            next.hints_by_themselves,
            "hints by themselves",
            "hints only when asked for",
        ));
    }
    if differ(before.more_time, next.more_time) {
        words.push(format!("{:.2} times the time", next.more_time));
    }
    format!("the learner has now: {}", words.join(", "))
}

fn stage(event: Option<LearningEvent>, seconds: u32, on: &Ground) -> Decided {
    if on.state.session.is_none() {
        return Err(Refusal::NoStep);
    }
    let Some(event) = event else {
        if on.state.models.five().chart().held().is_zero() {
            return Err(Refusal::AlreadySo {
                state: "the models say the stage".to_owned(),
            });
        }
        return Ok((Effect::Noted, "the models say the stage again".to_owned()));
    };
    let [low, high] = STAGE_HOLD;
    if !(low..=high).contains(&seconds) {
        return Err(Refusal::OutOfRange {
            what: "seconds".to_owned(),
            value: seconds.to_string(),
            low: low.to_string(),
            high: high.to_string(),
        });
    }
    let words = format!(
        "the learner stands at {event:?} for {seconds} s of the running lesson; then the models judge on from there"
    );
    Ok((Effect::Noted, words))
}

fn set(checkpoint: &Checkpoint, standing: &Standing) -> Decided {
    let (Some(lesson), Some(_)) = (standing.lesson, standing.step) else {
        return Err(Refusal::NoStep);
    };
    let bad = |why: &str| {
        Err(Refusal::BadCheckpoint {
            checkpoint: checkpoint.id.to_string(),
            why: why.to_owned(),
        })
    };
    let id = checkpoint.id.as_str();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if id.is_empty() || id.len() > 64 || !id.chars().all(plain) {
        return bad("an id has 1 to 64 letters, digits, `-` and `_`");
    }
    let of_lesson = lesson.steps.iter().any(|step| step.id == checkpoint.id);
    if of_lesson || standing.adapted.checks(&checkpoint.id) {
        return bad("a step or another checkpoint has that id");
    }
    if standing.adapted.checkpoints.len() >= MOST_CHECKPOINTS {
        return bad("as many checkpoints wait as there may be; remove one first");
    }
    let known = |skill: &SkillId| lesson.skills.iter().any(|it| it.id == *skill);
    if checkpoint.skills.is_empty() || checkpoint.skills.len() > 8 {
        return bad("it is evidence for 1 to 8 skills of the lesson");
    }
    if !checkpoint.skills.iter().all(known) {
        return bad("it names a skill that the lesson does not have; lesson://ID/graph names them");
    }
    if let Some(seconds) = checkpoint.within {
        within("within", seconds, CHECKPOINT_TIME)?;
    }
    let words = match &checkpoint.asks {
        CheckpointAsks::Touch { object } => {
            format!("that {} is touched", there(object, standing, lesson)?)
        }
        CheckpointAsks::Grab { object } => {
            if !can_be_taken(object, standing, lesson) {
                there(object, standing, lesson)?;
                return bad("that thing cannot be taken");
            }
            format!("that {object} is taken")
        }
        CheckpointAsks::Press { object } => {
            let label = there(object, standing, lesson)?;
            let mut objects = lesson.objects.iter();
            if !objects.any(|it| it.id == *object && matches!(it.role, Role::Button)) {
                return bad("that thing is no button");
            }
            format!("that {label} is pressed")
        }
        CheckpointAsks::Place { object, socket } => {
            there(object, standing, lesson)?;
            if !lesson.sockets.iter().any(|it| it.id == *socket) {
                return bad("the lesson has no such socket; view.scene names what is there");
            }
            format!("that {object} is put into {socket}")
        }
        CheckpointAsks::Bring { object, into } => {
            if let Some(why) = into.fault() {
                return bad(why);
            }
            if !can_be_taken(object, standing, lesson) {
                there(object, standing, lesson)?;
                return bad("that thing cannot be moved");
            }
            format!("that {object} is brought there")
        }
        CheckpointAsks::Reach { into } => {
            if let Some(why) = into.fault() {
                return bad(why);
            }
            "that the learner comes there".to_owned()
        }
    };
    let limit = checkpoint.within.map_or_else(
        || "; it waits until then".to_owned(),
        |seconds| format!("; after {seconds:.0} s it is missed"),
    );
    Ok((Effect::Noted, format!("it is checked {words}{limit}")))
}

/// What a thing in the scene is called.
fn there(object: &ObjectId, standing: &Standing, lesson: &Lesson) -> Result<String, Refusal> {
    let of_lesson = lesson.objects.iter().find(|it| it.id == *object);
    let added = standing.adapted.added.iter().find(|it| it.id == *object);
    of_lesson
        .map(|it| it.label.clone())
        .or_else(|| added.map(|it| it.label.clone()))
        .ok_or_else(|| Refusal::NoSuchObject {
            object: object.to_string(),
        })
}

fn can_be_taken(object: &ObjectId, standing: &Standing, lesson: &Lesson) -> bool {
    let of_lesson = lesson
        .objects
        .iter()
        .any(|it| it.id == *object && matches!(it.role, Role::Grabbable { .. }));
    let mut added = standing.adapted.added.iter();
    of_lesson || added.any(|it| it.id == *object && it.mass.is_some())
}

fn policy(patch: &PolicyPatch, on: &Ground) -> Decided {
    let next = on
        .strategies
        .patched(patch)
        .map_err(|wrong| Refusal::BadPolicy {
            // A refusal is a line in a log, not a report; the first ones say enough to mend them.
            why: wrong.into_iter().take(8).collect::<Vec<_>>().join("; "),
        })?;
    let rules = next.table().table().rules.len();
    let begun = on.strategies.patched(&PolicyPatch {
        reset: true,
        ..PolicyPatch::default()
    });
    let of = begun.map_or(rules, |it| it.table().table().rules.len());
    let words = format!(
        "{rules} of {of} adaptation rules are in force on this machine, until it is started again"
    );
    Ok((Effect::Policy(Box::new(patch.clone())), words))
}

fn start(lesson: Option<&LessonId>, on: &Ground) -> Decided {
    let Some(running) = on.lesson else {
        return Err(Refusal::NotHere {
            what: "the session".to_owned(),
        });
    };
    let id = lesson.unwrap_or(&running.lesson.id);
    let loaded = on.lesson_named(id);
    if loaded.is_none() {
        return Err({
            let known = on.shelf.map(|shelf| {
                let names = shelf.names().map(ToString::to_string);
                names.collect::<Vec<_>>().join(", ")
            });
            Refusal::NoSuchLesson {
                lesson: id.to_string(),
                known: known.unwrap_or_default(),
            }
        });
    }
    let ended = if on.state.ended || on.state.session.is_none() {
        ""
    } else {
        "the session that ran is over, and "
    };
    let words =
        format!("{ended}lesson {id} begins at its first step; what is known of the learner stays");
    Ok((Effect::Begin(id.clone()), words))
}

fn telemetry(level: TelemetryLevel, on: &Ground) -> Decided {
    if on.state.telemetry == level {
        return Err(Refusal::AlreadySo {
            state: level.words().to_owned(),
        });
    }
    Ok((Effect::Noted, level.words().to_owned()))
}
