//! What the door did, told to the world: codes to show, alerts, and a line in the audit log for everything that was
//! asked and for every change of who may come in.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::prelude::*;
use crossbeam_channel::{Receiver, TryRecvError};

use super::Bridge;
use super::access::news::News;
use super::access::{Act, Offer};
use super::desk::FromWorld;
use crate::protocol::command::Outcome;
use crate::protocol::ids::{CommandId, LearnerId};
use crate::record::{Action, Became, By, RecordError, Recorder};
use crate::session::pairing::{DoorAlert, Pairing, PairingAsked};
use crate::session::{CommandAnswered, WordScreen, unix_ms};

/// News taken in a frame; the rest waits for the next.
const PER_FRAME: usize = 64;
/// Lines that wait for the log; beyond it the loss is an error in the log of the program.
const WAITING: usize = 4096;

/// A failing disk is tried again this often.
const AGAIN: Duration = Duration::from_secs(2);

/// Who, about whom, what.
pub(super) type Line = (By, Option<LearnerId>, Action);

/// Lines on their way to the recorder.
#[derive(Resource, Default)]
pub(super) struct Lines {
    waiting: VecDeque<Line>,
    under_way: Option<(Arc<Vec<Line>>, Receiver<Result<(), RecordError>>)>,
    not_before: Option<Instant>,
}

impl Lines {
    /// Something that was asked of the machine.
    pub(super) fn commanded(
        &mut self,
        by: By,
        learner: Option<LearnerId>,
        command: CommandId,
        act: Act,
        became: Became,
    ) {
        let act = name(act);
        let action = Action::Commanded {
            command,
            act,
            became,
        };
        self.add(by, learner, action);
    }

    pub(super) fn add(&mut self, by: By, learner: Option<LearnerId>, action: Action) {
        if self.waiting.len() >= WAITING {
            error!("the audit log takes no more lines; one is lost");
            return;
        }
        self.waiting.push_back((by, learner, action));
    }

    /// What waits.
    #[cfg(test)]
    pub(super) fn told(&self) -> Vec<Line> {
        self.waiting.iter().cloned().collect()
    }

    /// Hands on what waits; what was not written comes back to the front.
    fn write(&mut self, recorder: &Recorder) {
        if let Some((lines, done)) = self.under_way.take() {
            match done.try_recv() {
                Ok(Ok(())) => {}
                Err(TryRecvError::Empty) => {
                    self.under_way = Some((lines, done));
                    return;
                }
                Ok(Err(_)) | Err(TryRecvError::Disconnected) => {
                    self.give_back(lines);
                    self.not_before = Some(Instant::now() + AGAIN);
                }
            }
        }
        let now = Instant::now();
        if self.waiting.is_empty() || self.not_before.is_some_and(|then| now < then) {
            return;
        }
        self.hand_on(recorder);
    }

    fn hand_on(&mut self, recorder: &Recorder) {
        let lines: Arc<Vec<Line>> = Arc::new(self.waiting.drain(..).collect());
        let given = lines.clone();
        match recorder.ask(move |store| store.audit_all(&given)) {
            Some(done) => self.under_way = Some((lines, done)),
            None => self.give_back(lines),
        }
    }

    /// Hands on what waits though more is under way: the record thread carries out all that it was asked before it ends.
    fn write_the_rest(&mut self, recorder: &Recorder) {
        self.write(recorder);
        if !self.waiting.is_empty() {
            self.hand_on(recorder);
        }
        if !self.waiting.is_empty() {
            let lost = self.waiting.len();
            error!(
                lost,
                "the record thread takes no more; lines of the audit log are lost"
            );
        }
    }

    fn give_back(&mut self, lines: Arc<Vec<Line>>) {
        let lines = Arc::unwrap_or_clone(lines);
        for line in lines.into_iter().rev() {
            self.waiting.push_front(line);
        }
    }
}

pub(super) fn take_news(
    bridge: Res<Bridge>,
    screen: Res<WordScreen>,
    recorder: Option<Res<Recorder>>,
    mut pairing: ResMut<Pairing>,
    mut alerts: MessageWriter<DoorAlert>,
    mut lines: ResMut<Lines>,
) {
    for news in bridge.news.try_iter().take(PER_FRAME) {
        match news {
            News::Pairing(shown) => {
                pairing.set_if_neq(Pairing(shown));
            }
            News::Alert(alert) => {
                // A stream may skip it; the log of the program and the audit have it.
                let _ = bridge.to_desk.try_send(FromWorld::Alert(alert.clone()));
                alerts.write(alert);
            }
            News::Admission { by, what, token } => {
                let actor = by.map_or_else(|| "at the machine".to_owned(), |by| by.to_string());
                let by = by_now(actor, "to say who may come in");
                lines.add(by, None, Action::Admitted { what, token });
            }
            News::NotAllowed {
                command,
                learner,
                asker,
                act,
                purpose,
            } => {
                let by = by_now(asker.to_string(), &screen.0.mask(&purpose));
                let (act, became) = (name(act), Became::NotAllowed);
                let action = Action::Commanded {
                    command,
                    act,
                    became,
                };
                lines.add(by, Some(learner), action);
            }
        }
    }
    if let Some(recorder) = recorder {
        lines.write(&recorder);
    } else {
        // Without records there is no audit log either.
        lines.waiting.clear();
    }
}

/// The program ends: what nobody wrote yet is handed to the record thread before that goes.
pub(super) fn write_the_rest(recorder: Res<Recorder>, mut lines: ResMut<Lines>) {
    lines.write_the_rest(&recorder);
}

/// A line for each command that came in by the door.
pub(super) fn note_answers(
    screen: Res<WordScreen>,
    mut answered: MessageReader<CommandAnswered>,
    mut lines: ResMut<Lines>,
) {
    for CommandAnswered { command, outcome } in answered.read() {
        let Some(asker) = command.asker else { continue };
        let learner = command.learner;
        let became = match outcome {
            Outcome::Applied { .. } => Became::Applied,
            Outcome::Refused(_) => Became::Refused,
        };
        let by = by_now(asker.to_string(), &screen.0.mask(&command.purpose));
        let (command, act) = (command.id, name(Act::of(&command.body)));
        let action = Action::Commanded {
            command,
            act,
            became,
        };
        lines.add(by, Some(learner), action);
    }
}

pub(super) fn ask_for_a_code(bridge: Res<Bridge>, mut asked: MessageReader<PairingAsked>) {
    if asked.read().count() > 0 {
        // One that waits already is as good.
        let _ = bridge.pairing_asked.try_send(Offer::default());
    }
}

pub(super) fn by_now(actor: String, purpose: &str) -> By {
    By {
        actor,
        purpose: purpose.to_owned(),
        at_unix_ms: unix_ms(),
    }
}

fn name(act: Act) -> String {
    let name = serde_json::to_value(act).ok();
    name.and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::for_tests::{audited, recorded};

    #[test]
    fn what_the_program_did_last_stands_in_the_audit_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("records.redb");
        let mut app = recorded(&file);
        // The disk takes its time.
        let (go_on, waits) = crossbeam_channel::bounded::<()>(0);
        drop(app.world().resource::<Recorder>().ask(move |_| {
            let _ = waits.recv();
            Ok(())
        }));
        let acts = ["first", "last"];
        for act in acts {
            let mut lines = app.world_mut().resource_mut::<Lines>();
            lines.add(by_now(act.to_owned(), "a test"), None, Action::Accessed);
            app.update();
        }
        app.world_mut().write_message(AppExit::Success);
        app.update();
        drop(go_on);
        drop(app);
        let log = audited(&file);
        let actors: Vec<&str> = log.iter().map(|it| it.by.actor.as_str()).collect();
        assert_eq!(actors, acts);
    }
}
