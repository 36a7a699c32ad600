//! The resume tokens of hosts, kept beside the records: after a crash the same learner is known there again.
//! Readable by this user only. Losing the file costs a pairing, no data.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::protocol::ids::LearnerId;
use crate::record::replace;

/// By host and learner.
type Tokens = BTreeMap<String, BTreeMap<LearnerId, String>>;

fn all(file: &Path) -> Tokens {
    let text = fs::read_to_string(file).unwrap_or_default();
    // A damaged file is as good as none.
    serde_json::from_str(&text).unwrap_or_default()
}

/// The token that `host` gave this learner last.
pub(super) fn token(file: &Path, host: &str, learner: LearnerId) -> Option<String> {
    all(file).get(host)?.get(&learner).cloned()
}

/// Keeps it, in place of the one before.
pub(super) fn keep(file: &Path, host: &str, learner: LearnerId, token: &str) -> io::Result<()> {
    let mut tokens = all(file);
    let of_host = tokens.entry(host.to_owned()).or_default();
    of_host.insert(learner, token.to_owned());
    replace(file, serde_json::to_string_pretty(&tokens)?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_and_learner_has_a_token_of_its_own_for_this_user_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data/hosts.json");
        let (one, other) = (LearnerId::fresh(), LearnerId::fresh());
        assert_eq!(token(&file, "a:1", one), None);
        keep(&file, "a:1", one, "first").unwrap();
        keep(&file, "a:1", other, "others").unwrap();
        keep(&file, "b:1", one, "elsewhere").unwrap();
        keep(&file, "a:1", one, "second").unwrap();
        assert_eq!(token(&file, "a:1", one).as_deref(), Some("second"));
        assert_eq!(token(&file, "a:1", other).as_deref(), Some("others"));
        assert_eq!(token(&file, "b:1", one).as_deref(), Some("elsewhere"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(&file, "{").unwrap();
        assert_eq!(token(&file, "a:1", one), None);
    }
}
