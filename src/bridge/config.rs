//! Settings of the door, and why it may stay shut.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::access;
use super::access::tokens::TokenError;
use super::serve::Limits;
use super::tls::{TlsConfig, TlsError};

/// Bridge settings.
#[derive(Debug, Clone)]
pub struct BridgeConfig {
    /// Address to listen on; port 0 takes a free one. Anything but loopback needs `tls` or `allow_plaintext`.
    pub listen: SocketAddr,
    /// Bearer token that opens everything for as long as this process runs; `None`: a fresh one.
    pub token: Option<String>,
    /// Listen beyond this machine although nothing is encrypted.
    pub allow_plaintext: bool,
    /// Encrypt with this certificate; `None`: nothing is encrypted.
    pub tls: Option<TlsConfig>,
    /// Folder of the tokens and of our own certificate; `None`: tokens last as long as this process.
    pub folder: Option<PathBuf>,
    /// Names by which clients may call this machine, besides `localhost` and its addresses.
    pub names: Vec<String>,
    /// How many connections there may be.
    pub limits: Limits,
}

impl Default for BridgeConfig {
    /// This machine only, on port 7878.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7878)),
            token: None,
            allow_plaintext: false,
            tls: None,
            folder: None,
            names: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// Why the door stays shut.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// Somebody else listens there, or we may not.
    #[error(
        "nobody can connect at {address}: {cause}; choose another address with --listen (port 0 takes a free one)"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        cause: io::Error,
    },
    /// Nothing would be encrypted.
    #[error(
        "{address} is reachable from other machines and nothing is encrypted; encrypt with --tls, listen on 127.0.0.1, \
         or accept that with --allow-plaintext on a network you trust"
    )]
    Plaintext {
        /// The address.
        address: SocketAddr,
    },
    /// A token that could be guessed.
    #[error(
        "the token has {length} characters; use at least {} so that it cannot be guessed",
        access::MIN_TOKEN
    )]
    ShortToken {
        /// Its length.
        length: usize,
    },
    /// A token that no header can carry.
    #[error(
        "the token has spaces or characters outside ASCII, which an HTTP header cannot carry; use letters, digits and signs"
    )]
    UnfitToken,
    /// No randomness for a token.
    #[error("no fresh token could be made: {0}; give one with --token")]
    NoToken(getrandom::Error),
    /// Nothing can be encrypted.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The tokens cannot be read.
    #[error(transparent)]
    Tokens(#[from] TokenError),
    /// No thread.
    #[error("the bridge cannot start: {0}")]
    Thread(io::Error),
}
