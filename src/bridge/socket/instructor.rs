//! The conversation with an instructor: a live stream of what happens, and commands. State is conflated: the newest
//! only. Events are not: who was too slow is told from where to ask for them again.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::MissedTickBehavior;

use super::budget::Budget;
use super::learner::TOKEN_OVER;
use super::line::{Broken, Came, Line, PING};
use super::pong;
use super::seen::Seen;
use crate::bridge::access::{Act, Caller};
use crate::bridge::coding::Coding;
use crate::bridge::desk::{AskError, Desk};
use crate::bridge::going::Going;
use crate::protocol::command::Outcome;
use crate::protocol::ids::CommandId;
use crate::protocol::wire::{CommandRequest, ErrorCode, FromClient, FromHost, Replay, WireError};

/// Fast changes are put together over this time.
const COALESCE: Duration = Duration::from_millis(50);
/// Commands a second that a connection may send over any length of time …
const RATE: f64 = 20.0;
/// … and at once.
const BURST: f64 = 40.0;
/// Answers under way to a slow client.
const ANSWERS: usize = 64;
/// Events that one `replay` gives at most.
const REPLAYED: usize = 1000;
/// A replay waits so long for what was told and is not on the disk yet; then the client has to ask again.
const ON_THE_DISK_WITHIN: Duration = Duration::from_secs(5);

/// Talks until the client goes. `plain`: a client that named no subprotocol, from before there was one.
pub(super) async fn talk(
    line: &mut Line,
    desk: &Desk,
    caller: &Caller,
    plain: bool,
    mut going: watch::Receiver<Going>,
) -> Result<(), Broken> {
    let mut published = desk.watch();
    let mut samples = desk.samples();
    let mut events = desk.events();
    let mut seen = Seen::default();
    seen.begin(&published.borrow());
    // Whoever connects sees at once what is.
    published.mark_changed();
    samples.mark_changed();
    let (answers, mut answered) = mpsc::channel::<FromHost<'static>>(ANSWERS);
    let mut asking = Asking {
        desk,
        caller,
        budget: Budget::new(RATE, BURST),
        answers,
        replays: Arc::new(Semaphore::new(1)),
    };
    let mut over = std::pin::pin!(caller.over());
    let mut tick = tokio::time::interval(COALESCE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ping = tokio::time::interval(PING);
    loop {
        tokio::select! {
            () = &mut over => {
                let error = WireError {
                    code: ErrorCode::Forbidden,
                    message: TOKEN_OVER.to_owned(),
                    id: None,
                };
                return Err(line.hang_up(error).await);
            }
            came = line.receive(read) => match came? {
                Came::Sign => {}
                Came::Nonsense(why) => line.complain(ErrorCode::BadMessage, not_understood(&why), None).await?,
                Came::Message(FromClient::Bye {}) => return Ok(()),
                Came::Message(message) => if let Some(answer) = asking.take(message) {
                    line.send(answer).await?;
                }
            },
            _ = ping.tick() => line.ping().await?,
            Ok(()) = going.changed() => {
                let now = *going.borrow_and_update();
                if line.tell_of(now).await? {
                    return Ok(());
                }
            }
            Some(answer) = answered.recv() => line.send(answer).await?,
            event = events.recv() => match event {
                Ok(event) if !caller.sees(event.learner) => {}
                Ok(event) => {
                    if let Some(gap) = seen.event(&event).filter(|_| !plain) {
                        line.send(FromHost::Resume(gap)).await?;
                    }
                    line.send(FromHost::Event(Cow::Borrowed(&event))).await?;
                }
                Err(RecvError::Lagged(events)) => {
                    line.send(FromHost::Skipped { events }).await?;
                    let now = published.borrow().clone();
                    for gap in seen.fell_behind(&now) {
                        if !plain && caller.sees(gap.learner) {
                            line.send(FromHost::Resume(gap)).await?;
                        }
                    }
                }
                Err(RecvError::Closed) => {
                    line.send(FromHost::Bye {}).await?;
                    return Ok(());
                }
            },
            _ = tick.tick() => {
                if published.has_changed().unwrap_or(false) {
                    let now = published.borrow_and_update().clone();
                    seen.tell_states(line, caller, &now).await?;
                }
                // What is still on its way to this client is not left out.
                if !plain && events.is_empty() {
                    let now = published.borrow().clone();
                    for gap in seen.left_out(&now) {
                        if caller.sees(gap.learner) {
                            line.send(FromHost::Resume(gap)).await?;
                        }
                    }
                }
                if !plain && samples.has_changed().unwrap_or(false) {
                    let now = samples.borrow_and_update().clone();
                    seen.tell_samples(line, caller, now).await?;
                }
            }
        }
    }
}

/// What a client asks for.
struct Asking<'a> {
    desk: &'a Desk,
    caller: &'a Caller,
    budget: Budget,
    answers: mpsc::Sender<FromHost<'static>>,
    replays: Arc<Semaphore>,
}

impl Asking<'_> {
    /// Starts what a message asks for; what can be said at once comes back.
    fn take(&mut self, message: FromClient) -> Option<FromHost<'static>> {
        if !self.budget.spend() {
            return Some(error(
                ErrorCode::TooFast,
                "more than 20 messages a second; wait and send it again",
                None,
            ));
        }
        match message {
            FromClient::Command(request) => self.command(request),
            FromClient::Replay(replay) => self.replay(replay),
            FromClient::Ping(ping) => Some(FromHost::Pong(pong(ping))),
            FromClient::Hello(_)
            | FromClient::Parcel(_)
            | FromClient::Done(_)
            | FromClient::Shown(_)
            | FromClient::Bye {} => {
                let why = "an instructor sends `command`, `replay`, `ping` and `bye`";
                Some(error(ErrorCode::BadMessage, why, None))
            }
        }
    }

    fn command(&self, request: CommandRequest) -> Option<FromHost<'static>> {
        let id = request.id.unwrap_or_else(CommandId::fresh);
        let (learner, purpose) = (request.learner, &request.purpose);
        let made = (self.caller).command(id, learner, purpose, request.body, request.trace);
        let command = match made {
            Ok(command) => command,
            Err(refused) => {
                return Some(error(ErrorCode::Forbidden, refused.to_string(), Some(id)));
            }
        };
        let (desk, answers) = (self.desk.clone(), self.answers.clone());
        tokio::spawn(async move {
            let message = match desk.ask(command).await {
                Ok(outcome) => FromHost::Answer {
                    id,
                    message: match &outcome {
                        Outcome::Applied { effect } => effect.clone(),
                        Outcome::Refused(refusal) => refusal.to_string(),
                    },
                    outcome: Cow::Owned(outcome),
                },
                Err(why) => {
                    let code = match why {
                        AskError::Busy => ErrorCode::Busy,
                        AskError::NoAnswer => ErrorCode::NoAnswer,
                    };
                    error(code, why.to_string(), Some(id))
                }
            };
            // Waits for a slow client, whose connection ends if it does not read at all.
            let _ = answers.send(message).await;
        });
        None
    }

    fn replay(&self, Replay { learner, after }: Replay) -> Option<FromHost<'static>> {
        if let Err(refused) = self.caller.may_with(Act::ReadState, learner) {
            return Some(error(ErrorCode::Forbidden, refused.to_string(), None));
        }
        let Ok(place) = self.replays.clone().try_acquire_owned() else {
            let why = "a replay is under way; ask again after its `replayed`";
            return Some(error(ErrorCode::Busy, why, None));
        };
        let (desk, answers) = (self.desk.clone(), self.answers.clone());
        // What was told may not be on the disk yet, and who was told to ask for it is not told again.
        let mut published = desk.watch();
        let known = published
            .borrow()
            .learners
            .get(&learner)
            .map_or(0, |it| it.seq);
        tokio::spawn(async move {
            let safe = published.wait_for(|now| {
                let state = now.learners.get(&learner);
                state.is_none_or(|it| it.acknowledged_seq >= known)
            });
            let _ = tokio::time::timeout(ON_THE_DISK_WITHIN, safe).await;
            let last = match desk.read_log(learner, after, REPLAYED).await {
                Ok(events) => {
                    let to = events.last().map_or(after, |event| event.seq);
                    let more = events.len() == REPLAYED || to < known;
                    for event in events {
                        if answers
                            .send(FromHost::Event(Cow::Owned(event)))
                            .await
                            .is_err()
                        {
                            return;
                        }
                    }
                    FromHost::Replayed { learner, to, more }
                }
                Err(why) => error(ErrorCode::Record, why, None),
            };
            drop(place);
            let _ = answers.send(last).await;
        });
        None
    }
}

fn error(code: ErrorCode, message: impl Into<String>, id: Option<CommandId>) -> FromHost<'static> {
    let message = message.into();
    FromHost::Error(WireError { code, message, id })
}

fn not_understood(why: &str) -> String {
    format!(
        "not understood: {why}; a command looks like \
         {{\"command\":{{\"learner\":ID,\"purpose\":WHY,\"body\":{{\"do\":\"give_hint\",\"level\":null}}}}}}"
    )
}

/// Reads text; a field of a command's body that nobody knows is a mistake, not a wish to be ignored.
pub(super) fn read(coding: Coding, text: &str) -> Result<FromClient, String> {
    let message = coding.read_text(text)?;
    let FromClient::Command(command) = &message else {
        return Ok(message);
    };
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let shown = value.pointer("/command/body").and_then(Value::as_object);
    // The body's kinds are told apart by a tag; serde does not refuse unknown fields beside it in every kind.
    let known = serde_json::to_value(&command.body).map_err(|error| error.to_string())?;
    let unknown = shown.into_iter().flatten().map(|(name, _)| name);
    if let Some(unknown) = unknown.into_iter().find(|name| known.get(name).is_none()) {
        let known = known.as_object().into_iter().flatten();
        let known: Vec<&str> = known.map(|(name, _)| name.as_str()).collect();
        return Err(format!(
            "unknown field `{unknown}` in `body`, expected {}",
            known.join(", ")
        ));
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::command::CommandBody;
    use crate::protocol::ids::LearnerId;

    fn read(text: &str) -> Result<FromClient, String> {
        super::read(Coding::Json, text)
    }

    #[test]
    fn a_command_is_read_as_documented() {
        let learner = LearnerId::fresh();
        let text = format!(
            r#"{{"command":{{"learner":"{learner}","body":{{"do":"message","text":"well done"}}}}}}"#
        );
        let FromClient::Command(request) = read(&text).unwrap() else {
            panic!("no command");
        };
        assert_eq!(request.learner, learner);
        assert!(matches!(request.body, CommandBody::Message { .. }));
    }

    #[test]
    fn a_field_that_nobody_knows_is_named() {
        let learner = LearnerId::fresh();
        for (body, name) in [
            (r#"{"do":"give_hint","levle":2}"#, "levle"),
            (r#"{"do":"pause","forever":true}"#, "forever"),
            (r#"{"do":"dance"}"#, "dance"),
        ] {
            let text = format!(r#"{{"command":{{"learner":"{learner}","body":{body}}}}}"#);
            let why = read(&text).unwrap_err();
            assert!(why.contains(name), "{why}");
        }
        let outside =
            format!(r#"{{"command":{{"learner":"{learner}","boddy":{{"do":"pause"}}}}}}"#);
        assert!(read(&outside).unwrap_err().contains("boddy"));
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_panic(text in "\\PC{0,200}") {
            let _ = read(&text);
        }

        #[test]
        fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Coding::MessagePack.read_binary::<FromClient>(&bytes);
        }

        #[test]
        fn no_json_makes_reading_panic(
            name in "command|body|do|learner|[a-z]{0,4}",
            value in "null|1e999|-1|\"x\"|\\[\\]|\\{\\}|\\{\"do\":\"(pause|give_hint|x)\"\\}",
        ) {
            let _ = read(&format!(r#"{{"command":{{"{name}":{value}}}}}"#));
            let _ = read(&format!(r#"{{"{name}":{value}}}"#));
        }
    }
}
