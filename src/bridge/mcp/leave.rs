//! Who may do what, by the role and scope of the token that the request came in with.

use rmcp::model::Extensions;

use super::catalogue::Needs;
use crate::protocol::ids::LearnerId;

/// Whether the request's caller may do this, with this learner if one is meant.
///
/// # Errors
/// Why not, and what to do.
pub(super) fn may(_: &Extensions, _: Needs, _: Option<LearnerId>) -> Result<(), String> {
    // One token opens everything until tokens have roles.
    Ok(())
}
