//! Who gave a command, as log and wire name them: a token's id and its role. Never a secret, never a person's name.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a token lets its holder be. Which acts that means: `bridge::access::act`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TokenRole {
    /// Looks on.
    Observer,
    /// Teaches: looks on, helps, adapts, leads the session.
    Instructor,
    /// Runs the installation: all that an instructor may, and the machine itself.
    Operator,
    /// A learner's own runtime: sends what happens there, and asks for help.
    Learner,
}

impl TokenRole {
    /// Every one, in the order of their declaration.
    pub const ALL: [Self; 4] = [
        Self::Observer,
        Self::Instructor,
        Self::Operator,
        Self::Learner,
    ];

    /// The name on command line and wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Observer => "observer",
            Self::Instructor => "instructor",
            Self::Operator => "operator",
            Self::Learner => "learner",
        }
    }
}

impl fmt::Display for TokenRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which token, for lists and logs: public, and of no use for coming in. Sixteen hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct TokenId(pub u64);

impl TokenId {
    /// The token that `--token` or the environment gave, or that was made for this one run.
    pub const OF_THIS_RUN: Self = Self(0);
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no token's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no token's id, which has sixteen hexadecimal digits; `malloc-vr tokens list` shows them"
)]
pub struct NoTokenId(String);

impl FromStr for TokenId {
    type Err = NoTokenId;

    fn from_str(text: &str) -> Result<Self, NoTokenId> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits
            .then(|| u64::from_str_radix(text, 16).ok())
            .flatten()
            .map(Self)
            .ok_or_else(|| NoTokenId(text.chars().take(40).collect()))
    }
}

impl TryFrom<String> for TokenId {
    type Error = NoTokenId;

    fn try_from(text: String) -> Result<Self, NoTokenId> {
        text.parse()
    }
}

impl From<TokenId> for String {
    fn from(id: TokenId) -> Self {
        id.to_string()
    }
}

/// Who came in by the bridge and asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Asker {
    /// With which token.
    pub token: TokenId,
    /// As what.
    pub role: TokenRole,
}

impl fmt::Display for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.role, self.token)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_id_is_read_as_it_was_written(id: u64) {
            let id = TokenId(id);
            prop_assert_eq!(id.to_string().parse::<TokenId>(), Ok(id));
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<TokenId>(&json).unwrap(), id);
        }

        #[test]
        fn no_text_makes_reading_an_id_panic(text in "\\PC{0,40}") {
            let _ = text.parse::<TokenId>();
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for wrong in [
            "",
            "12",
            "+123456789abcdef",
            "0123456789abcdefg",
            "０１２３",
        ] {
            assert!(wrong.parse::<TokenId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_command_of_an_old_log_says_nothing_of_who_asked_and_is_read() {
        use crate::protocol::command::Command;
        let old = r#"{"id":"01978f00-0000-7000-8000-000000000001","learner":"01978f00-0000-7000-8000-000000000002",
            "principal":"instructor","purpose":"","body":{"do":"pause"}}"#;
        let mut command: Command = serde_json::from_str(old).unwrap();
        assert_eq!(command.asker, None);
        assert!(!serde_json::to_string(&command).unwrap().contains("asker"));
        command.asker = Some(Asker {
            token: TokenId(7),
            role: TokenRole::Operator,
        });
        let json = serde_json::to_string(&command).unwrap();
        assert!(
            json.contains(r#""asker":{"token":"0000000000000007","role":"operator"}"#),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<Command>(&json).unwrap(), command);
    }
}
