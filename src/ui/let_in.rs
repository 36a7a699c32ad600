//! How an instructor comes in, in words for whoever wears the headset and reads them out: the code, where to, and by
//! what the headset is known. Pure: the bridge makes the code.

use std::fmt::Write as _;
use std::time::Instant;

use crate::session::pairing::PairingCode;

/// Bytes of a fingerprint that are read out in one go.
const IN_ONE_GO: usize = 8;

/// What the menu's page says of this code; of none, that one is being made.
pub(super) fn words(code: Option<&PairingCode>, now: Instant) -> String {
    let Some(code) = code else {
        return "One moment: a code is being made.".to_owned();
    };
    let minutes = code
        .until
        .saturating_duration_since(now)
        .as_secs()
        .div_ceil(60);
    let mut words = format!(
        "Code {}, for {minutes} {}\n{}",
        digits(code),
        if minutes == 1 { "minute" } else { "minutes" },
        code.address
    );
    let _ = match &code.fingerprint {
        _ if only_by_cable(&code.address) => write!(
            words,
            "\nThis headset is reached by cable only. For Wi-Fi, start it with: play --listen 0.0.0.0:7878 --tls"
        ),
        Some(fingerprint) => write!(words, "\nCertificate (SHA-256):\n{}", apart(fingerprint)),
        None => write!(
            words,
            "\nNothing is encrypted: only on a network that you trust."
        ),
    };
    words
}

/// Six digits, as people read them out.
pub(super) fn digits(code: &PairingCode) -> String {
    let (first, last) = code.code.split_at_checked(3).unwrap_or((&code.code, ""));
    format!("{first} {last}")
}

/// Whether only this machine itself, and what a cable forwards to it, gets there.
fn only_by_cable(address: &str) -> bool {
    ["//127.", "//localhost", "//[::1]"]
        .iter()
        .any(|own| address.contains(own))
}

/// A fingerprint in pieces, so that lines break between them.
fn apart(fingerprint: &str) -> String {
    let pairs: Vec<&str> = fingerprint.split(':').collect();
    let pieces: Vec<String> = pairs
        .chunks(IN_ONE_GO)
        .map(|pairs| pairs.join(":"))
        .collect();
    pieces.join(": ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn said(address: &str, fingerprint: Option<String>, left: u64) -> String {
        let now = Instant::now();
        let code = PairingCode {
            code: "012345".to_owned(),
            address: address.to_owned(),
            fingerprint,
            until: now + Duration::from_secs(left),
        };
        words(Some(&code), now)
    }

    #[test]
    fn a_headset_that_hears_nobody_on_wifi_says_so_and_what_to_do() {
        for own in ["http://127.0.0.1:7878/", "https://[::1]:7878/"] {
            let said = said(own, None, 60);
            assert!(said.contains("--listen 0.0.0.0:7878 --tls"), "{said}");
        }
    }

    #[test]
    fn what_is_not_encrypted_says_so() {
        let said = said("http://192.168.1.7:7878/", None, 60);
        assert!(said.contains("Nothing is encrypted"), "{said}");
        assert!(said.contains("012 345, for 1 minute\n"), "{said}");
    }

    #[test]
    fn a_fingerprint_comes_whole_and_in_pieces() {
        let print: Vec<String> = (0..32).map(|byte| format!("{byte:02X}")).collect();
        let print = print.join(":");
        let said = said("https://192.168.1.7:7878/", Some(print.clone()), 61);
        let last = said.lines().last().unwrap();
        assert_eq!(last.split(' ').count(), 4);
        assert_eq!(last.replace(' ', ""), print);
        assert!(said.contains("for 2 minutes"), "{said}");
    }

    #[test]
    fn a_code_that_is_being_made_is_waited_for() {
        assert!(words(None, Instant::now()).contains("is being made"));
    }
}
