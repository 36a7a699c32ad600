//! The audit log: who did what with whose records, when, and for which purpose. Append-only, sealed and chained.

use redb::{ReadableDatabase, ReadableTable};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::{Fault, RecordError};
use super::purpose::RetentionPolicy;
use super::sealed::{audit_place, follow};
use super::store::Store;
use super::writing::{AUDIT, Writing};
use crate::protocol::asker::TokenId;
use crate::protocol::ids::{CommandId, LearnerId};

/// Who asks for something, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// A role or an account, never a learner's name.
    pub actor: String,
    /// What it is for.
    pub purpose: String,
    /// Wall-clock time, milliseconds since the Unix epoch. For people; order is the entry's place.
    pub at_unix_ms: u64,
}

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Who, when and why.
    pub by: By,
    /// About whom; `None`: about the store.
    pub subject: Option<Subject>,
    /// What was done.
    pub action: Action,
}

/// A learner, as the audit log names them: a keyed hash of the pseudonym. It stays when the learner is erased, and
/// only this store can tell whose it was, from the pseudonym.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subject(pub Uuid);

/// What can be done with records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "snake_case")]
pub enum Action {
    /// Read, by a person or for one.
    Accessed,
    /// Given to the learner, or to a parent, as a file.
    Exported,
    /// Given to somebody else (34 CFR 99.32 asks to whom, and for which interest: that is the purpose).
    Disclosed {
        /// To whom: an institution or a role.
        to: String,
    },
    /// Amended by a note.
    Amended,
    /// A consent was recorded, or its withdrawal, at the desk.
    Consented {
        /// False: withdrawn or refused.
        given: bool,
    },
    /// Entered in the roster, or taken out.
    Identified {
        /// False: taken out.
        known: bool,
    },
    /// Processing was restricted, or allowed again.
    Restricted {
        /// False: allowed again.
        on: bool,
    },
    /// Erased: the data key is destroyed.
    Erased(Tombstone),
    /// Recorded movements were forgotten for good; the log stays.
    MotionForgotten {
        /// Recordings, each of a session.
        recordings: u64,
    },
    /// The sweeper went through.
    Swept {
        /// Learners erased because their time was over.
        erased: u64,
        /// Learners kept.
        kept: u64,
        /// Audit entries removed because their time was over.
        audit_removed: u64,
        /// The clock was read for this one, as for the one before it: all before that one happened no later than
        /// this, milliseconds since the Unix epoch (`u64::MAX`: the clock had gone back). `None`: not read anew.
        not_after_unix_ms: Option<u64>,
    },
    /// Somebody who came in by the bridge asked for something.
    Commanded {
        /// The command's id; the learner's log, while there is one, has the rest.
        command: CommandId,
        /// What kind of act it was.
        act: String,
        /// What became of it.
        became: Became,
    },
    /// Who may come in by the bridge changed.
    Admitted {
        /// What happened.
        what: Admission,
        /// To which token.
        token: Option<TokenId>,
    },
    /// The master key was changed.
    KeysRotated {
        /// Data keys wrapped anew.
        keys: u64,
    },
    /// For how long records are kept was set.
    TermsSet {
        /// From now on.
        terms: RetentionPolicy,
    },
}

/// What became of a command that came in by the bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// It had its effect.
    Applied,
    /// It was understood and not done.
    Refused,
    /// Whoever asked may not.
    NotAllowed,
}

/// How it changed who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// A pairing code was made.
    PairingOpened,
    /// A code was exchanged for a token.
    Paired,
    /// A token was issued otherwise.
    Issued,
    /// A token was put in the place of another.
    Rotated,
    /// A token was revoked.
    Revoked,
    /// Somebody guessed at codes or tokens, or showed one that was replaced.
    Suspected,
}

/// What stays of an erased learner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// Who it was, for those who know the pseudonym.
    pub subject: Subject,
    /// Events that were sealed with the destroyed key.
    pub events: u64,
    /// Head of the chain over them, in hexadecimal: tells whether an old copy is of this log.
    pub chain: String,
}

impl Store {
    /// How the audit log names a learner.
    #[must_use]
    pub fn subject(&self, learner: LearnerId) -> Subject {
        Subject(Uuid::from_u128(self.secrets.row(learner)))
    }

    /// Adds to the audit log; it is on the disk when this returns.
    ///
    /// # Errors
    /// [`RecordError`]; nothing was then written, and what was to be audited must not be done.
    pub fn audit(
        &self,
        by: &By,
        learner: Option<LearnerId>,
        action: Action,
    ) -> Result<(), RecordError> {
        let subject = learner.map(|learner| self.subject(learner));
        self.guarded(|| self.write(|writing| writing.audit(by, subject, action)))
    }

    /// [`Store::audit`] for several at once: all or none.
    ///
    /// # Errors
    /// [`RecordError`]; nothing was then written.
    pub fn audit_all(&self, lines: &[(By, Option<LearnerId>, Action)]) -> Result<(), RecordError> {
        self.guarded(|| {
            self.write(|writing| {
                lines.iter().try_for_each(|(by, learner, action)| {
                    let subject = learner.map(|learner| self.subject(learner));
                    writing.audit(by, subject, action.clone())
                })
            })
        })
    }

    /// The audit log, oldest first, with each entry's place.
    ///
    /// # Errors
    /// [`RecordError`] where an entry does not open.
    pub fn audit_log(&self) -> Result<Vec<(u64, AuditEntry)>, RecordError> {
        self.guarded(|| {
            let read = self.database.begin_read()?;
            let mut entries = Vec::new();
            for entry in read.open_table(AUDIT)?.iter()? {
                let (seq, sealed) = entry?;
                entries.push((seq.value(), self.open_entry(seq.value(), sealed.value())?));
            }
            Ok(entries)
        })
    }

    /// What was done with one learner's records: the disclosure log.
    ///
    /// # Errors
    /// As [`Store::audit_log`].
    pub fn disclosures(&self, learner: LearnerId) -> Result<Vec<(u64, AuditEntry)>, RecordError> {
        let subject = self.subject(learner);
        let mut log = self.audit_log()?;
        log.retain(|(_, entry)| entry.subject == Some(subject));
        Ok(log)
    }

    pub(super) fn open_entry(&self, seq: u64, sealed: &[u8]) -> Result<AuditEntry, Fault> {
        self.secrets
            .audit
            .open(&audit_place(seq), sealed)
            .and_then(|text| serde_json::from_slice(&text).ok())
            .ok_or_else(|| Fault::Damaged(format!("audit entry {seq} does not open")))
    }
}

impl Writing<'_> {
    /// Adds an entry to the audit chain.
    pub(super) fn audit(
        &mut self,
        by: &By,
        subject: Option<Subject>,
        action: Action,
    ) -> Result<(), Fault> {
        let entry = AuditEntry {
            by: by.clone(),
            subject,
            action,
        };
        let text = serde_json::to_vec(&entry)
            .map_err(|error| Fault::Damaged(format!("an audit entry: {error}")))?;
        let seq = self.head.audit.saturating_add(1);
        let sealed = self.secrets.audit.seal(&audit_place(seq), &text)?;
        self.audit.insert(seq, sealed.as_slice())?;
        self.head.audit = seq;
        self.head.audit_chain = follow(&self.head.audit_chain, &sealed);
        Ok(())
    }
}
