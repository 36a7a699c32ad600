//! The conversation with a learner's runtime: its stream comes in, acknowledgements and commands go out.
//! Nothing of a stream is ever dropped: who sends more than their share is not read until there is room again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use super::budget::Budget;
use super::line::{Broken, Came, Line, PING, SILENCE};
use super::{instructor, pong};
use crate::bridge::access::{Act, Caller, Scope};
use crate::bridge::coming::{Admitted, Asking, Coming, Connection, ToRuntime, ToWorld};
use crate::bridge::serve::Limits;
use crate::protocol::ids::LearnerId;
use crate::protocol::wire::{
    ErrorCode, FromClient, FromHost, Hello, Program, Role, WIRE_VERSION, Welcome, WireConfig,
    WireError,
};
use crate::session::unix_ms;

/// Why a conversation ends that was allowed before.
pub(super) const TOKEN_OVER: &str =
    "the token has expired or was revoked; pair again, or ask for another";
/// Messages of one connection under way to the world.
const SHARE: usize = 64;
/// Messages under way to a runtime; the world keeps what finds no room.
const BACK: usize = 64;
/// The world admits within a frame, or as soon as the learner's log is read.
const ADMIT_WITHIN: Duration = Duration::from_secs(10);

/// Talks until the runtime goes, or its link breaks.
pub(super) async fn talk(
    line: &mut Line,
    coming: &Coming,
    hello: Hello,
    caller: &Caller,
    limits: &Limits,
) -> Result<(), Broken> {
    let refused = |code, message: &str| WireError {
        code,
        message: message.to_owned(),
        id: None,
    };
    let Some(learning) = hello.learner else {
        let why = "a learner's `hello` names the learner, the session and the lesson in `learner`";
        return Err(line.hang_up(refused(ErrorCode::HelloFirst, why)).await);
    };
    if let Err(why) = caller.may_with(Act::Stream, learning.learner) {
        let why = why.to_string();
        return Err(line.hang_up(refused(ErrorCode::Forbidden, &why)).await);
    }
    let (to_runtime, mut for_runtime) = mpsc::channel(BACK);
    let (answer, answered) = oneshot::channel();
    let learning_id = learning.learner;
    let connection = Connection::fresh();
    let asking = Asking {
        learning,
        resume: hello.resume,
        is_theirs: is_theirs(caller, learning_id),
        connection,
        line: to_runtime,
        answer,
    };
    coming.send(ToWorld::Join(Box::new(asking))).await;
    // From here on the world knows of the connection.
    let _left = Leaving { coming, connection };
    let admitted = match tokio::time::timeout(ADMIT_WITHIN, answered).await {
        Ok(Ok(Ok(admitted))) => admitted,
        Ok(Ok(Err(error))) => return Err(line.hang_up(error).await),
        _ => {
            let why = "the host did not answer within 10 s; come again";
            return Err(line.hang_up(refused(ErrorCode::NoAnswer, why)).await);
        }
    };
    line.send(&FromHost::Welcome(welcome(admitted, limits)))
        .await?;
    let shares = Arc::new(Semaphore::new(SHARE));
    let mut budget = Budget::new(limits.stream_rate, limits.stream_burst);
    let mut resume_at = Instant::now();
    let mut ping = tokio::time::interval(PING);
    loop {
        // Whoever has no share left, or owes time, is not read: their own socket fills up, and nobody else's.
        let place = async {
            tokio::time::sleep_until(resume_at).await;
            shares.clone().acquire_owned().await
        };
        let came = async {
            let place = place.await;
            (place, line.receive(instructor::read).await)
        };
        tokio::select! {
            () = caller.over() => {
                return Err(line.hang_up(refused(ErrorCode::Forbidden, TOKEN_OVER)).await);
            }
            (place, came) = came => {
                let (Ok(place), came) = (place, came?) else {
                    return Ok(());
                };
                let message = match came {
                    Came::Sign => continue,
                    Came::Nonsense(why) => {
                        line.complain(ErrorCode::BadMessage, why, None).await?;
                        resume_at = Instant::now() + budget.owe();
                        continue;
                    }
                    Came::Message(message) => message,
                };
                resume_at = Instant::now() + budget.owe();
                match message {
                    FromClient::Parcel(parcel) => {
                        let parcel = Box::new(parcel);
                        coming.send(ToWorld::Parcel { connection, parcel, _place: place }).await;
                    }
                    FromClient::Done(done) => coming.send(ToWorld::Done { connection, done }).await,
                    FromClient::Ping(ping) => line.send(&FromHost::Pong(pong(ping))).await?,
                    FromClient::Bye {} => return Ok(()),
                    FromClient::Hello(_) | FromClient::Command(_) | FromClient::Replay(_) => {
                        let why = "a learner's runtime sends `parcel`, `done`, `ping` and `bye`";
                        line.complain(ErrorCode::BadMessage, why, None).await?;
                    }
                }
            }
            back = for_runtime.recv() => match back {
                Some(ToRuntime::Ack(has)) => line.send(&FromHost::Ack(has)).await?,
                Some(ToRuntime::Do(command)) => {
                    line.send(&FromHost::Do(std::borrow::Cow::Owned(*command))).await?;
                }
                Some(ToRuntime::Superseded) => {
                    let why = "the same learner came over another connection; this one is over";
                    return Err(line.hang_up(refused(ErrorCode::Superseded, why)).await);
                }
                None => {
                    line.send(&FromHost::Bye {}).await?;
                    return Ok(());
                }
            },
            _ = ping.tick() => line.ping().await?,
        }
    }
}

/// Whether the token is this learner's and nobody else's: then it is proof enough of who comes.
fn is_theirs(caller: &Caller, learner: LearnerId) -> bool {
    match caller.scope() {
        Scope::Class => false,
        Scope::Learners(those) => those.len() == 1 && those.contains(&learner),
    }
}

fn welcome(admitted: Admitted, limits: &Limits) -> Welcome {
    Welcome {
        protocol: WIRE_VERSION,
        host: Program::this(),
        role: Role::Learner,
        session: admitted.session,
        resume_token: Some(admitted.resume_token),
        has: admitted.has,
        config: WireConfig {
            lesson: admitted.lesson,
            ..config(limits)
        },
        at_unix_ms: unix_ms(),
    }
}

pub(super) fn config(limits: &Limits) -> WireConfig {
    WireConfig {
        silence_ms: u64::try_from(SILENCE.as_millis()).unwrap_or(u64::MAX),
        message_bytes: u64::try_from(limits.message).unwrap_or(u64::MAX),
        lesson: None,
    }
}

/// Tells the world that a connection ended, however it did.
struct Leaving<'a> {
    coming: &'a Coming,
    connection: Connection,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let (coming, connection) = (self.coming.clone(), self.connection);
        // At the program's end there is nobody left to tell.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { coming.send(ToWorld::Left { connection }).await });
        }
    }
}
