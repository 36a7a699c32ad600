//! The instructor's page inside a chat client: an MCP App (SEP-1865). The page itself is a resource; what it shows live
//! in place of the WebSocket, and what it may do, are two tools.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};

use rmcp::ErrorData;
use rmcp::model::{
    CacheScope, JsonObject, MetaObject, ReadResourceResponse, ReadResourceResult, Resource,
    ResourceContents,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::call::{Call, Fault};
use super::super::catalogue::{Act, Catalogue, Effects, ResourceRow, ToolRow};
use super::class::NoArguments;
use crate::bridge::page;
use crate::protocol::asker::TokenRole;
use crate::protocol::event::Event;
use crate::protocol::ids::LearnerId;
use crate::session::unix_ms;

/// The page's address.
const PAGE: &str = "ui://malloc-vr/class";
/// What a page is that a chat client shows.
const KIND: &str = "text/html;profile=mcp-app";
/// The extension's name among capabilities.
pub(in crate::bridge::mcp) const EXTENSION: &str = "io.modelcontextprotocol/ui";
/// Events that one answer holds at most; the rest comes with the next.
const EVENTS: usize = 500;
/// Events of a learner of whom the client has none.
const AT_FIRST: usize = 40;

/// Who asks, and what they may do.
#[derive(Debug, Serialize, JsonSchema)]
struct Me {
    /// The token's role.
    role: TokenRole,
    /// What the token was named when it was made: a device, no person.
    name: String,
    /// When it ends, milliseconds since the Unix epoch; null: with the process.
    expires_unix_ms: Option<u64>,
    /// Tools that may be called with it.
    tools: Vec<String>,
}

/// What the client has already.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Watch {
    /// By learner: what was last seen of them.
    known: BTreeMap<LearnerId, Known>,
}

/// What the client has of a learner.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Known {
    /// `version` of the last state.
    version: String,
    /// `seq` of the last event; 0: none.
    seq: u64,
}

/// What is new.
#[derive(Debug, Serialize, JsonSchema)]
struct News {
    /// The machine's clock, milliseconds since the Unix epoch.
    at_unix_ms: u64,
    /// Everybody here; who is not named left.
    here: Vec<LearnerId>,
    /// Those whose state is another than the client has.
    changed: Vec<Changed>,
    /// Lines of their logs that the client has not, in the order of each log.
    events: Vec<Value>,
    /// Further lines wait: ask again.
    more: bool,
}

/// A learner's state.
#[derive(Debug, Serialize, JsonSchema)]
struct Changed {
    /// Pass it as `version` the next time.
    version: String,
    /// As learner.get_state says it.
    snapshot: Value,
    /// The latest figures, as on the WebSocket; null: none yet.
    sample: Value,
}

fn meta(ui: Value) -> MetaObject {
    let mut meta = MetaObject::default();
    meta.0.insert("ui".to_owned(), ui);
    meta
}

pub(super) fn offer(catalogue: &mut Catalogue) {
    catalogue.resource(ResourceRow::new(
        Act::ReadRoster,
        |uri| uri == PAGE,
        |_| vec![listed()],
        read,
    ));
    let look = (Act::ReadRoster, Effects::Reads);
    catalogue.tool(ToolRow::typed(
        (
            "door.me",
            "Who am I here",
            "The role of the token that is used, when it ends, and which tools may be called with it.",
        ),
        look,
        |call: Call, _: NoArguments| async move { me(&call) },
    ));
    let mut watch = ToolRow::typed(
        (
            "class.watch",
            "Watch the class",
            "For the instructor's page: what changed of the learners since the last call.",
        ),
        look,
        |call: Call, watch: Watch| async move { news(&call, &watch) },
    );
    // Of no use to a model, and long.
    watch.tool.meta = Some(meta(json!({ "resourceUri": PAGE, "visibility": ["app"] })));
    catalogue.tool(watch);
}

/// The page belongs to a tool: a chat client that can shows it with the tool's result.
pub(super) fn shown_with(mut row: ToolRow) -> ToolRow {
    row.tool.meta = Some(meta(json!({ "resourceUri": PAGE })));
    row
}

/// What the server says of it among its capabilities.
pub(in crate::bridge::mcp) fn extension() -> JsonObject {
    let mut extension = JsonObject::new();
    extension.insert("mimeTypes".to_owned(), json!([KIND]));
    extension
}

fn listed() -> Resource {
    Resource::new(PAGE, "class page")
        .with_title("Class at a glance")
        .with_description(
            "The instructor's page: every learner at a glance, one in depth, and what can be done",
        )
        .with_mime_type(KIND)
}

async fn read(_: Call, uri: String) -> Result<ReadResourceResponse, ErrorData> {
    // Nothing is loaded and nobody spoken to but the chat client.
    let page = ResourceContents::text(page::in_one_file(), uri)
        .with_mime_type(KIND)
        .with_meta(meta(json!({ "csp": {}, "prefersBorder": true })));
    Ok(ReadResourceResult::new(vec![page])
        .with_ttl_ms(60_000)
        .with_cache_scope(CacheScope::Private)
        .into())
}

fn me(call: &Call) -> Result<Me, Fault> {
    let caller = call.caller()?;
    let rows = call.shared.catalogue.tools.values();
    let allowed = rows.filter(|row| caller.may(row.needs).is_ok());
    Ok(Me {
        role: caller.role(),
        name: caller.name().to_owned(),
        expires_unix_ms: caller.expires_unix_ms(),
        tools: allowed.map(|row| row.tool.name.to_string()).collect(),
    })
}

fn news(call: &Call, watch: &Watch) -> Result<News, Fault> {
    let samples = call.desk().samples().borrow().clone();
    let mut news = News {
        at_unix_ms: unix_ms(),
        here: Vec::new(),
        changed: Vec::new(),
        events: Vec::new(),
        more: false,
    };
    for state in call.learners() {
        let learner = state.learner;
        call.may_with(Act::ReadState, learner)?;
        let known = watch.known.get(&learner);
        news.here.push(learner);
        let snapshot = value(&*state)?;
        let sample = samples.get(&learner).map(|it| value(&**it)).transpose()?;
        let sample = sample.unwrap_or_default();
        let version = version(&snapshot, &sample);
        if known.is_none_or(|known| known.version != version) {
            news.changed.push(Changed {
                version,
                snapshot,
                sample,
            });
        }
        let after = known.map_or(0, |known| known.seq);
        let events = call.shared.journal.of(learner);
        let first = if after == 0 {
            events.len().saturating_sub(AT_FIRST)
        } else {
            0
        };
        for event in events.iter().skip(first).filter(|it| it.seq > after) {
            if news.events.len() >= EVENTS {
                news.more = true;
                break;
            }
            news.events.push(value::<Event>(event)?);
        }
    }
    Ok(news)
}

/// Whether what is shown of a learner is another now; no secret and no proof.
fn version(snapshot: &Value, sample: &Value) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(snapshot.to_string().as_bytes());
    hasher.write(sample.to_string().as_bytes());
    format!("{:016x}", hasher.finish())
}

fn value<T: Serialize>(it: &T) -> Result<Value, Fault> {
    serde_json::to_value(it).map_err(|error| Fault::Told(error.to_string()))
}
