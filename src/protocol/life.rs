//! Where a session is in its life, and what changes it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::{EndReason, PauseCause};

/// Where a session is in its life. Of several that hold at once (a headset that was taken off while the link was
/// gone), the one that stands furthest down here is named; the others come back when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Life {
    /// Not begun.
    #[default]
    Joining,
    /// The learner is at the lesson.
    Active,
    /// The learner is at the lesson, and something is being done to help.
    Intervening,
    /// The learner rests. The lesson stands still.
    OnBreak,
    /// Earlier skills are gone over.
    Reviewing,
    /// Nothing was done for a while.
    Idle {
        /// Since then, in time of the session.
        since: Duration,
    },
    /// The lesson stands still.
    Paused {
        /// By whom; of several, the first of [`PauseCause`]. Not by a break alone.
        by: PauseCause,
    },
    /// Whoever follows the session is not reached. The lesson goes on where it runs.
    LinkLost {
        /// Since then, in time of the session.
        since: Duration,
    },
    /// Over. Final: what follows is another session.
    Ended {
        /// Why.
        why: EndReason,
    },
}

/// What changes where a session is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum LifeCause {
    /// The learner joined afresh.
    Joined,
    /// The learner came back after an interruption.
    Rejoined,
    /// Help began that the learner notices.
    InterventionBegan,
    /// It is over.
    InterventionEnded,
    /// A review of earlier skills began.
    ReviewBegan,
    /// It is over.
    ReviewEnded,
    /// The lesson was stopped.
    Paused {
        /// By whom.
        by: PauseCause,
    },
    /// One reason to stand still is gone.
    Unpaused {
        /// Which.
        by: PauseCause,
    },
    /// The link to whoever follows the session is gone.
    LinkLost,
    /// It is there again.
    LinkBack,
    /// Nothing was done for a while.
    WentIdle,
    /// Something was done again.
    Stirred,
    /// The session is over.
    Ended {
        /// Why.
        reason: EndReason,
    },
}
