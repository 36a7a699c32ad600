//! Sessions in a running world: their life, their stream, and what waits for somebody who follows them.

use std::time::Duration;

use bevy::ecs::message::{MessageCursor, Messages};
use bevy::time::TimeUpdateStrategy;

use super::stream::buffer::{BufferRules, Outgoing};
use super::stream::mirror::Mirror;
use super::stream::receive::{Arrival, Incoming};
use super::stream::systems::{Link, Stamped};
use super::*;
use crate::learning::engagement::Stretch;
use crate::learning::event_criteria::Criterion;
use crate::learning::five::observation::Moment;
use crate::learning::quality::Quality;
use crate::protocol::command::Principal;
use crate::protocol::event::{EndReason, PauseCause, Told};
use crate::protocol::ids::{LessonId, StepId};
use crate::protocol::life::Life;
use crate::protocol::parcel::{Content, Position};
use crate::protocol::sample::{Field, Occasion, Sample, Signal};

const FRAME: Duration = Duration::from_millis(20);

struct Class {
    app: App,
    samples: Vec<(Entity, Duration, Sample)>,
    refused: Vec<ChangeRefused>,
    events: Vec<Event>,
    cursor: MessageCursor<Folded>,
}

impl Class {
    fn new() -> Self {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, SessionPlugin))
            .insert_resource(TimeUpdateStrategy::ManualDuration(FRAME));
        Self {
            app,
            samples: Vec::new(),
            refused: Vec::new(),
            events: Vec::new(),
            cursor: MessageCursor::default(),
        }
    }

    fn join(&mut self) -> Entity {
        let (id, session) = (LearnerId::fresh(), SessionId::fresh());
        let learner = self.app.world_mut().spawn(Learner { id, session }).id();
        self.happen(
            learner,
            EventBody::SessionStarted {
                lesson: LessonId::new("first-steps"),
                lesson_digest: String::new(),
                seed: 7,
                skills: Default::default(),
                protocol: 1,
            },
        );
        learner
    }

    fn happen(&mut self, learner: Entity, body: EventBody) {
        self.app
            .world_mut()
            .write_message(Happened { learner, body });
        self.run(1);
    }

    fn step(&mut self, learner: Entity) {
        let step = StepId::new("look");
        let entered = EventBody::StepEntered {
            step,
            event: None,
            hints: 0,
        };
        self.happen(learner, entered);
    }

    fn ask(&mut self, learner: Entity, cause: LifeCause) {
        self.app
            .world_mut()
            .write_message(ChangeAsked { learner, cause });
        self.run(1);
    }

    fn now(&self) -> Duration {
        self.app.world().resource::<Time<Real>>().elapsed()
    }

    fn run(&mut self, frames: u32) {
        for _ in 0..frames {
            self.app.update();
            let now = self.now();
            let world = self.app.world_mut();
            let mut streamed = world.resource_mut::<Messages<Streamed>>();
            let new = streamed.drain().map(|it| (it.learner, now, it.sample));
            self.samples.extend(new);
            self.refused
                .extend(world.resource_mut::<Messages<ChangeRefused>>().drain());
            let folded = world.resource::<Messages<Folded>>();
            let new = self.cursor.read(folded).map(|it| it.event.clone());
            self.events.extend(new);
        }
    }

    fn wait(&mut self, time: Duration) {
        self.run((time.as_millis() / FRAME.as_millis()) as u32);
    }

    fn life(&self, learner: Entity) -> Life {
        self.app
            .world()
            .get::<LearnerState>(learner)
            .unwrap()
            .life()
    }

    fn input(&mut self, learner: Entity) -> Mut<'_, StreamInput> {
        self.app.world_mut().get_mut(learner).unwrap()
    }

    fn rules(&mut self, rules: life::LifeRules) {
        self.app.insert_resource(SessionRules(rules));
    }
}

fn quick() -> life::LifeRules {
    life::LifeRules {
        idle_after: Duration::from_secs(2),
        idle_ends: Duration::from_secs(6),
        link_window: Some(Duration::from_secs(3)),
    }
}

/// The learner says how they feel, 0..1.
fn comfort(value: f64) -> EventBody {
    EventBody::Told {
        by: Principal::Learner,
        about: Told::Criterion(Criterion::Comfort),
        value,
    }
}

#[test]
fn every_turn_of_a_life_is_in_the_log_and_the_log_alone_gives_the_life() {
    let mut class = Class::new();
    let learner = class.join();
    assert_eq!(class.life(learner), Life::Active);
    class.ask(learner, LifeCause::InterventionBegan);
    let by = PauseCause::Break;
    class.ask(learner, LifeCause::Paused { by });
    assert_eq!(class.life(learner), Life::OnBreak);
    let by = PauseCause::Runtime;
    class.ask(learner, LifeCause::Paused { by });
    class.ask(learner, LifeCause::LinkLost);
    class.wait(Duration::from_secs(1));
    class.ask(learner, LifeCause::LinkBack);
    assert_eq!(class.life(learner), Life::Paused { by });
    let state = LearnerState::of(&class.events).unwrap();
    assert_eq!(class.app.world().get::<LearnerState>(learner), Some(&state));
    let Some(EventBody::LifeChanged { from, to, at, .. }) =
        class.events.last().map(|event| event.body.clone())
    else {
        panic!("{:?}", class.events.last());
    };
    assert!(matches!(from, Life::LinkLost { since } if since < at));
    assert_eq!(to, Life::Paused { by });
    assert!(class.refused.is_empty());
}

#[test]
fn a_turn_that_is_not_admitted_is_refused_with_a_reason_and_not_logged() {
    let mut class = Class::new();
    let learner = class.join();
    class.ask(learner, LifeCause::ReviewEnded);
    let by = PauseCause::Instructor;
    class.happen(learner, EventBody::Resumed { by });
    let whys: Vec<LifeRefused> = class.refused.iter().map(|it| it.why).collect();
    assert_eq!(whys, [LifeRefused::NotSo, LifeRefused::NotSo]);
    assert_eq!(class.events.len(), 1);
}

#[test]
fn a_session_that_nobody_is_at_goes_idle_and_ends_for_good() {
    let mut class = Class::new();
    class.rules(quick());
    let learner = class.join();
    class.wait(Duration::from_secs(3));
    assert!(matches!(class.life(learner), Life::Idle { .. }));
    // A sign of the learner.
    class.step(learner);
    class.run(2);
    assert_eq!(class.life(learner), Life::Active);
    class.wait(Duration::from_secs(7));
    let why = EndReason::Idle;
    assert_eq!(class.life(learner), Life::Ended { why });
    let events = class.events.len();
    class.ask(learner, LifeCause::ReviewBegan);
    let by = PauseCause::Learner;
    class.happen(learner, EventBody::Paused { by });
    assert_eq!(class.events.len(), events);
    let over = LifeRefused::Over { why };
    assert!(class.refused.iter().all(|it| it.why == over));
    assert_eq!(class.refused.len(), 2);
}

#[test]
fn a_link_that_stays_away_ends_the_session_and_one_that_comes_back_in_time_does_not() {
    let mut class = Class::new();
    class.rules(quick());
    let (gone, back) = (class.join(), class.join());
    class.ask(gone, LifeCause::LinkLost);
    class.ask(back, LifeCause::LinkLost);
    class.wait(Duration::from_secs(2));
    class.ask(back, LifeCause::LinkBack);
    class.step(gone);
    class.step(back);
    class.wait(Duration::from_millis(1500));
    let why = EndReason::LinkLost;
    assert_eq!(class.life(gone), Life::Ended { why });
    assert_eq!(class.life(back), Life::Active);
}

#[test]
fn a_session_that_is_taken_up_again_goes_on_in_its_own_time() {
    let mut class = Class::new();
    let learner = class.join();
    class.wait(Duration::from_secs(3));
    class.ask(learner, LifeCause::ReviewBegan);
    let log = class.events.clone();
    let mut later = Class::new();
    later.wait(Duration::from_secs(1));
    let state = LearnerState::of(&log).unwrap();
    let at = state.life.at();
    let learner = Learner {
        id: log[0].learner,
        session: log[0].session,
    };
    let learner = later.app.world_mut().spawn((learner, state)).id();
    later.happen(learner, EventBody::SessionResumed);
    assert_eq!(later.life(learner), Life::Reviewing);
    later.wait(Duration::from_secs(2));
    later.ask(learner, LifeCause::ReviewEnded);
    let resumed = later
        .app
        .world()
        .get::<LearnerState>(learner)
        .unwrap()
        .life
        .at();
    let expected = at + Duration::from_secs(2);
    assert!(resumed.abs_diff(expected) < Duration::from_millis(100));
}

#[test]
fn samples_come_every_five_seconds_to_the_frame_and_say_what_is_absent() {
    let mut class = Class::new();
    let learners: Vec<Entity> = (0..8).map(|_| class.join()).collect();
    class.wait(Duration::from_secs(60));
    for learner in learners {
        let of: Vec<_> = class.samples.iter().filter(|it| it.0 == learner).collect();
        assert!(of.len() >= 11, "{}", of.len());
        for two in of.windows(2) {
            let interval = two[1].1 - two[0].1;
            assert!(interval.abs_diff(Duration::from_secs(5)) <= FRAME);
            assert!(two[0].2.number < two[1].2.number && two[0].2.at < two[1].2.at);
        }
        let sample = of[0].2;
        assert_eq!(sample.occasion, Occasion::Tick);
        assert_eq!(sample.fields.get(Signal::FrameHealth), Field::Absent);
        assert_eq!(
            sample.fields.get(Signal::Attempts),
            Field::Measured { value: 0.0 }
        );
    }
    let timing = class.app.world().resource::<StreamTiming>();
    assert!(timing.0.quantile(0.99).unwrap() <= FRAME);
    assert!(timing.0.n() >= 8 * 10);
}

#[test]
fn discomfort_is_told_at_once_and_shifts_no_deadline() {
    let mut class = Class::new();
    let learner = class.join();
    class.wait(Duration::from_secs(12));
    let before = class.samples.len();
    class.happen(learner, comfort(0.1));
    assert_eq!(class.samples.len(), before + 1);
    let sample = class.samples[before].2;
    assert_eq!(sample.occasion, Occasion::Safety);
    assert!(sample.fields.get(Signal::Comfort).value().unwrap() < 0.2);
    class.run(50);
    assert_eq!(class.samples.len(), before + 1, "once is enough");
    class.wait(Duration::from_secs(10));
    let ticks: Vec<Duration> = class
        .samples
        .iter()
        .filter(|it| it.2.occasion == Occasion::Tick)
        .map(|it| it.1)
        .collect();
    for two in ticks.windows(2) {
        assert!((two[1] - two[0]).abs_diff(Duration::from_secs(5)) <= FRAME);
    }
}

#[test]
fn what_was_measured_long_ago_is_absent_and_said_to_be_stale() {
    let mut class = Class::new();
    let learner = class.join();
    let at = class.now();
    let value = Quality::PERFECT;
    class.input(learner).quality = Some(Stamped { value, at });
    class.wait(Duration::from_secs(30));
    let there: Vec<bool> = class
        .samples
        .iter()
        .map(|it| it.2.fields.get(Signal::FrameHealth) != Field::Absent)
        .collect();
    // 10 s are two intervals.
    assert!(there[0] && !there[there.len() - 1], "{there:?}");
    let stream = class.app.world().get::<Stream>(learner).unwrap();
    let age = Duration::ZERO;
    let stale = stream::validate::Fault::Stale { age };
    assert!(stream.quarantine().count(&stale) >= 2);
}

#[test]
fn what_the_log_tells_of_a_moment_is_in_the_next_sample_and_not_for_ever() {
    let mut class = Class::new();
    let learner = class.join();
    let moment = Moment {
        stretch: Some(Stretch {
            seconds: 5.0,
            on_task: Some(0.75),
            ..Stretch::default()
        }),
        dt: Duration::from_secs(5),
        ..Moment::default()
    };
    class.happen(
        learner,
        EventBody::Observed {
            moment: Box::new(moment),
        },
    );
    class.wait(Duration::from_secs(20));
    let on_task = |sample: &Sample| sample.fields.get(Signal::OnTask);
    let first = class.samples.first().map(|it| on_task(&it.2));
    assert_eq!(first, Some(Field::Measured { value: 0.75 }));
    let last = class.samples.last().map(|it| on_task(&it.2));
    assert_eq!(last, Some(Field::Absent));
}

#[test]
fn an_ended_session_streams_nothing_more() {
    let mut class = Class::new();
    let learner = class.join();
    class.wait(Duration::from_secs(6));
    let reason = EndReason::LearnerLeft;
    class.happen(learner, EventBody::SessionEnded { reason });
    let samples = class.samples.len();
    assert!(samples > 0);
    class.wait(Duration::from_secs(11));
    assert_eq!(class.samples.len(), samples);
}

#[test]
fn whoever_follows_gets_events_in_the_frame_they_happen_and_ends_with_the_same_state() {
    let mut class = Class::new();
    let learner = class.join();
    let id = class.events[0].learner;
    let mut outgoing = Outgoing::new(1, BufferRules::default());
    outgoing.connect(Position::default()).unwrap();
    outgoing.refill([class.events[0].clone()]).unwrap();
    class
        .app
        .world_mut()
        .entity_mut(learner)
        .insert(Link(outgoing));
    class.step(learner);
    let mut incoming = Incoming::new(id, Position::default());
    let mut mirror = LearnerState::default();
    let mut samples = 0;
    let mut follow = |class: &mut Class| {
        let now = class.now();
        let mut link = class.app.world_mut().get_mut::<Link>(learner).unwrap();
        while let Some(parcel) = link.0.next(now) {
            assert_eq!(incoming.receive(&parcel), Arrival::Next);
            match parcel.content {
                Content::Event(event) => mirror.fold(&event).unwrap(),
                Content::Sample(_) => samples += 1,
            }
        }
        link.0.acknowledge(incoming.has(), now).unwrap();
        assert!(link.0.is_done());
        (mirror.clone(), samples)
    };
    // No tick has come yet.
    let (mirror, samples) = follow(&mut class);
    assert_eq!(
        class.app.world().get::<LearnerState>(learner),
        Some(&mirror)
    );
    assert_eq!(samples, 0);
    class.wait(Duration::from_secs(11));
    assert!(follow(&mut class).1 >= 2);
}

/// Everything that waits for the host reaches it, or only the first so many parcels do.
fn carry(headset: &mut Class, from: Entity, host: &mut Class, to: Entity, parcels: usize) {
    let now = headset.now();
    let mut link = headset.app.world_mut().get_mut::<Link>(from).unwrap();
    for n in 0.. {
        let Some(parcel) = link.0.next(now) else {
            break;
        };
        if n < parcels {
            let learner = to;
            host.app
                .world_mut()
                .write_message(Arrived { learner, parcel });
        }
    }
    host.run(2);
}

#[test]
fn a_host_that_follows_a_headset_holds_the_same_state_to_the_bit_and_writes_nothing_of_its_own() {
    let (mut headset, mut host) = (Class::new(), Class::new());
    // On the host everybody would be sent away at once.
    host.rules(life::LifeRules {
        idle_ends: Duration::ZERO,
        ..quick()
    });
    let from = headset.join();
    let who = *headset.app.world().get::<Learner>(from).unwrap();
    let mut outgoing = Outgoing::new(1, BufferRules::default());
    outgoing.connect(Position::default()).unwrap();
    outgoing.refill([headset.events[0].clone()]).unwrap();
    headset
        .app
        .world_mut()
        .entity_mut(from)
        .insert(Link(outgoing));
    let mirror = Mirror::new(who.id, 0);
    let to = host.app.world_mut().spawn((who, mirror)).id();
    headset.step(from);
    headset.wait(Duration::from_secs(11));
    // The link breaks off on the way, and comes back.
    carry(&mut headset, from, &mut host, to, 2);
    headset.ask(from, LifeCause::ReviewBegan);
    let by = PauseCause::Learner;
    headset.happen(from, EventBody::Paused { by });
    let world = host.app.world_mut();
    let stored = world.get::<LearnerState>(to).unwrap().seq;
    let has = world
        .get::<Mirror>(to)
        .unwrap()
        .acknowledgement(AcknowledgedSeq(stored));
    assert!(stored < headset.events.len() as u64);
    let mut link = headset.app.world_mut().get_mut::<Link>(from).unwrap();
    link.0.connect(has).unwrap();
    carry(&mut headset, from, &mut host, to, usize::MAX);
    // Once more, all known.
    let mut link = headset.app.world_mut().get_mut::<Link>(from).unwrap();
    link.0.connect(has).unwrap();
    carry(&mut headset, from, &mut host, to, usize::MAX);
    // What is done here to somebody who is elsewhere is not part of their log.
    host.ask(to, LifeCause::LinkLost);
    host.step(to);
    host.wait(Duration::from_secs(6));
    assert_eq!(host.events, headset.events);
    let state = |class: &Class, of| class.app.world().get::<LearnerState>(of).unwrap().clone();
    assert_eq!(state(&host, to), state(&headset, from));
    assert_eq!(host.life(to), Life::Paused { by });
    let waiting = host.app.world().get::<Outbox>(to).unwrap().waiting();
    assert_eq!(waiting, host.events.len());
    let samples = |class: &Class| class.samples.iter().map(|it| it.2).collect::<Vec<_>>();
    assert_eq!(samples(&host), samples(&headset));
    assert!(samples(&host).len() >= 2);
    // Nor did the host try to tell of somebody whom it only hears of.
    let stream = host.app.world().get::<Stream>(to).unwrap();
    assert_eq!(stream.quarantine().total(), 0);
}

#[test]
fn what_a_headset_sends_is_checked_by_the_host_too() {
    let mut host = Class::new();
    let (id, session) = (LearnerId::fresh(), SessionId::fresh());
    let mirror = Mirror::new(id, 0);
    let learner = host
        .app
        .world_mut()
        .spawn((Learner { id, session }, mirror))
        .id();
    let mut fields = crate::protocol::sample::Fields::default();
    fields.set(Signal::Tracking, Field::Measured { value: 7.0 });
    fields.set(Signal::FrameHealth, Field::Measured { value: 0.7 });
    let sample = Sample {
        learner: id,
        session,
        number: Sample::number_of(1, 0),
        after: 0,
        at: Duration::ZERO,
        at_unix_ms: None,
        interval: Duration::from_secs(5),
        occasion: Occasion::Tick,
        expected: Default::default(),
        fields,
    };
    let before = Position::default();
    let content = Content::Sample(sample);
    let parcel = crate::protocol::parcel::Parcel { before, content };
    host.app
        .world_mut()
        .write_message(Arrived { learner, parcel });
    host.run(1);
    let stream = host.app.world().get::<Stream>(learner).unwrap();
    let latest = stream.latest().unwrap();
    assert_eq!(latest.fields.get(Signal::Tracking), Field::Absent);
    assert_eq!(
        latest.fields.get(Signal::FrameHealth),
        Field::Measured { value: 0.7 }
    );
    assert_eq!(stream.quarantine().total(), 1);
}

#[test]
fn what_identifies_somebody_in_typed_words_is_not_written() {
    let mut class = Class::new();
    let learner = class.join();
    let command = Command {
        id: crate::protocol::ids::CommandId::fresh(),
        learner: LearnerId::fresh(),
        principal: crate::protocol::command::Principal::Instructor,
        asker: None,
        purpose: "ann@school.example asked me to".to_owned(),
        body: crate::protocol::command::CommandBody::Message {
            text: "Write to ann@school.example, please.".to_owned(),
        },
        trace: None,
    };
    class.happen(
        learner,
        EventBody::CommandApplied {
            command: Box::new(command),
            hint_level: None,
        },
    );
    let written = serde_json::to_string(&class.events).unwrap();
    assert!(written.contains("Write to") && written.contains("please"));
    assert!(
        !written.contains("ann@") && !written.contains("school.example"),
        "{written}"
    );
}
