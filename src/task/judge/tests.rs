//! Deeds and what they are worth.

use proptest::prelude::*;

use super::*;
use crate::lesson::format::{
    Flow, LearningEvent, Object, OnFailure, Panel, Role, Shape, Socket, Step,
};
use crate::protocol::ids::{LessonId, StepId};

fn object(name: &str) -> ObjectId {
    ObjectId::new(name)
}

fn thing(name: &str) -> Object {
    Object {
        id: object(name),
        label: name.to_owned(),
        shape: Shape::Sphere { radius: 0.05 },
        position: [0.0, 1.0, -0.5],
        rotation: [0.0; 3],
        color: "#ffffff".to_owned(),
        role: Role::Grabbable { mass: 0.2 },
    }
}

fn socket(name: &str, accepts: &str) -> Socket {
    Socket {
        id: SocketId::new(name),
        label: name.to_owned(),
        position: [0.2, 1.0, -0.5],
        rotation: [0.0; 3],
        accepts: vec![object(accepts)],
        reach: 0.12,
    }
}

fn step(action: Action) -> Step {
    Step {
        id: StepId::new("step"),
        event: LearningEvent::Practice,
        goal: "do it".to_owned(),
        say: None,
        action,
        time_limit: None,
        evidence_for: Vec::new(),
        hints: Vec::new(),
        on_failure: OnFailure::Retry,
    }
}

fn lesson() -> Lesson {
    Lesson {
        version: 1,
        id: LessonId::new("judging"),
        title: String::new(),
        summary: String::new(),
        language: "en".to_owned(),
        skills: Vec::new(),
        objects: vec![thing("cube"), thing("ball")],
        sockets: vec![socket("square", "cube"), socket("round", "ball")],
        panels: vec![Panel {
            id: PanelId::new("quiz"),
            position: [0.0; 3],
            rotation: [0.0; 3],
            size: [1.0, 1.0],
            content: PanelContent::Question {
                prompt: "?".to_owned(),
                choices: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
                correct: 1,
            },
        }],
        steps: Vec::new(),
        flow: Flow::Step(StepId::new("step")),
    }
}

fn verdict(action: Action, deed: &Deed) -> Option<Verdict> {
    judge(
        &lesson(),
        &step(action),
        deed,
        &BTreeSet::new(),
        Leeway::default(),
    )
}

fn place_cube() -> Action {
    Action::Place {
        object: object("cube"),
        socket: SocketId::new("square"),
        position_tolerance: 0.03,
        rotation_tolerance: Some(0.3),
    }
}

fn released(what: &str, socket: &str, accepted: bool, position: f32, rotation: f32) -> Deed {
    Deed::Released {
        object: object(what),
        fit: Some(Fit {
            socket: SocketId::new(socket),
            accepted,
            position_error: position,
            rotation_error: rotation,
        }),
    }
}

#[test]
fn a_placement_within_tolerance_is_right() {
    let verdict = verdict(place_cube(), &released("cube", "square", true, 0.02, 0.1));
    let verdict = verdict.expect("an attempt");
    assert!(verdict.correct);
    assert_eq!(verdict.position_error, Some(0.02));
    assert_eq!(verdict.rotation_error, Some(0.1));
}

#[test]
fn a_placement_off_tolerance_is_an_attempt_with_partial_credit() {
    let near = verdict(place_cube(), &released("cube", "square", false, 0.04, 0.1));
    let far = verdict(place_cube(), &released("cube", "square", false, 0.10, 0.1));
    let (near, far) = (near.expect("an attempt"), far.expect("an attempt"));
    assert!(!near.correct && !far.correct);
    assert!(
        near.credit > far.credit && far.credit > 0.0,
        "{near:?} {far:?}"
    );
}

#[test]
fn the_right_object_in_the_wrong_socket_is_a_wrong_attempt() {
    let verdict = verdict(place_cube(), &released("cube", "round", false, 0.01, 0.0));
    let verdict = verdict.expect("an attempt");
    assert!(!verdict.correct);
    assert_eq!(
        verdict.position_error, None,
        "not measured against the asked place"
    );
    assert_eq!(
        verdict.evidence,
        Evidence::Placed {
            object: object("cube"),
            socket: Some(SocketId::new("round"))
        }
    );
}

#[test]
fn the_wrong_object_in_the_right_socket_is_a_wrong_attempt() {
    let verdict = verdict(place_cube(), &released("ball", "square", false, 0.01, 0.0));
    assert!(!verdict.expect("an attempt").correct);
}

#[test]
fn another_object_in_its_own_socket_and_a_drop_on_the_table_are_no_attempts() {
    assert_eq!(
        verdict(place_cube(), &released("ball", "round", true, 0.01, 0.0)),
        None
    );
    let dropped = Deed::Released {
        object: object("cube"),
        fit: None,
    };
    assert_eq!(verdict(place_cube(), &dropped), None);
}

#[test]
fn a_wrong_object_taken_counts_once() {
    let ask = step(Action::Grab {
        object: object("cube"),
    });
    let deed = Deed::Grabbed {
        object: object("ball"),
    };
    let first = judge(&lesson(), &ask, &deed, &BTreeSet::new(), Leeway::default());
    assert!(!first.expect("an attempt").correct);
    let again = judge(
        &lesson(),
        &ask,
        &deed,
        &BTreeSet::from([object("ball")]),
        Leeway::default(),
    );
    assert_eq!(again, None);
}

#[test]
fn touching_other_things_is_no_attempt_and_grasping_the_right_one_touches_it() {
    let ask = Action::Touch {
        object: object("cube"),
    };
    assert_eq!(
        verdict(
            ask.clone(),
            &Deed::Touched {
                object: object("ball")
            }
        ),
        None
    );
    assert!(
        verdict(
            ask,
            &Deed::Grabbed {
                object: object("cube")
            }
        )
        .expect("an attempt")
        .correct
    );
}

#[test]
fn looking_counts_once_it_was_held_long_enough() {
    let ask = Action::LookAt {
        object: object("cube"),
        hold: 1.5,
    };
    let look = |held| Deed::Looked {
        object: object("cube"),
        held,
    };
    assert_eq!(verdict(ask.clone(), &look(1.4)), None);
    assert!(verdict(ask, &look(1.5)).expect("an attempt").correct);
}

fn throw_at_ball() -> Action {
    Action::Throw {
        object: object("cube"),
        at: Some(object("ball")),
        min_speed: 2.0,
    }
}

fn landed(what: &str, speed: f32, hit: Option<&str>) -> Deed {
    Deed::Landed {
        object: object(what),
        speed,
        hit: hit.map(object),
    }
}

#[test]
fn a_throw_at_something_is_judged_by_what_it_strikes() {
    let in_the_air = Deed::Thrown {
        object: object("cube"),
        speed: 3.0,
    };
    assert_eq!(verdict(throw_at_ball(), &in_the_air), None);
    let hit = verdict(throw_at_ball(), &landed("cube", 3.0, Some("ball")));
    assert!(hit.expect("an attempt").correct);
    let missed = verdict(throw_at_ball(), &landed("cube", 3.0, None));
    assert!(!missed.expect("an attempt").correct);
    let slow = verdict(throw_at_ball(), &landed("cube", 1.0, Some("ball"))).expect("an attempt");
    assert!(!slow.correct && slow.credit > 0.0);
}

#[test]
fn another_button_another_spot_and_another_answer_are_wrong() {
    let press = Action::Press {
        object: object("cube"),
    };
    assert!(
        !verdict(
            press,
            &Deed::Pressed {
                object: object("ball")
            }
        )
        .expect("an attempt")
        .correct
    );
    let go = Action::Teleport { to: object("cube") };
    assert!(
        !verdict(go, &Deed::Teleported { spot: None })
            .expect("an attempt")
            .correct
    );
    let ask = || Action::Answer {
        panel: PanelId::new("quiz"),
    };
    let answer = |choice| Deed::Answered {
        panel: PanelId::new("quiz"),
        choice,
    };
    assert!(!verdict(ask(), &answer(0)).expect("an attempt").correct);
    assert!(verdict(ask(), &answer(1)).expect("an attempt").correct);
    assert_eq!(verdict(ask(), &answer(9)), None, "no such choice");
}

fn any_name() -> impl Strategy<Value = ObjectId> {
    prop_oneof![Just("cube"), Just("ball"), Just("lamp")].prop_map(object)
}

fn any_number() -> impl Strategy<Value = f32> {
    prop_oneof![
        0.0_f32..4.0,
        Just(f32::NAN),
        Just(f32::INFINITY),
        Just(-1.0)
    ]
}

fn any_fit() -> impl Strategy<Value = Fit> {
    let socket = prop_oneof![Just("square"), Just("round"), Just("none")];
    (socket, any::<bool>(), any_number(), any_number()).prop_map(
        |(socket, accepted, position_error, rotation_error)| Fit {
            socket: SocketId::new(socket),
            accepted,
            position_error,
            rotation_error,
        },
    )
}

fn any_deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (any_name(), any_number()).prop_map(|(object, held)| Deed::Looked { object, held }),
        any_name().prop_map(|object| Deed::Touched { object }),
        any_name().prop_map(|object| Deed::Grabbed { object }),
        (any_name(), proptest::option::of(any_fit()))
            .prop_map(|(object, fit)| Deed::Released { object, fit }),
        (any_name(), any_number()).prop_map(|(object, speed)| Deed::Thrown { object, speed }),
        (any_name(), any_number(), proptest::option::of(any_name()))
            .prop_map(|(object, speed, hit)| Deed::Landed { object, speed, hit }),
        any_name().prop_map(|object| Deed::Pressed { object }),
        proptest::option::of(any_name()).prop_map(|spot| Deed::Teleported { spot }),
        (0..5_u32).prop_map(|choice| Deed::Answered {
            panel: PanelId::new("quiz"),
            choice
        }),
        Just(Deed::TimedOut),
    ]
}

fn any_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        Just(Action::LookAt {
            object: object("cube"),
            hold: 1.0
        }),
        Just(Action::Touch {
            object: object("cube")
        }),
        Just(Action::Grab {
            object: object("cube")
        }),
        Just(place_cube()),
        Just(throw_at_ball()),
        Just(Action::Throw {
            object: object("cube"),
            at: None,
            min_speed: 0.0
        }),
        Just(Action::Press {
            object: object("cube")
        }),
        Just(Action::Teleport { to: object("cube") }),
        Just(Action::Answer {
            panel: PanelId::new("quiz")
        }),
    ]
}

proptest! {
    #[test]
    fn credit_is_between_0_and_1_and_1_exactly_where_it_is_right(action in any_action(), deed in any_deed()) {
        if let Some(verdict) = verdict(action, &deed) {
            prop_assert!((0.0..=1.0).contains(&verdict.credit), "{verdict:?}");
            prop_assert_eq!(verdict.correct, verdict.credit >= 1.0, "{:?}", verdict);
        }
    }

    #[test]
    fn a_closer_placement_never_earns_less(a in 0.0_f32..0.2, b in 0.0_f32..0.2, turn in 0.0_f32..3.2) {
        let credit = |error| {
            verdict(place_cube(), &released("cube", "square", false, error, turn)).map(|v| v.credit)
        };
        let (near, far) = (a.min(b), a.max(b));
        prop_assert!(credit(near) >= credit(far));
    }

    #[test]
    fn a_step_that_a_deed_fulfils_wins_over_one_that_it_fails(deed in any_deed()) {
        let steps = [step(Action::Press { object: object("lamp") }), step(Action::Press { object: object("cube") })];
        if let Some((_, verdict)) = judge_among(&lesson(), steps.iter(), &deed, &BTreeSet::new(), Leeway::default()) {
            let anyone_right = steps.iter().any(|step| {
                judge(&lesson(), step, &deed, &BTreeSet::new(), Leeway::default()).is_some_and(|v| v.correct)
            });
            prop_assert_eq!(verdict.correct, anyone_right);
        }
    }
}
