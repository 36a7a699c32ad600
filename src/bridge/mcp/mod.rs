//! MCP: what an instructor's client can ask and do, in both eras of the protocol at once: 2026-07-28, where every
//! request stands for itself, and the revisions before it, which open a session.
//! In: requests. Out: commands with their answers, looks at the world, notices of change. Never: state of its own that
//! must last; it lives in the world and in what is published of it.

// Logging to the client is deprecated by 2026-07-28, and what every client before it expects.
#![allow(deprecated)]

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
    GetPromptRequestParams, GetPromptResponse, Implementation, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ReadResourceRequestParams, ReadResourceResponse, ServerConfig, SetLevelRequestParams,
    SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams,
};
use rmcp::service::{RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use tokio::sync::oneshot;

use super::counters::Counters;
use super::desk::Desk;
use call::Call;
use catalogue::page;
use follow::Followed;
use level::Level;
use look::Look;

pub mod call;
pub mod catalogue;
pub(super) mod class_time;
mod complete;
mod confirm;
pub(super) mod figures;
pub mod follow;
mod journal;
mod leave;
mod level;
pub(super) mod look;
mod offers;
mod path;
mod person;
pub mod seal;

/// Lists change only with the program; what they say of learners does not outlast a moment.
const LISTS_LAST_MS: u64 = 60_000;

/// What all requests share.
pub struct Shared {
    desk: Desk,
    looks: crossbeam_channel::Sender<Look>,
    catalogue: Arc<catalogue::Catalogue>,
    seal: seal::Seal,
    journal: journal::Journal,
    lists: tokio::sync::broadcast::Sender<follow::List>,
    counters: Counters,
}

impl Shared {
    pub(super) fn new(
        desk: Desk,
        looks: crossbeam_channel::Sender<Look>,
        catalogue: Arc<catalogue::Catalogue>,
        counters: Counters,
    ) -> Arc<Self> {
        Arc::new(Self {
            journal: journal::Journal::follow(desk.events()),
            desk,
            looks,
            catalogue,
            seal: seal::Seal::fresh(),
            lists: tokio::sync::broadcast::channel(16).0,
            counters,
        })
    }

    /// Has the world look at itself and say what it sees.
    ///
    /// # Errors
    /// In words, where too much is asked already, or no answer comes in time.
    pub(super) async fn look<T>(
        &self,
        within: Duration,
        look: impl FnOnce(oneshot::Sender<T>) -> Look,
    ) -> Result<T, String> {
        let (answer, answered) = oneshot::channel();
        self.looks
            .try_send(look(answer))
            .map_err(|_| "too many questions are under way; ask again in a second".to_owned())?;
        self.desk.coming().bell().ring();
        match tokio::time::timeout(within, answered).await {
            Ok(Ok(seen)) => Ok(seen),
            _ => Err(format!(
                "the lesson did not answer within {} s; it may be starting or standing still (see ops.health)",
                within.as_secs()
            )),
        }
    }
}

/// The handler: one for each session of the older revisions, one for each request of 2026-07-28.
#[derive(Clone)]
pub(super) struct Instructor {
    shared: Arc<Shared>,
    followed: Followed,
    level: Level,
}

impl Instructor {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            followed: Followed::default(),
            level: Level::default(),
        }
    }

    fn call(&self, name: &str, context: RequestContext<RoleServer>) -> Call {
        Call {
            shared: self.shared.clone(),
            name: name.to_owned(),
            arguments: rmcp::model::JsonObject::new(),
            responses: None,
            state: None,
            context,
            level: self.level.clone(),
        }
    }
}

fn cursor(request: Option<&PaginatedRequestParams>) -> Option<&str> {
    request.and_then(|request| request.cursor.as_deref())
}

impl ServerHandler for Instructor {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(catalogue::Catalogue::capabilities())
            .with_server_info(Implementation::new("malloc-vr", env!("CARGO_PKG_VERSION")))
            .with_instructions(
                "You stand beside learners in a VR lesson. class.list_learners says who is here; learner.get_state what \
                 one knows and where they are stuck; view.scene what they have before them, view.capture shows it in a picture where they agreed to that. Watch first; give the \
                 gentlest help that may be enough (intervene.hint, intervene.message, scene.point_at). Every act answers \
                 with what happened in the learner's world, or why it was refused; dry_run tells without doing. What \
                 cannot be undone asks back.",
            )
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.shared
            .catalogue
            .tool_named(name)
            .map(|row| row.tool.clone())
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let call = self.call("tools/list", context);
        let rows = self.shared.catalogue.tools.values();
        // Nobody is offered what they may not do.
        let tools = rows.filter(|row| call.may(row.needs).is_ok());
        let (tools, next) = page(
            tools.map(|row| row.tool.clone()).collect(),
            cursor(request.as_ref()),
        )?;
        let mut result = ListToolsResult::with_all_items(tools);
        result.next_cursor = next;
        Ok(result
            .with_ttl_ms(LISTS_LAST_MS)
            .with_cache_scope(CacheScope::Private))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let row = self.shared.catalogue.tool_named(&request.name).cloned();
        let row = row.ok_or_else(|| unknown("tool", &request.name))?;
        let cancelled = context.ct.clone();
        let call = Call {
            arguments: request.arguments.unwrap_or_default(),
            responses: request.input_responses,
            state: request.request_state,
            ..self.call(&row.tool.name, context)
        };
        if let Err(why) = call.may(row.needs) {
            call.tell_refused(row.needs);
            self.shared.counters.call(true);
            return Ok(catalogue::failed(why));
        }
        let teller = call.clone();
        let answer = tokio::select! {
            answer = (row.run)(call) => answer,
            // Nobody waits for the answer any more. What the world has been asked for, it does and logs.
            () = cancelled.cancelled() => Ok(catalogue::failed("cancelled")),
        };
        let failed = match &answer {
            Ok(CallToolResponse::Complete(result)) => result.is_error == Some(true),
            Ok(_) => false,
            Err(_) => true,
        };
        self.shared.counters.call(failed);
        if let (true, Ok(CallToolResponse::Complete(result))) = (row.says, &answer) {
            teller.tell(result).await;
        }
        answer
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let call = self.call("resources/list", context);
        let rows = self.shared.catalogue.resources.iter();
        let rows = rows.filter(|row| call.may(row.needs).is_ok());
        let all = rows.flat_map(|row| (row.list)(&call)).collect();
        let (resources, next) = page(all, cursor(request.as_ref()))?;
        let mut result = ListResourcesResult::with_all_items(resources);
        result.next_cursor = next;
        // Learners come and go.
        Ok(result.with_ttl_ms(0).with_cache_scope(CacheScope::Private))
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let call = self.call("resources/templates/list", context);
        let rows = self.shared.catalogue.resources.iter();
        let rows = rows.filter(|row| call.may(row.needs).is_ok());
        let all = rows.filter_map(|row| row.template.clone()).collect();
        let (templates, next) = page(all, cursor(request.as_ref()))?;
        let mut result = ListResourceTemplatesResult::with_all_items(templates);
        result.next_cursor = next;
        Ok(result
            .with_ttl_ms(LISTS_LAST_MS)
            .with_cache_scope(CacheScope::Private))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let rows = &self.shared.catalogue.resources;
        let row = rows.iter().find(|row| (row.is)(&request.uri));
        let Some(row) = row.cloned() else {
            return Err(no_resource(&request.uri));
        };
        let call = Call {
            responses: request.input_responses,
            state: request.request_state,
            ..self.call("resources/read", context)
        };
        call.may(row.needs)
            .map_err(|why| ErrorData::invalid_request(why, None))?;
        (row.read)(call, request.uri).await
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let all = self.shared.catalogue.prompts.values();
        let (prompts, next) = page(
            all.map(|row| row.prompt.clone()).collect(),
            cursor(request.as_ref()),
        )?;
        let mut result = ListPromptsResult::with_all_items(prompts);
        result.next_cursor = next;
        Ok(result
            .with_ttl_ms(LISTS_LAST_MS)
            .with_cache_scope(CacheScope::Private))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let row = self.shared.catalogue.prompts.get(&request.name).cloned();
        let row = row.ok_or_else(|| unknown("prompt", &request.name))?;
        let call = Call {
            arguments: request.arguments.unwrap_or_default(),
            responses: request.input_responses,
            state: request.request_state,
            ..self.call(&request.name, context)
        };
        (row.fill)(call).await
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let call = self.call("completion/complete", context);
        complete::complete(&call, &request)
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.level.set(request.level);
        Ok(())
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        let mut accepted = requested.clone();
        if let Some(uris) = &mut accepted.resource_subscriptions {
            uris.retain(|uri| self.can_be_followed(uri));
            uris.truncate(follow::MOST);
        }
        Some(accepted)
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        follow::listen(self, context).await
    }

    // Clients of the protocol before 2026-07-28 know no other way.
    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if !self.can_be_followed(&request.uri) {
            return Err(no_resource(&request.uri));
        }
        follow::subscribe(self, request.uri, context)
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.followed.end(&request.uri);
        Ok(())
    }

    async fn on_initialized(&self, context: rmcp::service::NotificationContext<RoleServer>) {
        let id = rmcp::model::RequestId::Number(0);
        let mut request = RequestContext::new(id, context.peer);
        request.extensions = context.extensions;
        follow::announce(self, request);
    }
}

impl Instructor {
    fn can_be_followed(&self, uri: &str) -> bool {
        let rows = &self.shared.catalogue.resources;
        rows.iter().any(|row| (row.is)(uri))
    }
}

fn no_resource(uri: &str) -> ErrorData {
    ErrorData::resource_not_found(
        format!(
            "there is no resource `{uri}`; resources/list and resources/templates/list say which there are"
        ),
        Some(serde_json::json!({ "uri": uri })),
    )
}

fn unknown(what: &str, name: &str) -> ErrorData {
    ErrorData::invalid_params(
        format!("there is no {what} `{name}`; {what}s/list says which there are"),
        None,
    )
}
