//! Who may come in, and what they may do there.
//! In: a request. Out: a [`Caller`] with role, scope and expiry, or a refusal that says what to do.
//! Never: keeps a token in the clear, or names one in a log.

use std::sync::Arc;

use axum::http::{HeaderMap, Uri, header};
use tokio_util::sync::CancellationToken;

pub mod act;
pub mod caller;
mod origin;

pub use act::Act;
pub use caller::{Caller, Refused, Scope};
pub(super) use origin::{host_is_ours, origin_is_ours};

use crate::protocol::asker::{Asker, TokenId, TokenRole};
use origin::{percent_decoded, same};

/// Shortest token accepted.
pub(super) const MIN_TOKEN: usize = 16;

/// A token of 256 random bits, in hexadecimal.
pub(super) fn fresh_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether a header can carry this token as it is.
pub(super) fn fits_a_header(token: &str) -> bool {
    token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What a request must show.
#[derive(Debug, Clone)]
pub(super) struct Access {
    token: Arc<str>,
    operator: Caller,
}

impl Access {
    pub(super) fn new(token: &str) -> Self {
        let asker = Asker {
            token: TokenId::OF_THIS_RUN,
            role: TokenRole::Operator,
        };
        let ended = CancellationToken::new();
        Self {
            token: token.into(),
            operator: Caller::new(asker, "this run".to_owned(), Scope::Class, None, ended),
        }
    }

    /// Who shows a token: in the `Authorization` header, or in the query of a WebSocket, where browsers cannot set
    /// headers.
    pub(super) fn admit(&self, headers: &HeaderMap, uri: &Uri) -> Option<Caller> {
        let shown = shown(headers, uri)?;
        same(&shown, self.token.as_bytes()).then(|| self.operator.clone())
    }
}

fn shown(headers: &HeaderMap, uri: &Uri) -> Option<Vec<u8>> {
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
    from_header.or_else(from_query)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn only_the_whole_token_opens() {
        let access = Access::new("0123456789abcdef");
        let mcp = Uri::from_static("/mcp");
        let admits = |value| {
            let headers = headers(header::AUTHORIZATION, value);
            access.admit(&headers, &mcp).is_some()
        };
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
        let admits = |uri| {
            access
                .admit(&HeaderMap::new(), &Uri::from_static(uri))
                .is_some()
        };
        assert!(admits("/ws?x=1&token=0123456789abcdef"));
        assert!(admits("/ws?token=%30123456789abcde%66"));
        assert!(!admits("/ws?token=%"));
        assert!(!admits("/mcp?token=0123456789abcdef"));
    }

    #[test]
    fn fresh_tokens_differ() {
        let (a, b) = (fresh_token().unwrap(), fresh_token().unwrap());
        assert_eq!(a.len(), 64);
        assert_ne!(a, b);
    }
}
