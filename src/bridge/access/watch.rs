//! The list of tokens may change under a running bridge: the command line revokes, time passes. Looked at each second.

use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant, SystemTime};

use super::live::{Access, State};
use super::news::News;
use super::tokens::{Tokens, now_unix_ms};
use crate::protocol::asker::TokenId;
use crate::record::Admission;
use crate::session::pairing::DoorAlertKind;

/// How often the file is looked at, and expired tokens are cut off.
const LOOK: Duration = Duration::from_secs(1);

impl Access {
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

    pub(super) fn look_again(&self) {
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
pub(super) fn cut_off(state: &mut State) {
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

/// Tells a replaced file from the one before.
pub(super) fn stamp(file: &std::path::Path) -> Option<(SystemTime, u64)> {
    let meta: io::Result<_> = std::fs::metadata(file);
    let meta = meta.ok()?;
    #[cfg(unix)]
    let id = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let id = meta.len();
    Some((meta.modified().ok()?, id))
}
