//! How a person writes where a host is.

use std::fmt;
use std::str::FromStr;

/// The port that a host listens on unless it says otherwise.
const PORT: u16 = 7878;

/// Where a host listens: a name or address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAddress {
    authority: String,
    /// The link is to be encrypted.
    pub encrypted: bool,
}

impl HostAddress {
    /// Name or address, and port.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Name or address alone; an IPv6 address without brackets.
    #[must_use]
    pub fn name(&self) -> &str {
        let name = self.authority.rsplit_once(':');
        let name = name.map_or(self.authority.as_str(), |(name, _)| name);
        name.trim_start_matches('[').trim_end_matches(']')
    }
}

/// What was written is no address of a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHost {
    /// Another scheme.
    #[error(
        "`{0}` is no address of a host; write HOST or HOST:PORT, or wss://HOST:PORT, as `malloc-vr classroom` printed it"
    )]
    Malformed(String),
}

impl FromStr for HostAddress {
    type Err = BadHost;

    fn from_str(written: &str) -> Result<Self, BadHost> {
        let malformed = || BadHost::Malformed(written.to_owned());
        let (encrypted, rest) = match written.split_once("://") {
            None => (false, written),
            Some(("http" | "ws", rest)) => (false, rest),
            Some(("https" | "wss", rest)) => (true, rest),
            Some(_) => return Err(malformed()),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (name, port) = match rest.rsplit_once(':') {
            // The colons of a bare IPv6 address are none of a port.
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
                (name, port.parse().map_err(|_| malformed())?)
            }
            _ => (rest, PORT),
        };
        let is_ipv6 = name.parse::<std::net::Ipv6Addr>().is_ok();
        let name = if is_ipv6 {
            format!("[{name}]")
        } else {
            name.to_owned()
        };
        let plain = |it: char| it.is_ascii_alphanumeric() || "-._".contains(it);
        let bracketed = name.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let fits = match bracketed {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !name.is_empty() && name.chars().all(plain),
        };
        if !fits {
            return Err(malformed());
        }
        let authority = format!("{name}:{port}");
        Ok(Self {
            authority,
            encrypted,
        })
    }
}

impl fmt::Display for HostAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.encrypted {
            f.write_str("wss://")?;
        }
        f.write_str(&self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_written_as_people_write_it() {
        for (written, meant) in [
            ("192.168.1.5", "192.168.1.5:7878"),
            ("192.168.1.5:80", "192.168.1.5:80"),
            ("http://192.168.1.5:7878/", "192.168.1.5:7878"),
            ("ws://teacher-desk.local", "teacher-desk.local:7878"),
            ("::1", "[::1]:7878"),
            ("[::1]:90", "[::1]:90"),
            (
                "wss://desk.school.example",
                "wss://desk.school.example:7878",
            ),
            ("https://192.168.1.5:80/", "wss://192.168.1.5:80"),
        ] {
            let host: HostAddress = written.parse().unwrap();
            assert_eq!(host.to_string(), meant);
        }
        for wrong in [
            "",
            "a b",
            "host:port",
            "ftp://host",
            "https://host:port",
            "host/path",
            "user@host",
        ] {
            assert!(wrong.parse::<HostAddress>().is_err(), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_written_becomes_an_address_or_an_error(written in "\\PC{0,40}") {
            if let Ok(host) = written.parse::<HostAddress>() {
                proptest::prop_assert!(!host.name().is_empty());
                let again: HostAddress = host.to_string().parse().unwrap();
                proptest::prop_assert_eq!(host, again);
            }
        }
    }
}
