//! A learner's record as somebody with a right to it gets it through the door: the same files as `records export` writes.

use crate::protocol::ids::LearnerId;
use crate::record::access::{Standing, decide};
use crate::record::consent::{ConsentPolicy, Consents};
use crate::record::export::{Export, for_the_family};
use crate::record::rights::Rights;
use crate::record::xapi::Home;
use crate::record::{Action, By, RecordError, Store};
use crate::session::standing::Age;
use crate::session::unix_ms;

/// Address that xAPI names accounts by where the school gave none.
const HOME: &str = "https://malloc-vr.invalid";
/// Bytes of a copy that go through the door.
const MOST: usize = 8 << 20;

/// Makes the copy for the learner or their family; on the record thread. That it was made stands in the audit before.
pub(super) fn copy(
    store: &Store,
    learner: LearnerId,
    Age(band): Age,
    policy: &ConsentPolicy,
    by: &By,
) -> Result<Result<Export, String>, RecordError> {
    let log = store.events(learner)?;
    if log.is_empty() {
        return Ok(Err("nobody in these records has that pseudonym".to_owned()));
    }
    let (consents, rights) = (Consents::of(&log), Rights::of(&log));
    let standing = Standing {
        learner,
        band,
        consents: &consents,
        rights: &rights,
        policy,
        now_unix_ms: unix_ms(),
    };
    let grant = match decide(&for_the_family(), &standing) {
        Ok(grant) => grant,
        Err(refusal) => return Ok(Err(refusal.to_string())),
    };
    store.audit(by, Some(learner), Action::Exported)?;
    let made = Home::new(HOME)
        .map_err(|error| error.to_string())
        .and_then(|home| Export::of(&grant, &log, &home).map_err(|error| error.to_string()));
    Ok(made.and_then(|export| {
        let bytes: usize = export.files.iter().map(|(_, text)| text.len()).sum();
        if bytes > MOST {
            return Err(format!(
                "the copy has {bytes} bytes, more than go through this door; make it on the machine with `malloc-vr records export`"
            ));
        }
        Ok(export)
    }))
}
