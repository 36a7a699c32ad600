//! What the door tells the world: codes to show, things to notice, and lines for the audit. Never waits.

use crossbeam_channel::{Receiver, Sender, TrySendError};
use tracing::{error, warn};

use super::act::Act;
use super::tokens::now_unix_ms;
use crate::protocol::asker::{Asker, TokenId};
use crate::protocol::ids::{CommandId, LearnerId};
use crate::record::Admission;
use crate::session::pairing::{DoorAlert, DoorAlertKind, PairingCode};

/// News under way to a world that does not tick.
const UNDER_WAY: usize = 1024;

/// One piece of news.
#[derive(Debug)]
pub(in crate::bridge) enum News {
    /// What is to be shown now; `None`: nothing.
    Pairing(Option<PairingCode>),
    /// Somebody should notice.
    Alert(DoorAlert),
    /// Who may come in has changed.
    Admission {
        /// Who did it; `None`: whoever is at the machine.
        by: Option<Asker>,
        what: Admission,
        token: Option<TokenId>,
    },
    /// A command that its asker may not give.
    NotAllowed {
        command: CommandId,
        learner: LearnerId,
        asker: Asker,
        act: Act,
        purpose: String,
    },
}

/// The sending end.
#[derive(Debug, Clone)]
pub(in crate::bridge) struct Teller(Sender<News>);

pub(in crate::bridge) fn channel() -> (Teller, Receiver<News>) {
    let (sender, receiver) = crossbeam_channel::bounded(UNDER_WAY);
    (Teller(sender), receiver)
}

impl Teller {
    pub(in crate::bridge) fn tell(&self, news: News) {
        match self.0.try_send(news) {
            // Without a world there is nobody to tell.
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(lost)) => {
                error!(
                    ?lost,
                    "the world takes no news of the door; the audit lacks this"
                );
            }
        }
    }

    /// For what is told again soon: dropped where much is under way.
    pub(in crate::bridge) fn tell_if_idle(&self, news: News) {
        if self.0.len() < UNDER_WAY / 4 {
            let _ = self.0.try_send(news);
        }
    }

    pub(in crate::bridge) fn alert(&self, kind: DoorAlertKind, words: String) {
        warn!(?kind, "{words}");
        self.tell(News::Alert(DoorAlert {
            at_unix_ms: now_unix_ms(),
            kind,
            words,
        }));
    }

    pub(in crate::bridge) fn admission(
        &self,
        by: Option<Asker>,
        what: Admission,
        token: Option<TokenId>,
    ) {
        self.tell(News::Admission { by, what, token });
    }
}
