//! Who and what an event or command is about.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Ids given by us: time-ordered UUIDs (version 7).
macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh, time-ordered id.
            #[must_use]
            pub fn fresh() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

/// Names given by a lesson's author.
macro_rules! name_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The name as the author wrote it.
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            /// The name as the author wrote it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

uuid_id!(
    /// A learner's pseudonym. Never a name or an e-mail.
    LearnerId
);
uuid_id!(
    /// One sitting of a learner with a lesson, from join to end; resuming keeps it.
    SessionId
);
uuid_id!(
    /// One attempt at a step.
    AttemptId
);
uuid_id!(
    /// One command, from whoever gave it to the outcome it had; also its idempotency key.
    CommandId
);
name_id!(
    /// A lesson's name, for example `first-steps`.
    LessonId
);
name_id!(
    /// A step's name, unique inside a lesson.
    StepId
);
name_id!(
    /// A scene object's name, unique inside a lesson.
    ObjectId
);
name_id!(
    /// A socket's name, unique inside a lesson.
    SocketId
);
name_id!(
    /// A panel's name, unique inside a lesson.
    PanelId
);
