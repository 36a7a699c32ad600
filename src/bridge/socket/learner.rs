//! The conversation with a learner's runtime: its stream comes in, acknowledgements and commands go out.
//! Nothing of a stream is ever dropped: who sends more than their share is not read until there is room again.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::budget::Budget;
use super::line::{Broken, Came, Line, PING, SILENCE};
use super::{instructor, pong};
use crate::bridge::access::{Act, Caller, Scope};
use crate::bridge::coming::{Admitted, Asking, Coming, Connection, Safe, ToRuntime, ToWorld};
use crate::bridge::going::Going;
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
/// Messages that are taken in together, where they have come together.
const TOGETHER: usize = 32;
/// Messages under way to a runtime; the world keeps what finds no room.
const BACK: usize = 64;
/// The world admits within a frame, or as soon as the learner's log is read.
const ADMIT_WITHIN: Duration = Duration::from_secs(10);

/// A learner who was let in.
pub(super) struct Followed<'a> {
    left: Leaving<'a>,
    for_runtime: mpsc::Receiver<ToRuntime>,
    safe: Arc<Safe>,
}

/// Lets the learner in, if they may.
pub(super) async fn come_in<'a>(
    line: &mut Line,
    coming: &'a Coming,
    hello: Hello,
    caller: &Caller,
    limits: &Limits,
) -> Result<Followed<'a>, Broken> {
    let Some(learning) = hello.learner else {
        let why = "a learner's `hello` names the learner, the session and the lesson in `learner`";
        return Err(line.hang_up(refused(ErrorCode::HelloFirst, why)).await);
    };
    if let Err(why) = caller.may_with(Act::Stream, learning.learner) {
        let why = why.to_string();
        return Err(line.hang_up(refused(ErrorCode::Forbidden, &why)).await);
    }
    let (to_runtime, for_runtime) = mpsc::channel(BACK);
    let (answer, answered) = oneshot::channel();
    let safe = Arc::<Safe>::default();
    let learning_id = learning.learner;
    let connection = Connection::fresh();
    let asking = Asking {
        learning,
        resume: hello.resume,
        is_theirs: is_theirs(caller, learning_id),
        connection,
        line: to_runtime,
        safe: safe.clone(),
        answer,
    };
    coming.send(ToWorld::Join(Box::new(asking))).await;
    // From here on the world knows of the connection.
    let left = Leaving { coming, connection };
    let admitted = match tokio::time::timeout(ADMIT_WITHIN, answered).await {
        Ok(Ok(Ok(admitted))) => admitted,
        Ok(Ok(Err(error))) => return Err(line.hang_up(error).await),
        _ => {
            let why = "the host did not answer within 10 s; come again";
            return Err(line.hang_up(refused(ErrorCode::NoAnswer, why)).await);
        }
    };
    line.send(FromHost::Welcome(welcome(admitted, limits)))
        .await?;
    Ok(Followed {
        left,
        for_runtime,
        safe,
    })
}

/// Talks until the runtime goes, or its link breaks.
pub(super) async fn follow(
    line: &mut Line,
    followed: Followed<'_>,
    caller: &Caller,
    limits: &Limits,
    mut going: watch::Receiver<Going>,
) -> Result<(), Broken> {
    let Followed {
        left,
        mut for_runtime,
        safe,
    } = followed;
    let coming = left.coming;
    let mut hears = Hearing {
        connection: left.connection,
        budget: Budget::new(limits.stream_rate, limits.stream_burst),
        not_before: None,
        looks: 0,
    };
    let shares = Arc::new(Semaphore::new(SHARE));
    let mut over = std::pin::pin!(caller.over());
    let mut ping = tokio::time::interval(PING);
    loop {
        // Whoever has no share left, or owes time, is not read: their own socket fills up, and nobody else's.
        let not_before = hears.not_before;
        let came = async {
            if let Some(at) = not_before {
                tokio::time::sleep_until(at).await;
            }
            let place = shares.clone().acquire_owned().await;
            (place, line.receive(instructor::read).await)
        };
        tokio::select! {
            () = &mut over => {
                return Err(line.hang_up(refused(ErrorCode::Forbidden, TOKEN_OVER)).await);
            }
            (place, came) = came => {
                let Ok(place) = place else { return Ok(()) };
                let (mut came, mut place) = (came?, place);
                let mut room = TOGETHER;
                // What has come with it is taken in at once: waking up for each message costs more than the message.
                let goes_on = loop {
                    if !hears.take(came, place).done(line, coming).await? {
                        break false;
                    }
                    room -= 1;
                    if room == 0 || hears.not_before.is_some() {
                        break true;
                    }
                    let Ok(another) = shares.clone().try_acquire_owned() else { break true };
                    let Some(next) = line.receive(instructor::read).now_or_never() else { break true };
                    (came, place) = (next?, another);
                };
                coming.bell().ring();
                if !goes_on {
                    return Ok(());
                }
            }
            has = safe.changed() => line.send(FromHost::Ack(has)).await?,
            back = for_runtime.recv() => match back {
                Some(ToRuntime::Do(command)) => {
                    line.send(FromHost::Do(Cow::Owned(*command))).await?;
                }
                Some(ToRuntime::Look(look)) => {
                    hears.looks += 1;
                    line.send(FromHost::Look(*look)).await?;
                }
                Some(ToRuntime::Superseded) => {
                    let why = "the same learner came over another connection; this one is over";
                    return Err(line.hang_up(refused(ErrorCode::Superseded, why)).await);
                }
                None => {
                    line.send(FromHost::Bye {}).await?;
                    return Ok(());
                }
            },
            Ok(()) = going.changed() => {
                let now = *going.borrow_and_update();
                if line.tell_of(now).await? {
                    return Ok(());
                }
            }
            _ = ping.tick() => line.ping().await?,
        }
    }
}

fn refused(code: ErrorCode, message: &str) -> WireError {
    WireError {
        code,
        message: message.to_owned(),
        id: None,
    }
}

/// What a runtime says, on its way to the world.
struct Hearing {
    connection: Connection,
    budget: Budget,
    /// Until then it is not read.
    not_before: Option<Instant>,
    /// Pictures asked for and not shown yet.
    looks: usize,
}

/// What follows from what came.
enum Next {
    None,
    /// The world is told; it is not woken.
    World(ToWorld),
    /// The runtime is.
    Say(Box<FromHost<'static>>),
    /// It says goodbye.
    End,
}

impl Next {
    /// Does it. False: that was the end.
    async fn done(self, line: &mut Line, coming: &Coming) -> Result<bool, Broken> {
        match self {
            Self::None => {}
            Self::World(message) => coming.put(message).await,
            Self::Say(message) => line.send(*message).await?,
            Self::End => return Ok(false),
        }
        Ok(true)
    }
}

impl Hearing {
    fn take(&mut self, came: Came<FromClient>, place: OwnedSemaphorePermit) -> Next {
        let connection = self.connection;
        if matches!(came, Came::Sign) {
            return Next::None;
        }
        let owed = self.budget.owe();
        self.not_before = (!owed.is_zero()).then(|| Instant::now() + owed);
        let complain = |why: &str| {
            let error = refused(ErrorCode::BadMessage, why);
            Next::Say(Box::new(FromHost::Error(error)))
        };
        match came {
            Came::Sign => Next::None,
            Came::Nonsense(why) => complain(&why),
            Came::Message(FromClient::Parcel(parcel)) => Next::World(ToWorld::Parcel {
                connection,
                parcel,
                _place: place,
            }),
            Came::Message(FromClient::Done(done)) => {
                Next::World(ToWorld::Done { connection, done })
            }
            Came::Message(FromClient::Shown(shown)) if self.looks > 0 => {
                self.looks -= 1;
                let shown = Box::new(shown);
                Next::World(ToWorld::Shown { connection, shown })
            }
            Came::Message(FromClient::Shown(_)) => {
                complain("nobody asked for a picture; `shown` answers a `look`")
            }
            Came::Message(FromClient::Ping(ping)) => {
                Next::Say(Box::new(FromHost::Pong(pong(ping))))
            }
            Came::Message(FromClient::Bye {}) => Next::End,
            Came::Message(
                FromClient::Hello(_) | FromClient::Command(_) | FromClient::Replay(_),
            ) => complain("a learner's runtime sends `parcel`, `done`, `shown`, `ping` and `bye`"),
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
