//! The adaptation room in an app without a renderer, its time driven by hand.

use std::sync::Arc;

use bevy::ecs::message::MessageCursor;
use bevy::time::TimeUpdateStrategy;

use super::*;
use crate::lesson::Loaded;
use crate::lesson::format::{Action, Flow, Hint, LearningEvent, Lesson, OnFailure, Step};
use crate::protocol::command::{Command, CommandBody, Outcome, Principal, Refusal};
use crate::protocol::event::{Attempt, EventBody, Evidence, PauseCause};
use crate::protocol::ids::{AttemptId, CommandId, LearnerId, LessonId, SessionId, StepId};
use crate::session::join::Joining;
use crate::session::{SessionLog, SessionPlugin, SessionSystems};

mod consent;

/// One frame of these tests; odd on purpose, so that nothing counts frames.
const FRAME: Duration = Duration::from_millis(37);

struct Room {
    app: App,
    learner: Entity,
    id: LearnerId,
    answers: MessageCursor<CommandAnswered>,
}

fn step(name: &str, hints: &[&str]) -> Step {
    let object = ObjectId::new("cube");
    Step {
        id: StepId::new(name),
        event: LearningEvent::Practice,
        goal: "take the cube".to_owned(),
        say: None,
        action: Action::Grab {
            object: object.clone(),
        },
        time_limit: None,
        evidence_for: Vec::new(),
        hints: hints
            .iter()
            .map(|text| Hint {
                text: (*text).to_owned(),
                highlight: vec![object.clone()],
            })
            .collect(),
        on_failure: OnFailure::Retry,
    }
}

fn lesson() -> Lesson {
    Lesson {
        version: 1,
        id: LessonId::new("adapting"),
        title: String::new(),
        summary: String::new(),
        language: "en".to_owned(),
        skills: Vec::new(),
        objects: Vec::new(),
        sockets: Vec::new(),
        panels: Vec::new(),
        steps: vec![
            step("take", &["look left", "it is red", "this one"]),
            step("bare", &[]),
        ],
        flow: Flow::Step(StepId::new("take")),
    }
}

impl Room {
    fn new() -> Self {
        Self::with(lesson())
    }

    fn with(lesson: Lesson) -> Self {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, SessionPlugin, AdaptationPlugin));
        app.configure_sets(Update, (SessionSystems, AdaptationSystems).chain());
        app.insert_resource(TimeUpdateStrategy::ManualDuration(FRAME));
        let loaded = Loaded {
            lesson: Arc::new(lesson),
            path: None,
            digest: "test".to_owned(),
        };
        let joining = Joining::newcomer();
        let id = joining.learner;
        let learner = joining.enter(app.world_mut(), &loaded.lesson, &loaded.digest, false);
        app.insert_resource(ActiveLesson(loaded));
        let answers = MessageCursor::default();
        let mut room = Self {
            app,
            learner,
            id,
            answers,
        };
        room.enter("take");
        room
    }

    fn happen(&mut self, body: EventBody) {
        let learner = self.learner;
        self.app
            .world_mut()
            .write_message(Happened { learner, body });
        self.app.update();
    }

    fn enter(&mut self, step: &str) {
        self.happen(EventBody::StepEntered {
            step: StepId::new(step),
            event: None,
            hints: 3,
        });
    }

    fn attempt(&mut self, correct: bool) {
        let skills = self.app.world().resource::<ActiveLesson>();
        let skills = skills.lesson.skills.iter().map(|skill| skill.id.clone());
        let skills = skills.collect();
        self.happen(EventBody::Attempted(Attempt {
            id: AttemptId::fresh(),
            step: StepId::new("take"),
            skills,
            correct,
            credit: if correct { 1.0 } else { 0.0 },
            latency: FRAME,
            hints_used: 0,
            position_error: None,
            rotation_error: None,
            quality: crate::learning::quality::Quality::PERFECT,
            blurred: Default::default(),
            evidence: Evidence::TimedOut,
        }));
    }

    fn wait(&mut self, time: Duration) {
        let mut passed = Duration::ZERO;
        while passed < time {
            self.app.update();
            passed += FRAME;
        }
    }

    fn command(&self, principal: Principal, body: CommandBody) -> Command {
        Command {
            id: CommandId::fresh(),
            learner: self.id,
            principal,
            asker: None,
            purpose: "test".to_owned(),
            body,
            trace: None,
        }
    }

    /// Asks and returns the answer.
    fn ask(&mut self, command: &Command) -> Outcome {
        self.app
            .world_mut()
            .write_message(CommandRequested(command.clone()));
        self.app.update();
        let answers = self.app.world().resource::<Messages<CommandAnswered>>();
        let mut answers: Vec<&CommandAnswered> = self
            .answers
            .read(answers)
            .filter(|answer| answer.command.id == command.id)
            .collect();
        assert_eq!(answers.len(), 1, "one answer to one request");
        let outcome = answers.remove(0).outcome.clone();
        self.app.update();
        outcome
    }

    fn instructor(&mut self, body: CommandBody) -> Outcome {
        let command = self.command(Principal::Instructor, body);
        self.ask(&command)
    }

    fn hint(&self) -> u8 {
        self.app
            .world()
            .get::<HintShown>(self.learner)
            .map_or(0, |hint| hint.level)
    }

    fn paused_by(&self) -> Vec<PauseCause> {
        let state = self.app.world().get::<LearnerState>(self.learner);
        state
            .map(|state| state.paused_by.clone())
            .unwrap_or_default()
    }

    fn seq(&self) -> u64 {
        self.app
            .world()
            .get::<LearnerState>(self.learner)
            .map_or(0, |state| state.seq)
    }
}

fn give(level: Option<u8>) -> CommandBody {
    CommandBody::GiveHint { level }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn two_failures_bring_the_first_hint_and_one_does_not() {
    let mut room = Room::new();
    room.attempt(false);
    room.wait(SECOND);
    assert_eq!(room.hint(), 0);
    room.attempt(false);
    room.wait(SECOND);
    assert_eq!(room.hint(), 1);
}

#[test]
fn hesitation_brings_the_first_hint() {
    let mut room = Room::new();
    room.wait(19 * SECOND);
    assert_eq!(room.hint(), 0);
    room.wait(2 * SECOND);
    assert_eq!(room.hint(), 1);
    let shown = room
        .app
        .world()
        .get::<HintShown>(room.learner)
        .expect("a hint");
    assert_eq!(shown.text, "look left");
    assert_eq!(shown.highlight, [ObjectId::new("cube")]);
}

#[test]
fn a_pause_stops_the_clock_of_hesitation() {
    let mut room = Room::new();
    room.wait(15 * SECOND);
    room.instructor(CommandBody::Pause);
    room.wait(60 * SECOND);
    assert_eq!(room.hint(), 0);
    room.instructor(CommandBody::Resume);
    room.wait(3 * SECOND);
    assert_eq!(room.hint(), 0);
    room.wait(3 * SECOND);
    assert_eq!(room.hint(), 1);
}

#[test]
fn the_cool_down_holds_the_next_hint_back() {
    let mut room = Room::new();
    for _ in 0..4 {
        room.attempt(false);
    }
    room.wait(7 * SECOND);
    assert_eq!(room.hint(), 1, "however often it goes wrong meanwhile");
    room.attempt(false);
    room.attempt(false);
    room.wait(2 * SECOND);
    assert_eq!(room.hint(), 2);
}

#[test]
fn a_hint_is_an_intervention_until_the_learner_gets_on_by_it() {
    use crate::protocol::life::Life;
    let mut room = Room::new();
    assert_eq!(room.state().life(), Life::Active);
    room.instructor(give(None));
    room.wait(SECOND);
    assert_eq!(room.state().life(), Life::Intervening);
    room.attempt(false);
    room.wait(SECOND);
    assert_eq!(room.state().life(), Life::Intervening);
    room.attempt(true);
    room.wait(SECOND);
    assert_eq!(room.state().life(), Life::Active);
    // What a learner asks for is their own way to work.
    let own = room.command(Principal::Learner, give(Some(1)));
    room.ask(&own);
    room.wait(SECOND);
    assert_eq!(room.state().life(), Life::Active);
}

#[test]
fn success_fades_the_hint() {
    let mut room = Room::new();
    room.attempt(false);
    room.attempt(false);
    room.wait(SECOND);
    assert_eq!(room.hint(), 1);
    room.attempt(true);
    room.wait(SECOND);
    assert_eq!(room.hint(), 0);
}

#[test]
fn the_ladder_ends_at_its_last_rung() {
    let mut room = Room::new();
    room.wait(200 * SECOND);
    assert_eq!(room.hint(), 3);
}

#[test]
fn the_same_command_twice_is_carried_out_once_and_answered_alike() {
    let mut room = Room::new();
    let command = room.command(Principal::Instructor, give(None));
    let first = room.ask(&command);
    // The intervention is in the log, too.
    room.wait(SECOND);
    let seq = room.seq();
    let second = room.ask(&command);
    assert_eq!(first, second);
    assert_eq!(room.hint(), 1);
    assert_eq!(room.seq(), seq, "nothing new in the log");
}

#[test]
fn two_commands_in_one_frame_each_meet_the_state_that_the_other_left() {
    let mut room = Room::new();
    for _ in 0..2 {
        let command = room.command(Principal::Instructor, give(None));
        room.app
            .world_mut()
            .write_message(CommandRequested(command));
    }
    room.wait(SECOND);
    assert_eq!(room.hint(), 2);
}

#[test]
fn refused_commands_say_why() {
    let mut room = Room::new();
    let refused = |outcome: Outcome| match outcome {
        Outcome::Refused(refusal) => refusal,
        Outcome::Applied { effect } => panic!("applied: {effect}"),
    };
    assert_eq!(
        refused(room.instructor(give(Some(4)))),
        Refusal::NoMoreHints {
            step: "take".to_owned(),
            available: 3
        }
    );
    assert!(matches!(
        refused(room.instructor(CommandBody::FadeHint)),
        Refusal::AlreadySo { .. }
    ));
    assert!(matches!(
        refused(room.instructor(CommandBody::Resume)),
        Refusal::AlreadySo { .. }
    ));
    for text in [String::new(), "  ".to_owned(), "x".repeat(281)] {
        let refusal = refused(room.instructor(CommandBody::Message { text }));
        assert!(matches!(refusal, Refusal::BadMessage { .. }), "{refusal}");
    }
    let mut elsewhere = room.command(Principal::Instructor, give(None));
    elsewhere.learner = LearnerId::fresh();
    assert!(matches!(
        refused(room.ask(&elsewhere)),
        Refusal::NoSuchLearner { .. }
    ));
    room.enter("bare");
    assert!(matches!(
        refused(room.instructor(give(None))),
        Refusal::NoMoreHints { available: 0, .. }
    ));
}

#[test]
fn the_instructor_cannot_lift_the_learners_pause() {
    let mut room = Room::new();
    let pause = room.command(Principal::Learner, CommandBody::Pause);
    assert!(matches!(room.ask(&pause), Outcome::Applied { .. }));
    assert_eq!(room.paused_by(), [PauseCause::Learner]);
    let lifted = room.instructor(CommandBody::Resume);
    assert!(
        matches!(lifted, Outcome::Refused(Refusal::Outranked { .. })),
        "{lifted:?}"
    );
    assert_eq!(room.paused_by(), [PauseCause::Learner]);
    let resume = room.command(Principal::Learner, CommandBody::Resume);
    assert!(matches!(room.ask(&resume), Outcome::Applied { .. }));
    assert!(room.paused_by().is_empty());
}

#[test]
fn automatic_hints_give_way_to_the_instructors() {
    let mut room = Room::new();
    room.instructor(give(Some(2)));
    let automatic = room.command(Principal::Automatic, give(None));
    let answer = room.ask(&automatic);
    assert!(
        matches!(answer, Outcome::Refused(Refusal::Outranked { .. })),
        "{answer:?}"
    );
    assert_eq!(room.hint(), 2);
}

#[test]
fn who_takes_the_right_thing_in_hand_does_not_hesitate() {
    let mut room = Room::new();
    room.wait(15 * SECOND);
    let learner = room.learner;
    room.app.world_mut().write_message(Stirred { learner });
    room.wait(15 * SECOND);
    assert_eq!(room.hint(), 0);
}

#[test]
fn a_command_from_before_a_restart_is_not_carried_out_again() {
    let mut room = Room::new();
    let command = room.command(Principal::Instructor, give(None));
    room.ask(&command);
    let log = room
        .app
        .world()
        .get::<SessionLog>(room.learner)
        .expect("a log")
        .clone();
    let mut restarted = Room::new();
    let body = log
        .0
        .into_iter()
        .filter(|body| matches!(body, EventBody::CommandApplied { .. }));
    let (id, session) = (room.id, SessionId::fresh());
    restarted
        .app
        .world_mut()
        .spawn((Learner { id, session }, SessionLog(body.collect())));
    restarted.app.update();
    let answer = restarted.ask(&command);
    assert!(matches!(answer, Outcome::Applied { .. }), "{answer:?}");
    assert_eq!(restarted.hint(), 0);
}

#[test]
fn a_message_is_shown_for_its_reading_time() {
    let mut room = Room::new();
    let text = "x".repeat(100);
    room.instructor(CommandBody::Message { text });
    room.wait(13 * SECOND);
    assert!(room.app.world().get::<MessageShown>(room.learner).is_some());
    room.wait(2 * SECOND);
    assert!(room.app.world().get::<MessageShown>(room.learner).is_none());
}

impl Room {
    fn state(&self) -> &LearnerState {
        self.app.world().get(self.learner).unwrap()
    }

    fn log(&self) -> &[EventBody] {
        &self.app.world().get::<SessionLog>(self.learner).unwrap().0
    }

    fn say_how_well(&mut self, value: f64) {
        self.happen(EventBody::Told {
            by: Principal::Learner,
            about: crate::protocol::event::Told::Criterion(
                crate::learning::event_criteria::Criterion::Comfort,
            ),
            value,
        });
        self.wait(SECOND);
    }

    fn moment(&mut self) {
        self.happen(observed());
        self.wait(SECOND);
    }
}

fn observed() -> EventBody {
    let moment = crate::learning::five::observation::Moment {
        dt: 5 * SECOND,
        ..Default::default()
    };
    EventBody::Observed {
        moment: Box::new(moment),
    }
}

#[test]
fn what_an_instructor_sets_is_so_and_outranks_the_rules_for_a_while() {
    let mut room = Room::new();
    let easier = |multiplier| CommandBody::SetDifficulty { multiplier };
    assert!(matches!(
        room.instructor(easier(0.7)),
        Outcome::Applied { .. }
    ));
    assert!((room.state().adapted.difficulty - 0.7).abs() < 1e-12);
    let command = room.command(Principal::Automatic, easier(1.2));
    let outcome = room.ask(&command);
    assert!(
        matches!(outcome, Outcome::Refused(Refusal::Outranked { .. })),
        "{outcome:?}"
    );
    // Nobody is held to what nobody can do.
    let outcome = room.instructor(easier(7.0));
    assert!(
        matches!(outcome, Outcome::Refused(Refusal::OutOfRange { .. })),
        "{outcome:?}"
    );
    assert!((room.state().adapted.difficulty - 0.7).abs() < 1e-12);
}

#[test]
fn who_is_not_well_rests_until_they_say_so_and_the_reason_is_in_the_log() {
    let mut room = Room::new();
    room.say_how_well(1.0);
    assert!(room.paused_by().is_empty());
    room.say_how_well(0.0);
    assert_eq!(room.paused_by(), [PauseCause::Break]);
    let decided = room.log().iter().find_map(|body| match body {
        EventBody::Decided(decision) => Some(decision.clone()),
        _ => None,
    });
    let words = decided.unwrap().in_words();
    assert!(words.contains("doesn't feel well"), "{words}");
    // Neither the rules nor the instructor send anybody back into the headset.
    let outcome = room.instructor(CommandBody::EndBreak);
    assert!(
        matches!(outcome, Outcome::Refused(Refusal::NotForYou { .. })),
        "{outcome:?}"
    );
    let end = room.command(Principal::Learner, CommandBody::EndBreak);
    assert!(matches!(room.ask(&end), Outcome::Applied { .. }));
    assert!(room.paused_by().is_empty());
    // Who goes on all the same is not asked to rest again before they have said more.
    for _ in 0..60 {
        room.moment();
    }
    assert!(room.paused_by().is_empty());
    room.say_how_well(0.2);
    assert_eq!(room.paused_by(), [PauseCause::Break]);
}

#[test]
fn a_long_stay_in_the_headset_brings_the_offer_of_a_break() {
    let mut room = Room::new();
    room.app
        .insert_resource(TimeUpdateStrategy::ManualDuration(SECOND));
    let minutes = |room: &mut Room, minutes| {
        for _ in 0..minutes {
            for _ in 0..59 {
                room.app.update();
            }
            // One update more, and with it one second.
            room.happen(observed());
        }
        room.app.update();
    };
    minutes(&mut room, 29);
    assert!(!room.state().adapted.break_offered);
    minutes(&mut room, 3);
    // Asked for in one frame, done and folded in the following ones.
    room.app.update();
    assert!(room.state().adapted.break_offered);
    assert!(room.paused_by().is_empty());
}

#[test]
fn turning_again_and_again_brings_the_offer_of_a_break_and_rest_takes_the_sickness_away() {
    let mut room = Room::new();
    let sickness = |state: &LearnerState| Some(state.models.comfort()?.sickness().0);
    room.moment();
    assert_eq!(sickness(room.state()), None, "no headset was worn");
    let mut moment = crate::learning::five::observation::Moment {
        dt: 5 * SECOND,
        ..Default::default()
    };
    // Nine flicks of 30 degrees in five seconds, for a minute.
    moment.exposure = Some(crate::learning::comfort::Exposure {
        dt: moment.dt,
        snapped: 9.0 * std::f64::consts::FRAC_PI_6,
        ..Default::default()
    });
    for _ in 0..12 {
        room.happen(EventBody::Observed {
            moment: Box::new(moment),
        });
    }
    assert!(!room.state().adapted.break_offered);
    for _ in 0..84 {
        room.happen(EventBody::Observed {
            moment: Box::new(moment),
        });
        room.wait(SECOND);
    }
    assert!(room.state().adapted.break_offered);
    let before = sickness(room.state()).unwrap();
    assert!(before > 5.0, "{before}");
    // Ten minutes without the headset.
    let mut state = room.state().clone();
    let at = state.at_unix_ms;
    let by = PauseCause::Learner;
    for (body, at_unix_ms) in [
        (EventBody::Paused { by }, at),
        (EventBody::Resumed { by }, at + 600_000),
    ] {
        let event = crate::protocol::event::Event {
            seq: state.seq + 1,
            at_unix_ms,
            learner: room.id,
            session: state.session.unwrap(),
            body,
        };
        state.fold(&event).unwrap();
    }
    let rested = sickness(&state).unwrap();
    assert!(rested < 0.5 * before, "{before} {rested}");
}

#[test]
fn who_stands_before_a_step_that_is_too_hard_is_foreseen_to_stall() {
    let mut lesson = lesson();
    let id = crate::learning::skill::SkillId::new("take");
    lesson.skills = vec![crate::lesson::format::Skill {
        id: id.clone(),
        title: String::new(),
        requires: Vec::new(),
        bkt: None,
    }];
    for step in &mut lesson.steps {
        step.evidence_for = vec![id.clone()];
    }
    let mut room = Room::with(lesson);
    let outlook = |room: &Room| {
        let who = room.learner;
        room.app.world().get::<super::Outlook>(who).unwrap().0
    };
    room.attempt(true);
    room.wait(SECOND);
    let before = outlook(&room).unwrap().stalls_within(60.0);
    for _ in 0..4 {
        room.attempt(false);
        room.wait(SECOND);
    }
    let after = outlook(&room).unwrap().stalls_within(60.0);
    assert!(after > before, "{before} {after}");
}

#[test]
fn guidance_shows_its_hint_when_a_step_begins() {
    let mut room = Room::new();
    let guidance = CommandBody::AddSupport {
        kind: crate::learning::strategy::action::SupportKind::Guidance,
        level: 2,
        modality: crate::learning::strategy::action::Modality::Highlight,
    };
    assert!(matches!(room.instructor(guidance), Outcome::Applied { .. }));
    room.enter("take");
    room.wait(SECOND);
    assert_eq!(room.hint(), 2);
    room.instructor(CommandBody::FadeSupport);
    room.enter("take");
    room.wait(SECOND);
    assert_eq!(room.hint(), 0);
}

#[test]
fn what_the_lesson_has_no_means_for_is_refused() {
    let mut room = Room::new();
    for body in [
        CommandBody::ChangeApproach,
        CommandBody::MoveOn,
        CommandBody::Review,
    ] {
        let outcome = room.instructor(body);
        assert!(
            matches!(outcome, Outcome::Refused(Refusal::NotHere { .. })),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_lesson_without_anything_known_brings_no_decision() {
    let mut room = Room::new();
    for _ in 0..100 {
        room.moment();
    }
    let decided = room
        .log()
        .iter()
        .filter(|body| matches!(body, EventBody::Decided(_)))
        .count();
    assert_eq!(decided, 0);
}

#[test]
fn an_instructors_hint_on_one_step_keeps_no_hint_from_the_next() {
    let mut room = Room::new();
    room.instructor(give(None));
    room.enter("take");
    room.wait(21 * SECOND);
    assert_eq!(room.hint(), 1);
}
