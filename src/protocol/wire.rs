//! What goes over the WebSocket between a host, the learners' runtimes that joined it, and its instructors.
//! One message is one object with one key that says its kind; `docs/protocol.md` shows a conversation, and
//! `docs/protocol.json` (made from these types) describes every message.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::command::{Command, CommandBody, Outcome};
use super::event::Event;
use super::ids::{CommandId, LearnerId, LessonId, SessionId};
use super::parcel::{Parcel, Position};
use super::picture::{Look, Shown};
use super::privacy::AgeBand;
use super::sample::Sample;
use super::snapshot::LearnerSnapshot;
use super::trace::Trace;

/// Version of the messages. What is added within a version is passed over by those who do not know it.
pub const WIRE_VERSION: u16 = 1;
/// WebSocket subprotocol whose messages are JSON text: for people and browsers.
pub const JSON: &str = "malloc-vr.v1.json";
/// WebSocket subprotocol whose messages are MessagePack, structs as maps: for programs.
pub const MESSAGE_PACK: &str = "malloc-vr.v1.msgpack";

/// What a client sends. The first message is [`FromClient::Hello`].
// Nearly all are parcels, which are the largest.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FromClient {
    /// Who comes, in which version. Answered by `welcome`, or by `error` and the end of the connection.
    Hello(Hello),
    /// From a learner's runtime: the next event or sample. Sent again until it is acknowledged.
    Parcel(Box<Parcel>),
    /// From a learner's runtime: what became of a command there.
    Done(Done),
    /// From a learner's runtime: the picture that `look` asked for, or why there is none.
    Shown(Shown),
    /// From an instructor: something is asked of a learner's lesson. Answered by `answer` or `error`.
    Command(CommandRequest),
    /// From an instructor: the events of a learner's log after a place in it. They come as `event`, then `replayed`.
    Replay(Replay),
    /// Answered by `pong`: is somebody there, and what time is it there.
    Ping(Ping),
    /// The client goes, and not because the link broke.
    Bye {},
}

/// What a host sends.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FromHost<'a> {
    /// To clients that name no subprotocol, in place of `welcome`: they are instructors and need not introduce themselves.
    Hello {
        /// [`WIRE_VERSION`].
        protocol: u16,
        /// The program's version.
        version: Cow<'a, str>,
    },
    /// The answer to `hello`.
    Welcome(Welcome),
    /// To a learner's runtime: what is here for good. It need not be sent again.
    Ack(Position),
    /// To a learner's runtime: do this, and say by `done` what became of it. May come twice; is done once.
    Do(Cow<'a, Command>),
    /// To a learner's runtime: somebody wants to see what the learner sees. Answered by `shown`, if the learner has agreed.
    Look(Look),
    /// The host goes, and when; or it stays after all.
    Notice(Notice),
    /// To an instructor: a learner's state. The newest only, where they change faster than the client reads.
    Snapshot(Cow<'a, LearnerSnapshot>),
    /// To an instructor: the newest sample of a learner. The newest only, as above.
    Sample(Cow<'a, Sample>),
    /// To an instructor: a line of a learner's log. In order for each learner.
    Event(Cow<'a, Event>),
    /// To an instructor who was too slow for so many events. Those of one learner are told by `resume`.
    Skipped {
        /// How many.
        events: u64,
    },
    /// To an instructor: events of this learner were left out after this place; ask for them by `replay`.
    Resume(Replay),
    /// To an instructor: the events asked for by `replay` have been sent.
    Replayed {
        /// Whose.
        learner: LearnerId,
        /// The last one sent; what `replay` had as `after` where there was none.
        to: u64,
        /// The log has more, or will have in a moment: ask again, after `to`.
        more: bool,
    },
    /// To an instructor: a learner left.
    Gone {
        /// Who.
        learner: LearnerId,
    },
    /// What became of a command.
    Answer {
        /// Which.
        id: CommandId,
        /// As the lesson has it.
        outcome: Cow<'a, Outcome>,
        /// What happened, or why it did not and what to do, in words.
        message: String,
    },
    /// Something was not understood, not allowed or not possible.
    Error(WireError),
    /// The answer to `ping`.
    Pong(Pong),
    /// The host goes.
    Bye {},
}

/// What a client is here for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A learner's runtime: sends its log and samples, takes commands.
    Learner,
    /// A person or program who follows learners and asks for things.
    Instructor,
}

/// Who comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// [`WIRE_VERSION`] of the client.
    pub protocol: u16,
    /// What for.
    pub role: Role,
    /// Which program.
    pub client: Program,
    /// From a learner's runtime, and needed there: who learns, and where they are.
    #[serde(default)]
    pub learner: Option<Learning>,
    /// What `welcome` gave last time: shows that a learner who is known to the host comes back from where they were.
    #[serde(default)]
    pub resume: Option<String>,
}

/// A program at one end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Program {
    /// This one.
    #[must_use]
    pub fn this() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// A learner about to be followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Learning {
    /// Pseudonym.
    pub learner: LearnerId,
    /// The running session.
    pub session: SessionId,
    /// What is played.
    pub lesson: LessonId,
    /// How old they are, roughly, as their own device knows it: it depends on that who may see them at the host.
    #[serde(default)]
    pub age: AgeBand,
}

/// Come in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Welcome {
    /// [`WIRE_VERSION`] that is spoken from here on.
    pub protocol: u16,
    /// The host's program.
    pub host: Program,
    /// As what the client is here.
    pub role: Role,
    /// The learner's session as the host knows it; `None`: not yet, or no learner.
    pub session: Option<SessionId>,
    /// To a learner's runtime: to be shown at the next `hello`. Whoever has it can come back as this learner: a secret.
    pub resume_token: Option<String>,
    /// To a learner's runtime: how far its stream has come. The next parcel follows.
    pub has: Position,
    /// The host's rules.
    pub config: WireConfig,
    /// The host's wall clock, milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
}

/// What a host asks of its clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WireConfig {
    /// A client that was silent for this long (milliseconds) is let go; `ping` at a third of it.
    pub silence_ms: u64,
    /// Longest message, bytes.
    pub message_bytes: u64,
    /// The lesson that the class plays, if the host says so.
    pub lesson: Option<LessonId>,
}

/// A command that was carried out, or refused, where the learner is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// Which.
    pub id: CommandId,
    /// What became of it.
    pub outcome: Outcome,
}

/// What an instructor asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandRequest {
    /// Left out: a fresh one. Sending one twice carries it out once.
    #[serde(default)]
    pub id: Option<CommandId>,
    /// Of whom.
    pub learner: LearnerId,
    /// Why; the first 200 characters are kept in the learner's record.
    #[serde(default)]
    pub purpose: String,
    /// What.
    pub body: CommandBody,
    /// The trace that the act belongs to: it goes with the command to the frame that carries it out and into the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
}

/// Events of a learner's log after a place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Replay {
    /// Whose log.
    pub learner: LearnerId,
    /// The last one that the client has; 0: none.
    pub after: u64,
}

/// Is somebody there?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ping {
    /// Comes back as it is: for example the sender's clock.
    pub at: u64,
}

/// Yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pong {
    /// From the ping.
    pub at: u64,
    /// The answerer's wall clock, milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
}

/// The host goes, or stays after all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// For programs.
    pub code: NoticeCode,
    /// The connection ends after so many milliseconds at the latest; 0: now, or never where the host stays.
    pub within_ms: u64,
    /// Come again after so many milliseconds, not before; or go to another host at once.
    pub again_ms: u64,
    /// For people: what happens and what to do.
    pub message: String,
}

/// What a host says of its going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeCode {
    /// It takes nobody new, and ends when the sessions on it have. Whoever is connected may stay that long.
    Draining,
    /// It ends now. `bye` follows.
    Stopping,
    /// It was draining, and does no more.
    Staying,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WireError {
    /// For programs.
    pub code: ErrorCode,
    /// For people: what is wrong and what to do.
    pub message: String,
    /// The command that it is about, if one is.
    pub id: Option<CommandId>,
}

/// Kinds of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not a message, or not one of this role. The connection stays.
    BadMessage,
    /// More than the rate that is allowed. The connection stays.
    TooFast,
    /// Too much is under way just now. The connection stays; the same may be sent again.
    Busy,
    /// The lesson did not answer in time. The connection stays; the same may be sent again.
    NoAnswer,
    /// The first message was not `hello`, or none came. Ends the connection, as all that follow.
    HelloFirst,
    /// The versions do not fit.
    Version,
    /// The token does not allow this role, or this learner; of a command the connection stays.
    Forbidden,
    /// No learner can join here: a headset's own door is for instructors only.
    NotAHost,
    /// The learner is known here, and nothing shows that it is they who come.
    ResumeRefused,
    /// The same learner has come over another connection, which goes on in place of this one.
    Superseded,
    /// The client did not read, or was silent, for too long.
    Stalled,
    /// The host could not read what it has of the learner.
    Record,
}

impl ErrorCode {
    /// Whether trying again alone cannot help: somebody has to do something.
    #[must_use]
    pub fn needs_somebody(self) -> bool {
        matches!(
            self,
            Self::Version
                | Self::Forbidden
                | Self::NotAHost
                | Self::ResumeRefused
                | Self::Superseded
        )
    }
}
