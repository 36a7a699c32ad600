//! The trace that an act belongs to, as W3C Trace Context writes it: from the instructor's client through command and
//! system to the event in the log. A trace names no person.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Which trace, and which part of it asked (`traceparent` of W3C Trace Context, version 00).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Trace {
    /// The whole trace; never 0.
    trace_id: u128,
    /// The part of it that asked; never 0.
    parent_id: u64,
    /// Bit 0: whoever asked records it.
    flags: u8,
}

/// Why a text is no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a traceparent: it has the form 00-32 hex digits-16 hex digits-2 hex digits, none of the first two all zero"
)]
pub struct NotATrace;

impl Trace {
    /// A new trace, for an act that came without one.
    #[must_use]
    pub fn fresh() -> Self {
        let id = uuid::Uuid::now_v7().as_u128();
        let mut parent = [0_u8; 8];
        // Without randomness the low half of the (random) id serves as well.
        let parent_id = match getrandom::fill(&mut parent) {
            Ok(()) => u64::from_be_bytes(parent),
            Err(_) => u64::try_from(id & u128::from(u64::MAX)).unwrap_or(1),
        };
        Self {
            trace_id: id,
            parent_id: parent_id.max(1),
            flags: 1,
        }
    }

    /// The whole trace, as 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// The part that asked, as 16 hexadecimal digits.
    #[must_use]
    pub fn parent_id(&self) -> String {
        format!("{:016x}", self.parent_id)
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{:032x}-{:016x}-{:02x}",
            self.trace_id, self.parent_id, self.flags
        )
    }
}

impl FromStr for Trace {
    type Err = NotATrace;

    fn from_str(text: &str) -> Result<Self, NotATrace> {
        let mut parts = text.split('-');
        let mut part = |length: usize| {
            let part = parts.next().filter(|part| part.len() == length)?;
            let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            part.bytes().all(hex).then_some(part)
        };
        let [version, trace_id, parent_id, flags] =
            [part(2), part(32), part(16), part(2)].map(|part| part.ok_or(NotATrace));
        let (version, trace_id, parent_id, flags) = (version?, trace_id?, parent_id?, flags?);
        // A later version may say more behind these four; `ff` is forbidden.
        if version == "ff" || (version == "00" && parts.next().is_some()) {
            return Err(NotATrace);
        }
        let read = Self {
            trace_id: u128::from_str_radix(trace_id, 16).map_err(|_| NotATrace)?,
            parent_id: u64::from_str_radix(parent_id, 16).map_err(|_| NotATrace)?,
            flags: u8::from_str_radix(flags, 16).map_err(|_| NotATrace)?,
        };
        if read.trace_id == 0 || read.parent_id == 0 {
            return Err(NotATrace);
        }
        Ok(read)
    }
}

impl TryFrom<String> for Trace {
    type Error = NotATrace;

    fn try_from(text: String) -> Result<Self, NotATrace> {
        text.parse()
    }
}

impl From<Trace> for String {
    fn from(trace: Trace) -> Self {
        trace.to_string()
    }
}

impl JsonSchema for Trace {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Trace".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "W3C traceparent",
            "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_the_recommendation_is_read_and_written_back() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let trace: Trace = text.parse().unwrap();
        assert_eq!(trace.to_string(), text);
        assert_eq!(trace.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(trace.parent_id(), "b7ad6b7169203331");
        let fresh = Trace::fresh();
        assert_eq!(fresh.to_string().parse(), Ok(fresh));
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        for wrong in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        ] {
            assert_eq!(wrong.parse::<Trace>(), Err(NotATrace), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_panic(text in "[0-9a-fé-]{0,60}") {
            if let Ok(trace) = text.parse::<Trace>() {
                prop_assert_eq!(trace.to_string().parse(), Ok(trace));
            }
        }
    }
}
