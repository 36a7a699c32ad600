//! A lesson in an app without a renderer: interactions in, events of attempts and steps out.

use std::sync::Arc;
use std::time::Duration;

use bevy::ecs::message::MessageCursor;
use bevy::time::TimeUpdateStrategy;

use super::*;
use crate::interaction::things::{InSocket, Socket, TeleportSpot};
use crate::interaction::{InputMode, Interaction, SocketFit};
use crate::learning::event_criteria::Criterion;
use crate::lesson::Loaded;
use crate::lesson::format::{
    self, Action, Flow, LearningEvent, Lesson, Object, OnFailure, Panel, PanelContent, RatingOf,
    Role, Shape, Step,
};
use crate::protocol::blur::Blur;
use crate::protocol::command::{Command, CommandBody, Principal};
use crate::protocol::event::{Attempt, EndReason, Event, EventBody, Evidence, PauseCause, Told};
use crate::protocol::ids::{CommandId, LearnerId, LessonId, ObjectId, PanelId, SocketId, StepId};
use crate::protocol::sample::Signal;
use crate::session::join::Joining;
use crate::session::stream::systems::StreamInput;
use crate::session::{SessionPlugin, SessionSystems};

const FRAME: Duration = Duration::from_millis(40);

fn thing(name: &str, x: f32, role: Role) -> Object {
    Object {
        id: ObjectId::new(name),
        label: name.to_owned(),
        shape: Shape::Box([0.06; 3]),
        position: [x, 0.9, -0.5],
        rotation: [0.0; 3],
        color: "#cc3333".to_owned(),
        role,
    }
}

fn step(name: &str, action: Action) -> Step {
    Step {
        id: StepId::new(name),
        event: LearningEvent::Practice,
        goal: name.to_owned(),
        say: None,
        action,
        time_limit: None,
        evidence_for: Vec::new(),
        hints: Vec::new(),
        on_failure: OnFailure::Retry,
    }
}

fn cube() -> ObjectId {
    ObjectId::new("cube")
}

fn place(socket: &str) -> Action {
    Action::Place {
        object: cube(),
        socket: SocketId::new(socket),
        position_tolerance: 0.03,
        rotation_tolerance: None,
    }
}

fn lesson(steps: Vec<Step>) -> Lesson {
    let flow = steps
        .iter()
        .map(|step| Flow::Step(step.id.clone()))
        .collect();
    let socket = |name: &str, x: f32| format::Socket {
        id: SocketId::new(name),
        label: name.to_owned(),
        position: [x, 0.9, -0.5],
        rotation: [0.0; 3],
        accepts: vec![cube()],
        reach: 0.1,
    };
    Lesson {
        version: 1,
        id: LessonId::new("doing"),
        title: String::new(),
        summary: String::new(),
        language: "en".to_owned(),
        skills: Vec::new(),
        objects: vec![
            thing("cube", 0.0, Role::Grabbable { mass: 0.2 }),
            thing("ball", 0.2, Role::Grabbable { mass: 0.2 }),
            thing("target", 0.6, Role::Fixed),
            thing("button", -0.2, Role::Button),
            thing("spot", 1.0, Role::TeleportSpot),
        ],
        sockets: vec![socket("here", 0.3), socket("there", -0.4)],
        panels: vec![
            panel(
                "quiz",
                PanelContent::Question {
                    prompt: "?".to_owned(),
                    choices: vec!["a".to_owned(), "b".to_owned()],
                    correct: 1,
                },
            ),
            panel(
                "how",
                PanelContent::Rating {
                    prompt: "How?".to_owned(),
                    about: RatingOf::Comfort,
                    choices: ["bad", "so so", "good"].map(str::to_owned).to_vec(),
                },
            ),
        ],
        steps,
        flow: Flow::Sequence(flow),
    }
}

fn panel(id: &str, content: PanelContent) -> Panel {
    Panel {
        id: PanelId::new(id),
        position: [0.0, 1.4, -1.0],
        rotation: [0.0; 3],
        size: [0.6, 0.4],
        content,
    }
}

struct Room {
    app: App,
    learner: Entity,
    log: Vec<EventBody>,
    read: MessageCursor<Happened>,
}

impl Room {
    fn new(steps: Vec<Step>) -> Self {
        Self::joined(steps, Joining::newcomer())
    }

    /// The same lesson after the process was killed: only the log is left.
    fn resumed(self, steps: Vec<Step>) -> Self {
        let learner = self
            .app
            .world()
            .get::<Learner>(self.learner)
            .expect("a learner");
        let who = (learner.id, learner.session);
        let log: Vec<Event> = (1..)
            .zip(&self.log)
            .map(|(seq, body)| Event {
                seq,
                at_unix_ms: 0,
                learner: who.0,
                session: who.1,
                body: body.clone(),
            })
            .collect();
        let state = LearnerState::of(&log).expect("a log that can be followed");
        let learner = who.0;
        Self::joined(
            steps,
            Joining {
                learner,
                log,
                state,
            },
        )
    }

    fn joined(steps: Vec<Step>, joining: Joining) -> Self {
        Self::with_lesson(lesson(steps), joining)
    }

    fn with_lesson(lesson: Lesson, joining: Joining) -> Self {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, SessionPlugin, TaskPlugin));
        app.configure_sets(Update, (TaskSystems, SessionSystems).chain());
        app.insert_resource(TimeUpdateStrategy::ManualDuration(FRAME));
        let loaded = Loaded {
            lesson: Arc::new(lesson),
            path: None,
            digest: "test".to_owned(),
        };
        let learner = joining.enter(app.world_mut(), &loaded.lesson, &loaded.digest, false);
        app.insert_resource(ActiveLesson(loaded));
        let mut room = Self {
            app,
            learner,
            log: Vec::new(),
            read: MessageCursor::default(),
        };
        room.frame();
        room.frame();
        room.frame();
        room
    }

    /// As if an instructor had set it.
    fn set_difficulty(&mut self, multiplier: f64) {
        let command = Command {
            id: CommandId::fresh(),
            learner: LearnerId::fresh(),
            principal: Principal::Instructor,
            asker: None,
            purpose: "test".to_owned(),
            body: CommandBody::SetDifficulty { multiplier },
            trace: None,
        };
        self.happen(EventBody::CommandApplied {
            command: Box::new(command),
            hint_level: None,
        });
    }

    /// One frame; what it wrote goes to the log.
    fn frame(&mut self) {
        self.app.update();
        let messages = self.app.world().resource::<Messages<Happened>>();
        self.log.extend(
            self.read
                .read(messages)
                .map(|happened| happened.body.clone()),
        );
    }

    fn wait(&mut self, time: Duration) {
        let mut passed = Duration::ZERO;
        while passed < time {
            self.frame();
            passed += FRAME;
        }
    }

    fn object(&self, name: &str) -> Entity {
        self.app.world().resource::<Stage>().objects[&ObjectId::new(name)]
    }

    fn socket(&self, name: &str) -> Entity {
        self.app.world().resource::<Stage>().sockets[&SocketId::new(name)]
    }

    fn act(&mut self, what: Interaction) {
        self.app
            .world_mut()
            .write_message(Interacted { side: None, what });
        self.frame();
    }

    fn grab(&mut self, name: &str) {
        let target = self.object(name);
        self.act(Interaction::Grabbed { target });
    }

    fn release_at(&mut self, name: &str, socket: &str, position_error: f32) {
        let fit = Some(SocketFit {
            socket: self.socket(socket),
            accepted: position_error <= 0.03,
            position_error,
            rotation_error: 0.0,
        });
        let target = self.object(name);
        self.act(Interaction::Released { target, fit });
    }

    fn attempts(&self) -> Vec<Attempt> {
        let attempts = self.log.iter().filter_map(|body| match body {
            EventBody::Attempted(attempt) => Some(attempt.clone()),
            _ => None,
        });
        attempts.collect()
    }

    fn completed(&self) -> Vec<&str> {
        let steps = self.log.iter().filter_map(|body| match body {
            EventBody::StepCompleted { step, .. } => Some(step.as_str()),
            _ => None,
        });
        steps.collect()
    }

    fn happen(&mut self, body: EventBody) {
        let learner = self.learner;
        self.app
            .world_mut()
            .write_message(Happened { learner, body });
        self.frame();
    }

    fn put(&mut self, name: &str, at: Vec3) {
        let entity = self.object(name);
        self.app
            .world_mut()
            .entity_mut(entity)
            .insert(Transform::from_translation(at));
    }

    fn place_of(&self, name: &str) -> Vec3 {
        let at = self.app.world().get::<Transform>(self.object(name));
        at.expect("a place").translation
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_first_step_is_entered_once_the_session_has_begun() {
    let room = Room::new(vec![step("touch", Action::Touch { object: cube() })]);
    assert!(matches!(room.log[0], EventBody::SessionStarted { .. }));
    assert_eq!(
        room.log[1..],
        [EventBody::StepEntered {
            step: StepId::new("touch"),
            event: Some(LearningEvent::Practice),
            hints: 0,
        }]
    );
}

#[test]
fn a_wrong_placement_is_an_attempt_too_and_the_right_one_completes_the_step() {
    let mut room = Room::new(vec![step("place", place("here"))]);
    room.release_at("cube", "there", 0.01);
    room.release_at("cube", "here", 0.06);
    room.release_at("cube", "here", 0.01);
    let attempts = room.attempts();
    assert_eq!(
        attempts.iter().map(|a| a.correct).collect::<Vec<_>>(),
        [false, false, true]
    );
    assert_eq!(attempts[1].position_error, Some(0.06));
    assert!(attempts[1].credit > 0.0 && attempts[1].credit < 1.0);
    assert_eq!(room.completed(), ["place"]);
    assert_eq!(
        room.log.last(),
        Some(&EventBody::SessionEnded {
            reason: EndReason::LessonCompleted
        })
    );
}

#[test]
fn an_attempt_carries_what_was_blurred_when_it_was_made() {
    let mut room = Room::new(vec![step("place", place("here"))]);
    room.release_at("cube", "there", 0.01);
    let blurs = Blurs::default().with(Blur::Precision);
    room.app.insert_resource(Blurred(blurs));
    room.release_at("cube", "here", 0.01);
    let blurred: Vec<Blurs> = room.attempts().iter().map(|it| it.blurred).collect();
    assert_eq!(blurred, [Blurs::default(), blurs]);
    let line = serde_json::to_string(&room.attempts()).unwrap();
    assert_eq!(line.matches(r#""blurred":["precision"]"#).count(), 1);
    // A log from before has no such field.
    let old = line.replace(r#""blurred":["precision"],"#, "");
    let read: Vec<Attempt> = serde_json::from_str(&old).unwrap();
    assert!(read.iter().all(|it| it.blurred.is_empty()));
}

#[test]
fn while_the_lesson_pauses_nothing_counts_and_no_time_passes() {
    let mut room = Room::new(vec![step("grab", Action::Grab { object: cube() })]);
    room.wait(seconds(2));
    let by = PauseCause::Instructor;
    room.happen(EventBody::Paused { by });
    room.grab("cube");
    room.wait(seconds(30));
    assert!(room.attempts().is_empty());
    room.happen(EventBody::Resumed { by });
    room.grab("ball");
    let latency = room.attempts()[0].latency;
    assert!(latency > seconds(1) && latency < seconds(3), "{latency:?}");
}

#[test]
fn latency_runs_from_the_step_or_the_attempt_before() {
    let mut room = Room::new(vec![step(
        "press",
        Action::Press {
            object: ObjectId::new("button"),
        },
    )]);
    room.wait(seconds(3));
    let target = room.object("cube");
    room.act(Interaction::Pressed { target });
    room.wait(seconds(1));
    let target = room.object("button");
    room.act(Interaction::Pressed { target });
    let attempts = room.attempts();
    assert!(attempts[0].latency >= seconds(3));
    assert!(attempts[1].latency >= seconds(1) && attempts[1].latency < seconds(2));
}

fn throw() -> Vec<Step> {
    vec![step(
        "throw",
        Action::Throw {
            object: ObjectId::new("ball"),
            at: Some(ObjectId::new("target")),
            min_speed: 1.0,
        },
    )]
}

#[test]
fn a_throw_that_strikes_nothing_is_wrong_after_three_seconds() {
    let mut room = Room::new(throw());
    let target = room.object("ball");
    room.act(Interaction::Thrown { target, speed: 3.0 });
    room.wait(Duration::from_millis(2800));
    assert!(room.attempts().is_empty());
    room.wait(Duration::from_millis(400));
    let attempts = room.attempts();
    assert_eq!(attempts.len(), 1);
    assert!(!attempts[0].correct);
}

#[test]
fn a_throw_that_strikes_the_target_is_right() {
    let mut room = Room::new(throw());
    let (target, hit) = (room.object("ball"), room.object("target"));
    room.act(Interaction::Thrown { target, speed: 3.0 });
    room.wait(Duration::from_millis(300));
    room.act(Interaction::Struck { target, hit });
    room.wait(seconds(4));
    let attempts = room.attempts();
    assert_eq!(attempts.len(), 1);
    assert!(attempts[0].correct);
    assert_eq!(
        attempts[0].evidence,
        Evidence::Thrown {
            object: ObjectId::new("ball"),
            speed: 3.0,
            hit: Some(ObjectId::new("target"))
        }
    );
}

#[test]
fn looking_counts_only_from_the_steps_start() {
    let look = Action::LookAt {
        object: cube(),
        hold: 1.0,
    };
    let mut room = Room::new(vec![step("look", look)]);
    let target = room.object("cube");
    room.act(Interaction::LookedAt { target, held: 9.0 });
    assert!(
        room.attempts().is_empty(),
        "they had looked before the step began"
    );
    room.wait(seconds(1));
    room.act(Interaction::LookedAt { target, held: 10.0 });
    assert_eq!(room.completed(), ["look"]);
}

#[test]
fn a_thing_already_in_hand_need_not_be_let_go_and_taken_again() {
    let touch = Action::Touch { object: cube() };
    let grab = Action::Grab { object: cube() };
    let mut room = Room::new(vec![
        step(
            "press",
            Action::Press {
                object: ObjectId::new("button"),
            },
        ),
        step("touch", touch),
        step("grab", grab),
        step("place", place("here")),
    ]);
    room.grab("cube");
    let target = room.object("button");
    room.act(Interaction::Pressed { target });
    assert_eq!(room.completed(), ["press", "touch", "grab"]);
}

#[test]
fn an_answer_on_a_panel_is_judged() {
    let panel = PanelId::new("quiz");
    let ask = Action::Answer {
        panel: panel.clone(),
    };
    let mut room = Room::new(vec![step("answer", ask)]);
    for choice in [0, 1] {
        let panel = panel.clone();
        room.app
            .world_mut()
            .write_message(PanelAnswered { panel, choice });
        room.frame();
    }
    let attempts = room.attempts();
    assert_eq!(
        attempts.iter().map(|a| a.correct).collect::<Vec<_>>(),
        [false, true]
    );
}

#[test]
fn what_a_learner_says_of_themselves_is_taken_down_and_is_no_attempt() {
    let panel = PanelId::new("how");
    let ask = Action::Rate {
        panel: panel.clone(),
    };
    let mut room = Room::new(vec![step("say", ask)]);
    // There is no fourth choice, and the other panel asks something else.
    for (panel, choice) in [(&panel, 3), (&PanelId::new("quiz"), 1), (&panel, 1)] {
        let panel = panel.clone();
        room.app
            .world_mut()
            .write_message(PanelAnswered { panel, choice });
        room.frame();
    }
    assert!(room.attempts().is_empty());
    assert_eq!(room.completed(), ["say"]);
    let told = EventBody::Told {
        by: Principal::Learner,
        about: Told::Criterion(Criterion::Comfort),
        value: 0.5,
    };
    assert_eq!(room.log.iter().filter(|body| **body == told).count(), 1);
}

#[test]
fn a_running_lesson_is_observed_every_five_seconds_and_a_pause_is_not() {
    let mut room = Room::new(vec![step("touch", Action::Touch { object: cube() })]);
    room.wait(seconds(16));
    let observed = |room: &Room| {
        room.log
            .iter()
            .filter_map(|body| match body {
                EventBody::Observed { moment } => Some(moment.dt),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    let moments = observed(&room);
    assert_eq!(moments.len(), 3);
    assert!(
        moments
            .iter()
            .all(|dt| (5.0..5.2).contains(&dt.as_secs_f64()))
    );
    room.happen(EventBody::Paused {
        by: PauseCause::Learner,
    });
    room.wait(seconds(16));
    assert_eq!(observed(&room).len(), 3);
}

#[test]
fn a_headset_says_what_it_should_measure_and_a_lesson_without_view_expects_nothing() {
    let input = |mode| {
        let mut room = Room::new(vec![step("touch", Action::Touch { object: cube() })]);
        room.app
            .insert_resource(mode)
            .init_resource::<Circumstances>();
        room.wait(seconds(6));
        let mut inputs = room.app.world_mut().query::<&StreamInput>();
        inputs.single(room.app.world()).unwrap().clone()
    };
    let worn = input(InputMode::Xr);
    assert!(worn.expected.has(Signal::Tracking) && worn.quality.is_some());
    assert!(worn.frames.is_some_and(|frames| frames.shown > 0.99));
    assert!(worn.of_step.is_some());
    let alone = input(InputMode::Headless);
    assert!(alone.expected.is_empty() && alone.quality.is_none() && alone.frames.is_none());
}

#[test]
fn difficulty_chooses_among_the_variants_and_another_form_takes_the_first_ones_place() {
    let steps = || {
        vec![
            step("touch", Action::Touch { object: cube() }),
            step("easy", Action::Grab { object: cube() }),
            step("usual", place("here")),
            step("likewise", place("there")),
        ]
    };
    let entered = |room: &Room| {
        let steps = room.log.iter().filter_map(|body| match body {
            EventBody::StepEntered { step, .. } => Some(step.to_string()),
            _ => None,
        });
        steps.collect::<Vec<_>>()
    };
    let room_at = |multiplier: f64| {
        let mut lesson = lesson(steps());
        let variant = |difficulty, name: &str| format::Variant {
            difficulty,
            flow: Flow::Step(StepId::new(name)),
        };
        lesson.flow = Flow::Sequence(vec![
            Flow::Step(StepId::new("touch")),
            Flow::Variants(vec![
                variant(1.0, "usual"),
                variant(1.0, "likewise"),
                variant(0.6, "easy"),
            ]),
        ]);
        let mut room = Room::with_lesson(lesson, Joining::newcomer());
        room.set_difficulty(multiplier);
        let target = room.object("cube");
        room.act(Interaction::Touched { target });
        room.frame();
        room
    };
    assert_eq!(entered(&room_at(0.6)), ["touch", "easy"]);
    let mut room = room_at(1.0);
    assert_eq!(entered(&room), ["touch", "usual"]);
    let learner = room.learner;
    assert!(room.app.world().get::<OtherWay>(learner).unwrap().form);
    let way = Way::Form(Variety::Form);
    room.app
        .world_mut()
        .write_message(WayChanged { learner, way });
    room.frame();
    room.frame();
    assert_eq!(entered(&room), ["touch", "usual", "likewise"]);
    // With more to do there is none here.
    let other_way = room.app.world().get::<OtherWay>(learner).unwrap();
    assert!(other_way.form && !other_way.fuller);
    // The form that is not given does not count.
    room.grab("cube");
    room.release_at("cube", "here", 0.0);
    assert!(room.completed().iter().all(|step| *step != "usual"));
    room.grab("cube");
    room.release_at("cube", "there", 0.0);
    assert_eq!(room.completed(), ["touch", "likewise"]);
}

#[test]
fn a_task_is_varied_by_interaction_where_one_of_its_forms_has_more_to_do() {
    let steps = vec![
        step("usual", place("here")),
        step("hold", Action::Grab { object: cube() }),
        step("set-down", place("there")),
    ];
    let mut lesson = lesson(steps);
    let one = |name: &str| Flow::Step(StepId::new(name));
    let variant = |flow| format::Variant {
        difficulty: 1.0,
        flow,
    };
    lesson.flow = Flow::Variants(vec![
        variant(one("usual")),
        variant(Flow::Sequence(vec![one("hold"), one("set-down")])),
    ]);
    let mut room = Room::with_lesson(lesson, Joining::newcomer());
    room.frame();
    let learner = room.learner;
    assert!(room.app.world().get::<OtherWay>(learner).unwrap().fuller);
    let way = Way::Form(Variety::Interaction);
    room.app
        .world_mut()
        .write_message(WayChanged { learner, way });
    room.frame();
    room.frame();
    assert!(!room.app.world().get::<OtherWay>(learner).unwrap().fuller);
    room.grab("cube");
    room.release_at("cube", "there", 0.0);
    assert_eq!(room.completed(), ["hold", "set-down"]);
}

#[test]
fn a_harder_task_is_judged_more_narrowly_and_an_easier_one_less() {
    for (multiplier, offset, right) in [
        (1.0, 0.025, true),
        (1.6, 0.025, false),
        (1.0, 0.05, false),
        (0.5, 0.05, true),
    ] {
        let mut room = Room::new(vec![step("place", place("here"))]);
        room.set_difficulty(multiplier);
        room.grab("cube");
        room.release_at("cube", "here", offset);
        let correct: Vec<bool> = room.attempts().iter().map(|it| it.correct).collect();
        assert_eq!(correct, [right], "{multiplier} {offset}");
    }
}

#[test]
fn the_other_way_is_taken_where_there_is_one() {
    let steps = || {
        vec![
            step("touch", Action::Touch { object: cube() }),
            step("grab", Action::Grab { object: cube() }),
        ]
    };
    let entered = |room: &Room| {
        let steps = room.log.iter().filter_map(|body| match body {
            EventBody::StepEntered { step, .. } => Some(step.to_string()),
            _ => None,
        });
        steps.collect::<Vec<_>>()
    };
    let take_other_way = |room: &mut Room| {
        let learner = room.learner;
        room.frame();
        let is_there = room.app.world().get::<OtherWay>(learner).unwrap().step;
        let way = Way::Step;
        room.app
            .world_mut()
            .write_message(WayChanged { learner, way });
        room.frame();
        is_there
    };
    let mut one_way = Room::new(steps());
    assert!(!take_other_way(&mut one_way));
    assert_eq!(entered(&one_way), ["touch"]);
    let mut lesson = lesson(steps());
    lesson.flow = Flow::Choice(vec![
        Flow::Step(StepId::new("touch")),
        Flow::Step(StepId::new("grab")),
    ]);
    let mut room = Room::with_lesson(lesson, Joining::newcomer());
    assert!(take_other_way(&mut room));
    assert_eq!(entered(&room), ["touch", "grab"]);
}

#[test]
fn a_step_whose_time_runs_out_is_a_failed_attempt_and_may_be_given_up() {
    let mut hurry = step("hurry", Action::Grab { object: cube() });
    hurry.time_limit = Some(2.0);
    hurry.on_failure = OnFailure::GoOnAfter { failures: 2 };
    let mut room = Room::new(vec![hurry, step("touch", Action::Touch { object: cube() })]);
    room.wait(Duration::from_millis(4400));
    let attempts = room.attempts();
    assert_eq!(attempts.len(), 2);
    assert!(
        attempts
            .iter()
            .all(|a| a.evidence == Evidence::TimedOut && !a.correct)
    );
    assert!(room.log.contains(&EventBody::StepCompleted {
        step: StepId::new("hurry"),
        skipped: true
    }));
}

#[test]
fn what_fell_out_of_reach_comes_back_when_a_step_needs_it() {
    let mut room = Room::new(vec![step("grab", Action::Grab { object: cube() })]);
    let home = room.place_of("cube");
    room.put("cube", Vec3::new(0.0, 0.03, -0.5));
    room.put("ball", Vec3::new(0.0, 0.03, -0.4));
    room.wait(seconds(1));
    assert!(
        room.place_of("cube").y < 0.1,
        "the learner sees where it went"
    );
    room.wait(seconds(2));
    assert_eq!(room.place_of("cube"), home);
    assert!(room.place_of("ball").y < 0.1, "nobody needs the ball now");
}

#[test]
fn what_left_the_room_comes_back_at_once() {
    let mut room = Room::new(vec![step("grab", Action::Grab { object: cube() })]);
    let home = room.place_of("ball");
    room.put("ball", Vec3::new(0.0, -3.0, 0.0));
    room.frame();
    assert_eq!(room.place_of("ball"), home);
}

#[test]
fn a_resumed_lesson_goes_on_at_its_step_with_placed_things_in_place() {
    let steps = || {
        vec![
            step("place", place("here")),
            step("touch", Action::Touch { object: cube() }),
        ]
    };
    let mut room = Room::new(steps());
    room.release_at("cube", "here", 0.01);
    let before = room.log.clone();
    let mut room = room.resumed(steps());
    assert_eq!(
        room.log,
        [EventBody::SessionResumed],
        "the step was entered before"
    );
    assert!(before.len() > 3);
    let resting = room.app.world().get::<InSocket>(room.object("cube"));
    assert_eq!(resting.map(|socket| socket.0), Some(room.socket("here")));
    assert_eq!(room.place_of("cube"), Vec3::new(0.3, 0.9, -0.5));
    let target = room.object("cube");
    room.act(Interaction::Touched { target });
    assert_eq!(room.completed(), ["touch"]);
}

#[test]
fn a_right_attempt_whose_completion_was_cut_off_completes_the_step_on_resume() {
    let steps = || {
        vec![
            step("place", place("here")),
            step("touch", Action::Touch { object: cube() }),
        ]
    };
    let mut room = Room::new(steps());
    room.release_at("cube", "here", 0.01);
    let attempted = |body: &EventBody| matches!(body, EventBody::Attempted(_));
    let last = room.log.iter().position(attempted).expect("an attempt");
    room.log.truncate(last + 1);
    let room = room.resumed(steps());
    assert_eq!(room.completed(), ["place"]);
    assert!(room.attempts().is_empty(), "it is not judged twice");
}

#[test]
fn an_optional_step_is_passed_over_by_doing_the_next() {
    let press = Action::Press {
        object: ObjectId::new("button"),
    };
    let mut lesson = lesson(vec![
        step("grab", Action::Grab { object: cube() }),
        step("press", press),
    ]);
    lesson.flow = Flow::Sequence(vec![
        Flow::Optional(Box::new(Flow::Step(StepId::new("grab")))),
        Flow::Step(StepId::new("press")),
    ]);
    let mut room = Room::with_lesson(lesson, Joining::newcomer());
    let target = room.object("button");
    room.act(Interaction::Pressed { target });
    let passed = EventBody::StepCompleted {
        step: StepId::new("grab"),
        skipped: true,
    };
    assert!(room.log.contains(&passed), "{:?}", room.log);
    assert_eq!(room.completed(), ["grab", "press"]);
}

#[test]
fn a_reloaded_lesson_has_a_new_scene_and_the_learner_stays_where_they_were() {
    let press = Action::Press {
        object: ObjectId::new("button"),
    };
    let mut room = Room::new(vec![step("press", press), step("place", place("here"))]);
    let target = room.object("button");
    room.act(Interaction::Pressed { target });
    let before = room.object("cube");
    room.app.world_mut().write_message(LessonReloaded);
    room.frame();
    room.frame();
    assert_ne!(room.object("cube"), before);
    assert!(room.app.world().get_entity(before).is_err());
    room.log.clear();
    room.release_at("cube", "here", 0.0);
    assert_eq!(room.completed(), ["place"]);
}

#[test]
fn sockets_and_spots_carry_what_the_lesson_says() {
    let room = Room::new(vec![step("place", place("here"))]);
    let socket = room
        .app
        .world()
        .get::<Socket>(room.socket("here"))
        .expect("a socket");
    assert_eq!(socket.accepts, [room.object("cube")]);
    assert!((socket.position_tolerance - 0.03).abs() < f32::EPSILON);
    let spot = room
        .app
        .world()
        .get::<TeleportSpot>(room.object("spot"))
        .expect("a spot");
    assert!((spot.radius - 0.03).abs() < f32::EPSILON);
}

#[test]
fn the_bundled_lesson_can_be_played_to_its_end() {
    let lesson = crate::lesson::load("first-steps")
        .expect("the bundled lesson")
        .lesson;
    let mut room = Room::with_lesson(lesson.as_ref().clone(), Joining::newcomer());
    for step in &lesson.steps {
        room.wait(seconds(2));
        room.fulfil(&step.action);
    }
    let steps: Vec<&str> = lesson.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(room.completed(), steps);
    assert!(room.attempts().iter().all(|attempt| attempt.correct));
    assert!(matches!(
        room.log.last(),
        Some(EventBody::SessionEnded { .. })
    ));
}

impl Room {
    /// Does what a step asks for.
    fn fulfil(&mut self, action: &Action) {
        match action {
            Action::LookAt { object, hold } => {
                let target = self.object(object.as_str());
                self.act(Interaction::LookedAt {
                    target,
                    held: *hold,
                });
            }
            Action::Touch { object } => {
                let target = self.object(object.as_str());
                self.act(Interaction::Touched { target });
            }
            Action::Grab { object } => self.grab(object.as_str()),
            Action::Place { object, socket, .. } => {
                self.release_at(object.as_str(), socket.as_str(), 0.01);
            }
            Action::Throw {
                object,
                at,
                min_speed,
            } => {
                let target = self.object(object.as_str());
                let speed = *min_speed;
                self.act(Interaction::Thrown { target, speed });
                if let Some(at) = at {
                    let hit = self.object(at.as_str());
                    self.act(Interaction::Struck { target, hit });
                }
            }
            Action::Press { object } => {
                let target = self.object(object.as_str());
                self.act(Interaction::Pressed { target });
            }
            Action::Teleport { to } => {
                let spot = Some(self.object(to.as_str()));
                self.act(Interaction::Teleported {
                    to: Vec3::ZERO,
                    spot,
                });
            }
            Action::Answer { panel } | Action::Rate { panel } => {
                let panel = panel.clone();
                self.app
                    .world_mut()
                    .write_message(PanelAnswered { panel, choice: 1 });
                self.frame();
            }
        }
    }
}
