//! What is asked of the machine itself, not of one learner's lesson: lessons brought, groups, draining, copies of records
//! and their end. In: asks from the network side. Out: what really happened, and a line in the audit for each.
//! Never: waits in the frame; what takes the disk is done by the record thread.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use crossbeam_channel::Receiver;
use tokio::sync::oneshot;

use super::access::Act;
use super::audit::Lines;
use super::going::Going;
use super::{Bridge, host, records};
use crate::lesson::{Loaded, Shelf};
use crate::protocol::asker::Asker;
use crate::protocol::ids::{CommandId, LearnerId};
use crate::record::export::Export;
use crate::record::{Became, ErasureProof, RecordError, Recorder};
use crate::session::standing::{Age, Agreements};
use crate::session::state::LearnerState;
use crate::session::{Learner, WordScreen};

mod disk;

pub(super) use disk::{drain, erase, hand_out_copies};

/// Groups that may be formed.
const GROUPS: usize = 64;
/// Learners of one group.
const MEMBERS: usize = 256;
/// Answers remembered, so that one ask sent twice is carried out once.
const KEPT: usize = 256;
/// A log that cannot be written for so long is not erased either: the disk is at fault.
const SAFE_WITHIN: Duration = Duration::from_secs(10);

/// Named sets of learners, as long as the program runs.
#[derive(Resource, Debug, Default, Clone)]
pub(super) struct Groups(pub BTreeMap<String, Group>);

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// What for, in the instructor's words: peer, mentor, project.
    pub mode: String,
    /// Who.
    pub members: BTreeSet<LearnerId>,
}

/// The machine is being drained.
#[derive(Resource, Debug, Default)]
pub(super) struct Draining {
    /// When it ends in any case; `None`: it is not.
    until: Option<Instant>,
}

/// What is asked.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// A lesson that was read and checked is kept beside the others.
    Keep(Box<Loaded>),
    /// A group is formed, or has other members.
    Form {
        name: String,
        mode: Option<String>,
        members: Option<BTreeSet<LearnerId>>,
        also: BTreeSet<LearnerId>,
        without: BTreeSet<LearnerId>,
    },
    /// A group is no more.
    Dissolve { name: String },
    /// Nobody new comes in, and the program ends when the sessions have, at the latest after `within`; or that is over.
    Drain { on: bool, within: Duration },
    /// A copy of a learner's record.
    Export { learner: LearnerId },
    /// The end of it.
    Erase { learner: LearnerId },
}

impl What {
    fn learner(&self) -> Option<LearnerId> {
        match self {
            Self::Export { learner } | Self::Erase { learner } => Some(*learner),
            _ => None,
        }
    }
}

/// What came of it.
#[derive(Debug, Clone)]
pub(super) struct Came {
    /// What happened, in words.
    pub effect: String,
    /// The copy, where one was asked for.
    pub export: Option<Export>,
}

pub(super) type Answer = Result<Came, String>;

/// An ask.
pub(super) struct Ask {
    pub id: CommandId,
    pub by: Asker,
    pub purpose: String,
    pub act: Act,
    pub dry_run: bool,
    pub what: What,
    pub answer: oneshot::Sender<Answer>,
}

/// Asks under way.
#[derive(Resource, Default)]
pub(super) struct Asked {
    pub(super) waiting: VecDeque<Ask>,
    exporting: Vec<(Ask, Receiver<Result<Result<Export, String>, RecordError>>)>,
    closing: Vec<(Ask, LearnerId, Instant)>,
    erasing: Vec<(Ask, Receiver<Result<Option<ErasureProof>, RecordError>>)>,
    answers: HashMap<CommandId, Result<String, String>>,
    order: VecDeque<CommandId>,
}

/// What the asks change.
#[derive(SystemParam)]
pub(super) struct Ground<'w, 's> {
    bridge: Res<'w, Bridge>,
    shelf: Option<ResMut<'w, Shelf>>,
    groups: ResMut<'w, Groups>,
    draining: ResMut<'w, Draining>,
    recorder: Option<Res<'w, Recorder>>,
    agreements: Res<'w, Agreements>,
    screen: Res<'w, WordScreen>,
    lines: ResMut<'w, Lines>,
    learners: Query<
        'w,
        's,
        (
            Entity,
            &'static Learner,
            &'static LearnerState,
            &'static Age,
        ),
    >,
    headsets: Query<'w, 's, &'static host::Headset>,
}

pub(super) fn carry_out(mut asked: ResMut<Asked>, mut ground: Ground) {
    while let Some(ask) = asked.waiting.pop_front() {
        if let Some(known) = asked.answers.get(&ask.id) {
            let effect = known.clone();
            drop(ask.answer.send(effect.map(|effect| Came {
                effect,
                export: None,
            })));
            continue;
        }
        if ask.dry_run {
            let would = ground.try_out(&ask.what);
            let came = would.map(|words| Came {
                effect: format!("would be done: {words}"),
                export: None,
            });
            drop(ask.answer.send(came));
            continue;
        }
        match ground.begin(&ask) {
            Begun::Done(outcome) => asked.settle(ask, outcome, &mut ground),
            Begun::Exporting(read) => asked.exporting.push((ask, read)),
            Begun::Closing(learner) => asked.closing.push((ask, learner, Instant::now())),
        }
    }
}

enum Begun {
    Done(Result<String, String>),
    Exporting(Receiver<Result<Result<Export, String>, RecordError>>),
    Closing(LearnerId),
}

const NO_RECORDS: &str = "no records are kept here";
const BUSY: &str = "the record thread is busy; ask again in a second";

impl Ground<'_, '_> {
    /// What would come of it.
    fn try_out(&self, what: &What) -> Result<String, String> {
        match what {
            What::Keep(lesson) => {
                let shelf = self.shelf.as_ref().ok_or("no lessons are played here")?;
                shelf.may_keep(lesson).map_err(|why| why.to_string())?;
                Ok(format!(
                    "lesson {} is on this machine and can be begun",
                    lesson.lesson.id
                ))
            }
            What::Form { name, .. } => {
                let group = self.formed(what)?;
                Ok(format!(
                    "group {name} has {} learner(s)",
                    group.members.len()
                ))
            }
            What::Dissolve { name } => match self.groups.0.contains_key(name) {
                true => Ok(format!("group {name} is no more")),
                false => Err(self.no_group(name)),
            },
            What::Drain { on: true, within } => Ok(format!(
                "nobody new is let in; the program ends when every session here has, at the latest in {} s",
                within.as_secs()
            )),
            What::Drain { on: false, .. } => match self.draining.until {
                Some(_) => Ok("everybody is let in again".to_owned()),
                None => Err("nothing to do: this machine is not being drained".to_owned()),
            },
            What::Export { learner } => {
                self.recorder.as_ref().ok_or(NO_RECORDS)?;
                Ok(format!("a copy of the record of learner {learner} is made"))
            }
            What::Erase { learner } => {
                self.recorder.as_ref().ok_or(NO_RECORDS)?;
                if let Some(entity) = self.entity(*learner)
                    && let Ok(headset) = self.headsets.get(entity)
                    && headset.gone_since().is_none()
                {
                    return Err(
                        "this learner's headset is linked and would send the record again; erase it there, or end the link, \
                         then here"
                            .to_owned(),
                    );
                }
                Ok(format!(
                    "the record of learner {learner} is destroyed for good; if they are in a lesson here, it is over"
                ))
            }
        }
    }

    fn begin(&mut self, ask: &Ask) -> Begun {
        let words = match self.try_out(&ask.what) {
            Ok(words) => words,
            Err(why) => return Begun::Done(Err(why)),
        };
        match &ask.what {
            What::Keep(lesson) => {
                if let Some(shelf) = &mut self.shelf
                    && let Err(why) = shelf.keep((**lesson).clone())
                {
                    return Begun::Done(Err(why.to_string()));
                }
            }
            What::Form { name, .. } => match self.formed(&ask.what) {
                Ok(group) => {
                    self.groups.0.insert(name.clone(), group);
                }
                Err(why) => return Begun::Done(Err(why)),
            },
            What::Dissolve { name } => {
                self.groups.0.remove(name);
            }
            What::Drain { on, within } => {
                self.draining.until = on.then(|| Instant::now() + *within);
                let until = self.draining.until;
                let going = until.map_or(Going::No, |until| Going::Draining { until });
                self.bridge.counters.goes(going);
            }
            What::Export { learner } => {
                let Some(recorder) = &self.recorder else {
                    return Begun::Done(Err(NO_RECORDS.to_owned()));
                };
                let age = self.age_of(*learner);
                let by = self.by(ask);
                let policy = self.agreements.0.clone();
                let learner = *learner;
                let asked =
                    recorder.ask(move |store| records::copy(store, learner, age, &policy, &by));
                return asked.map_or(Begun::Done(Err(BUSY.to_owned())), Begun::Exporting);
            }
            What::Erase { learner } => return Begun::Closing(*learner),
        }
        Begun::Done(Ok(words))
    }

    fn entity(&self, learner: LearnerId) -> Option<Entity> {
        let mut all = self.learners.iter();
        all.find(|(_, it, ..)| it.id == learner).map(|it| it.0)
    }

    fn age_of(&self, learner: LearnerId) -> Age {
        let mut all = self.learners.iter();
        let found = all.find(|(_, it, ..)| it.id == learner);
        found.map_or(Age::default(), |it| *it.3)
    }

    fn by(&self, ask: &Ask) -> crate::record::By {
        super::audit::by_now(ask.by.to_string(), &self.screen.0.mask(&ask.purpose))
    }

    fn no_group(&self, name: &str) -> String {
        let names: Vec<&str> = self.groups.0.keys().map(String::as_str).collect();
        format!(
            "there is no group `{name}`; there are: {}",
            if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            }
        )
    }

    /// The group as it will be.
    fn formed(&self, what: &What) -> Result<Group, String> {
        let What::Form {
            name,
            mode,
            members,
            also,
            without,
        } = what
        else {
            return Err("this forms no group".to_owned());
        };
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
        if !(1..=40).contains(&name.chars().count()) || !name.chars().all(plain) {
            return Err(
                "a group's name has 1 to 40 letters, digits, spaces, `-` and `_`".to_owned(),
            );
        }
        let before = self.groups.0.get(name);
        if before.is_none() && members.is_none() {
            return Err(self.no_group(name));
        }
        if before.is_none() && self.groups.0.len() >= GROUPS {
            return Err(format!(
                "{GROUPS} groups are formed already; dissolve one first"
            ));
        }
        let mut all = members
            .clone()
            .or_else(|| before.map(|group| group.members.clone()))
            .unwrap_or_default();
        all.extend(also);
        all.retain(|it| !without.contains(it));
        if all.is_empty() || all.len() > MEMBERS {
            return Err(format!("a group has 1 to {MEMBERS} learners"));
        }
        let here = |id: &LearnerId| self.entity(*id).is_some();
        if let Some(stranger) = all.iter().find(|id| !here(id)) {
            return Err(format!(
                "no learner {stranger} is here; class.list_learners names those who are"
            ));
        }
        let mode = mode
            .clone()
            .or_else(|| before.map(|group| group.mode.clone()));
        Ok(Group {
            mode: mode.unwrap_or_else(|| "peer".to_owned()),
            members: all,
        })
    }
}

impl Asked {
    /// Answers, remembers, and writes the audit's line.
    fn settle(&mut self, ask: Ask, outcome: Result<String, String>, ground: &mut Ground) {
        self.remember(ask.id, outcome.clone());
        let by = ground.by(&ask);
        let became = match &outcome {
            Ok(_) => Became::Applied,
            Err(_) => Became::Refused,
        };
        ground
            .lines
            .commanded(by, ask.what.learner(), ask.id, ask.act, became);
        drop(ask.answer.send(outcome.map(|effect| Came {
            effect,
            export: None,
        })));
    }

    fn remember(&mut self, id: CommandId, outcome: Result<String, String>) {
        if self.answers.insert(id, outcome).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
    }
}
