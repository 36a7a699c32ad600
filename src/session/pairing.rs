//! What is shown beside the learner so that an instructor can come in, and what somebody at the machine should notice.
//! The bridge writes it; panels and terminals show it.

use std::time::Instant;

use bevy::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The code that an instructor's client exchanges for a token, while one is good.
#[derive(Resource, Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairing(pub Option<PairingCode>);

/// Six digits and where to use them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairingCode {
    /// Six digits.
    pub code: String,
    /// Where to: `https://192.168.1.7:7878/`.
    pub address: String,
    /// SHA-256 of the certificate, as clients show it; `None`: nothing is encrypted.
    pub fingerprint: Option<String>,
    /// When it ends.
    pub until: Instant,
}

/// Somebody beside the learner wants a fresh code.
#[derive(Message, Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairingAsked;

/// Something at the door that somebody should look at.
#[derive(Message, Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DoorAlert {
    /// When, milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
    /// What kind, for programs.
    pub kind: DoorAlertKind,
    /// What happened and what to do. Names no address and no person.
    pub words: String,
}

/// Kinds of alerts of the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DoorAlertKind {
    /// Several wrong pairing codes.
    PairingGuessed,
    /// So many that the code was withdrawn.
    PairingWithdrawn,
    /// A token that was replaced by another was shown again: somebody may have a copy.
    TokenReplayed,
    /// Many wrong tokens.
    TokenGuessed,
    /// The headset gives up all it may for its frame rate.
    FramesAtEmergency,
    /// That is over.
    FramesRecovered,
    /// The list of tokens cannot be read; the one before it stays in force.
    TokensUnreadable,
}
