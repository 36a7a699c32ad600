//! From recorded consents to a grant: movements are recorded only where recording and keeping them are both agreed to.

use std::time::Duration;

use super::token::Grant;
use crate::protocol::consent::ConsentScope;
use crate::protocol::ids::LearnerId;
use crate::record::ages::AgeBand;
use crate::record::consent::{Basis, ConsentPolicy, ConsentRefusal, Consents};

/// What the flight recorder needs to be agreed to: what it records is kept for a later replay.
const NEEDED: [ConsentScope; 2] = [ConsentScope::MotionRecording, ConsentScope::MotionRetention];

/// The grant that a learner's recorded consents give at `now_unix_ms`, to keep movements for at most `longest`.
///
/// # Errors
/// What is missing, and who could give it.
pub fn granted(
    learner: LearnerId,
    policy: &ConsentPolicy,
    band: AgeBand,
    consents: &Consents,
    now_unix_ms: u64,
    longest: Duration,
) -> Result<Grant, ConsentRefusal> {
    let mut until = u64::MAX;
    for scope in NEEDED {
        match policy.decide(scope, band, consents, now_unix_ms)? {
            Basis::Consent { by, .. } => {
                until = until.min(consents.until(scope, by).unwrap_or(u64::MAX));
            }
            // A policy that asks nobody is not a recorded consent, and gives no grant.
            Basis::NotAsked => {
                let who = policy.may_agree(scope, band);
                return Err(ConsentRefusal::Missing { scope, who });
            }
        }
    }
    Ok(Grant::recorded(learner, now_unix_ms, until, longest))
}
