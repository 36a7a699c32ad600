//! Pictures of what a learner sees, asked for over a link: the host asks, the learner's own headset decides.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use schemars::JsonSchema;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::asker::Asker;

/// Largest file, bytes: clients of language models take no larger ones gladly.
pub const MOST_BYTES: usize = 300_000;

/// Longest edge, pixels: what a picture is made smaller to has less.
const MOST_PIXELS: u32 = 4096;

/// How long to wait before asking again where the governor is at emergency, seconds.
pub const AFTER_EMERGENCY: u64 = 10;

/// Somebody wants to see what the learner sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Look {
    /// Tells questions of one connection apart.
    pub ticket: u64,
    /// Who, at the host: it stands in the audit of the headset, too.
    pub by: Asker,
}

/// The picture that was asked for, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shown {
    /// The question's.
    pub ticket: u64,
    /// What came of it.
    pub what: View,
}

/// What came of a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// The picture.
    Png(Png),
    /// There is none.
    None(NoPicture),
}

/// A PNG file, [`MOST_BYTES`] at most. In JSON as Base64, in MessagePack as bytes.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String")]
pub struct Png(pub Arc<[u8]>);

impl Png {
    /// Pixels across and down, as the file's head says; `None`: it is no PNG file, or too large.
    #[must_use]
    pub fn size(&self) -> Option<[u32; 2]> {
        // Signature, then the first chunk: its length (13), its name, width and height (PNG specification, 5.2 and 11.2.1).
        const HEAD: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
        let size = self.0.strip_prefix(HEAD)?.first_chunk::<8>()?;
        let [a, b, c, d, e, f, g, h] = *size;
        let (width, height) = (
            u32::from_be_bytes([a, b, c, d]),
            u32::from_be_bytes([e, f, g, h]),
        );
        let fits = |edge: u32| (1..=MOST_PIXELS).contains(&edge);
        (self.0.len() <= MOST_BYTES && fits(width) && fits(height)).then_some([width, height])
    }
}

impl fmt::Debug for Png {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What a learner sees is in no log.
        write!(f, "Png({} bytes)", self.0.len())
    }
}

impl Serialize for Png {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Png {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Png;

            fn expecting(&self, words: &mut fmt::Formatter) -> fmt::Result {
                words.write_str("a PNG file, as bytes or in Base64")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Png, E> {
                Ok(Png(bytes.into()))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Png, E> {
                let bytes = BASE64_STANDARD.decode(text).map_err(E::custom)?;
                Ok(Png(bytes.into()))
            }
        }
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Bytes)
        } else {
            deserializer.deserialize_bytes(Bytes)
        }
    }
}

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoPicture {
    /// The learner wears another headset, which cannot be asked from here.
    #[error(
        "this learner's headset is elsewhere and gives no pictures over its link; ask that headset's own bridge"
    )]
    Elsewhere,
    /// The link to it is gone.
    #[error("this learner's headset is not reached just now; ask again when it is linked")]
    NotReached,
    /// It says nothing.
    #[error(
        "this learner's headset did not answer in time: it may be busy, or older than pictures over a link; ask again, or \
         ask that headset's own bridge"
    )]
    NoAnswer,
    /// Consent is missing, as the headset has it.
    #[error("{0}")]
    NotAgreed(String),
    /// Too soon, or too many at once.
    #[error("the learner's headset gives one picture a second; ask again in a second")]
    TooOften,
    /// No renderer.
    #[error(
        "this lesson runs headless: nothing is drawn, so there is nothing to show; view.scene says in words what is there"
    )]
    NothingDrawn,
    /// Nobody looks.
    #[error(
        "the learner sees nothing now: the headset is off the head, or asleep; try again later"
    )]
    Asleep,
    /// The frame rate comes first.
    #[error(
        "the headset can hardly keep its frame rate (governor at emergency), and the learner comes first; try again in {} s",
        AFTER_EMERGENCY
    )]
    Emergency,
    /// It did not work.
    #[error("no picture could be taken: {0}; try again in a second")]
    Failed(String),
}

impl NoPicture {
    /// After how many seconds it is worth asking again; `None`: not worth it.
    #[must_use]
    pub fn again_after(&self) -> Option<u64> {
        match self {
            Self::Elsewhere | Self::NothingDrawn | Self::NotAgreed(_) => None,
            Self::Asleep | Self::Emergency => Some(AFTER_EMERGENCY),
            Self::Failed(_) | Self::NotReached | Self::NoAnswer | Self::TooOften => Some(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Png {
        let mut bytes = Vec::new();
        let encoder = png::Encoder::new(&mut bytes, width, height);
        let mut writer = encoder.write_header().unwrap();
        let pixels = vec![7; (width * height) as usize];
        writer.write_image_data(&pixels).unwrap();
        writer.finish().unwrap();
        Png(bytes.into())
    }

    #[test]
    fn a_picture_comes_back_in_both_codings_and_says_its_size() {
        let shown = Shown {
            ticket: 7,
            what: View::Png(png(3, 2)),
        };
        let text = serde_json::to_string(&shown).unwrap();
        assert_eq!(serde_json::from_str::<Shown>(&text).unwrap(), shown);
        let bytes = rmp_serde::to_vec_named(&shown).unwrap();
        assert_eq!(rmp_serde::from_slice::<Shown>(&bytes).unwrap(), shown);
        assert!(bytes.len() < text.len());
        assert_eq!(png(3, 2).size(), Some([3, 2]));
    }

    #[test]
    fn what_is_no_png_file_or_too_large_a_one_has_no_size() {
        assert_eq!(Png((*b"GIF89a").into()).size(), None);
        let whole = png(3, 2).0.to_vec();
        for length in 0..24 {
            assert_eq!(
                Png(whole.iter().copied().take(length).collect()).size(),
                None
            );
        }
        let mut long = whole.clone();
        long.resize(MOST_BYTES + 1, 0);
        assert_eq!(Png(long.into()).size(), None);
        let mut wide = whole;
        wide.splice(16..20, 1_000_000_u32.to_be_bytes());
        assert_eq!(Png(wide.into()).size(), None);
    }
}
