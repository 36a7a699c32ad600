//! The door through which words come into the log: whatever a person typed is screened here, once, before the event is
//! numbered and written.
//! In: an event's body. Out: the same with everything masked that identifies somebody. Never: touches anything else.

use super::pii::{Kind, Screen};
use crate::protocol::command::{Command, CommandBody};
use crate::protocol::consent::Consent;
use crate::protocol::event::EventBody;

/// Masks every field that a person can type into, and says in how many something was masked.
///
/// Names of lessons, steps, objects and sockets are their author's and not screened; a refusal's words are ours.
pub fn screen_words(body: &mut EventBody, screen: &Screen) -> usize {
    match body {
        EventBody::CommandApplied { command, .. } | EventBody::CommandRefused { command, .. } => {
            screen_command(command, screen)
        }
        EventBody::ConsentGiven(consent) => screen_consent(consent, screen),
        EventBody::AmendmentNoted(amendment) => mask(&mut amendment.note, screen),
        EventBody::Disclosed(disclosure) => mask(&mut disclosure.party, screen),
        EventBody::SessionStarted { .. }
        | EventBody::SessionResumed
        | EventBody::StepEntered { .. }
        | EventBody::StepCompleted { .. }
        | EventBody::Attempted(_)
        | EventBody::Observed { .. }
        | EventBody::Told { .. }
        | EventBody::Decided(_)
        | EventBody::LifeChanged { .. }
        | EventBody::Paused { .. }
        | EventBody::Resumed { .. }
        | EventBody::SessionEnded { .. }
        | EventBody::ConsentWithdrawn(_)
        | EventBody::ProcessingRestricted { .. }
        | EventBody::RestrictionLifted { .. }
        | EventBody::Timed(_) => 0,
    }
}

/// The same for a command at the bridge, before it reaches the lesson.
pub fn screen_command(command: &mut Command, screen: &Screen) -> usize {
    let words = match &mut command.body {
        CommandBody::Message { text } => mask(text, screen),
        CommandBody::Spawn { object } => mask(&mut object.label, screen),
        CommandBody::GiveConsent(consent) => screen_consent(consent, screen),
        CommandBody::NoteAmendment(amendment) => mask(&mut amendment.note, screen),
        CommandBody::GiveHint { .. }
        | CommandBody::FadeHint
        | CommandBody::Pause
        | CommandBody::Resume
        | CommandBody::SetDifficulty { .. }
        | CommandBody::SetPace { .. }
        | CommandBody::AddSupport { .. }
        | CommandBody::FadeSupport
        | CommandBody::OfferBreak
        | CommandBody::Rest
        | CommandBody::EndBreak
        | CommandBody::Vary { .. }
        | CommandBody::ChangeApproach
        | CommandBody::MoveOn
        | CommandBody::Review
        | CommandBody::TellInstructor
        | CommandBody::Score { .. }
        | CommandBody::PointAt { .. }
        | CommandBody::Remove { .. }
        | CommandBody::EndSession
        | CommandBody::StartSession { .. }
        | CommandBody::SetPreferences { .. }
        | CommandBody::OverrideStage { .. }
        | CommandBody::SetCheckpoint { .. }
        | CommandBody::RemoveCheckpoint { .. }
        | CommandBody::SetPolicy { .. }
        | CommandBody::SetTelemetry { .. }
        // Never written.
        | CommandBody::Try { .. }
        | CommandBody::WithdrawConsent(_)
        | CommandBody::Restrict { .. }
        | CommandBody::LiftRestriction { .. } => 0,
    };
    words + mask(&mut command.purpose, screen)
}

/// A form's number is the proof itself.
fn screen_consent(consent: &mut Consent, screen: &Screen) -> usize {
    let reference = consent.evidence.reference.as_mut();
    let masked = reference.map_or(0, |words| {
        let masked = screen.mask_but(Kind::Number, words).into_owned();
        replace(words, masked)
    });
    masked + mask(&mut consent.text_version, screen)
}

fn mask(words: &mut String, screen: &Screen) -> usize {
    let masked = screen.mask(words).into_owned();
    replace(words, masked)
}

/// 1 where it is another text.
fn replace(words: &mut String, masked: String) -> usize {
    let changed = *words != masked;
    *words = masked;
    usize::from(changed)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::protocol::command::{Principal, Refusal};
    use crate::protocol::consent::{ConsentActor, ConsentEvidence, ConsentMethod};
    use crate::protocol::ids::{CommandId, LearnerId};
    use crate::protocol::privacy::{Amendment, Disclosure, Purpose, Role};

    /// Every event with words of a person in it.
    fn spoken(words: &str) -> Vec<EventBody> {
        let command = Command {
            id: CommandId(Uuid::nil()),
            learner: LearnerId(Uuid::nil()),
            principal: Principal::Instructor,
            asker: None,
            purpose: words.to_owned(),
            body: CommandBody::Message {
                text: words.to_owned(),
            },
            trace: None,
        };
        vec![
            EventBody::CommandApplied {
                command: Box::new(command.clone()),
                hint_level: None,
            },
            EventBody::CommandRefused {
                command: Box::new(command),
                refusal: Refusal::NoStep,
            },
            EventBody::ConsentGiven(Consent {
                scopes: BTreeSet::new(),
                text_version: "1".to_owned(),
                actor: ConsentActor::Guardian,
                evidence: ConsentEvidence {
                    method: ConsentMethod::Call,
                    reference: Some(words.to_owned()),
                },
                until_unix_ms: None,
            }),
            EventBody::AmendmentNoted(Amendment {
                about_seq: 1,
                note: words.to_owned(),
                actor: ConsentActor::Guardian,
            }),
            EventBody::Disclosed(Disclosure {
                to: Role::ThirdParty,
                party: words.to_owned(),
                purpose: Purpose::Instruction,
                data: BTreeSet::new(),
            }),
        ]
    }

    #[test]
    fn the_number_of_a_form_stays_readable() {
        let mut bodies = spoken("form 2026-000123456");
        assert_eq!(screen_words(&mut bodies[2], &Screen::default()), 0);
        assert_eq!(screen_words(&mut bodies[3], &Screen::default()), 1);
    }

    #[test]
    fn what_identifies_nobody_is_left_as_it_was() {
        let screen = Screen::with_names(["Ada Lovelace"]);
        for body in spoken("well done, form 12") {
            let mut screened = body.clone();
            assert_eq!(screen_words(&mut screened, &screen), 0);
            assert_eq!(screened, body);
        }
    }

    proptest! {
        #[test]
        fn a_canary_in_any_words_of_any_event_never_reaches_the_log(
            before in "[a-z ]{0,20}", after in "[a-z ]{0,20}",
            canary in prop::sample::select(vec!["kanari@vogel.example", "+43 660 987 65 43", "Kanari Vogel"]),
        ) {
            let screen = Screen::with_names(["Kanari Vogel"]);
            for mut body in spoken(&format!("{before} {canary} {after}")) {
                if canary.starts_with('+') && matches!(body, EventBody::ConsentGiven(_)) {
                    continue;
                }
                prop_assert!(screen_words(&mut body, &screen) > 0);
                let stored = serde_json::to_string(&body).unwrap();
                prop_assert!(!stored.contains(canary), "{}", stored);
            }
        }
    }
}
