//! The running process: its health.

use rmcp::ErrorData;
use rmcp::model::{CacheScope, ReadResourceResponse, ReadResourceResult, ResourceContents};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::super::super::desk::{CommandsState, StreamState};
use super::super::call::Call;
use super::super::catalogue::{Act, Catalogue, Effects, ToolRow};
use super::super::figures::openmetrics;
use super::super::look::Look;
use super::class::NoArguments;
use super::resources::unread;
use crate::session::frames::Frames;

/// How the process fares.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OpsHealth {
    /// Whether all is well.
    ok: bool,
    /// Whether learning records are written as they come.
    records_written: bool,
    /// Why not, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    records_why: Option<String>,
    /// Commands that were not answered within 2 s.
    commands: CommandsState,
    /// How punctual the learners' samples are.
    stream: StreamState,
    /// How the headset's frames fare: period, CPU, GPU, misses, level and why. Left out where none shows any.
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<Frames>,
    /// Learners here.
    learners: usize,
    /// The program's version.
    version: String,
}

pub(super) fn offer(catalogue: &mut Catalogue) {
    catalogue.tool(ToolRow::typed(
        (
            "ops.health",
            "Health",
            "Whether the process is well: learning records, commands, samples, learners, version. /healthz says it without a token.",
        ),
        (Act::ReadHealth, Effects::Reads),
        |call: Call, _: NoArguments| async move { Ok(health(&call)) },
    ));
}

pub(super) fn health(call: &Call) -> OpsHealth {
    let published = call.desk().published();
    let health = &published.health;
    OpsHealth {
        ok: health.good(),
        records_written: health.records.good,
        records_why: health.records.why.clone(),
        commands: health.commands,
        stream: health.stream,
        frames: published.frames.clone(),
        learners: published.learners.len(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// What the process counts: JSON first, then the same as OpenMetrics text.
pub(super) async fn metrics(call: &Call, uri: &str) -> Result<ReadResourceResponse, ErrorData> {
    let world = call.look(Look::Figures).await;
    let world = world.map_err(|why| unread(why.into()))?;
    let net = call.counted();
    let json = serde_json::to_string(&json!({ "world": world, "door": net }))
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    let contents = vec![
        ResourceContents::text(json, uri).with_mime_type("application/json"),
        ResourceContents::text(openmetrics(&world, net), uri)
            .with_mime_type("application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ];
    Ok(ReadResourceResult::new(contents)
        .with_ttl_ms(0)
        .with_cache_scope(CacheScope::Private)
        .into())
}
