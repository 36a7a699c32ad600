use std::time::Duration;

use bevy::ecs::message::MessageCursor;
use bevy::prelude::*;
use bevy::time::TimeUpdateStrategy;
use proptest::prelude::*;

use super::*;
use crate::adaptation::AdaptationPlugin;
use crate::app::frame::order_the_frame;
use crate::interaction::Circumstances;
use crate::protocol::command::{Command, CommandBody, Principal};

use crate::protocol::event::{Event, PauseCause};
use crate::protocol::ids::{CommandId, ObjectId, PanelId, SocketId};
use crate::session::join::Joining;
use crate::session::state::LearnerState;
use crate::session::times::FrameTimesPlugin;
use crate::session::{CommandRequested, Folded, Happened, SessionPlugin};
use crate::task::judge::{Deed, Fit};
use crate::task::{Redone, TaskPlugin};

/// Small numbers from a seed, each as likely.
pub(super) struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Plays the first lesson with deeds as they fall, for so many frames, and gives the log.
pub(super) fn play(
    log: Vec<Event>,
    learner: LearnerId,
    frames: u32,
    dice: &mut Dice,
) -> Vec<Event> {
    play_with(log, learner, frames, 90, dice, Strategies::default())
}

/// The same with a deed in about every so manieth frame.
pub(super) fn play_with(
    log: Vec<Event>,
    learner: LearnerId,
    frames: u32,
    every: u64,
    dice: &mut Dice,
    strategies: Strategies,
) -> Vec<Event> {
    let lesson = lesson::load("first-steps").unwrap();
    let mut app = App::new();
    app.add_plugins((
        MinimalPlugins,
        TaskPlugin,
        SessionPlugin,
        FrameTimesPlugin,
        AdaptationPlugin,
    ))
    .insert_resource(strategies)
    .init_resource::<Circumstances>();
    order_the_frame(&mut app);
    let state = LearnerState::of(&log).unwrap();
    let joining = Joining {
        learner,
        log: log.clone(),
        state,
    };
    let entity = joining.enter(app.world_mut(), &lesson.lesson, &lesson.digest, false);
    app.insert_resource(crate::lesson::ActiveLesson(lesson));
    let mut log = log;
    let mut read = MessageCursor::<Folded>::default();
    for _ in 0..frames {
        let micros = match dice.below(400) {
            // Now and then the machine is busy with something else.
            0 => 1_700_000,
            1..=5 => 300_000,
            _ => 9_000 + dice.below(30_000),
        };
        let passed = Duration::from_nanos(1000 * micros + dice.below(1000));
        app.insert_resource(TimeUpdateStrategy::ManualDuration(passed));
        let world = app.world_mut();
        world.resource_mut::<Circumstances>().tracking = 1.0 - 0.001 * dice.below(300) as f64;
        if dice.below(every) == 0 {
            let step = world.get::<LearnerState>(entity).unwrap().step.clone();
            let asked = step.filter(|_| dice.below(2) == 0);
            let deed = asked.and_then(|step| fitting(step.as_str(), dice));
            world.write_message(Redone(deed.unwrap_or_else(|| anything(dice))));
        }
        if dice.below(700) == 0 {
            let body = match dice.below(3) {
                0 => CommandBody::GiveHint { level: None },
                1 => CommandBody::FadeHint,
                _ => CommandBody::SetDifficulty { multiplier: 0.8 },
            };
            world.write_message(CommandRequested(Command {
                id: CommandId::fresh(),
                learner,
                principal: Principal::Instructor,
                purpose: "to see what happens".to_owned(),
                body,
                asker: None,
                trace: None,
            }));
        }
        if dice.below(900) == 0 {
            let by = PauseCause::Runtime;
            let paused = world.get::<LearnerState>(entity).unwrap().is_paused();
            let body = if paused {
                EventBody::Resumed { by }
            } else {
                EventBody::Paused { by }
            };
            world.write_message(Happened {
                learner: entity,
                body,
            });
        }
        app.update();
        let folded = app.world().resource::<Messages<Folded>>();
        log.extend(read.read(folded).map(|it| it.event.clone()));
    }
    log
}

/// What the step asks, more or less.
fn fitting(step: &str, dice: &mut Dice) -> Option<Deed> {
    let object = |name: &str| ObjectId::new(name);
    let placed = |name, socket, error: u64| Deed::Released {
        object: object(name),
        fit: Some(Fit {
            socket: SocketId::new(socket),
            accepted: true,
            position_error: 0.0001 * error as f32,
            rotation_error: 0.1,
        }),
    };
    let error = dice.below(700);
    Some(match step {
        "look-at-lamp" => Deed::Looked {
            object: object("lamp"),
            held: 2.0,
        },
        "touch-cube" => Deed::Touched {
            object: object("red-cube"),
        },
        "grab-cube" => Deed::Grabbed {
            object: object("red-cube"),
        },
        "place-cube" => placed("red-cube", "square-tray", error),
        "place-drum" => placed("blue-drum", "round-tray", error),
        "place-cone" => placed("green-cone", "pointed-tray", error),
        "say-how-you-feel" => Deed::Answered {
            panel: PanelId::new("well-being"),
            choice: dice.below(5) as u32,
        },
        _ => return None,
    })
}

fn anything(dice: &mut Dice) -> Deed {
    let things = ["lamp", "red-cube", "blue-drum", "green-cone", "ball"];
    let object = ObjectId::new(things[dice.below(5) as usize]);
    match dice.below(9) {
        0 | 1 => Deed::Looked {
            object: ObjectId::new("lamp"),
            held: 2.0,
        },
        2 => Deed::Touched { object },
        3 => Deed::Grabbed { object },
        4 | 5 => {
            let sockets = ["square-tray", "round-tray", "pointed-tray"];
            let position_error = 0.0001 * dice.below(800) as f32;
            Deed::Released {
                object,
                fit: Some(Fit {
                    socket: SocketId::new(sockets[dice.below(3) as usize]),
                    accepted: position_error < 0.05,
                    position_error,
                    rotation_error: 0.001 * dice.below(900) as f32,
                }),
            }
        }
        6 => Deed::Landed {
            object: ObjectId::new("ball"),
            speed: 2.5,
            hit: (dice.below(2) == 0).then(|| ObjectId::new("target")),
        },
        7 => Deed::Answered {
            panel: PanelId::new("well-being"),
            choice: dice.below(5) as u32,
        },
        _ => Deed::Pressed {
            object: ObjectId::new("bell"),
        },
    }
}

pub(in crate::app) fn compared(log: &[Event], strategies: &Strategies) -> Vec<Compared> {
    let lesson = lesson::load("first-steps").unwrap();
    script::cut(log)
        .iter()
        .map(|stretch| {
            assert_eq!(stretch.untimed, [0_u64; 0]);
            let again = again::again(stretch, log[0].learner, &lesson, strategies).unwrap();
            differ::compare(log, stretch, &again).unwrap()
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, ..ProptestConfig::default() })]

    /// As the store gives it back, through two runs of the program of which the first one was killed.
    #[test]
    fn whatever_was_done_comes_out_the_same_to_the_bit(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let learner = LearnerId::fresh();
        let log = play(Vec::new(), learner, 5000, &mut dice);
        let log = play(log, learner, 3000, &mut dice);
        let stored: Vec<Event> = log
            .iter()
            .map(|event| serde_json::from_str(&serde_json::to_string(event).unwrap()).unwrap())
            .collect();
        let compared = compared(&stored, &Strategies::default());
        prop_assert_eq!(compared.len(), 2);
        // Seeds that failed once are tried by `what_was_found_once_is_not_lost`.
        for one in compared {
            prop_assert!(one.same(), "{:#?}", one);
            prop_assert!(one.frames > 0);
        }
    }
}

/// Said how one feels in a run that had been taken up again: the step that ran is of the run before.
#[test]
fn what_was_found_once_is_not_lost() {
    let mut dice = Dice::new(9_841_820_516_457_108_359);
    let learner = LearnerId::fresh();
    let log = play(Vec::new(), learner, 5000, &mut dice);
    let log = play(log, learner, 3000, &mut dice);
    for one in compared(&log, &Strategies::default()) {
        assert!(one.same(), "{one:#?}");
    }
}

#[test]
fn another_table_decides_otherwise_and_the_difference_is_named() {
    let learner = LearnerId::fresh();
    let decided = |log: &Vec<Event>| {
        let mut bodies = log.iter().map(|event| &event.body);
        bodies.any(|body| matches!(body, EventBody::Decided(_)))
    };
    let log = (0..10)
        .map(|seed| play(Vec::new(), learner, 5000, &mut Dice::new(seed)))
        .find(decided)
        .expect("a log with decisions");
    let compared = compared(&log, &super::edition_tests::first_edition());
    assert!(!compared[0].same());
    assert!(compared[0].differing >= compared[0].differences.len());
}

#[test]
fn a_log_that_was_changed_is_found_out() {
    let learner = LearnerId::fresh();
    let mut log = play(Vec::new(), learner, 4000, &mut Dice::new(4));
    let place = log
        .iter()
        .position(|event| matches!(&event.body, EventBody::Attempted(_)))
        .unwrap();
    let seq = log[place].seq;
    if let EventBody::Attempted(attempt) = &mut log[place].body {
        attempt.credit += 0.001;
    }
    let compared = compared(&log, &Strategies::default());
    let first = &compared[0].differences[0];
    assert_eq!(
        (first.seq, first.event.as_str(), first.field.as_str()),
        (seq, "attempted", "credit")
    );
}

#[test]
fn a_log_without_frame_times_is_said_to_be_beyond_replay() {
    let learner = LearnerId::fresh();
    let log = play(Vec::new(), learner, 500, &mut Dice::new(5));
    let mut untimed: Vec<Event> = log
        .into_iter()
        .filter(|event| !matches!(event.body, EventBody::Timed(_)))
        .collect();
    for (seq, event) in (1..).zip(&mut untimed) {
        event.seq = seq;
    }
    let stretches = script::cut(&untimed);
    assert_eq!(stretches.len(), 1);
    assert!(stretches[0].frames.is_empty());
    assert_eq!(stretches[0].untimed.len(), untimed.len());
}

pub(super) fn asked(words: &[&str]) -> ReplayArgs {
    use clap::Parser;
    let line = ["malloc-vr", "records", "replay"].iter().chain(words);
    let cli = crate::app::cli::Cli::try_parse_from(line).unwrap();
    match cli.command {
        crate::app::cli::Command::Records(crate::app::cli::RecordsCommand::Replay(args)) => args,
        _ => panic!("not a replay"),
    }
}

/// A log in which the ladder gave a hint.
fn with_a_hint() -> (LearnerId, Vec<Event>) {
    // Always the same: whoever it is, the simulated luck hangs on it.
    let learner = LearnerId(uuid::Uuid::from_u128(7));
    let log = (0..20)
        .map(|seed| {
            let table = Strategies::default();
            play_with(Vec::new(), learner, 4000, 800, &mut Dice::new(seed), table)
        })
        .find(|log| {
            log.iter().any(|event| {
                matches!(&event.body, EventBody::CommandApplied { command, hint_level: Some(1) }
                    if command.purpose.contains("without progress"))
            })
        })
        .expect("a log with a hint");
    (learner, log)
}

#[test]
fn an_earlier_hint_is_simulated_from_before_it_and_a_later_one_from_where_it_was() {
    let (learner, log) = with_a_hint();
    let table = Strategies::default();
    let what_if = |words: &[&str]| what_if::what_if(&asked(words), learner, &log, &table);
    let earlier = what_if(&["--shift-hint", "8", "--seeds", "40"]).unwrap();
    let later = what_if(&["--shift-hint", "-15", "--seeds", "40"]).unwrap();
    for told in [&earlier, &later] {
        assert_eq!(told.figures.score.first.n, 40);
        // What it does hangs on the simulated luck, that it does something does not.
        assert!(told.figures.differences.iter().any(|it| *it != 0.0));
        assert!(told.in_words().contains("This is simulated"));
    }
    let words = [&earlier, &later].map(what_if::Told::in_words);
    let hints = [["8 s", "0 s"], ["0 s", "15 s"]];
    for (words, hints) in words.iter().zip(hints) {
        for hint in hints {
            let hint = format!("hint 1 after {hint}");
            assert!(words.contains(&hint), "{words}");
        }
    }
    let at = [&earlier, &later].map(|it| serde_json::to_value(it).unwrap()["at_seconds"].as_f64());
    let apart = at[1].unwrap() - at[0].unwrap();
    assert!((apart - 8.0).abs() < 0.1, "{apart}");
    let refused = what_if(&["--shift-hint", "599"]).unwrap_err().to_string();
    assert!(refused.contains("give --shift-hint at most"), "{refused}");
}

#[test]
fn the_same_table_makes_no_difference_and_a_point_outside_the_session_is_refused() {
    let (learner, log) = with_a_hint();
    let table = Strategies::default();
    let what_if = |words: &[&str]| what_if::what_if(&asked(words), learner, &log, &table);
    let told = what_if(&["--seeds", "10", "--at", "6"]).unwrap();
    assert!(told.figures.differences.iter().all(|d| *d == 0.0));
    let refused = what_if(&["--at", "99999999"]).unwrap_err().to_string();
    assert!(refused.contains("is not of this session"), "{refused}");
}

#[test]
fn the_wall_clock_may_be_set_and_a_point_lies_where_it_lay() {
    let (learner, mut log) = with_a_hint();
    let table = Strategies::default();
    let told = |log: &[Event]| {
        let args = asked(&["--shift-hint", "8", "--seeds", "5"]);
        what_if::what_if(&args, learner, log, &table)
            .unwrap()
            .in_words()
    };
    let before = told(&log);
    let half = log.len() / 2;
    for event in &mut log[half..] {
        event.at_unix_ms += 86_400_000;
    }
    assert_eq!(told(&log), before);
}
