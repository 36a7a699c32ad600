//! Pointing, adding, scoring, ending: what is done and what is refused.

use proptest::prelude::*;

use super::*;
use crate::adaptation::adapted::Able;
use crate::lesson;
use crate::protocol::command::AddedForm;
use crate::session::adapted::Adapted;

fn with<T>(adapted: &Adapted, ended: bool, ask: impl FnOnce(&Standing) -> T) -> T {
    let loaded = lesson::load("first-steps").unwrap();
    ask(&Standing {
        lesson: Some(&loaded.lesson),
        ended,
        step: loaded.lesson.steps.first().filter(|_| !ended),
        hint_level: 0,
        paused_by: &[],
        since_instructor: None,
        adapted,
        able: Able::default(),
        holder: None,
        restricted: false,
    })
}

fn ball(id: &str) -> AddedObject {
    AddedObject {
        id: ObjectId::new(id),
        label: "blue ball".to_owned(),
        form: AddedForm::Ball,
        size: 0.1,
        color: "#3355ff".to_owned(),
        position: [0.0, 1.0, -0.5],
        mass: Some(0.2),
    }
}

#[test]
fn what_is_in_the_scene_can_be_pointed_at_and_nothing_else() {
    let mut adapted = Adapted::default();
    adapted.added.push(ball("mine"));
    for (object, seconds, good) in [
        ("lamp", 10.0, true),
        ("mine", 1.0, true),
        ("moon", 10.0, false),
        ("lamp", 0.0, false),
        ("lamp", 61.0, false),
        ("lamp", f32::NAN, false),
    ] {
        let pointed = with(&adapted, false, |standing| {
            point_at(&ObjectId::new(object), seconds, standing)
        });
        assert_eq!(pointed.is_ok(), good, "{object} for {seconds}: {pointed:?}");
    }
}

#[test]
fn only_what_was_added_can_be_taken_away() {
    let mut adapted = Adapted::default();
    adapted.added.push(ball("mine"));
    let gone = |id: &str| {
        with(&adapted, false, |standing| {
            remove(&ObjectId::new(id), standing)
        })
    };
    assert!(gone("mine").is_ok());
    assert!(matches!(gone("lamp"), Err(Refusal::NotHere { .. })));
    assert!(matches!(gone("moon"), Err(Refusal::NoSuchObject { .. })));
}

#[test]
fn a_name_is_given_once_and_a_scene_has_an_end() {
    let mut adapted = Adapted::default();
    let put = |adapted: &Adapted, it: &AddedObject| {
        with(adapted, false, |standing| spawn(it, standing)).is_ok()
    };
    assert!(put(&adapted, &ball("mine")));
    assert!(!put(&adapted, &ball("lamp")), "the lesson has a lamp");
    for at in 0..MOST_ADDED {
        let next = ball(&format!("ball-{at}"));
        assert!(put(&adapted, &next));
        adapted.added.push(next);
        assert!(!put(&adapted, &ball(&format!("ball-{at}"))));
    }
    assert!(!put(&adapted, &ball("one-too-many")));
}

#[test]
fn only_an_instructor_scores_and_only_what_nothing_measures() {
    let adapted = Adapted::default();
    let scored = |criterion, value, principal| {
        with(&adapted, false, |standing| {
            score(criterion, value, principal, standing)
        })
        .is_ok()
    };
    use Principal::{Automatic, Instructor, Learner};
    assert!(scored(Criterion::Creativity, 1.0, Instructor));
    assert!(!scored(Criterion::Creativity, 1.01, Instructor));
    assert!(!scored(Criterion::Creativity, f64::NAN, Instructor));
    assert!(!scored(Criterion::Comfort, 0.5, Instructor));
    assert!(!scored(Criterion::Creativity, 1.0, Learner));
    assert!(!scored(Criterion::Creativity, 1.0, Automatic));
}

#[test]
fn a_session_is_ended_once_and_by_the_instructor() {
    let adapted = Adapted::default();
    let ended = |over, principal| with(&adapted, over, |standing| end(principal, standing));
    assert_eq!(ended(false, Principal::Instructor).unwrap().0, Effect::End);
    assert!(ended(true, Principal::Instructor).is_err());
    assert!(ended(false, Principal::Automatic).is_err());
}

proptest! {
    #[test]
    fn whatever_is_put_into_the_scene_has_a_place_a_size_and_a_name(
        id in "[a-z_é -]{0,6}",
        label in "\\PC{0,70}",
        size in prop::num::f32::ANY,
        color in "#?[0-9a-g]{5,7}",
        position in prop::array::uniform3(prop::num::f32::ANY),
        mass in prop::option::of(prop::num::f32::ANY),
    ) {
        let object = AddedObject { id: ObjectId::new(id), label, size, color, position, mass, ..ball("x") };
        let put = with(&Adapted::default(), false, |standing| spawn(&object, standing));
        if put.is_ok() {
            prop_assert!(object.size > 0.0 && object.size <= 2.0);
            prop_assert!(object.position.iter().all(|it| it.abs() <= 10.0));
            prop_assert!(object.mass.is_none_or(|mass| mass > 0.0 && mass.is_finite()));
            prop_assert!(!object.id.as_str().is_empty() && object.id.as_str().is_ascii());
        }
    }
}
