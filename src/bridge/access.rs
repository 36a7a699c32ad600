//! Who may come in: the bearer token, and no pages of foreign origin.

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header};

/// Shortest token accepted.
pub(super) const MIN_TOKEN: usize = 16;

/// A token of 256 random bits, in hexadecimal.
pub(super) fn fresh_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What a request must show.
#[derive(Debug, Clone)]
pub(super) struct Access {
    token: String,
}

impl Access {
    pub(super) fn new(token: String) -> Self {
        Self { token }
    }

    /// Whether the request carries the token: in the `Authorization` header, or in the query of a WebSocket,
    /// where browsers cannot set headers.
    pub(super) fn admits(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        let from_header = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
            .map(|(_, token)| token.trim().as_bytes().to_vec());
        let from_query = || {
            let query = uri.query().filter(|_| uri.path() == "/ws")?;
            let shown = query
                .split('&')
                .find_map(|pair| pair.strip_prefix("token="))?;
            Some(percent_decoded(shown))
        };
        from_header
            .or_else(from_query)
            .is_some_and(|shown| same(&shown, self.token.as_bytes()))
    }
}

/// Whether a header can carry this token as it is.
pub(super) fn fits_a_header(token: &str) -> bool {
    token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// `%2B` as `+` and so on; what is no such code stays as it is.
fn percent_decoded(text: &str) -> Vec<u8> {
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
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// Whether the request names this machine by an address or as localhost. A page from elsewhere whose name was made to
/// point here (DNS rebinding) names itself.
pub(super) fn host_is_ours(headers: &HeaderMap) -> bool {
    headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|host| is_ours(host_name(host)))
}

/// Whether the request comes from no page, from one of this machine, or from one that was served by the address asked.
pub(super) fn origin_is_ours(headers: &HeaderMap) -> bool {
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
    fn only_the_whole_token_opens() {
        let access = Access::new("0123456789abcdef".to_owned());
        let mcp = Uri::from_static("/mcp");
        let admits = |value| access.admits(&headers(header::AUTHORIZATION, value), &mcp);
        assert!(admits("Bearer 0123456789abcdef"));
        assert!(admits("bearer  0123456789abcdef"), "the scheme has no case");
        for wrong in [
            "Bearer 0123456789abcde",
            "Bearer ",
            "0123456789abcdef",
            "Bearer 0123456789abcdeF",
        ] {
            assert!(!admits(wrong), "{wrong}");
        }
        let none = HeaderMap::new();
        assert!(access.admits(&none, &Uri::from_static("/ws?x=1&token=0123456789abcdef")));
        assert!(access.admits(&none, &Uri::from_static("/ws?token=%30123456789abcde%66")));
        assert!(!access.admits(&none, &Uri::from_static("/ws?token=%")));
        assert!(!access.admits(&none, &Uri::from_static("/mcp?token=0123456789abcdef")));
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

    #[test]
    fn fresh_tokens_differ() {
        let (a, b) = (fresh_token().unwrap(), fresh_token().unwrap());
        assert_eq!(a.len(), 64);
        assert_ne!(a, b);
    }
}
