//! Who is let in while the bridge runs: shown tokens become callers, codes become tokens, and whoever is revoked is
//! cut off. State is behind a lock that only the network thread takes.

use std::collections::{HashMap, HashSet};
use std::io;
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
use crate::protocol::asker::{Asker, TokenId, TokenRole};
use crate::record::Admission;
use crate::session::pairing::{DoorAlertKind, PairingCode};

/// How often the file is looked at, and expired tokens are cut off.
const LOOK: Duration = Duration::from_secs(1);
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
    pub(in crate::bridge) address: String,
    pub(in crate::bridge) fingerprint: Option<String>,
}

/// The door's memory of who may come in. Cheap to clone.
#[derive(Clone)]
pub(in crate::bridge) struct Access(Arc<Shared>);

struct Shared {
    run_token: String,
    run_caller: Caller,
    file: Option<PathBuf>,
    places: usize,
    place: Place,
    news: Teller,
    state: Mutex<State>,
}

struct State {
    tokens: Tokens,
    seen: Option<(SystemTime, u64)>,
    unreadable: bool,
    live: HashMap<TokenId, Live>,
    pairing: Pairing,
    wrong: Backoff,
}

struct Live {
    caller: Caller,
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
            Some(file) => (Tokens::read(file)?, stamp(file)),
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

    fn state(&self) -> MutexGuard<'_, State> {
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
                    let places = Arc::new(Semaphore::new(self.0.places));
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
                if state.wrong.wrong(peer, now) % NOTICED == 0 {
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
        let Place {
            address,
            fingerprint,
        } = self.0.place.clone();
        let shown = PairingCode {
            code,
            address,
            fingerprint,
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
        let (tokens, seen) = (Tokens::read(file)?, stamp(file));
        let mut state = self.state();
        state.tokens = tokens;
        state.seen = seen;
        cut_off(&mut state);
        Ok(done)
    }

    /// Reads the file when the command line has changed it, and ends what is over. Runs until it is dropped.
    pub(in crate::bridge) async fn keep_watch(self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let access = self.clone();
            let looked = tokio::task::spawn_blocking(move || access.look_again());
            if looked.await.is_err() {
                tracing::error!("the list of tokens could not be looked at");
            }
        }
    }

    fn look_again(&self) {
        if let Some(file) = &self.0.file {
            let now = stamp(file);
            if now != self.state().seen {
                let read = Tokens::read(file);
                let mut state = self.state();
                state.seen = now;
                match read {
                    Ok(tokens) => {
                        self.tell_changes(&state.tokens, &tokens);
                        state.tokens = tokens;
                        state.unreadable = false;
                    }
                    Err(error) => {
                        if !std::mem::replace(&mut state.unreadable, true) {
                            let words = format!("{error}; the tokens from before stay in force");
                            self.0.news.alert(DoorAlertKind::TokensUnreadable, words);
                        }
                    }
                }
            }
        }
        let mut state = self.state();
        if !state.pairing.is_open(Instant::now()) {
            // Told every time: it costs nothing, and no code stays on a panel after its end.
            self.0.news.tell_if_idle(News::Pairing(None));
        }
        cut_off(&mut state);
    }

    /// For the audit: what the command line did while we ran.
    fn tell_changes(&self, before: &Tokens, after: &Tokens) {
        let known: HashSet<TokenId> = before.list().iter().map(|it| it.id).collect();
        let over: HashSet<TokenId> = revoked(before).collect();
        for entry in after.list().iter().filter(|it| !known.contains(&it.id)) {
            self.0
                .news
                .admission(None, Admission::Issued, Some(entry.id));
        }
        for id in revoked(after).filter(|id| !over.contains(id)) {
            self.0.news.admission(None, Admission::Revoked, Some(id));
        }
    }
}

fn revoked(tokens: &Tokens) -> impl Iterator<Item = TokenId> + '_ {
    let over = tokens
        .list()
        .iter()
        .filter(|it| it.revoked_unix_ms.is_some());
    over.map(|it| it.id)
}

/// Ends what lives by tokens that are over.
fn cut_off(state: &mut State) {
    let now = now_unix_ms();
    let good: HashSet<TokenId> = state
        .tokens
        .list()
        .iter()
        .filter(|entry| entry.in_force(now))
        .map(|entry| entry.id)
        .collect();
    state.live.retain(|id, live| {
        let stays = good.contains(id);
        if !stays {
            live.caller.end();
        }
        stays
    });
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

/// Tells a replaced file from the one before.
fn stamp(file: &std::path::Path) -> Option<(SystemTime, u64)> {
    let meta: io::Result<_> = std::fs::metadata(file);
    let meta = meta.ok()?;
    #[cfg(unix)]
    let id = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let id = meta.len();
    Some((meta.modified().ok()?, id))
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
