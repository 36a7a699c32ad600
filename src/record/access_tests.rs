//! Who may read what, and what stands against it.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::protocol::consent::{Consent, ConsentEvidence, ConsentMethod, OUTSIDE_SESSIONS};
use crate::protocol::event::Event;
use crate::protocol::privacy::RestrictionGround;

const NOW: u64 = 1_760_000_000_000;

struct Record {
    band: AgeBand,
    log: Vec<EventBody>,
}

impl Record {
    fn of(band: AgeBand, log: Vec<EventBody>) -> Self {
        Self { band, log }
    }

    fn ask(&self, question: &Question) -> Result<Grant, AccessRefusal> {
        self.standing(|standing| decide(question, standing))
    }

    fn may_leave(&self, class: DataClass) -> bool {
        self.standing(|standing| may_leave(class, standing)).is_ok()
    }

    fn standing<T>(&self, then: impl FnOnce(&Standing) -> T) -> T {
        let learner = LearnerId(Uuid::from_u128(7));
        let events: Vec<Event> = (1..)
            .zip(self.log.clone())
            .map(|(seq, body)| Event {
                seq,
                at_unix_ms: NOW,
                learner,
                session: OUTSIDE_SESSIONS,
                body,
            })
            .collect();
        then(&Standing {
            learner,
            band: self.band,
            consents: &Consents::of(&events),
            rights: &Rights::of(&events),
            policy: &ConsentPolicy::default(),
            now_unix_ms: NOW,
        })
    }
}

fn question(role: Role, relation: Relation, purpose: Purpose, data: &[DataClass]) -> Question {
    Question {
        role,
        relation,
        purpose,
        data: data.iter().copied().collect(),
        party: "study 12, a university".to_owned(),
    }
}

fn consent(scope: ConsentScope, actor: ConsentActor) -> EventBody {
    EventBody::ConsentGiven(Consent {
        scopes: BTreeSet::from([scope]),
        text_version: "1".to_owned(),
        actor,
        evidence: ConsentEvidence {
            method: ConsentMethod::SignedForm,
            reference: None,
        },
        until_unix_ms: None,
    })
}

fn instructor(relation: Relation) -> Question {
    question(
        Role::Instructor,
        relation,
        Purpose::Instruction,
        &[Data::Progress],
    )
}

fn researcher() -> Question {
    question(
        Role::Researcher,
        Relation::Agreement,
        Purpose::Research,
        &[Data::Attempts],
    )
}

#[test]
fn an_instructor_sees_their_own_class_and_no_other() {
    let adult = Record::of(AgeBand::Adult, vec![]);
    assert!(adult.ask(&instructor(Relation::Class)).is_ok());
    assert!(matches!(
        adult.ask(&instructor(Relation::None)),
        Err(AccessRefusal::Role { .. })
    ));
}

#[test]
fn an_instructor_sees_a_child_only_where_that_was_agreed_to() {
    let child = Record::of(AgeBand::Under13, vec![]);
    assert!(matches!(
        child.ask(&instructor(Relation::Class)),
        Err(AccessRefusal::Consent(_))
    ));
    let agreed = Record::of(
        AgeBand::Under13,
        vec![consent(
            ConsentScope::InstructorView,
            ConsentActor::Guardian,
        )],
    );
    assert!(agreed.ask(&instructor(Relation::Class)).is_ok());
}

#[test]
fn family_reads_the_whole_record_until_the_learner_is_of_age() {
    let family = question(
        Role::Guardian,
        Relation::Family,
        Purpose::Rights,
        OWN_RECORD,
    );
    assert!(Record::of(AgeBand::Under13, vec![]).ask(&family).is_ok());
    assert_eq!(
        Record::of(AgeBand::Adult, vec![]).ask(&family),
        Err(AccessRefusal::OfAge)
    );
    let own = question(Role::Learner, Relation::Self_, Purpose::Rights, OWN_RECORD);
    assert!(Record::of(AgeBand::Adult, vec![]).ask(&own).is_ok());
}

#[test]
fn research_needs_consent_and_leaves_its_trace_in_the_record() {
    assert!(matches!(
        Record::of(AgeBand::Adult, vec![]).ask(&researcher()),
        Err(AccessRefusal::Consent(_))
    ));
    let agreed = Record::of(
        AgeBand::Adult,
        vec![consent(ConsentScope::ResearchExport, ConsentActor::Learner)],
    );
    let grant = agreed.ask(&researcher()).unwrap();
    assert_eq!(
        grant.to_record(),
        Some(EventBody::Disclosed(Disclosure {
            to: Role::Researcher,
            party: "study 12, a university".to_owned(),
            purpose: Purpose::Research,
            data: BTreeSet::from([Data::Attempts]),
        }))
    );
    let nameless = Question {
        party: " ".to_owned(),
        ..researcher()
    };
    assert_eq!(agreed.ask(&nameless), Err(AccessRefusal::NoParty));
}

#[test]
fn a_restricted_record_is_neither_adapted_to_nor_disclosed_and_still_the_familys() {
    let restricted = Record::of(
        AgeBand::Adult,
        vec![
            consent(ConsentScope::ResearchExport, ConsentActor::Learner),
            EventBody::ProcessingRestricted {
                actor: ConsentActor::Learner,
                ground: RestrictionGround::Objection,
            },
        ],
    );
    let adapt = question(
        Role::System,
        Relation::School,
        Purpose::Adaptation,
        &[Data::Attempts],
    );
    for refused in [&adapt, &researcher(), &instructor(Relation::Class)] {
        assert!(matches!(
            restricted.ask(refused),
            Err(AccessRefusal::Restricted { .. })
        ));
    }
    let own = question(Role::Learner, Relation::Self_, Purpose::Rights, OWN_RECORD);
    assert!(restricted.ask(&own).is_ok());
    let lesson = question(
        Role::System,
        Relation::School,
        Purpose::Teaching,
        &[Data::Attempts],
    );
    assert!(restricted.ask(&lesson).is_ok());
}

#[test]
fn nothing_of_a_child_goes_to_the_host_before_consent_and_movements_need_their_own() {
    let may = |band, scopes: &[ConsentScope], class| {
        let log = scopes
            .iter()
            .map(|scope| consent(*scope, ConsentActor::Guardian))
            .collect();
        Record::of(band, log).may_leave(class)
    };
    for class in DataClass::ALL {
        let freely = matches!(class, Data::Aggregate | Data::Metrics);
        let stays = matches!(class, Data::Identity | Data::Audit);
        let motion = class == Data::Motion;
        assert_eq!(may(AgeBand::Under13, &[], class), freely);
        assert_eq!(may(AgeBand::Unknown, &[], class), freely);
        let leave = [ConsentScope::LeaveHeadset];
        assert_eq!(may(AgeBand::Under13, &leave, class), !stays && !motion);
        let both = [ConsentScope::LeaveHeadset, ConsentScope::MotionRetention];
        assert_eq!(may(AgeBand::Under13, &both, class), !stays);
        let motion_alone = [ConsentScope::MotionRetention];
        assert_eq!(may(AgeBand::Under13, &motion_alone, class), freely);
    }
}

#[test]
fn data_is_not_read_for_a_purpose_it_is_not_kept_for() {
    let adult = Record::of(AgeBand::Adult, vec![]);
    let wrong = question(
        Role::Administrator,
        Relation::School,
        Purpose::Administration,
        &[Data::Attempts],
    );
    assert_eq!(
        adult.ask(&wrong),
        Err(AccessRefusal::Purpose {
            data: Data::Attempts,
            purpose: Purpose::Administration
        })
    );
}

#[test]
fn the_table_grants_nothing_that_the_data_is_not_kept_for() {
    for rule in RULES {
        for class in rule.data {
            let why = treatment(*class).unwrap().why;
            assert!(
                serves(why, rule.role, rule.purpose),
                "{:?} reads {class:?} for {:?}",
                rule.role,
                rule.purpose
            );
        }
    }
}

#[test]
fn whoever_stands_outside_reads_nothing() {
    let roles = [
        Role::Learner,
        Role::Guardian,
        Role::Instructor,
        Role::Administrator,
        Role::Researcher,
        Role::ThirdParty,
        Role::System,
    ];
    for rule in RULES {
        for role in roles {
            let outsider = question(role, Relation::None, rule.purpose, rule.data);
            assert!(Record::of(AgeBand::Adult, vec![]).ask(&outsider).is_err());
        }
    }
}

fn any_question() -> impl Strategy<Value = Question> {
    let role = prop::sample::select(vec![
        Role::Learner,
        Role::Guardian,
        Role::Instructor,
        Role::Administrator,
        Role::Researcher,
        Role::ThirdParty,
        Role::System,
    ]);
    let relation = prop::sample::select(vec![
        Relation::Self_,
        Relation::Family,
        Relation::Class,
        Relation::School,
        Relation::Agreement,
        Relation::None,
    ]);
    let purpose = prop::sample::select(RULES.iter().map(|rule| rule.purpose).collect::<Vec<_>>());
    let data = prop::collection::btree_set(prop::sample::select(DataClass::ALL.to_vec()), 1..4);
    (role, relation, purpose, data).prop_map(|(role, relation, purpose, data)| Question {
        role,
        relation,
        purpose,
        data,
        party: "x".to_owned(),
    })
}

proptest! {
    #[test]
    fn nobody_outside_family_and_school_gets_a_childs_record_without_consent(question in any_question()) {
        let answer = Record::of(AgeBand::Under13, vec![]).ask(&question);
        if let Ok(grant) = answer {
            prop_assert!(
                matches!(grant.role(), Role::Learner | Role::Guardian | Role::Administrator | Role::System)
                    || grant.data().iter().all(|data| matches!(data, Data::Aggregate | Data::Identity))
            );
            prop_assert!(grant.to_record().is_none());
        }
    }

    #[test]
    fn asking_for_less_is_never_refused_where_more_was_granted(question in any_question()) {
        let adult = Record::of(AgeBand::Adult, vec![]);
        if adult.ask(&question).is_ok() {
            for class in question.data.clone() {
                let less = Question { data: BTreeSet::from([class]), ..question.clone() };
                prop_assert!(adult.ask(&less).is_ok());
            }
        }
    }
}
