//! Who is let in while the bridge runs: shown tokens become callers, codes become tokens, and whoever is revoked is
//! cut off. State is behind a lock that only the network thread takes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, Uri, header};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::backoff::{Backoff, Peer};
use super::caller::{Caller, Scope};
use super::news::{News, Teller};
use super::origin::{percent_decoded, same};
use super::pairing::{GOOD_FOR, Offer, Pairing, Suspicion, Unpaired, Wish};
use super::secret::Token;
use super::tokens::{Grant, Shown, TokenEntry, TokenError, Tokens, now_unix_ms};
use super::watch::{cut_off, stamp};
use crate::bridge::reach::reachable;
use crate::protocol::asker::{Asker, TokenId, TokenRole};
use crate::record::Admission;
use crate::session::pairing::{DoorAlertKind, PairingCode};

/// Wrong tokens from one address that are only refused; more have to wait.
const WRONG_TOKENS: u32 = 50;
/// Wrong tokens from one address that somebody should notice.
const NOTICED: u32 = 20;

/// Why nobody is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bridge) enum Denied {
    /// No token was shown.
    Missing,
    /// None of ours.
    Unknown,
    /// It was good once.
    Over,
    /// All of the token's places are taken.
    Crowded,
    /// Too many wrong ones from there.
    Wait { seconds: u64 },
}

/// Where the bridge can be reached, as a person has to type it.
#[derive(Debug, Clone)]
pub(in crate::bridge) struct Place {
    pub(in crate::bridge) scheme: &'static str,
    pub(in crate::bridge) listening: SocketAddr,
    pub(in crate::bridge) fingerprint: Option<String>,
}

impl Place {
    /// As it is now: a headset's address changes with the Wi-Fi that it is in.
    fn address(&self) -> String {
        format!("{}://{}/", self.scheme, reachable(self.listening))
    }
}

/// The door's memory of who may come in. Cheap to clone.
#[derive(Clone)]
pub(in crate::bridge) struct Access(pub(super) Arc<Shared>);

pub(super) struct Shared {
    run_token: String,
    run_caller: Caller,
    pub(super) file: Option<PathBuf>,
    places: usize,
    place: Place,
    pub(super) news: Teller,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) tokens: Tokens,
    pub(super) seen: Option<(SystemTime, u64)>,
    pub(super) unreadable: bool,
    pub(super) live: HashMap<TokenId, Live>,
    pub(super) pairing: Pairing,
    wrong: Backoff,
}

pub(super) struct Live {
    pub(super) caller: Caller,
    places: Arc<Semaphore>,
}

/// Why a token is not given.
#[derive(Debug, thiserror::Error)]
pub(in crate::bridge) enum Ungiven {
    #[error(transparent)]
    Unpaired(#[from] Unpaired),
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl Access {
    /// `run_token` opens everything for as long as this process runs; `places` is how many requests and connections
    /// one other token may hold open.
    ///
    /// # Errors
    /// [`TokenError`] where the file is there and cannot be trusted.
    pub(in crate::bridge) fn new(
        run_token: String,
        file: Option<PathBuf>,
        places: usize,
        place: Place,
        news: Teller,
    ) -> Result<Self, TokenError> {
        let (tokens, seen) = match &file {
            Some(file) => {
                // The stamp first: what is written in between is read at the first look.
                let seen = stamp(file);
                (Tokens::read(file)?, seen)
            }
            None => (Tokens::empty()?, None),
        };
        let asker = Asker {
            token: TokenId::OF_THIS_RUN,
            role: TokenRole::Operator,
        };
        let name = "this run".to_owned();
        let ended = CancellationToken::new();
        let run_caller = Caller::new(asker, name, Scope::Class, None, ended).watched(news.clone());
        let state = State {
            tokens,
            seen,
            unreadable: false,
            live: HashMap::new(),
            pairing: Pairing::default(),
            wrong: Backoff::new(WRONG_TOKENS, u32::MAX),
        };
        Ok(Self(Arc::new(Shared {
            run_token,
            run_caller,
            file,
            places,
            place,
            news,
            state: Mutex::new(state),
        })))
    }

    pub(in crate::bridge) fn place(&self) -> &Place {
        &self.0.place
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who shows a token: in the `Authorization` header, or in the query of a WebSocket, where browsers cannot set
    /// headers.
    pub(in crate::bridge) fn admit(
        &self,
        headers: &HeaderMap,
        uri: &Uri,
        peer: Peer,
    ) -> Result<Caller, Denied> {
        let text = shown(headers, uri).ok_or(Denied::Missing)?;
        if same(&text, self.0.run_token.as_bytes()) {
            return Ok(self.0.run_caller.clone());
        }
        let now = Instant::now();
        let mut state = self.state();
        let state = &mut *state;
        match state.tokens.look_up(&text, now_unix_ms()) {
            Shown::Good(entry) => {
                let live = state.live.entry(entry.id).or_insert_with(|| {
                    let caller = caller_of(entry).watched(self.0.news.clone());
                    let places =
                        Arc::new(Semaphore::new(self.0.places.min(Semaphore::MAX_PERMITS)));
                    Live { caller, places }
                });
                let place = live.places.clone().try_acquire_owned();
                place.map_or(Err(Denied::Crowded), |place| {
                    Ok(live.caller.in_place(place))
                })
            }
            Shown::Over(entry) => {
                if entry.replaced_by.is_some() {
                    let words = format!(
                        "token {} was replaced and somebody still shows it; if it is not your own program, somebody has \
                         a copy: revoke its successor (`malloc-vr tokens list`)",
                        entry.id
                    );
                    self.suspect(DoorAlertKind::TokenReplayed, words, Some(entry.id));
                }
                Err(Denied::Over)
            }
            Shown::Unknown => {
                let wait = state.wrong.wait(peer, now);
                if !wait.is_zero() {
                    let seconds = wait.as_secs().saturating_add(1);
                    return Err(Denied::Wait { seconds });
                }
                if state.wrong.wrong(peer, now).is_multiple_of(NOTICED) {
                    let words = format!(
                        "{NOTICED} wrong tokens came from one address; a program there has an old token, or somebody guesses"
                    );
                    self.suspect(DoorAlertKind::TokenGuessed, words, None);
                }
                Err(Denied::Unknown)
            }
        }
    }

    fn suspect(&self, kind: DoorAlertKind, words: String, token: Option<TokenId>) {
        self.0.news.alert(kind, words);
        self.0.news.admission(None, Admission::Suspected, token);
    }

    /// Makes a pairing code and has it shown.
    ///
    /// # Errors
    /// Where the system has no randomness.
    pub(in crate::bridge) fn open_pairing(
        &self,
        offer: Offer,
        by: Option<Asker>,
    ) -> Result<PairingCode, getrandom::Error> {
        let now = Instant::now();
        let code = self.state().pairing.open(offer, now)?;
        let shown = PairingCode {
            code,
            address: self.0.place.address(),
            fingerprint: self.0.place.fingerprint.clone(),
            until: now + GOOD_FOR,
        };
        self.0.news.tell(News::Pairing(Some(shown.clone())));
        self.0.news.admission(by, Admission::PairingOpened, None);
        Ok(shown)
    }

    /// Nobody can pair until the next code is made.
    pub(in crate::bridge) fn close_pairing(&self) {
        self.state().pairing.close();
        self.0.news.tell(News::Pairing(None));
    }

    /// A code for a token. Waits for the disk: not for the network thread.
    pub(in crate::bridge) fn pair(
        &self,
        wish: &Wish,
        peer: Peer,
    ) -> Result<(Token, TokenEntry), Ungiven> {
        let grant = self.exchange(wish, peer)?;
        Ok(self.give(grant)?)
    }

    /// What a code is good for; it is then used up.
    pub(in crate::bridge) fn exchange(&self, wish: &Wish, peer: Peer) -> Result<Grant, Unpaired> {
        let (exchanged, noticed) = self.state().pairing.exchange(wish, peer, Instant::now());
        match noticed {
            Some(Suspicion::Guessing(wrong)) => self.suspect(
                DoorAlertKind::PairingGuessed,
                format!("{wrong} wrong pairing codes came from one address; it has to wait longer each time"),
                None,
            ),
            Some(Suspicion::Withdrawn) => {
                self.0.news.tell(News::Pairing(None));
                let words = "the pairing code was withdrawn, because it was guessed at; make another when you know who did";
                self.suspect(DoorAlertKind::PairingWithdrawn, words.to_owned(), None);
            }
            None => {}
        }
        let grant = exchanged?;
        self.0.news.tell(News::Pairing(None));
        Ok(grant)
    }

    /// The token that was promised for a code. Waits for the disk.
    pub(in crate::bridge) fn give(&self, grant: Grant) -> Result<(Token, TokenEntry), TokenError> {
        let issued = self.change(|tokens| issue(tokens, grant))?;
        let token = issued.0.id;
        let role = issued.1.role;
        let asker = Asker { token, role };
        self.0
            .news
            .admission(Some(asker), Admission::Paired, Some(token));
        Ok(issued)
    }

    /// Issues a token otherwise. Waits for the disk.
    pub(in crate::bridge) fn issue(
        &self,
        grant: Grant,
        by: Asker,
    ) -> Result<(Token, TokenEntry), TokenError> {
        let issued = self.change(|tokens| issue(tokens, grant))?;
        self.0
            .news
            .admission(Some(by), Admission::Issued, Some(issued.0.id));
        Ok(issued)
    }

    /// Puts a new token in the place of an old one, which opens nothing from now on. Waits for the disk.
    pub(in crate::bridge) fn rotate(
        &self,
        id: TokenId,
        by: Asker,
    ) -> Result<(Token, TokenEntry), TokenError> {
        let rotated = self.change(|tokens| {
            let fresh = tokens.rotate(id, now_unix_ms())?;
            entry_of(tokens, fresh)
        })?;
        self.0
            .news
            .admission(Some(by), Admission::Rotated, Some(id));
        Ok(rotated)
    }

    /// Ends a token and whatever it holds open. Waits for the disk.
    pub(in crate::bridge) fn revoke(&self, id: TokenId, by: Asker) -> Result<(), TokenError> {
        self.change(|tokens| tokens.revoke(id, now_unix_ms()))?;
        self.0
            .news
            .admission(Some(by), Admission::Revoked, Some(id));
        Ok(())
    }

    /// Every token there is.
    pub(in crate::bridge) fn list(&self) -> Vec<TokenEntry> {
        self.state().tokens.list().to_vec()
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut Tokens) -> Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        let Some(file) = &self.0.file else {
            let mut state = self.state();
            let done = change(&mut state.tokens)?;
            cut_off(&mut state);
            return Ok(done);
        };
        // The lock is not held over the disk: what the file says counts, and is read again below.
        let done = Tokens::change(file, change)?;
        // The stamp first: what is written in between is read at the next look.
        let seen = stamp(file);
        let tokens = Tokens::read(file)?;
        let mut state = self.state();
        state.tokens = tokens;
        state.seen = seen;
        cut_off(&mut state);
        Ok(done)
    }
}

fn issue(tokens: &mut Tokens, grant: Grant) -> Result<(Token, TokenEntry), TokenError> {
    let token = tokens.issue(grant, now_unix_ms())?;
    entry_of(tokens, token)
}

fn entry_of(tokens: &Tokens, token: Token) -> Result<(Token, TokenEntry), TokenError> {
    let entry = tokens.list().iter().find(|entry| entry.id == token.id);
    let entry = entry.ok_or(TokenError::NoSuch(token.id))?.clone();
    Ok((token, entry))
}

fn caller_of(entry: &TokenEntry) -> Caller {
    let asker = Asker {
        token: entry.id,
        role: entry.role,
    };
    let expires = UNIX_EPOCH.checked_add(Duration::from_millis(entry.expires_unix_ms));
    let ended = CancellationToken::new();
    Caller::new(
        asker,
        entry.name.clone(),
        entry.scope.clone(),
        expires,
        ended,
    )
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
#[path = "live_tests.rs"]
mod tests;
