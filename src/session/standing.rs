//! What may be done with a learner's data now, and what becomes of a word about it: consent, refusal, restriction, note.
//! In: the fold of the log, the learner's age, the policy in force. Out: yes or no with the reason, as pure functions.
//! Never: a decision of its own; `record::consent` and `record::access` make them.

use bevy::prelude::*;

use super::state::LearnerState;
use crate::protocol::asker::{Asker, TokenId, TokenRole};
use crate::protocol::command::{Command, CommandBody, Principal, Refusal};
use crate::protocol::consent::{
    Consent, ConsentActor, ConsentEvidence, ConsentMethod, ConsentScope, Withdrawal,
};
use crate::protocol::event::EventBody;
use crate::protocol::ids::LearnerId;
use crate::protocol::privacy::RestrictionGround;
use crate::record::access::Standing;
use crate::record::ages::AgeBand;
use crate::record::consent::ConsentPolicy;

/// How old a learner is, as far as it matters: from the roster or the command line, never from the log. On the learner;
/// unknown, and so treated as a child, until somebody says it.
#[derive(Component, Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Age(pub AgeBand);

/// What has to be agreed to here, and by whom.
#[derive(Resource, Debug, Default, Clone, PartialEq, Eq)]
pub struct Agreements(pub ConsentPolicy);

/// Longest note to a record, in characters.
pub const MAX_NOTE_CHARS: usize = 2000;

impl Agreements {
    /// Where a learner stands. `now_unix_ms`: milliseconds since the Unix epoch.
    #[must_use]
    pub fn standing<'a>(
        &'a self,
        learner: LearnerId,
        Age(band): Age,
        state: &'a LearnerState,
        now_unix_ms: u64,
    ) -> Standing<'a> {
        Standing {
            learner,
            band,
            consents: &state.consents,
            rights: &state.rights,
            policy: &self.0,
            now_unix_ms,
        }
    }
}

impl LearnerState {
    /// Whether the record may be kept and the lesson run, and nothing else be done (GDPR Art. 18(2)).
    #[must_use]
    pub fn is_restricted(&self) -> bool {
        self.rights.restricted_by().is_some()
    }
}

/// Whether something may be done now that needs this consent and that no restriction leaves open.
#[must_use]
pub fn allows(scope: ConsentScope, standing: &Standing) -> bool {
    let Standing {
        band,
        consents,
        rights,
        policy,
        now_unix_ms,
        ..
    } = standing;
    rights.restricted_by().is_none() && policy.decide(scope, *band, consents, *now_unix_ms).is_ok()
}

/// Whether it may be looked at how hands and head move, to estimate load: the region's policy allows it, and consent to
/// it is in force.
#[must_use]
pub fn allows_motion_of_load(standing: &Standing) -> bool {
    standing.policy.kinematic_load && allows(ConsentScope::KinematicLoad, standing)
}

/// What a command about consent or rights writes into the log, and what it means in words; `None` for any other command.
///
/// # Errors
/// [`Refusal`] where it would not count, or is not for whoever asked.
#[must_use]
pub fn decide(
    command: &Command,
    standing: &Standing,
    events: u64,
) -> Option<Result<(EventBody, String), Refusal>> {
    let body = &command.body;
    let (actor, done) = match body {
        CommandBody::GiveConsent(consent) => (consent.actor, give(consent, command, standing)),
        CommandBody::WithdrawConsent(withdrawal) => (withdrawal.actor, withdraw(withdrawal)),
        CommandBody::Restrict { actor, ground } => (*actor, restrict(*actor, *ground, standing)),
        CommandBody::LiftRestriction { actor } => (*actor, lift(*actor, standing)),
        CommandBody::NoteAmendment(amendment) => (
            amendment.actor,
            note(&amendment.note, amendment.about_seq, events).map(|words| {
                let body = EventBody::AmendmentNoted(amendment.clone());
                (body, words)
            }),
        ),
        _ => return None,
    };
    Some(may_speak(command.principal, actor).and(done))
}

/// The learner speaks for themself; what a guardian or the school said is written down by whoever teaches or runs this.
fn may_speak(principal: Principal, actor: ConsentActor) -> Result<(), Refusal> {
    let (who, instead) = match (principal, actor) {
        (Principal::Learner, ConsentActor::Learner) | (Principal::Instructor, _) => return Ok(()),
        (Principal::Learner, _) => (
            "the learner",
            "what a guardian or the school says is recorded by the instructor, or with `malloc-vr records consent`",
        ),
        _ => ("the program itself", "only people agree and object"),
    };
    Err(Refusal::NotForYou {
        who: who.to_owned(),
        instead: instead.to_owned(),
    })
}

fn refused(why: impl ToString) -> Refusal {
    Refusal::NotAgreed {
        why: why.to_string(),
    }
}

fn give(
    consent: &Consent,
    command: &Command,
    standing: &Standing,
) -> Result<(EventBody, String), Refusal> {
    // The token that a program prints when it starts says nothing of who stands behind it.
    let attested =
        |asker: Asker| asker.role == TokenRole::Operator && asker.token != TokenId::OF_THIS_RUN;
    if command.asker.is_some_and(|asker| !attested(asker)) {
        return Err(Refusal::NotForYou {
            who: "whoever shows this token".to_owned(),
            instead: "a consent is attested by an operator with a token of their own (`malloc-vr tokens issue NAME --role \
                      operator`), or at the machine with `malloc-vr records consent`"
                .to_owned(),
        });
    }
    // A press on somebody's own screen, told by somebody else, shows nothing.
    if command.principal == Principal::Instructor && !consent.evidence.method.verifies() {
        return Err(refused(
            "a consent that was pressed on a screen can be recorded only there; say how else it was given, for example in_person",
        ));
    }
    let Standing {
        band,
        consents,
        policy,
        now_unix_ms,
        ..
    } = standing;
    policy
        .accepts(consent, *band, consents, *now_unix_ms)
        .map_err(refused)?;
    let words = format!(
        "recorded: {} agrees to {}",
        who(consent.actor),
        list(&consent.scopes)
    );
    Ok((EventBody::ConsentGiven(consent.clone()), words))
}

fn withdraw(withdrawal: &Withdrawal) -> Result<(EventBody, String), Refusal> {
    if withdrawal.scopes.is_empty() {
        return Err(refused("name at least one thing that is not agreed to"));
    }
    let words = format!(
        "recorded: {} does not agree to {}; it holds from now on",
        who(withdrawal.actor),
        list(&withdrawal.scopes)
    );
    Ok((EventBody::ConsentWithdrawn(withdrawal.clone()), words))
}

fn restrict(
    actor: ConsentActor,
    ground: RestrictionGround,
    standing: &Standing,
) -> Result<(EventBody, String), Refusal> {
    if standing.rights.is_restricted_by(actor) {
        return Err(Refusal::AlreadySo {
            state: format!("{} has restricted this record already", who(actor)),
        });
    }
    let words =
        "the record is kept, the lesson goes on, and nothing else is done with it".to_owned();
    Ok((EventBody::ProcessingRestricted { actor, ground }, words))
}

fn lift(actor: ConsentActor, standing: &Standing) -> Result<(EventBody, String), Refusal> {
    if !standing.rights.is_restricted_by(actor) {
        return Err(Refusal::AlreadySo {
            state: format!(
                "{} has not restricted this record; only whoever did can lift it",
                who(actor)
            ),
        });
    }
    let words = format!("the restriction by {} is lifted", who(actor));
    Ok((EventBody::RestrictionLifted { actor }, words))
}

/// Whether a note may stand in a log of so many events.
///
/// # Errors
/// [`Refusal::NotAgreed`] where it says nothing, is too long, or is about no event of the log.
pub fn note(note: &str, about_seq: u64, events: u64) -> Result<String, Refusal> {
    let length = note.trim().chars().count();
    if length == 0 || length > MAX_NOTE_CHARS {
        return Err(refused(format!(
            "a note has 1 to {MAX_NOTE_CHARS} characters; this one has {length}"
        )));
    }
    if about_seq == 0 || about_seq > events {
        return Err(refused(format!(
            "there is no event {about_seq}; the log has 1 to {events}"
        )));
    }
    Ok(format!(
        "the note stands beside event {about_seq} from now on"
    ))
}

/// Who speaks, in words.
#[must_use]
pub fn who(actor: ConsentActor) -> &'static str {
    match actor {
        ConsentActor::Learner => "the learner",
        ConsentActor::Guardian => "the guardian",
        ConsentActor::School => "the school",
    }
}

fn list<'a>(scopes: impl IntoIterator<Item = &'a ConsentScope>) -> String {
    let words: Vec<&str> = scopes.into_iter().map(|scope| in_words(*scope)).collect();
    words.join("; ")
}

/// A scope in words.
#[must_use]
pub fn in_words(scope: ConsentScope) -> &'static str {
    match scope {
        ConsentScope::TeachOnDevice => "the lesson on this device",
        ConsentScope::LeaveHeadset => "records leaving this device",
        ConsentScope::InstructorView => "an instructor watching",
        ConsentScope::HoldOut => "help left out by lot, to measure it",
        ConsentScope::ResearchExport => "records for a study",
        ConsentScope::ThirdParty => "records for a company outside the school",
        ConsentScope::ModelTraining => "records for fitting models",
        ConsentScope::KinematicLoad => "an estimate of effort from movement",
        ConsentScope::MotionRecording => "recording of movements",
        ConsentScope::MotionRetention => "keeping of recorded movements",
        ConsentScope::ViewPicture => "pictures of what the learner sees",
    }
}

/// What a learner can decide for themself now, on their own panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// What they would say.
    pub words: &'static str,
    /// What it asks for.
    pub body: CommandBody,
}

/// Scopes that are decided together on the panel, what is said to open them, and to close them.
const DECIDED: [(&[ConsentScope], &str, &str); 4] = [
    (
        &[ConsentScope::LeaveHeadset, ConsentScope::InstructorView],
        "Let my instructor see how I do",
        "Show nobody how I do",
    ),
    (
        &[ConsentScope::HoldOut],
        "Try out on me which help works",
        "No more trying out on me",
    ),
    (
        &[ConsentScope::MotionRecording],
        "Record how I move, to watch it again",
        "Do not record how I move",
    ),
    (
        &[ConsentScope::ViewPicture],
        "Let my instructor see what I see",
        "Show nobody what I see",
    ),
];

/// What a learner can decide for themself now. A child can say no, and take that back; the rest is for guardian and
/// school to decide and is not offered.
#[must_use]
pub fn offers(standing: &Standing) -> Vec<Offer> {
    let actor = ConsentActor::Learner;
    let Standing {
        band,
        consents,
        rights,
        policy,
        now_unix_ms,
        ..
    } = standing;
    let mut offers = Vec::new();
    for (scopes, yes, no) in DECIDED {
        let scopes_of: std::collections::BTreeSet<ConsentScope> = scopes.iter().copied().collect();
        let open = |scope| policy.decide(scope, *band, consents, *now_unix_ms).is_ok();
        if scopes.iter().all(|scope| open(*scope)) {
            let body = CommandBody::WithdrawConsent(Withdrawal {
                scopes: scopes_of,
                actor,
            });
            offers.push(Offer { words: no, body });
            continue;
        }
        let consent = Consent {
            scopes: scopes_of,
            text_version: policy.texts.last().cloned().unwrap_or_default(),
            actor,
            evidence: ConsentEvidence {
                method: ConsentMethod::OnScreen,
                reference: None,
            },
            until_unix_ms: None,
        };
        if policy
            .accepts(&consent, *band, consents, *now_unix_ms)
            .is_ok()
        {
            let body = CommandBody::GiveConsent(consent);
            offers.push(Offer { words: yes, body });
        }
    }
    offers.push(if rights.is_restricted_by(actor) {
        Offer {
            words: "Use my record again to help me",
            body: CommandBody::LiftRestriction { actor },
        }
    } else {
        Offer {
            words: "Keep my record, but do not use it",
            body: CommandBody::Restrict {
                actor,
                ground: RestrictionGround::Objection,
            },
        }
    });
    offers
}

#[cfg(test)]
#[path = "standing_tests.rs"]
mod tests;
