//! How an event lies in the store: JSON with a version before it and a checksum, so that damage is found and named.

use crate::protocol::event::Event;

/// Version of this layout. A newer one is refused, not guessed at.
pub(super) const LAYOUT: u8 = 1;

/// Why bytes are not an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CodecError {
    #[error("it is shorter than its header")]
    TooShort,
    #[error("it is written in layout {0}, newer than this program's {LAYOUT}; update Malloc VR")]
    NewerLayout(u8),
    #[error("its checksum does not fit: the file is damaged here")]
    Damaged,
    #[error("its text is no event: {0}")]
    NoEvent(String),
}

/// Layout byte, CRC-32 of the text (little-endian), text.
pub(super) fn encode(event: &Event) -> Result<Vec<u8>, CodecError> {
    let text = serde_json::to_vec(event).map_err(|error| CodecError::NoEvent(error.to_string()))?;
    let mut bytes = Vec::with_capacity(text.len() + 5);
    bytes.push(LAYOUT);
    bytes.extend_from_slice(&crc32fast::hash(&text).to_le_bytes());
    bytes.extend_from_slice(&text);
    Ok(bytes)
}

pub(super) fn decode(bytes: &[u8]) -> Result<Event, CodecError> {
    let (&layout, rest) = bytes.split_first().ok_or(CodecError::TooShort)?;
    if layout > LAYOUT {
        return Err(CodecError::NewerLayout(layout));
    }
    let (sum, text) = rest.split_first_chunk::<4>().ok_or(CodecError::TooShort)?;
    if crc32fast::hash(text) != u32::from_le_bytes(*sum) {
        return Err(CodecError::Damaged);
    }
    serde_json::from_slice(text).map_err(|error| CodecError::NoEvent(error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::event::EventBody;
    use crate::protocol::ids::{LearnerId, SessionId};

    fn event(seq: u64) -> Event {
        Event {
            seq,
            at_unix_ms: 1_793_500_000_000,
            learner: LearnerId::fresh(),
            session: SessionId::fresh(),
            body: EventBody::SessionResumed,
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seq in any::<u64>()) {
            let event = event(seq);
            prop_assert_eq!(decode(&encode(&event).unwrap()).unwrap(), event);
        }

        #[test]
        fn a_flipped_bit_is_found(bit in 0usize..800) {
            let mut bytes = encode(&event(7)).unwrap();
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(decode(&bytes).is_err() || bit < 8, "bit {}", bit);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode(&bytes);
        }
    }
}
