//! What is kept of a learner, why, where it may go and for how long: one entry per kind of data, and the kind of every
//! field that is stored or shown. `docs/privacy.md` is made from it, access and retention are decided by it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::consent::ConsentScope;
use crate::protocol::event::EventBody;
use crate::protocol::privacy::{DataClass, Purpose};

/// Whether data may leave the device it arose on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaves {
    /// Never.
    Never,
    /// To the school's host, under this scope; whom it reaches from there is decided by role and purpose.
    Under(ConsentScope),
    /// It says nothing about any one learner.
    Freely,
}

/// How a kind of data is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Treatment {
    /// Which kind.
    pub class: DataClass,
    /// In words for the family.
    pub what: &'static str,
    /// For what it is used, and for nothing else.
    pub why: &'static [Purpose],
    /// Whether it may leave the device.
    pub leaves: Leaves,
}

/// How every kind of data is treated, in the order of [`DataClass::ALL`].
pub const TREATMENTS: &[Treatment] = &[
    Treatment {
        class: DataClass::Keeping,
        what: "What holds the record together: a random pseudonym in place of a name, the order and time of what happened, versions of the program and the lesson.",
        why: &[
            Purpose::Teaching,
            Purpose::Adaptation,
            Purpose::Instruction,
            Purpose::Research,
            Purpose::Administration,
            Purpose::Security,
            Purpose::Rights,
        ],
        leaves: Leaves::Under(ConsentScope::LeaveHeadset),
    },
    Treatment {
        class: DataClass::Progress,
        what: "Which lesson was played, which steps were begun and finished, when it was paused and by whom.",
        why: &[
            Purpose::Teaching,
            Purpose::Adaptation,
            Purpose::Instruction,
            Purpose::Research,
            Purpose::Rights,
        ],
        leaves: Leaves::Under(ConsentScope::LeaveHeadset),
    },
    Treatment {
        class: DataClass::Attempts,
        what: "Each try at a step: what was done with which object, right or wrong, how long it took, how far off it was, how much help was shown, how well the device tracked; and every few seconds for how much of the time the hands were at the task and how straight they carried things.",
        why: &[
            Purpose::Teaching,
            Purpose::Adaptation,
            Purpose::Instruction,
            Purpose::Research,
            Purpose::ModelTraining,
            Purpose::Rights,
        ],
        leaves: Leaves::Under(ConsentScope::LeaveHeadset),
    },
    Treatment {
        class: DataClass::Knowledge,
        what: "What the program infers from the tries: how probable it is that a skill is known. An estimate, never a mark.",
        why: &[
            Purpose::Teaching,
            Purpose::Adaptation,
            Purpose::Instruction,
            Purpose::Research,
            Purpose::Rights,
        ],
        leaves: Leaves::Under(ConsentScope::LeaveHeadset),
    },
    Treatment {
        class: DataClass::Support,
        what: "Hints and other help: what was asked, what was given, what was refused and why.",
        why: &[
            Purpose::Teaching,
            Purpose::Adaptation,
            Purpose::Instruction,
            Purpose::Research,
            Purpose::Rights,
        ],
        leaves: Leaves::Under(ConsentScope::LeaveHeadset),
    },
    Treatment {
        class: DataClass::Messages,
        what: "Words that an instructor typed for the learner, and the reasons typed with a command. Mail addresses, telephone numbers and names on the roster are masked before they are kept.",
        why: &[Purpose::Teaching, Purpose::Instruction, Purpose::Rights],
        leaves: Leaves::Under(ConsentScope::LeaveHeadset),
    },
    Treatment {
        class: DataClass::Rights,
        what: "Consents, notes to the record, restrictions, and to whom records were disclosed.",
        why: &[Purpose::Rights, Purpose::Administration, Purpose::Security],
        leaves: Leaves::Under(ConsentScope::LeaveHeadset),
    },
    Treatment {
        class: DataClass::Comfort,
        what: "Comfort and sickness as the learner told it, and how hard the task seems to be for them, with what that is estimated from: rhythm, pauses and detours of the hands, and their smoothness and the head's turning only where that was agreed to. What hands and head did is not told at an instructor's door. Never feelings.",
        why: &[
            Purpose::Safety,
            Purpose::Teaching,
            Purpose::Adaptation,
            Purpose::Instruction,
            Purpose::Rights,
        ],
        leaves: Leaves::Under(ConsentScope::LeaveHeadset),
    },
    Treatment {
        class: DataClass::Motion,
        what: "Recorded movements of head and hands. They can identify a person like a fingerprint, so nothing is recorded unless it was agreed to apart.",
        why: &[Purpose::Teaching, Purpose::Research, Purpose::Rights],
        leaves: Leaves::Under(ConsentScope::MotionRetention),
    },
    Treatment {
        class: DataClass::Identity,
        what: "Name, year of birth and how to reach a guardian, as far as the school gives them, in its roster, apart from the records. The records know only the pseudonym.",
        why: &[
            Purpose::Instruction,
            Purpose::Administration,
            Purpose::Rights,
        ],
        leaves: Leaves::Never,
    },
    Treatment {
        class: DataClass::Aggregate,
        what: "Figures over a class of at least five learners, blurred so that no one learner can be made out.",
        why: &[
            Purpose::Instruction,
            Purpose::Administration,
            Purpose::Research,
        ],
        leaves: Leaves::Freely,
    },
    Treatment {
        class: DataClass::Audit,
        what: "Who read or changed which record, when and why.",
        why: &[Purpose::Security, Purpose::Administration, Purpose::Rights],
        leaves: Leaves::Never,
    },
    Treatment {
        class: DataClass::Metrics,
        what: "Technical figures: frame times, memory, faults. Without any pseudonym.",
        why: &[Purpose::Administration, Purpose::Security],
        leaves: Leaves::Freely,
    },
];

/// How this kind of data is treated; `None` only if [`TREATMENTS`] left it out, which a test forbids.
#[must_use]
pub fn treatment(class: DataClass) -> Option<&'static Treatment> {
    TREATMENTS.iter().find(|entry| entry.class == class)
}

/// The kind of data an event is. Every new event has to say.
#[must_use]
pub fn class_of(body: &EventBody) -> DataClass {
    match body {
        EventBody::SessionStarted { .. }
        | EventBody::SessionResumed
        | EventBody::StepEntered { .. }
        | EventBody::StepCompleted { .. }
        | EventBody::Paused { .. }
        | EventBody::Resumed { .. }
        | EventBody::SessionEnded { .. }
        | EventBody::LifeChanged { .. } => DataClass::Progress,
        EventBody::Attempted(_) | EventBody::Observed { .. } | EventBody::Timed(_) => {
            DataClass::Attempts
        }
        EventBody::Told { .. } => DataClass::Comfort,
        EventBody::CommandApplied { command, .. } | EventBody::CommandRefused { command, .. }
            if command.body.is_about_rights() =>
        {
            DataClass::Rights
        }
        EventBody::Decided(_)
        | EventBody::CommandApplied { .. }
        | EventBody::CommandRefused { .. } => DataClass::Support,
        EventBody::ConsentGiven(_)
        | EventBody::ConsentWithdrawn(_)
        | EventBody::AmendmentNoted(_)
        | EventBody::ProcessingRestricted { .. }
        | EventBody::RestrictionLifted { .. }
        | EventBody::Disclosed(_) => DataClass::Rights,
    }
}

/// Longest that any personal data is kept after a learner was last here, days: seven years. A school's own limit is
/// in [`RetentionPolicy`]; there is no 'for ever' (16 CFR §312.10, GDPR Art. 5(1)(e)).
pub const MAX_DAYS: u16 = 2555;

/// Longest that recorded movements may be kept, days. Ours: long enough to reproduce a fault, short as biometric
/// data should be.
pub const MAX_MOTION_DAYS: u16 = 30;

/// How long data is kept, in days after the learner was last here (motion, metrics: after it arose).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionPolicy {
    /// The learner's log and what is inferred from it. 90: the figure this project's sources give.
    pub log_days: u16,
    /// The roster's entry.
    pub identity_days: u16,
    /// Recorded movements.
    pub motion_days: u16,
    /// Who read what.
    pub audit_days: u16,
    /// Technical figures.
    pub metrics_days: u16,
}

impl Default for RetentionPolicy {
    fn default() -> Self {
        Self {
            log_days: 90,
            identity_days: 90,
            motion_days: 7,
            audit_days: MAX_DAYS,
            metrics_days: 30,
        }
    }
}

/// Why a retention policy cannot stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{class:?} would be kept {days} days; it may be 1 to {most}")]
pub struct RetentionError {
    /// Of which data.
    pub class: DataClass,
    /// As configured.
    pub days: u16,
    /// At most.
    pub most: u16,
}

impl RetentionPolicy {
    /// For how many days this kind of data is kept.
    #[must_use]
    pub fn days(&self, class: DataClass) -> u16 {
        match class {
            DataClass::Keeping
            | DataClass::Progress
            | DataClass::Attempts
            | DataClass::Knowledge
            | DataClass::Support
            | DataClass::Messages
            | DataClass::Rights
            | DataClass::Comfort
            | DataClass::Aggregate => self.log_days,
            DataClass::Motion => self.motion_days,
            DataClass::Identity => self.identity_days,
            DataClass::Audit => self.audit_days,
            DataClass::Metrics => self.metrics_days,
        }
    }

    /// The longest that this kind of data may be kept, days.
    #[must_use]
    pub fn most(class: DataClass) -> u16 {
        if class == DataClass::Motion {
            MAX_MOTION_DAYS
        } else {
            MAX_DAYS
        }
    }

    /// Checks that every kind of data has an end.
    ///
    /// # Errors
    /// The first that is kept too long, or not at all.
    pub fn validate(&self) -> Result<(), RetentionError> {
        for class in DataClass::ALL {
            let (days, most) = (self.days(class), Self::most(class));
            if days == 0 || days > most {
                return Err(RetentionError { class, days, most });
            }
        }
        Ok(())
    }
}

/// A field of what is stored or shown: `Type.field` or `Type.variant.field`, and its doc comment.
pub type Fields = BTreeMap<String, String>;

/// Every field of the log's events and of the learner's snapshot, with its doc comment, from the types themselves.
#[must_use]
pub fn fields() -> Fields {
    let mut found = Fields::new();
    for schema in [
        schemars::schema_for!(crate::protocol::event::Event),
        schemars::schema_for!(crate::protocol::snapshot::LearnerSnapshot),
    ] {
        let schema = schema.to_value();
        let title = schema["title"].as_str().unwrap_or_default();
        walk(&schema, title, &mut found);
        for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
            walk(definition, name, &mut found);
        }
    }
    found
}

fn walk(schema: &serde_json::Value, path: &str, found: &mut Fields) {
    let alternatives = ["oneOf", "anyOf"]
        .into_iter()
        .filter_map(|key| schema[key].as_array())
        .flatten();
    for variant in alternatives {
        let tag = variant["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .find_map(|(_, property)| property["const"].as_str());
        match tag {
            Some(tag) => {
                let path = format!("{path}.{tag}");
                found.insert(path.clone(), words(variant));
                walk(variant, &path, found);
            }
            None => walk(variant, path, found),
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if property.get("const").is_none() {
            let path = format!("{path}.{name}");
            found.insert(path.clone(), words(property));
            walk(property, &path, found);
        }
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(inner) {
            walk(inner, path, found);
        }
    }
}

/// The doc comment, in one line.
fn words(schema: &serde_json::Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.replace(['[', ']', '`'], "")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_data_is_treated_somehow_and_once() {
        for class in DataClass::ALL {
            let entries = TREATMENTS.iter().filter(|entry| entry.class == class);
            assert_eq!(entries.count(), 1, "{class:?}");
            assert!(treatment(class).is_some_and(|entry| !entry.why.is_empty()));
        }
        assert_eq!(TREATMENTS.len(), DataClass::ALL.len());
    }

    #[test]
    fn nothing_is_kept_for_ever() {
        assert_eq!(RetentionPolicy::default().validate(), Ok(()));
        let forever = RetentionPolicy {
            log_days: u16::MAX,
            ..RetentionPolicy::default()
        };
        assert!(forever.validate().is_err());
        let motion = RetentionPolicy {
            motion_days: MAX_MOTION_DAYS + 1,
            ..RetentionPolicy::default()
        };
        assert_eq!(
            motion.validate().map_err(|error| error.class),
            Err(DataClass::Motion)
        );
    }

    #[test]
    fn the_types_name_their_own_fields() {
        let fields = fields();
        for field in [
            "Event.at_unix_ms",
            "EventBody.session_started.seed",
            "Evidence.thrown.speed",
            "LearnerSnapshot.hint",
        ] {
            assert!(fields.contains_key(field), "{field}");
        }
        assert!(!fields.keys().any(|field| field.ends_with(".type")));
    }
}
