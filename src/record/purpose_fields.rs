//! The kind of data of every field that is stored or shown. A field that is missing here fails a test, which prints
//! the line to add; so nobody can begin to keep something without saying what it is.

use crate::protocol::privacy::DataClass;

/// Field (`Type.field`, `Type.variant.field`) by kind of data.
pub const FIELDS: &[(DataClass, &[&str])] = &[
    (
        DataClass::Keeping,
        &[
            "Attempt.id",
            "Command.id",
            "Command.learner",
            "Event.at_unix_ms",
            "Event.body",
            "Event.learner",
            "Event.seq",
            "Event.session",
            "EventBody.session_started.lesson_digest",
            "EventBody.session_started.protocol",
            "EventBody.session_started.seed",
            "LearnerSnapshot.acknowledged_seq",
            "LearnerSnapshot.learner",
            "LearnerSnapshot.seq",
            "LearnerSnapshot.session",
            "Refusal.no_such_learner.learner",
        ],
    ),
    (
        DataClass::Progress,
        &[
            "EventBody.paused",
            "EventBody.paused.by",
            "EventBody.resumed",
            "EventBody.resumed.by",
            "EventBody.session_ended",
            "EventBody.session_ended.reason",
            "EventBody.session_resumed",
            "EventBody.session_started",
            "EventBody.session_started.lesson",
            "EventBody.step_completed",
            "EventBody.step_completed.skipped",
            "EventBody.step_completed.step",
            "EventBody.step_entered",
            "EventBody.step_entered.step",
            "LearnerSnapshot.completed",
            "LearnerSnapshot.ended",
            "LearnerSnapshot.goal",
            "LearnerSnapshot.lesson",
            "LearnerSnapshot.paused_by",
            "LearnerSnapshot.step",
            "LearnerSnapshot.steps_total",
        ],
    ),
    (
        DataClass::Attempts,
        &[
            "Attempt.correct",
            "Attempt.credit",
            "Attempt.evidence",
            "Attempt.hints_used",
            "Attempt.latency",
            "Attempt.position_error",
            "Attempt.quality",
            "Attempt.rotation_error",
            "Attempt.skills",
            "Attempt.step",
            "Duration.nanos",
            "Duration.secs",
            "EventBody.attempted",
            "Evidence.answered",
            "Evidence.answered.choice",
            "Evidence.answered.panel",
            "Evidence.grabbed",
            "Evidence.grabbed.object",
            "Evidence.looked",
            "Evidence.looked.object",
            "Evidence.placed",
            "Evidence.placed.object",
            "Evidence.placed.socket",
            "Evidence.pressed",
            "Evidence.pressed.object",
            "Evidence.teleported",
            "Evidence.teleported.object",
            "Evidence.thrown",
            "Evidence.thrown.hit",
            "Evidence.thrown.object",
            "Evidence.thrown.speed",
            "Evidence.timed_out",
            "Evidence.touched",
            "Evidence.touched.object",
            "LearnerSnapshot.attempts",
            "LearnerSnapshot.correct",
            "LearnerSnapshot.failures_on_step",
            "Quality.frame_health",
            "Quality.tracking",
        ],
    ),
    (
        DataClass::Knowledge,
        &[
            "BktParams.forget",
            "BktParams.guess",
            "BktParams.learn",
            "BktParams.prior",
            "BktParams.slip",
            "EventBody.session_started.skills",
            "LearnerSnapshot.skills",
            "SkillSnapshot.attempts",
            "SkillSnapshot.known",
        ],
    ),
    (
        DataClass::Support,
        &[
            "Command.body",
            "Command.principal",
            "CommandBody.fade_hint",
            "CommandBody.give_hint",
            "CommandBody.give_hint.level",
            "CommandBody.message",
            "CommandBody.pause",
            "CommandBody.resume",
            "EventBody.command_applied",
            "EventBody.command_applied.command",
            "EventBody.command_applied.hint_level",
            "EventBody.command_refused",
            "EventBody.command_refused.command",
            "EventBody.command_refused.refusal",
            "LearnerSnapshot.hint",
            "LearnerSnapshot.hint_level",
            "LearnerSnapshot.hints_available",
            "Refusal.already_so",
            "Refusal.already_so.state",
            "Refusal.bad_message",
            "Refusal.bad_message.length",
            "Refusal.bad_message.max",
            "Refusal.no_more_hints",
            "Refusal.no_more_hints.available",
            "Refusal.no_more_hints.step",
            "Refusal.no_step",
            "Refusal.no_such_learner",
            "Refusal.outranked",
            "Refusal.outranked.by",
        ],
    ),
    (
        DataClass::Messages,
        &[
            "Amendment.note",
            "Command.purpose",
            "CommandBody.message.text",
            "LearnerSnapshot.message",
        ],
    ),
    (
        DataClass::Rights,
        &[
            "Amendment.about_seq",
            "Amendment.actor",
            "Consent.actor",
            "Consent.evidence",
            "Consent.scopes",
            "Consent.text_version",
            "Consent.until_unix_ms",
            "ConsentEvidence.method",
            "ConsentEvidence.reference",
            "Disclosure.data",
            "Disclosure.party",
            "Disclosure.purpose",
            "Disclosure.to",
            "EventBody.amendment_noted",
            "EventBody.consent_given",
            "EventBody.consent_withdrawn",
            "EventBody.disclosed",
            "EventBody.processing_restricted",
            "EventBody.processing_restricted.actor",
            "EventBody.processing_restricted.ground",
            "EventBody.restriction_lifted",
            "EventBody.restriction_lifted.actor",
            "Withdrawal.actor",
            "Withdrawal.scopes",
        ],
    ),
];

/// The kind of data of a field.
#[must_use]
pub fn class_of_field(field: &str) -> Option<DataClass> {
    FIELDS
        .iter()
        .find(|(_, fields)| fields.contains(&field))
        .map(|(class, _)| *class)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::purpose::fields;
    use super::*;

    #[test]
    fn every_field_that_is_stored_or_shown_has_a_kind_and_only_one() {
        let of_types: BTreeSet<String> = fields().into_keys().collect();
        let mut tagged = BTreeSet::new();
        for (_, fields) in FIELDS {
            for field in *fields {
                assert!(
                    tagged.insert((*field).to_owned()),
                    "`{field}` is tagged twice"
                );
            }
        }
        let untagged: Vec<&String> = of_types.difference(&tagged).collect();
        assert!(
            untagged.is_empty(),
            "say in FIELDS what kind of data these are, then make docs/privacy.md anew: {untagged:#?}"
        );
        let gone: Vec<&String> = tagged.difference(&of_types).collect();
        assert!(gone.is_empty(), "these are no fields any more: {gone:#?}");
    }
}
