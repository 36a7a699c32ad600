//! Who may come in, and what they may do there.
//! In: a request. Out: a [`Caller`] with role, scope and expiry, or a refusal that says what to do.
//! Never: keeps a token in the clear, or names one in a log.

pub mod act;
mod backoff;
pub mod caller;
mod live;
pub(super) mod news;
mod origin;
mod pairing;
mod secret;
pub mod tokens;
mod watch;

pub use act::Act;
pub(super) use backoff::Peer;
pub use caller::{Caller, Refused, Scope};
pub(super) use live::{Access, Denied, Place, Ungiven};
pub(super) use origin::{Origins, host as origin_host, parameters, percent_decoded};
pub use pairing::Offer;
pub(super) use pairing::{Unpaired, Wish};
pub use secret::Token;

/// Shortest token accepted with `--token`.
pub(super) const MIN_TOKEN: usize = 16;

/// A token of 256 random bits, in hexadecimal.
pub(super) fn fresh_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(secret::hex(&bytes))
}

/// Whether a header can carry this token as it is.
pub(super) fn fits_a_header(token: &str) -> bool {
    token.bytes().all(|byte| byte.is_ascii_graphic())
}
