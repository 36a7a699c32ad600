//! A sender, a receiver, and between them a network that loses, doubles, reorders and breaks off.

use proptest::prelude::*;

use super::super::receive::{Arrival, Incoming};
use super::*;
use crate::learning::quality::Quality;
use crate::protocol::event::{Attempt, EventBody, Evidence};
use crate::protocol::ids::{AttemptId, LearnerId, LessonId, SessionId, StepId};
use crate::protocol::sample::{Fields, Occasion, SignalSet};
use crate::session::state::LearnerState;

fn attempt(n: u64) -> EventBody {
    EventBody::Attempted(Attempt {
        id: AttemptId::fresh(),
        step: StepId::new("place"),
        skills: vec![crate::learning::skill::SkillId::new("match")],
        correct: !n.is_multiple_of(3),
        credit: 0.5,
        latency: Duration::from_millis(n),
        hints_used: 0,
        position_error: None,
        rotation_error: None,
        quality: Quality {
            frame_health: 0.9,
            tracking: 1.0 / (1.0 + n as f64),
        },
        blurred: Default::default(),
        evidence: Evidence::TimedOut,
    })
}

fn start() -> EventBody {
    EventBody::SessionStarted {
        lesson: LessonId::new("first-steps"),
        lesson_digest: String::new(),
        seed: 1,
        skills: [(
            crate::learning::skill::SkillId::new("match"),
            Default::default(),
        )]
        .into(),
        protocol: 1,
    }
}

/// What can happen.
#[derive(Debug, Clone)]
enum Act {
    /// So many attempts.
    Try(u64),
    Sample,
    /// The sender sends what it can.
    Send,
    /// One parcel that is under way arrives, some other than the oldest; kept under way if doubled.
    Arrive {
        place: prop::sample::Index,
        doubled: bool,
    },
    /// One is lost.
    Lose(prop::sample::Index),
    /// The receiver writes what it has to its disk.
    Store,
    /// An acknowledgement goes out, and arrives or doesn't.
    Acknowledge {
        arrives: bool,
    },
    Wait,
    /// The link breaks and comes back.
    Reconnect,
    /// The receiver is killed, and starts again from its disk.
    Kill,
    /// The sender is killed, and starts again from its log.
    KillSender,
}

fn act() -> impl Strategy<Value = Act> {
    let place = || any::<prop::sample::Index>();
    prop_oneof![
        4 => (1_u64..6).prop_map(Act::Try),
        4 => Just(Act::Sample),
        6 => Just(Act::Send),
        12 => (place(), any::<bool>()).prop_map(|(place, doubled)| Act::Arrive { place, doubled }),
        3 => place().prop_map(Act::Lose),
        4 => Just(Act::Store),
        4 => any::<bool>().prop_map(|arrives| Act::Acknowledge { arrives }),
        2 => Just(Act::Wait),
        1 => Just(Act::Reconnect),
        1 => Just(Act::Kill),
        1 => Just(Act::KillSender),
    ]
}

struct World {
    learner: LearnerId,
    session: SessionId,
    rules: BufferRules,
    log: Vec<Event>,
    taken: Vec<u64>,
    given_up: u64,
    /// The log's length when the sender joined, and samples since then.
    joined: (u64, u32),
    sender: Outgoing,
    now: Duration,
    network: Vec<Parcel>,
    receiver: Incoming,
    received: Vec<Event>,
    stored: usize,
    samples: Vec<Sample>,
}

impl World {
    fn new(rules: BufferRules) -> Self {
        let learner = LearnerId::fresh();
        let mut world = Self {
            learner,
            session: SessionId::fresh(),
            rules,
            log: Vec::new(),
            taken: Vec::new(),
            given_up: 0,
            joined: (1, 0),
            sender: Outgoing::new(0, rules),
            now: Duration::ZERO,
            network: Vec::new(),
            receiver: Incoming::new(learner, Position::default()),
            received: Vec::new(),
            stored: 0,
            samples: Vec::new(),
        };
        world.happen(start());
        world
    }

    fn happen(&mut self, body: EventBody) {
        let event = Event {
            seq: self.log.len() as u64 + 1,
            at_unix_ms: 0,
            learner: self.learner,
            session: self.session,
            body,
        };
        self.sender.event(event.clone()).unwrap();
        self.log.push(event);
    }

    fn sample(&mut self) {
        let (joined, n) = &mut self.joined;
        let number = Sample::number_of(*joined, *n);
        *n += 1;
        self.taken.push(number);
        self.sender.sample(Sample {
            learner: self.learner,
            session: self.session,
            number,
            after: self.log.len() as u64,
            at: self.now,
            at_unix_ms: None,
            interval: Duration::from_secs(5),
            occasion: Occasion::Tick,
            expected: SignalSet::default(),
            fields: Fields::default(),
        });
    }

    fn send(&mut self) {
        loop {
            if let Some(missing) = self.sender.missing() {
                let (from, to) = (*missing.start() as usize - 1, *missing.end() as usize);
                let events = self.log[from..to].to_vec();
                self.sender.refill(events).unwrap();
            }
            match self.sender.next(self.now) {
                Some(parcel) => self.network.push(parcel),
                None => return,
            }
        }
    }

    fn arrive(&mut self, parcel: Parcel) {
        match (self.receiver.receive(&parcel), parcel.content) {
            (Arrival::Next, Content::Event(event)) => self.received.push(event),
            (Arrival::Next, Content::Sample(sample)) => {
                // In its place among the events; one that was given up while it was under way may come later.
                let given_up = self.given_up + self.sender.dropped_samples();
                let events = self.received.len() as u64;
                assert!(sample.after == events || (sample.after < events && given_up > 0));
                self.samples.push(sample);
            }
            (Arrival::Known | Arrival::Early, _) => {}
            (Arrival::Foreign, _) => panic!("there is only one learner"),
        }
    }

    fn acknowledge(&mut self) {
        let has = self.receiver.acknowledgement(self.stored as u64);
        self.sender.acknowledge(has, self.now).unwrap();
    }

    fn reconnect(&mut self) {
        self.network.clear();
        let has = self.receiver.acknowledgement(self.stored as u64);
        // Events that were not stored come again.
        self.received.truncate(self.stored);
        self.receiver = Incoming::new(self.learner, has);
        self.sender.connect(has).unwrap();
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Try(times) => (0..times).for_each(|n| self.happen(attempt(n))),
            Act::Sample => self.sample(),
            Act::Send => self.send(),
            Act::Arrive { place, doubled } if !self.network.is_empty() => {
                let place = place.index(self.network.len());
                let parcel = match doubled {
                    true => self.network[place].clone(),
                    false => self.network.remove(place),
                };
                self.arrive(parcel);
            }
            Act::Lose(place) if !self.network.is_empty() => {
                self.network.remove(place.index(self.network.len()));
            }
            Act::Arrive { .. } | Act::Lose(_) => {}
            Act::Store => self.stored = self.received.len(),
            Act::Acknowledge { arrives: true } => self.acknowledge(),
            Act::Acknowledge { arrives: false } => {}
            Act::Wait => self.now += Duration::from_secs(3),
            Act::Reconnect | Act::Kill => self.reconnect(),
            Act::KillSender => {
                self.given_up += self.sender.dropped_samples();
                self.given_up += self.sender.samples().count() as u64;
                self.sender = Outgoing::new(self.log.len() as u64, self.rules);
                self.happen(EventBody::SessionResumed);
                self.joined = (self.log.len() as u64, 0);
                self.reconnect();
            }
        }
    }

    /// The network is whole again for long enough.
    fn settle(&mut self) {
        self.reconnect();
        for _ in 0..10_000 {
            self.send();
            for parcel in std::mem::take(&mut self.network) {
                self.arrive(parcel);
            }
            self.stored = self.received.len();
            self.acknowledge();
            if self.sender.is_done() {
                return;
            }
        }
        panic!("it never ends: {:?}", self.sender);
    }
}

fn small() -> BufferRules {
    BufferRules {
        horizon: Duration::from_mins(1),
        samples: 3,
        events: 4,
        under_way: 5,
        retry_after: Duration::from_secs(2),
    }
}

proptest! {
    #[test]
    fn the_receiver_ends_with_the_senders_state_to_the_bit_and_nothing_twice(
        acts in prop::collection::vec(act(), 0..150),
        roomy in any::<bool>(),
    ) {
        let rules = if roomy { BufferRules::default() } else { small() };
        let mut world = World::new(rules);
        for act in acts {
            world.act(act);
            // Nothing is twice and nothing is left out, at any moment.
            for (event, seq) in world.received.iter().zip(1..) {
                prop_assert_eq!(event.seq, seq);
            }
            prop_assert!(world.samples.windows(2).all(|two| two[0].number < two[1].number));
        }
        world.settle();
        prop_assert_eq!(&world.received, &world.log);
        let state = |log: &[Event]| serde_json::to_string(&LearnerState::of(log).unwrap()).unwrap();
        prop_assert_eq!(state(&world.received), state(&world.log));
        let given_up = world.given_up + world.sender.dropped_samples();
        prop_assert!(world.samples.len() as u64 + given_up >= world.taken.len() as u64);
        prop_assert!(world.samples.iter().all(|sample| world.taken.contains(&sample.number)));
        if given_up == 0 {
            let numbers: Vec<u64> = world.samples.iter().map(|sample| sample.number).collect();
            prop_assert_eq!(numbers, world.taken);
        }
    }

    #[test]
    fn memory_is_bounded_however_long_the_link_is_gone(attempts in 0_u64..3_000, samples in 0_u32..500) {
        let mut world = World::new(small());
        (0..attempts).for_each(|n| world.happen(attempt(n)));
        (0..samples).for_each(|_| world.sample());
        prop_assert!(world.sender.events.len() <= 4 && world.sender.reread.len() <= 5);
        prop_assert!(world.sender.samples.len() <= 3);
        prop_assert_eq!(world.sender.dropped_samples(), u64::from(samples.saturating_sub(3)));
        world.send();
        let event = |parcel: &&Parcel| matches!(parcel.content, Content::Event(_));
        prop_assert!(world.network.iter().filter(event).count() <= 5);
        world.settle();
        prop_assert_eq!(world.received.len() as u64, attempts + 1);
    }
}

#[test]
fn two_minutes_of_samples_survive_a_lost_link_at_the_shortest_interval() {
    let mut world = World::new(BufferRules::default());
    for _ in 0..=60 {
        world.sample();
        world.now += Duration::from_secs(2);
        world.happen(attempt(1));
    }
    assert_eq!(world.sender.dropped_samples(), 0);
    let mut longer = Outgoing::new(0, BufferRules::default());
    longer.clone_from(&world.sender);
    world.settle();
    assert_eq!(world.samples.len(), 61);
    // The quarter of an hour after that keeps its last two minutes.
    let mut sample = world.samples[60];
    for n in 1..=450 {
        sample.number += 1;
        sample.at += Duration::from_secs(2);
        longer.sample(sample);
        assert_eq!(longer.samples().count(), 61);
        assert_eq!(longer.dropped_samples(), n);
    }
    // As they were taken: each after the events that were before it and before those that were after it.
    let after: Vec<u64> = world.samples.iter().map(|sample| sample.after).collect();
    assert_eq!(after, (1..=61).collect::<Vec<u64>>());
}

#[test]
fn a_sample_is_told_after_what_it_speaks_of_and_before_what_came_later() {
    let mut world = World::new(BufferRules::default());
    world.sample();
    world.happen(attempt(1));
    world.sample();
    world.send();
    let kinds: Vec<bool> = world
        .network
        .iter()
        .map(|parcel| matches!(parcel.content, Content::Sample(_)))
        .collect();
    assert_eq!(kinds, [false, true, false, true]);
}

#[test]
fn nobody_is_told_of_a_log_that_is_shorter_than_what_the_receiver_has() {
    let mut world = World::new(BufferRules::default());
    let has = Position {
        events: 2,
        samples: 0,
    };
    let (events, logged) = (2, 1);
    let beyond = Err(BufferError::BeyondLog { events, logged });
    assert_eq!(world.sender.connect(has), beyond);
    assert_eq!(world.sender.acknowledge(has, Duration::ZERO), beyond);
    let late = world.log[0].clone();
    let (last, found) = (1, 1);
    assert_eq!(
        world.sender.event(late),
        Err(BufferError::Gap { last, found })
    );
}

#[test]
fn what_is_not_acknowledged_in_time_goes_out_again() {
    let mut world = World::new(BufferRules::default());
    assert!(world.sender.next(Duration::ZERO).is_some());
    assert_eq!(world.sender.next(Duration::from_millis(1_999)), None);
    assert!(world.sender.next(Duration::from_secs(2)).is_some());
    world.arrive(world.sender.clone().next(Duration::from_secs(9)).unwrap());
    world.stored = 1;
    world.acknowledge();
    assert_eq!(world.sender.next(Duration::from_secs(20)), None);
    assert!(world.sender.is_done());
}

#[test]
fn a_parcel_of_another_learner_is_not_taken() {
    let mut one = World::new(BufferRules::default());
    let mut other = World::new(BufferRules::default());
    let parcel = other.sender.next(Duration::ZERO).unwrap();
    assert_eq!(one.receiver.receive(&parcel), Arrival::Foreign);
}
