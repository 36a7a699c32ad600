//! Who may come in: the bearer token, and no pages of foreign origin.

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
            .and_then(|value| value.strip_prefix("Bearer "));
        let from_query = (uri.path() == "/ws")
            .then(|| uri.query()?.split('&').find_map(|pair| pair.strip_prefix("token=")))
            .flatten();
        from_header
            .or(from_query)
            .is_some_and(|shown| same(shown.trim().as_bytes(), self.token.as_bytes()))
    }
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

/// Whether the request comes from no page, or from one of ours.
pub(super) fn origin_is_ours(headers: &HeaderMap) -> bool {
    match headers.get(header::ORIGIN) {
        None => true,
        Some(origin) => origin
            .to_str()
            .ok()
            .and_then(|origin| origin.strip_prefix("http://"))
            .is_some_and(|host| is_ours(host_name(host))),
    }
}

fn host_name(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(ipv6) => ipv6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn is_ours(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok()
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
        for wrong in ["Bearer 0123456789abcde", "Bearer ", "0123456789abcdef", "Bearer 0123456789abcdeF"] {
            assert!(!admits(wrong), "{wrong}");
        }
        let none = HeaderMap::new();
        assert!(access.admits(&none, &Uri::from_static("/ws?x=1&token=0123456789abcdef")));
        assert!(!access.admits(&none, &Uri::from_static("/mcp?token=0123456789abcdef")));
    }

    #[test]
    fn foreign_hosts_and_origins_are_told_apart() {
        for ours in ["localhost:7878", "127.0.0.1", "[::1]:7878", "192.168.1.7:80"] {
            assert!(host_is_ours(&headers(header::HOST, ours)), "{ours}");
        }
        assert!(!host_is_ours(&headers(header::HOST, "evil.example:7878")));
        assert!(!host_is_ours(&HeaderMap::new()));
        assert!(origin_is_ours(&HeaderMap::new()));
        assert!(origin_is_ours(&headers(header::ORIGIN, "http://localhost:3000")));
        for foreign in ["https://evil.example", "http://localhost.evil.example", "null"] {
            assert!(!origin_is_ours(&headers(header::ORIGIN, foreign)), "{foreign}");
        }
    }

    #[test]
    fn fresh_tokens_differ() {
        let (a, b) = (fresh_token().unwrap(), fresh_token().unwrap());
        assert_eq!(a.len(), 64);
        assert_ne!(a, b);
    }
}
