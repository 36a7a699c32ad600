//! Commands for learners elsewhere: passed on to their headset, and answered with what really happened there.

use std::collections::VecDeque;
use std::time::Duration;

use bevy::prelude::*;

use super::{Connected, Headset};
use crate::bridge::coming::{Connection, ToRuntime};
use crate::protocol::command::{Command, Outcome, Refusal};
use crate::protocol::wire::Done;
use crate::session::{CommandAnswered, CommandRequested};

/// A command not answered after this long is not sent again when a lost link is back: what helped then may not now.
const FRESH: Duration = Duration::from_secs(10);
/// Commands of one learner under way; one more is refused.
const UNDER_WAY: usize = 32;

/// Commands that a headset has not answered. On the learner, while there are any.
#[derive(Component, Debug, Default)]
pub(crate) struct UnderWay(VecDeque<Passed>);

#[derive(Debug)]
struct Passed {
    command: Command,
    /// When it was asked, in `Time<Real>`.
    at: Duration,
    /// Over which connection it went.
    sent: Option<Connection>,
}

/// Passes commands on. Only those for somebody who is not reached are answered here.
pub(super) fn pass_on_commands(
    mut commands: Commands,
    time: Res<Time<Real>>,
    connected: Res<Connected>,
    mut asked: MessageReader<CommandRequested>,
    mut learners: Query<(&Headset, Option<&mut UnderWay>)>,
    mut answered: MessageWriter<CommandAnswered>,
) {
    for CommandRequested(command) in asked.read() {
        let learner = command.learner;
        let entity = connected.by_learner.get(&learner).copied();
        let found = entity.and_then(|entity| Some((entity, learners.get_mut(entity).ok()?)));
        let refusal = match found {
            None => Refusal::NoSuchLearner { learner },
            Some((_, (headset, _))) if headset.gone_since().is_some() => Refusal::NotReached,
            Some((entity, (headset, under_way))) => {
                let sent = headset.send(ToRuntime::Do(Box::new(command.clone())));
                let command = command.clone();
                let at = time.elapsed();
                let passed = Passed { command, at, sent };
                match under_way {
                    Some(mut under_way) => under_way.push(passed),
                    None => {
                        commands.entity(entity).insert(UnderWay([passed].into()));
                    }
                }
                continue;
            }
        };
        let outcome = Outcome::Refused(refusal);
        let command = command.clone();
        answered.write(CommandAnswered { command, outcome });
    }
}

impl UnderWay {
    fn push(&mut self, passed: Passed) {
        // The same again, by somebody who had no answer.
        self.0.retain(|other| other.command.id != passed.command.id);
        if self.0.len() >= UNDER_WAY {
            self.0.pop_front();
        }
        self.0.push_back(passed);
    }
}

/// What found no room, or was under way when the link broke, goes out again.
pub(super) fn send_again(
    mut commands: Commands,
    time: Res<Time<Real>>,
    mut learners: Query<(Entity, &Headset, &mut UnderWay)>,
) {
    let now = time.elapsed();
    for (entity, headset, mut under_way) in &mut learners {
        under_way.0.retain(|it| now.saturating_sub(it.at) < FRESH);
        if under_way.0.is_empty() {
            commands.entity(entity).remove::<UnderWay>();
            continue;
        }
        let link = headset.connection();
        for passed in &mut under_way.0 {
            if link.is_some() && passed.sent != link {
                passed.sent = headset.send(ToRuntime::Do(Box::new(passed.command.clone())));
            }
        }
    }
}

/// A headset's answer.
pub(crate) fn done(
    entity: Entity,
    done: Done,
    learners: &mut Query<&mut UnderWay>,
    answered: &mut MessageWriter<CommandAnswered>,
) {
    let Ok(mut under_way) = learners.get_mut(entity) else {
        return;
    };
    // One that nobody asked for, or that was answered before, is no answer.
    let place = under_way.0.iter().position(|it| it.command.id == done.id);
    if let Some(passed) = place.and_then(|place| under_way.0.remove(place)) {
        answered.write(CommandAnswered {
            command: passed.command,
            outcome: done.outcome,
        });
    }
}
