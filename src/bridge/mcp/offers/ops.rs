//! The running process: its health.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::call::Call;
use super::super::catalogue::{Act, Catalogue, Effects, ToolRow};
use super::class::NoArguments;
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
            "Whether the process is well: learning records, learners, version. /healthz says it without a token.",
        ),
        (Act::ReadHealth, Effects::Reads),
        |call: Call, _: NoArguments| async move { Ok(health(&call)) },
    ));
}

pub(super) fn health(call: &Call) -> OpsHealth {
    let published = call.desk().published();
    OpsHealth {
        ok: published.records.good,
        records_written: published.records.good,
        records_why: published.records.why.clone(),
        frames: published.frames.clone(),
        learners: published.learners.len(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
