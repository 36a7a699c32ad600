//! No pages of foreign origin, and no foreign names for this machine.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

/// `%2B` as `+` and so on; what is no such code stays as it is.
pub(super) fn percent_decoded(text: &str) -> Vec<u8> {
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

/// Compares in a time that does not tell how much was right.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// Whether the request names this machine by an address or as localhost. A page from elsewhere whose name was made to
/// point here (DNS rebinding) names itself.
pub(in crate::bridge) fn host_is_ours(headers: &HeaderMap) -> bool {
    headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|host| is_ours(host_name(host)))
}

/// Whether the request comes from no page, from one of this machine, or from one that was served by the address asked.
pub(in crate::bridge) fn origin_is_ours(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let page = origin.to_str().ok().and_then(|origin| {
        origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"))
    });
    let asked = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    page.is_some_and(|page| asked == Some(page) || is_this_machine(host_name(page)))
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

    #[test]
    fn foreign_hosts_and_origins_are_told_apart() {
        for ours in [
            "localhost:7878",
            "127.0.0.1",
            "[::1]:7878",
            "192.168.1.7:80",
        ] {
            assert!(host_is_ours(&headers(header::HOST, ours)), "{ours}");
        }
        assert!(!host_is_ours(&headers(header::HOST, "evil.example:7878")));
        assert!(!host_is_ours(&HeaderMap::new()));
        assert!(origin_is_ours(&HeaderMap::new()));
        assert!(origin_is_ours(&headers(
            header::ORIGIN,
            "http://localhost:3000"
        )));
        for foreign in [
            "https://evil.example",
            "http://localhost.evil.example",
            "http://192.168.1.66",
            "null",
        ] {
            assert!(
                !origin_is_ours(&headers(header::ORIGIN, foreign)),
                "{foreign}"
            );
        }
        let mut own_page = headers(header::ORIGIN, "http://192.168.1.7:7878");
        own_page.insert(header::HOST, "192.168.1.7:7878".parse().unwrap());
        assert!(origin_is_ours(&own_page));
    }

    proptest::proptest! {
        #[test]
        fn no_query_makes_decoding_panic(text in "[%0-9a-fA-Fé+]{0,40}") {
            let _ = percent_decoded(&text);
        }
    }
}
