//! What `instructor.txt` says, the file beside `play.args` that whoever has the headset at a cable reads: where an
//! instructor connects, over Wi-Fi and over the cable, by what the headset is known, and the token.

use std::fmt;

/// The way to the headset's bridge.
pub(super) struct Way<'a> {
    /// Where it is found: `https://192.168.1.7:7878/`.
    pub(super) address: &'a str,
    pub(super) port: u16,
    /// SHA-256 of its certificate; `None`: nothing is encrypted.
    pub(super) fingerprint: Option<&'a str>,
    pub(super) token: &'a str,
}

impl fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            address,
            port,
            fingerprint,
            token,
        } = self;
        writeln!(f, "address     {address}\ntoken       {token}")?;
        let scheme = match fingerprint {
            Some(fingerprint) => {
                writeln!(f, "certificate {fingerprint} (SHA-256)")?;
                "https"
            }
            None => "http",
        };
        writeln!(
            f,
            "at a cable  adb forward tcp:{port} tcp:{port}, then {scheme}://127.0.0.1:{port}/"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encrypted_on_the_wifi_is_encrypted_at_the_cable_too() {
        let said = |address: &str, fingerprint: Option<&str>| {
            let way = Way {
                address,
                port: 7878,
                fingerprint,
                token: "a-token",
            };
            way.to_string()
        };
        let secret = said("https://192.168.1.7:7878/", Some("A7:0C"));
        for part in [
            "https://192.168.1.7:7878/",
            "https://127.0.0.1:7878/",
            "A7:0C",
            "a-token",
        ] {
            assert!(secret.contains(part), "{part} in {secret}");
        }
        let open = said("http://127.0.0.1:7878/", None);
        assert!(!open.contains("https") && !open.contains("certificate"));
    }
}
