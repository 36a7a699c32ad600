//! One call as a tool, prompt or resource sees it: who asks, with what, and the two ways into the world, which are a
//! command with its answer and a look at what is there.

// Logging to the client is deprecated by 2026-07-28, and what every client before it expects.
#![allow(deprecated)]

use std::sync::Arc;
use std::time::Duration;

use rmcp::ErrorData;
use rmcp::RoleServer;
use rmcp::model::{
    CallToolResponse, CallToolResult, InputResponses, JsonObject, LoggingLevel,
    LoggingMessageNotificationParam, ProgressNotificationParam, ProtocolVersion, RequestMetaObject,
};
use rmcp::service::RequestContext;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::Shared;
use super::catalogue::failed;
use super::follow::List;
use super::level::{Level, weight};
use super::look::Look;
use super::seal::Seal;
use crate::bridge::access::{Act, Caller, caller};
use crate::bridge::counters::Counted;
use crate::bridge::desk::Desk;
use crate::bridge::going::Going;
use crate::protocol::ids::{CommandId, LearnerId};
use crate::protocol::snapshot::LearnerSnapshot;
use crate::protocol::trace::Trace;

/// A look at the world is answered within a frame or two.
const LOOK_WITHIN: Duration = Duration::from_secs(2);

/// What a tool, a prompt or a resource gets.
#[derive(Clone)]
pub struct Call {
    pub(super) shared: Arc<Shared>,
    pub(super) name: String,
    pub(super) arguments: JsonObject,
    pub(super) responses: Option<InputResponses>,
    pub(super) state: Option<String>,
    pub(super) context: RequestContext<RoleServer>,
    pub(super) level: Level,
}

/// Why a tool has no result.
#[derive(Debug)]
pub(super) enum Fault {
    /// For whoever called to read, and mend.
    Told(String),
    /// Nothing is wrong: the client is asked something first.
    Answered(Box<CallToolResponse>),
    /// The request itself is at fault.
    Request(Box<ErrorData>),
}

impl Fault {
    pub(super) fn answer(self) -> Result<CallToolResponse, ErrorData> {
        match self {
            Self::Told(why) => Ok(failed(why)),
            Self::Answered(answer) => Ok(*answer),
            Self::Request(error) => Err(*error),
        }
    }
}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        Self::Told(why)
    }
}

impl From<&str> for Fault {
    fn from(why: &str) -> Self {
        Self::Told(why.to_owned())
    }
}

impl Call {
    /// The arguments, read.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn arguments<A: DeserializeOwned>(&self) -> Result<A, String> {
        serde_json::from_value(Value::Object(self.arguments.clone()))
            .map_err(|error| format!("{} does not take these arguments: {error}", self.name))
    }

    /// One argument that is a text.
    #[must_use]
    pub fn text(&self, argument: &str) -> Option<&str> {
        self.arguments.get(argument).and_then(Value::as_str)
    }

    /// The client's answers to what it was asked, if this is the second time round.
    #[must_use]
    pub fn responses(&self) -> Option<&InputResponses> {
        self.responses.as_ref()
    }

    /// What the client was given to bring back.
    #[must_use]
    pub fn brought_back(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Seals what a client is given to bring back.
    #[must_use]
    pub fn seal(&self) -> &Seal {
        &self.shared.seal
    }

    /// The request behind it.
    #[must_use]
    pub fn context(&self) -> &RequestContext<RoleServer> {
        &self.context
    }

    /// The request's `_meta`.
    #[must_use]
    pub fn meta(&self) -> &RequestMetaObject {
        &self.context.meta
    }

    /// Whether the client speaks the revision of 2026-07-28 or a later one, where each request stands for itself.
    #[must_use]
    pub fn is_stateless(&self) -> bool {
        self.context
            .protocol_version()
            .is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
    }

    /// Whether the machine goes.
    pub(super) fn going(&self) -> Going {
        *self.shared.counters.going().borrow()
    }

    /// What the network side has counted.
    pub(super) fn counted(&self) -> Counted {
        self.shared.counters.read()
    }

    pub(super) fn desk(&self) -> &Desk {
        &self.shared.desk
    }

    /// Who asks.
    ///
    /// # Errors
    /// Nobody is known to.
    pub(super) fn caller(&self) -> Result<&Caller, String> {
        super::leave::caller(&self.context.extensions)
    }

    /// Whether who asks may do this.
    ///
    /// # Errors
    /// Why not, and what to do.
    pub(super) fn may(&self, act: Act) -> Result<(), String> {
        self.caller()?.may(act).map_err(|why| why.to_string())
    }

    /// Tells the audit who tried what with whom, and may not.
    pub(super) fn tell_refused(&self, act: Act) {
        let text = |name: &str| self.arguments.get(name).and_then(|it| it.as_str());
        let learner = text("learner").and_then(|id| id.parse().ok());
        if let (Ok(caller), Some(learner)) = (self.caller(), learner) {
            let purpose: String = text("purpose")
                .unwrap_or_default()
                .chars()
                .take(caller::PURPOSE)
                .collect();
            caller.tell_refused(CommandId::fresh(), learner, act, purpose);
        }
    }

    /// Whether they may do it with this learner.
    pub(super) fn may_with(&self, act: Act, learner: LearnerId) -> Result<(), String> {
        let caller = self.caller()?;
        caller.may_with(act, learner).map_err(|why| why.to_string())
    }

    /// Whether the learner is one of theirs.
    pub(super) fn sees(&self, learner: LearnerId) -> bool {
        self.caller()
            .is_ok_and(|caller| !caller.is_over() && caller.sees(learner))
    }

    /// Those learners here whom the caller may see.
    pub(super) fn learners(&self) -> Vec<Arc<LearnerSnapshot>> {
        let published = self.desk().published();
        let all = published.learners.values();
        all.filter(|it| self.sees(it.learner)).cloned().collect()
    }

    /// The learner meant: the one named, or the only one.
    pub(super) fn find(&self, learner: Option<&str>) -> Result<Arc<LearnerSnapshot>, String> {
        let all = self.learners();
        match learner {
            Some(text) => {
                let id: LearnerId = text.parse().map_err(|_| {
                    format!("`{text}` is no learner id; class.list_learners gives them")
                })?;
                all.into_iter().find(|it| it.learner == id).ok_or_else(|| {
                    format!("no learner {id} is here; class.list_learners names those who are")
                })
            }
            None => {
                let many = all.len();
                match (many, all.into_iter().next()) {
                    (1, Some(only)) => Ok(only),
                    (0, _) | (_, None) => {
                        Err("nobody is here yet whose data may leave the device; start a lesson with `malloc-vr play`, or see `malloc-vr records standing`".to_owned())
                    }
                    _ => Err(format!(
                        "{many} learners are here; say which one (class.list_learners gives their ids)"
                    )),
                }
            }
        }
    }

    /// Those of a group whom the caller may see, and who are here.
    pub(super) async fn members(&self, group: &str) -> Result<Vec<LearnerId>, String> {
        let groups = self.look(Look::Groups).await?.0;
        let Some(found) = groups.get(group) else {
            let names: Vec<&str> = groups.keys().map(String::as_str).collect();
            return Err(format!(
                "there is no group `{group}`; group.create forms one (there are: {})",
                names.join(", ")
            ));
        };
        let all = self.learners().into_iter().map(|it| it.learner);
        Ok(all.filter(|it| found.members.contains(it)).collect())
    }

    /// Looks at the world as it is in its next frame.
    pub(super) async fn look<T>(
        &self,
        look: impl FnOnce(oneshot::Sender<T>) -> Look,
    ) -> Result<T, String> {
        self.shared.look(LOOK_WITHIN, look).await
    }

    /// The same for what takes longer than a frame.
    pub(super) async fn look_within<T>(
        &self,
        within: Duration,
        look: impl FnOnce(oneshot::Sender<T>) -> Look,
    ) -> Result<T, String> {
        self.shared.look(within, look).await
    }

    /// The trace that the request belongs to: from its `_meta`, from its header, or a new one.
    pub(super) fn trace(&self) -> Trace {
        let in_meta = || self.context.meta.get_traceparent()?.parse().ok();
        let in_header = || {
            let parts = self
                .context
                .extensions
                .get::<axum::http::request::Parts>()?;
            parts
                .headers
                .get("traceparent")?
                .to_str()
                .ok()?
                .parse()
                .ok()
        };
        in_meta().or_else(in_header).unwrap_or_else(Trace::fresh)
    }

    /// Tells everybody who follows lists that this one is another now.
    pub fn list_changed(&self, list: List) {
        // Without followers there is nobody to tell.
        let _ = self.shared.lists.send(list);
    }

    /// Tells how far a long act has come, if the client wants to know.
    pub async fn progress(&self, done: f64, of: f64, words: &str) {
        if let Some(token) = self.context.meta.get_progress_token() {
            let progress = ProgressNotificationParam::new(token, done)
                .with_total(of)
                .with_message(words);
            // Whoever went away needs no news.
            let _ = self.context.peer.notify_progress(progress).await;
        }
    }

    /// Tells the client's log what came of an act: done is worth a notice, refused a warning.
    pub(super) async fn tell(&self, result: &CallToolResult) {
        let effect = result.structured_content.as_ref();
        let effect = effect.and_then(|it| it.get("effect")?.as_str());
        let first = || result.content.first()?.as_text().map(|it| it.text.as_str());
        let words = effect.or_else(first).unwrap_or("done");
        let level = match result.is_error {
            Some(true) => LoggingLevel::Warning,
            _ => LoggingLevel::Notice,
        };
        self.log(level, &format!("{}: {words}", self.name)).await;
    }

    /// Tells the client that the machine goes, or stays after all: code, times and words, as on `/ws`.
    pub(super) async fn tell_of(&self, going: Going) {
        let level = match going {
            Going::No => LoggingLevel::Notice,
            Going::Draining { .. } | Going::Stopping => LoggingLevel::Warning,
        };
        self.log_value(level, json!(going.notice())).await;
    }

    /// A line for the client's log, if it wants lines as weighty as this: set once in a session, or with the request.
    pub async fn log(&self, level: LoggingLevel, words: &str) {
        self.log_value(level, json!(words)).await;
    }

    async fn log_value(&self, level: LoggingLevel, value: Value) {
        let wanted = if self.is_stateless() {
            self.context.meta.log_level()
        } else {
            Some(self.level.get())
        };
        if wanted.is_some_and(|wanted| weight(level) >= weight(wanted)) {
            let line = LoggingMessageNotificationParam::new(level, value).with_logger("malloc-vr");
            let _ = self.context.peer.notify_logging_message(line).await;
        }
    }
}
