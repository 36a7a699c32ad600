//! What was seen while a store was exercised: counts, each with what it is out of, so that nothing can be claimed that
//! was not tried. Whoever can open, change and sweep a store fills them in.

use serde::{Deserialize, Serialize};

use super::Verdict;

/// Counts of what was done to a store made for the purpose, and of what came of it. All zero: nothing was tried, and
/// the rules that need it fail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreFacts {
    /// Marked texts (messages, ids, notes) that were stored.
    pub canaries_planted: u64,
    /// Those of them found in the bytes of the store's files.
    pub canaries_in_clear: u64,
    /// Roster names that were stored.
    pub names_planted: u64,
    /// Those of them found anywhere but in the opened roster: store, logs, metrics, exports.
    pub names_outside_roster: u64,
    /// Openings that were tried with a wrong key.
    pub wrong_keys_tried: u64,
    /// Those that gave any record.
    pub wrong_keys_opened: u64,
    /// Events of learners that were then erased.
    pub events_erased: u64,
    /// Those of them that could be read afterwards with every key that was left.
    pub erased_readable: u64,
    /// Erased learners.
    pub learners_erased: u64,
    /// Tombstones that say so.
    pub tombstones: u64,
    /// Changes made to a copy of the store: bytes flipped, entries removed, entries swapped.
    pub changes_made: u64,
    /// Those that the verification found.
    pub changes_found: u64,
    /// Learners whose term was over when the sweeper ran.
    pub expired: u64,
    /// Those that were still there afterwards.
    pub expired_left: u64,
    /// Entries of the sweeper's proof log.
    pub sweep_proofs: u64,
    /// Reads through the store's doors.
    pub reads: u64,
    /// Entries that they left in the audit.
    pub reads_audited: u64,
}

/// `bad` of `tried` is to be none, and something is to have been tried.
pub(super) fn none_of(bad: u64, tried: u64, what: &str) -> Verdict {
    if tried == 0 {
        Verdict::Failed(format!("nothing was tried: {what}"))
    } else {
        Verdict::when(bad == 0, &format!("{bad} of {tried}: {what}"))
    }
}

/// `good` of `tried` is to be all, and something is to have been tried.
pub(super) fn all_of(good: u64, tried: u64, what: &str) -> Verdict {
    none_of(tried.saturating_sub(good), tried, what)
}

/// The verdict over observed facts; a failure where nobody observed any.
pub(super) fn observed(
    store: Option<&StoreFacts>,
    verdict: impl Fn(&StoreFacts) -> Verdict,
) -> Verdict {
    store.map_or_else(
        || Verdict::Failed("no store was exercised; run the store's checks first".to_owned()),
        verdict,
    )
}
