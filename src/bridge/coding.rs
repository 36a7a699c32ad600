//! How messages become bytes: JSON text for people, MessagePack for programs; the WebSocket's subprotocol says which.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::protocol::wire::{JSON, MESSAGE_PACK};

/// How the messages of a connection are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Json,
    MessagePack,
}

/// A written message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Written {
    Text(String),
    Binary(Vec<u8>),
}

impl Coding {
    /// The coding that a subprotocol's name stands for.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            JSON => Some(Self::Json),
            MESSAGE_PACK => Some(Self::MessagePack),
            _ => None,
        }
    }

    /// Writes a message of `protocol::wire`.
    pub(super) fn write(self, message: &impl Serialize) -> Result<Written, String> {
        match self {
            Self::Json => serde_json::to_string(message)
                .map(Written::Text)
                .map_err(|error| error.to_string()),
            // By name: what is added to a struct later is passed over by those who do not know it.
            Self::MessagePack => rmp_serde::to_vec_named(message)
                .map(Written::Binary)
                .map_err(|error| error.to_string()),
        }
    }

    /// Reads a text message.
    pub(super) fn read_text<T: DeserializeOwned>(self, text: &str) -> Result<T, String> {
        match self {
            Self::Json => serde_json::from_str(text).map_err(|error| error.to_string()),
            Self::MessagePack => {
                Err("messages of this connection are MessagePack, not text".to_owned())
            }
        }
    }

    /// Reads a binary message.
    pub(super) fn read_binary<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, String> {
        match self {
            Self::Json => Err("messages of this connection are JSON text, not binary".to_owned()),
            Self::MessagePack => rmp_serde::from_slice(bytes).map_err(|error| error.to_string()),
        }
    }
}
