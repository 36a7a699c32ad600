//! The running process: its health.

use rmcp::ErrorData;
use rmcp::model::{CacheScope, ReadResourceResponse, ReadResourceResult, ResourceContents};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::super::desk::{CommandsState, MemoryState, StreamState};
use super::super::super::going::Going;
use super::super::call::{Call, Fault};
use super::super::catalogue::{Act, Catalogue, Effects, ToolRow};
use super::super::figures::openmetrics;
use super::super::look::Look;
use super::class::NoArguments;
use super::resources::unread;
use crate::protocol::ids::LearnerId;
use crate::protocol::sample::{Field, Signal};
use crate::protocol::snapshot::{LearnerSnapshot, Reached};
use crate::protocol::wire::Notice;
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
    /// How the machine fares in memory.
    memory: MemoryState,
    /// How the headset's frames fare: period, CPU, GPU, misses, level and why. Left out where none shows any.
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<Frames>,
    /// What is said of this machine's going; left out where it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    going: Option<Notice>,
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
    catalogue.tool(ToolRow::typed(
        (
            "governor.get",
            "Governor",
            "How a learner's frames fare and what quality is given up for them: level, period, CPU, GPU, misses, and why.",
        ),
        (Act::ReadHealth, Effects::Reads),
        get_governor,
    ));
}

/// Whose frames.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Whose {
    /// The learner's id from class.list_learners; left out: everybody's.
    #[serde(default)]
    learner: Option<String>,
}

/// How the frames of learners fare, and what is given up for them.
#[derive(Debug, Serialize, JsonSchema)]
struct Governed {
    /// One for each learner.
    learners: Vec<Governor>,
}

/// How a learner's frames fare, and what is given up for them.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Governor {
    /// Whose.
    learner: LearnerId,
    /// The headset is this machine's; one that joined measures and decides for itself.
    here: bool,
    /// The last second: level, period, CPU, GPU, misses, and why. Left out where no headset shows any, and for one that
    /// joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<Frames>,
    /// Share of frames shown in time by the newest sample, 0..1; left out where none says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_time: Option<f32>,
    /// Why there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

async fn get_governor(call: Call, it: Whose) -> Result<Governed, Fault> {
    let found = match &it.learner {
        Some(id) => vec![call.find(Some(id))?],
        None => call.learners(),
    };
    let learners = found.iter().map(|it| governor(&call, it)).collect();
    Ok(Governed { learners })
}

pub(super) fn governor(call: &Call, of: &LearnerSnapshot) -> Governor {
    let here = of.link == Reached::Here;
    let frames = call.desk().published().frames.clone().filter(|_| here);
    let newest = call.desk().samples().borrow().get(&of.learner).cloned();
    let in_time = newest.and_then(|it| match it.fields.get(Signal::FrameHealth) {
        Field::Measured { value } => Some(value),
        _ => None,
    });
    let why = match (here, &frames) {
        (true, Some(_)) => None,
        (true, None) => Some("no headset shows frames here".to_owned()),
        (false, _) => Some(
            "this learner's headset is elsewhere and governs itself; its own bridge says how"
                .to_owned(),
        ),
    };
    Governor {
        learner: of.learner,
        here,
        frames,
        in_time,
        why,
    }
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
        memory: health.memory,
        frames: published.frames.clone(),
        going: (call.going() != Going::No).then(|| call.going().notice()),
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
