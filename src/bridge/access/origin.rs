//! No pages of foreign origin, and no foreign names for this machine.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, header};

/// `%2B` as `+` and so on; what is no such code stays as it is.
pub(in crate::bridge) fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = (byte == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(code.unwrap_or(byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    decoded
}

/// Names and values of a query or a form; of a name that comes twice the first value counts.
pub(in crate::bridge) fn parameters(text: &str) -> HashMap<String, String> {
    let mut all = HashMap::new();
    for pair in text.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let read = |it: &str| {
            String::from_utf8_lossy(&percent_decoded(&it.replace('+', " "))).into_owned()
        };
        all.entry(read(name)).or_insert_with(|| read(value));
    }
    all
}

/// Compares in a time that does not tell how much was right.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// How this machine is called, and by which scheme.
#[derive(Debug, Clone)]
pub(in crate::bridge) struct Origins {
    /// `http` or `https`.
    pub(in crate::bridge) scheme: &'static str,
    /// Names besides `localhost` and addresses.
    pub(in crate::bridge) names: Arc<[String]>,
}

impl Origins {
    /// Whether the request names this machine by an address, as localhost, or by a name that was given to it. A page
    /// from elsewhere whose name was made to point here (DNS rebinding) names itself.
    pub(in crate::bridge) fn host_is_ours(&self, headers: &HeaderMap) -> bool {
        let name = host(headers).map(host_name);
        name.is_some_and(|name| {
            is_ours(name) || self.names.iter().any(|our| our.eq_ignore_ascii_case(name))
        })
    }

    /// Whether the request comes from no page, from one of this machine, or from one that was served by the address
    /// asked.
    pub(in crate::bridge) fn origin_is_ours(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else {
            return true;
        };
        let page = origin.to_str().ok().and_then(|it| it.split_once("://"));
        let Some((scheme, page)) = page.filter(|_| origins.next().is_none()) else {
            return false;
        };
        let served_here = scheme == self.scheme && host(headers) == Some(page);
        served_here || (["http", "https"].contains(&scheme) && is_this_machine(host_name(page)))
    }
}

/// The one host that a request names.
pub(in crate::bridge) fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next()?.to_str().ok()?;
    hosts.next().is_none().then_some(host)
}

fn host_name(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(ipv6) => ipv6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn is_ours(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

fn is_this_machine(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    fn origins(scheme: &'static str) -> Origins {
        let names = Arc::from(["vr.school.example".to_owned()]);
        Origins { scheme, names }
    }

    #[test]
    fn foreign_hosts_and_origins_are_told_apart() {
        let here = origins("http");
        for ours in [
            "localhost:7878",
            "127.0.0.1",
            "[::1]:7878",
            "192.168.1.7:80",
            "VR.school.example:7878",
        ] {
            assert!(here.host_is_ours(&headers(header::HOST, ours)), "{ours}");
        }
        for foreign in [
            "evil.example:7878",
            "school.example",
            "",
            "vr.school.example.evil.example",
        ] {
            assert!(
                !here.host_is_ours(&headers(header::HOST, foreign)),
                "{foreign}"
            );
        }
        assert!(!here.host_is_ours(&HeaderMap::new()));
        let mut two = headers(header::HOST, "localhost");
        two.append(header::HOST, "evil.example".parse().unwrap());
        assert!(!here.host_is_ours(&two));
        assert!(here.origin_is_ours(&HeaderMap::new()));
        assert!(here.origin_is_ours(&headers(header::ORIGIN, "http://localhost:3000")));
        for foreign in [
            "https://evil.example",
            "http://localhost.evil.example",
            "http://192.168.1.66",
            "null",
            "file://",
            "chrome-extension://127.0.0.1",
        ] {
            let foreign_page = headers(header::ORIGIN, foreign);
            assert!(!here.origin_is_ours(&foreign_page), "{foreign}");
        }
        let mut own_page = headers(header::ORIGIN, "http://192.168.1.7:7878");
        own_page.insert(header::HOST, "192.168.1.7:7878".parse().unwrap());
        assert!(here.origin_is_ours(&own_page));
        // A page that came unencrypted may have been written by anybody on the way.
        assert!(!origins("https").origin_is_ours(&own_page));
        own_page.append(header::ORIGIN, "http://192.168.1.7:7878".parse().unwrap());
        assert!(!here.origin_is_ours(&own_page));
    }

    proptest::proptest! {
        #[test]
        fn no_query_makes_decoding_panic(text in "[%0-9a-fA-Fé+]{0,40}") {
            let _ = percent_decoded(&text);
        }
    }
}
