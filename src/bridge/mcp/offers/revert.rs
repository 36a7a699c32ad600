//! Taking adaptations back: the latest, a given one, or whatever is otherwise than its author wrote.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::call::{Call, Fault};
use super::super::catalogue::{Act, Catalogue, Effects, ToolRow};
use super::carry::{Whom, carry_out, whom};
use super::write::{Done, Wish};
use crate::protocol::command::{Command, CommandBody, Principal};
use crate::protocol::event::{Event, EventBody};
use crate::protocol::ids::{CommandId, LearnerId, ObjectId};
use crate::protocol::snapshot::LearnerSnapshot;

/// What to take back.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Revert {
    /// The learner's id from class.list_learners; may be left out where only one is here.
    learner: Option<String>,
    /// Instead of a learner: everybody of this group.
    group: Option<String>,
    /// Why, in a few words; kept in the learner's record. No names.
    purpose: String,
    /// Only say what would happen; nothing is done or recorded.
    dry_run: bool,
    /// The command to take back, from its answer or learner.timeline: what was before it holds again.
    command_id: Option<String>,
    /// Instead of one command: what of the lesson is to be as its author wrote it. With neither, the latest adaptation that
    /// can be taken back is.
    what: Vec<Lever>,
    /// A UUID of your own for this call: sent twice, what it took back is taken back once. Without one, a second call takes
    /// back what came before.
    key: Option<String>,
}

/// What can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Lever {
    /// All of these.
    Everything,
    /// The difficulty.
    Difficulty,
    /// The pace.
    Pace,
    /// Support beyond hints.
    Support,
    /// The hint that is shown.
    Hint,
    /// Things added to the scene.
    Scene,
}

/// What was taken back.
#[derive(Debug, Serialize, JsonSchema)]
struct Reverted {
    /// One for each thing that was taken back; empty: there was nothing to be.
    outcomes: Vec<Done>,
    /// Which commands that were; empty where the lesson was brought back to what its author wrote, and where the same `key`
    /// had been sent before.
    took_back: Vec<TakenBack>,
}

/// A command that was taken back, or would be.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
struct TakenBack {
    /// Of whom.
    learner: LearnerId,
    /// Which.
    command_id: CommandId,
    /// Who had asked for it: instructor, learner, or the adaptation rules.
    asked_by: Principal,
    /// What it had done.
    was: CommandBody,
}

/// One command that is in force, and what brings back what was before it.
#[derive(Debug, Clone, PartialEq)]
struct InForce {
    seq: u64,
    command: CommandId,
    by: Principal,
    was: CommandBody,
    back: CommandBody,
}

pub(super) fn offer(catalogue: &mut Catalogue) {
    catalogue.tool(ToolRow::typed(
        (
            "adapt.revert",
            "Revert adaptation",
            "Takes an adaptation back and says which: the latest that can be, the one of `command_id`, or, with `what`, whatever \
             is otherwise than the lesson's author wrote (difficulty, pace, support, hint, added things, or everything).",
        ),
        // Twice without a key is not as once.
        (Act::Adapt, Effects::Adds),
        revert,
    ));
}

async fn revert(call: Call, it: Revert) -> Result<Reverted, Fault> {
    let wish = Wish {
        learner: it.learner.clone(),
        group: it.group.clone(),
        purpose: it.purpose.clone(),
        dry_run: it.dry_run,
        ..Wish::default()
    };
    let named = Wish {
        command_id: it.command_id.clone(),
        ..Wish::default()
    };
    let id = named.id()?;
    let key = Wish {
        command_id: it.key.clone(),
        ..Wish::default()
    };
    let key = key.id()?;
    if id.is_some() && (!it.what.is_empty() || it.group.is_some()) {
        return Err(
            "`command_id` names one learner's command; leave out `what` and `group`".into(),
        );
    }
    let (learners, one) = match whom(&call, &wish, Act::Adapt, false).await? {
        Whom::One(learner) => (vec![learner], true),
        Whom::Group(_, members) => (members, false),
    };
    let (mut outcomes, mut took_back) = (Vec::new(), Vec::new());
    for learner in learners {
        let found = call.find(Some(&learner.to_string()))?;
        let log = call.shared.journal.of(learner);
        let own = |at| key.map(|key| own_id(key, (!one).then_some(learner), at));
        let before = sent_before(&log, own);
        let bodies = if !before.is_empty() {
            before
        } else if it.what.is_empty() {
            match choose(&log, &found, id) {
                Ok(chosen) => {
                    took_back.push(TakenBack {
                        learner,
                        command_id: chosen.command,
                        asked_by: chosen.by,
                        was: chosen.was,
                    });
                    vec![chosen.back]
                }
                Err(why) if one => return Err(why.into()),
                // Of the others of a group there may be something.
                Err(_) => Vec::new(),
            }
        } else {
            as_authored(&found, &it.what)
        };
        for (at, body) in (0..).zip(bodies) {
            let wish = Wish {
                purpose: wish.purpose.clone(),
                command_id: own(at).map(|id| id.0.to_string()),
                dry_run: wish.dry_run,
                ..Wish::default()
            };
            outcomes.push(carry_out(&call, learner, &wish, body).await?);
        }
    }
    Ok(Reverted {
        outcomes,
        took_back,
    })
}

/// The id of one of the commands that come of a call with a key.
fn own_id(key: CommandId, of: Option<LearnerId>, at: u128) -> CommandId {
    let of = of.map_or(0, |learner| learner.0.as_u128());
    CommandId(Uuid::from_u128(key.0.as_u128() ^ of ^ at))
}

/// What came of the same call before: the world answers it as it did then.
fn sent_before(log: &[Arc<Event>], own: impl Fn(u128) -> Option<CommandId>) -> Vec<CommandBody> {
    let known = |at| {
        let id = own(at)?;
        let command = log
            .iter()
            .filter_map(|event| applied(event))
            .find(|it| it.id == id);
        command.map(|command| command.body.clone())
    };
    (0..).map_while(known).collect()
}

/// The command meant: this one, or the latest.
fn choose(
    log: &[Arc<Event>],
    found: &LearnerSnapshot,
    id: Option<CommandId>,
) -> Result<InForce, String> {
    let mut all = in_force(log, found);
    let Some(id) = id else {
        return all.pop().ok_or_else(|| {
            "nothing of what happened here lately can be taken back; `what` brings the lesson back to what its author wrote"
                .to_owned()
        });
    };
    if let Some(place) = all.iter().position(|it| it.command == id) {
        return Ok(all.swap_remove(place));
    }
    let known = log
        .iter()
        .find_map(|event| applied(event).filter(|it| it.id == id));
    Err(match known {
        None => {
            format!("no command {id} was carried out for this learner lately; see learner.timeline")
        }
        Some(_) => {
            let words = "command {id} is not in force any more, or is nothing that can be taken back; take back what came after \
                         it first";
            words.replace("{id}", &id.to_string())
        }
    })
}

fn applied(event: &Event) -> Option<&Command> {
    match &event.body {
        EventBody::CommandApplied { command, .. } => Some(command),
        _ => None,
    }
}

/// What was set one after the other of one lever, over what the author wrote. Setting back what was before takes the
/// last one away: who takes back twice gets back two.
#[derive(Default)]
struct Stack(Vec<(u64, Command)>);

impl Stack {
    fn set(&mut self, seq: u64, command: &Command, authored: &CommandBody) {
        let before = self.0.iter().rev().nth(1).map(|(_, it)| &it.body);
        if !self.0.is_empty() && before.unwrap_or(authored) == &command.body {
            self.0.pop();
        } else if !self.0.is_empty() || command.body != *authored {
            self.0.push((seq, command.clone()));
        }
    }

    fn top(&self, authored: CommandBody) -> Option<InForce> {
        let (seq, top) = self.0.last()?;
        let before = self.0.iter().rev().nth(1).map(|(_, it)| it.body.clone());
        Some(InForce {
            seq: *seq,
            command: top.id,
            by: top.principal,
            was: top.body.clone(),
            back: before.unwrap_or(authored),
        })
    }
}

/// Commands that are in force and can be taken back, oldest first.
fn in_force(log: &[Arc<Event>], found: &LearnerSnapshot) -> Vec<InForce> {
    let no_difficulty = CommandBody::SetDifficulty { multiplier: 1.0 };
    let no_pace = CommandBody::SetPace { multiplier: 1.0 };
    let [mut difficulty, mut pace, mut support] = [const { Stack(Vec::new()) }; 3];
    let mut hint: Option<(u64, Command)> = None;
    let mut added: Vec<(ObjectId, InForce)> = Vec::new();
    for event in log.iter().filter(|it| it.session == found.session) {
        if matches!(event.body, EventBody::StepEntered { .. }) {
            hint = None;
        }
        let Some(command) = applied(event) else {
            continue;
        };
        match &command.body {
            CommandBody::SetDifficulty { .. } => difficulty.set(event.seq, command, &no_difficulty),
            CommandBody::SetPace { .. } => pace.set(event.seq, command, &no_pace),
            CommandBody::AddSupport { .. } | CommandBody::FadeSupport => {
                support.set(event.seq, command, &CommandBody::FadeSupport);
            }
            CommandBody::GiveHint { .. } => hint = Some((event.seq, command.clone())),
            CommandBody::FadeHint => hint = None,
            CommandBody::Spawn { object } => {
                let id = object.id.clone();
                let back = CommandBody::Remove { object: id.clone() };
                added.push((
                    id,
                    InForce {
                        seq: event.seq,
                        command: command.id,
                        by: command.principal,
                        was: command.body.clone(),
                        back,
                    },
                ));
            }
            _ => {}
        }
    }
    let shown = hint.filter(|_| found.hint_level > 0);
    let hint = shown.map(|(seq, command)| InForce {
        seq,
        command: command.id,
        by: command.principal,
        was: command.body,
        back: CommandBody::FadeHint,
    });
    let there = |(id, it): (ObjectId, InForce)| found.added.contains(&id).then_some(it);
    let mut all: Vec<InForce> = added.into_iter().filter_map(there).collect();
    all.extend(hint);
    let set = [
        difficulty.top(no_difficulty),
        pace.top(no_pace),
        support.top(CommandBody::FadeSupport),
    ];
    all.extend(set.into_iter().flatten().filter(|it| holds(&it.was, found)));
    all.sort_by_key(|it| it.seq);
    all
}

/// Whether a lever stands where this command put it: the rules, or an end of its time, may have moved it since.
fn holds(body: &CommandBody, found: &LearnerSnapshot) -> bool {
    let same = |a: f64, b: f64| (a - b).abs() < 0.005;
    match body {
        CommandBody::SetDifficulty { multiplier } => same(*multiplier, found.difficulty),
        CommandBody::SetPace { multiplier } => same(*multiplier, found.pace),
        CommandBody::AddSupport { level, .. } => *level == found.support,
        CommandBody::FadeSupport => found.support == 0,
        _ => true,
    }
}

/// What brings back what is otherwise than authored.
fn as_authored(found: &LearnerSnapshot, what: &[Lever]) -> Vec<CommandBody> {
    let wanted = |lever| what.contains(&lever) || what.contains(&Lever::Everything);
    let differs = |now: f64| (now - 1.0).abs() > 0.005;
    let mut bodies = Vec::new();
    if wanted(Lever::Difficulty) && differs(found.difficulty) {
        bodies.push(CommandBody::SetDifficulty { multiplier: 1.0 });
    }
    if wanted(Lever::Pace) && differs(found.pace) {
        bodies.push(CommandBody::SetPace { multiplier: 1.0 });
    }
    if wanted(Lever::Support) && found.support > 0 {
        bodies.push(CommandBody::FadeSupport);
    }
    if wanted(Lever::Hint) && found.hint_level > 0 {
        bodies.push(CommandBody::FadeHint);
    }
    if wanted(Lever::Scene) {
        let added = found.added.iter().cloned();
        bodies.extend(added.map(|object| CommandBody::Remove { object }));
    }
    bodies
}
