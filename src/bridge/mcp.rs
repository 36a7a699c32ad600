//! MCP: what an instructor's client can ask and do. State lives at the desk; this is made anew for each request.

use std::sync::Arc;

use axum::http::request::Parts;
use rmcp::handler::server::common::Extension;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::model::{
    Implementation, ListResourceTemplatesResult, ListResourcesResult, PaginatedRequestParams,
    ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, Resource,
    ResourceContents, ResourceTemplate, ServerCapabilities, ServerConfig, SubscribeRequestParams,
    SubscriptionFilter, UnsubscribeRequestParams,
};
use rmcp::service::{RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::Caller;
use super::desk::Desk;
use super::follow::{Changes, Followed, learner_of, updated};
use crate::protocol::command::{CommandBody, Outcome};
use crate::protocol::ids::{CommandId, LearnerId, LessonId, StepId};
use crate::protocol::snapshot::LearnerSnapshot;

/// The handler.
#[derive(Clone)]
pub(super) struct Instructor {
    desk: Desk,
    followed: Followed,
    tool_router: ToolRouter<Self>,
}

/// Who is here.
#[derive(Debug, Serialize, JsonSchema)]
struct Roster {
    /// Learners, ordered by id.
    learners: Vec<RosterEntry>,
}

/// One learner in short.
#[derive(Debug, Serialize, JsonSchema)]
struct RosterEntry {
    /// Pseudonym; pass it to the other tools.
    learner: LearnerId,
    /// The lesson being played.
    lesson: LessonId,
    /// The step before which the learner stands; null: not begun or over.
    step: Option<StepId>,
    /// Steps done.
    steps_done: u32,
    /// Steps in the lesson.
    steps_total: u32,
    /// Wrong attempts on the running step.
    failures_on_step: u32,
    /// Whether the lesson stands still.
    paused: bool,
    /// Whether the session is over.
    ended: bool,
}

/// Which learner.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Who {
    /// The learner's id from `list_learners`; may be left out where only one is here.
    #[serde(default)]
    learner: Option<String>,
}

/// A command that needs nothing but a learner.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Act {
    /// The learner's id from `list_learners`; may be left out where only one is here.
    #[serde(default)]
    learner: Option<String>,
    /// Why, in a few words; kept in the learner's record.
    #[serde(default)]
    purpose: String,
    /// A UUID of your own: sending the same one twice carries the command out once.
    #[serde(default)]
    command_id: Option<String>,
}

/// A hint.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GiveHint {
    /// Which rung of the step's ladder, from 1 (gentlest); left out: the next one.
    #[serde(default)]
    level: Option<u8>,
    /// The learner's id from `list_learners`; may be left out where only one is here.
    #[serde(default)]
    learner: Option<String>,
    /// Why, in a few words; kept in the learner's record.
    #[serde(default)]
    purpose: String,
    /// A UUID of your own: sending the same one twice carries the command out once.
    #[serde(default)]
    command_id: Option<String>,
}

/// Words.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Say {
    /// What the learner shall read: 1 to 280 characters.
    text: String,
    /// The learner's id from `list_learners`; may be left out where only one is here.
    #[serde(default)]
    learner: Option<String>,
    /// Why, in a few words; kept in the learner's record.
    #[serde(default)]
    purpose: String,
    /// A UUID of your own: sending the same one twice carries the command out once.
    #[serde(default)]
    command_id: Option<String>,
}

/// What a command did in the learner's world.
#[derive(Debug, Serialize, JsonSchema)]
struct Done {
    /// The command's id.
    command_id: CommandId,
    /// What the learner now sees or hears.
    effect: String,
}

#[tool_router]
impl Instructor {
    pub(super) fn new(desk: Desk) -> Self {
        Self {
            desk,
            followed: Followed::default(),
            tool_router: Self::tool_router(),
        }
    }

    /// Who is in a lesson on this machine, and where each one stands.
    #[tool(annotations(
        title = "List learners",
        read_only_hint = true,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    async fn list_learners(
        &self,
        Extension(parts): Extension<Parts>,
    ) -> Result<Json<Roster>, String> {
        let caller = caller(&parts)?;
        let published = self.desk.published();
        let seen = published
            .learners
            .values()
            .filter(|it| caller.sees(it.learner));
        let learners = seen.map(|it| RosterEntry {
            learner: it.learner,
            lesson: it.lesson.clone(),
            step: it.step.clone(),
            steps_done: u32::try_from(it.completed.len()).unwrap_or(u32::MAX),
            steps_total: it.steps_total,
            failures_on_step: it.failures_on_step,
            paused: !it.paused_by.is_empty(),
            ended: it.ended,
        });
        Ok(Json(Roster {
            learners: learners.collect(),
        }))
    }

    /// Everything known of one learner: step and goal, hint shown, attempts, knowledge per skill, pauses.
    #[tool(annotations(
        title = "Get learner",
        read_only_hint = true,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    async fn get_learner(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(who): Parameters<Who>,
    ) -> Result<Json<LearnerSnapshot>, String> {
        self.find(caller(&parts)?, who.learner.as_deref())
            .map(|snapshot| Json((*snapshot).clone()))
    }

    /// Shows the learner a hint for the running step: the next rung of its ladder, or a given one.
    #[tool(annotations(
        title = "Give hint",
        read_only_hint = false,
        destructive_hint = false,
        idempotent_hint = false,
        open_world_hint = false
    ))]
    async fn give_hint(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(it): Parameters<GiveHint>,
    ) -> Result<Json<Done>, String> {
        let body = CommandBody::GiveHint { level: it.level };
        self.carry_out(caller(&parts)?, it.learner, it.purpose, it.command_id, body)
            .await
    }

    /// Stops the lesson where it is; the learner sees why. Time does not count while it stands still.
    #[tool(annotations(
        title = "Pause",
        read_only_hint = false,
        destructive_hint = false,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    async fn pause(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(it): Parameters<Act>,
    ) -> Result<Json<Done>, String> {
        self.carry_out(
            caller(&parts)?,
            it.learner,
            it.purpose,
            it.command_id,
            CommandBody::Pause,
        )
        .await
    }

    /// Lifts the instructor's pause. A pause by the learner or by the headset stays.
    #[tool(annotations(
        title = "Resume",
        read_only_hint = false,
        destructive_hint = false,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    async fn resume(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(it): Parameters<Act>,
    ) -> Result<Json<Done>, String> {
        self.carry_out(
            caller(&parts)?,
            it.learner,
            it.purpose,
            it.command_id,
            CommandBody::Resume,
        )
        .await
    }

    /// Shows the learner a few words of yours on the guide panel.
    #[tool(annotations(
        title = "Message",
        read_only_hint = false,
        destructive_hint = false,
        idempotent_hint = false,
        open_world_hint = false
    ))]
    async fn message(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(it): Parameters<Say>,
    ) -> Result<Json<Done>, String> {
        let body = CommandBody::Message { text: it.text };
        self.carry_out(caller(&parts)?, it.learner, it.purpose, it.command_id, body)
            .await
    }
}

impl Instructor {
    fn find(&self, caller: &Caller, learner: Option<&str>) -> Result<Arc<LearnerSnapshot>, String> {
        let published = self.desk.published();
        let seen: Vec<_> = published
            .learners
            .values()
            .filter(|it| caller.sees(it.learner))
            .collect();
        match learner {
            Some(text) => {
                let id: LearnerId = text
                    .parse()
                    .map_err(|_| format!("`{text}` is no learner id; list_learners gives them"))?;
                published
                    .learners
                    .get(&id)
                    .filter(|it| caller.sees(it.learner))
                    .cloned()
                    .ok_or_else(|| {
                        format!("no learner {id} is here; list_learners names those who are")
                    })
            }
            None => match seen.as_slice() {
                [only] => Ok((*only).clone()),
                [] => Err("nobody is here yet whose data may leave the device; start a lesson with `malloc-vr play`, or see `malloc-vr records standing`".to_owned()),
                many => Err(format!(
                    "{} learners are here; say which one (list_learners gives their ids)",
                    many.len()
                )),
            },
        }
    }

    async fn carry_out(
        &self,
        caller: &Caller,
        learner: Option<String>,
        purpose: String,
        command_id: Option<String>,
        body: CommandBody,
    ) -> Result<Json<Done>, String> {
        let learner = self.find(caller, learner.as_deref())?.learner;
        let id = match command_id {
            None => CommandId::fresh(),
            Some(text) => text.parse().map_err(|_| {
                format!("`{text}` is no UUID; leave command_id out to have one made")
            })?,
        };
        let command = caller
            .command(id, learner, &purpose, body)
            .map_err(|refused| refused.to_string())?;
        match self.desk.ask(command).await {
            Ok(Outcome::Applied { effect }) => Ok(Json(Done {
                command_id: id,
                effect,
            })),
            Ok(Outcome::Refused(refusal)) => Err(refusal.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Who asks: the door put them beside the request.
fn caller(parts: &Parts) -> Result<&Caller, String> {
    let nobody = || "nobody is known to have asked; this is a fault of the door".to_owned();
    parts.extensions.get::<Caller>().ok_or_else(nobody)
}

/// [`caller`], from a request's context.
fn caller_in(context: &RequestContext<RoleServer>) -> Result<&Caller, ErrorData> {
    let parts = context.extensions.get::<Parts>();
    let caller = parts.and_then(|parts| parts.extensions.get::<Caller>());
    caller.ok_or_else(|| ErrorData::internal_error("nobody is known to have asked", None))
}

/// Scheme of the resources.
pub(super) const LEARNER: &str = "learner://";

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Instructor {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_resources_subscribe()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("malloc-vr", env!("CARGO_PKG_VERSION")))
            .with_instructions(
                "You stand beside a learner in a VR lesson. list_learners says who is here; get_learner what they know and \
                 where they are stuck. Watch first; give the gentlest help that may be enough (give_hint, message). \
                 Every command answers with what happened in the learner's world, or why it was refused.",
            )
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let caller = caller_in(&context)?;
        let published = self.desk.published();
        let seen = published.learners.keys().filter(|id| caller.sees(**id));
        let resources = seen.map(|id| {
            Resource::new(format!("{LEARNER}{id}"), format!("learner {id}"))
                .with_description("Live state of a learner")
                .with_mime_type("application/json")
        });
        Ok(ListResourcesResult::with_all_items(resources.collect()))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let template = ResourceTemplate::new(format!("{LEARNER}{{id}}"), "learner")
            .with_description("Live state of a learner, by pseudonym")
            .with_mime_type("application/json");
        Ok(ListResourceTemplatesResult::with_all_items(vec![template]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let not_found = |why: String| ErrorData::resource_not_found(why, None);
        let id = request.uri.strip_prefix(LEARNER).ok_or_else(|| {
            not_found(format!("`{}` is not of the form learner://ID", request.uri))
        })?;
        let snapshot = self
            .find(caller_in(&context)?, Some(id))
            .map_err(not_found)?;
        let text = serde_json::to_string(&*snapshot)
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        let contents = ResourceContents::text(text, request.uri).with_mime_type("application/json");
        Ok(ReadResourceResult::new(vec![contents]).into())
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        let mut accepted = requested.clone();
        if let Some(uris) = &mut accepted.resource_subscriptions {
            uris.retain(|uri| learner_of(uri).is_some());
        }
        Some(accepted)
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let uris = context
            .accepted()
            .resource_subscriptions
            .clone()
            .unwrap_or_default();
        let mut changes = Changes::of(&self.desk, &uris);
        loop {
            let changed = tokio::select! {
                () = context.cancelled() => return Ok(()),
                changed = changes.next() => changed,
            };
            let Some(uri) = changed else { return Ok(()) };
            if context.sink().send(updated(&uri)).await.is_err() {
                return Ok(());
            }
        }
    }

    // Clients of the protocol before 2026-07-28 know no other way.
    #[allow(deprecated)]
    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if learner_of(&request.uri).is_none() {
            let why = format!("`{}` is not of the form learner://ID", request.uri);
            return Err(ErrorData::resource_not_found(why, None));
        }
        let Some(ended) = self.followed.begin(&request.uri) else {
            let why = "too many subscriptions in this session; end one that is not needed";
            return Err(ErrorData::invalid_request(why, None));
        };
        let mut changes = Changes::of(&self.desk, &[request.uri]);
        let peer = context.peer;
        tokio::spawn(ended.run_until_cancelled_owned(async move {
            while let Some(uri) = changes.next().await {
                if peer.send_notification(updated(&uri)).await.is_err() {
                    return;
                }
            }
        }));
        Ok(())
    }

    #[allow(deprecated)]
    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.followed.end(&request.uri);
        Ok(())
    }
}
