//! The world's side of the link: systems that never wait.

use std::collections::HashSet;

use bevy::prelude::*;
use crossbeam_channel::{Receiver, TryRecvError};
use tracing::{error, info, warn};

use super::look;
use super::{Era, FromLink, Joined, LinkState, ToHost};
use crate::protocol::command::Principal;
use crate::protocol::event::Event;
use crate::protocol::ids::CommandId;
use crate::protocol::life::LifeCause;
use crate::protocol::wire::{Done, NoticeCode};
use crate::record::{RecordError, Recorder};
use crate::session::state::LearnerState;
use crate::session::stream::buffer::Outgoing;
use crate::session::stream::systems::{Link, StreamRules};
use crate::session::{ChangeAsked, CommandAnswered, CommandRequested, Learner};

/// What the link is about just now.
#[derive(Resource, Debug, Default)]
pub(super) struct Carried {
    pub(super) era: Option<Era>,
    /// Commands of the host that have no answer yet.
    asked: HashSet<CommandId>,
    /// Answers that found no room yet.
    answers: Vec<Done>,
    /// Events on their way from the log.
    reading: Option<Receiver<Result<Vec<Event>, RecordError>>>,
}

/// Whatever happens to the learner waits for the host from now on.
pub(super) fn begin_to_keep(
    mut commands: Commands,
    rules: Res<StreamRules>,
    learners: Query<(Entity, &LearnerState), (With<Learner>, Without<Link>)>,
) {
    for (learner, state) in &learners {
        let link = Link(Outgoing::new(state.seq, rules.buffer));
        commands.entity(learner).insert(link);
    }
}

/// Takes in what the link says.
pub(super) fn hear_the_host(
    mut joined: ResMut<Joined>,
    time: Res<Time<Real>>,
    mut state: ResMut<LinkState>,
    mut carried: ResMut<Carried>,
    mut learners: Query<(Entity, &Learner, &mut Link)>,
    mut asked: MessageWriter<ChangeAsked>,
    mut requested: MessageWriter<CommandRequested>,
    mut looks: look::Asked,
) {
    // Before the learner is there, nothing is taken in.
    let Ok((learner, who, mut link)) = learners.single_mut() else {
        return;
    };
    while let Ok(message) = joined.from_host.try_recv() {
        match message {
            FromLink::Up(era, has) => {
                carried.reading = None;
                match link.0.connect(has) {
                    Ok(()) => {
                        carried.era = Some(era);
                        info!("joined the host, which has {} events", has.events);
                    }
                    Err(error) => {
                        carried.era = None;
                        error!("nothing is sent to the host: {error}");
                    }
                }
                if state.times > 0 {
                    let cause = LifeCause::LinkBack;
                    asked.write(ChangeAsked { learner, cause });
                }
                state.up = true;
                state.times += 1;
                state.refused = None;
                state.notice = None;
            }
            FromLink::Ack(has) => {
                if let Err(error) = link.0.acknowledge(has, time.elapsed()) {
                    carried.era = None;
                    error!("nothing more is sent to the host: {error}");
                }
            }
            FromLink::Do(mut command) => {
                // Whatever the host says of who asks: here it is the instructor.
                command.principal = Principal::Instructor;
                carried.asked.insert(command.id);
                requested.write(CommandRequested(*command));
            }
            FromLink::Look(look) => looks.ask(who.id, look),
            FromLink::Notice(notice) => {
                if notice.code == NoticeCode::Staying {
                    info!("the host stays after all");
                    state.notice = None;
                } else {
                    warn!("the host says: {}", notice.message);
                    state.notice = Some(notice);
                }
            }
            FromLink::Offset(offset) => state.clock_offset_ms = Some(offset),
            FromLink::Down => {
                carried.era = None;
                if state.up {
                    warn!(
                        "the link to the host is gone; the lesson goes on, and everything is sent later"
                    );
                    let cause = LifeCause::LinkLost;
                    asked.write(ChangeAsked { learner, cause });
                }
                state.up = false;
            }
            FromLink::Refused(error) => {
                if state.refused.as_ref() != Some(&error.message) {
                    error!("the host does not let us in: {}", error.message);
                    state.refused = Some(error.message);
                }
            }
        }
    }
}

/// Tells the host what became of its commands. Other doors' commands are none of its business.
pub(super) fn answer_the_host(
    joined: Res<Joined>,
    mut carried: ResMut<Carried>,
    mut answered: MessageReader<CommandAnswered>,
) {
    for CommandAnswered { command, outcome } in answered.read() {
        if carried.asked.remove(&command.id) {
            carried.answers.push(Done {
                id: command.id,
                outcome: outcome.clone(),
            });
        }
    }
    if carried.answers.is_empty() {
        return;
    }
    // Where the link is down, the host asks again, and the answer is given again.
    let up = carried.era.is_some();
    carried
        .answers
        .retain(|done| up && joined.to_host.try_send(ToHost::Done(done.clone())).is_err());
}

/// Events that are no longer in memory are read from the log.
pub(super) fn read_again(
    recorder: Option<Res<Recorder>>,
    mut carried: ResMut<Carried>,
    mut learners: Query<(&Learner, &mut Link)>,
) {
    let (Some(recorder), Ok((learner, mut link))) = (recorder, learners.single_mut()) else {
        return;
    };
    if let Some(reading) = &carried.reading {
        match reading.try_recv() {
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Disconnected) => {}
            Ok(Err(error)) => warn!("events for the host can't be read just now: {error}"),
            // One that does not follow was acknowledged meanwhile, or is not on the disk yet: it is asked for again.
            Ok(Ok(events)) => {
                let _ = link.0.refill(events);
            }
        }
        carried.reading = None;
    }
    if carried.era.is_none() {
        return;
    }
    if let Some(missing) = link.0.missing() {
        let learner = learner.id;
        carried.reading = recorder.ask(move |store| {
            let mut events = store.events(learner)?;
            events.retain(|event| missing.contains(&event.seq));
            Ok(events)
        });
    }
}

/// Hands on whatever is next, as long as there is room.
pub(super) fn send_what_waits(
    joined: Res<Joined>,
    time: Res<Time<Real>>,
    carried: Res<Carried>,
    mut learners: Query<&mut Link, With<Learner>>,
) {
    let (Some(era), Ok(mut link)) = (carried.era, learners.single_mut()) else {
        return;
    };
    // Only this system and the one before it fill the channel: a place seen is a place had.
    while joined.to_host.capacity() > 0 {
        let Some(parcel) = link.0.next(time.elapsed()) else {
            return;
        };
        if joined
            .to_host
            .try_send(ToHost::Parcel(era, Box::new(parcel)))
            .is_err()
        {
            return;
        }
    }
}
