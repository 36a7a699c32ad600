use std::time::Duration;

use bevy::time::TimeUpdateStrategy;

use super::*;
use crate::protocol::event::{Event, PauseCause};
use crate::protocol::ids::{LearnerId, SessionId};
use crate::session::{Happened, SessionPlugin};

#[test]
fn events_are_followed_by_the_time_of_their_frame_and_frames_without_any_by_nothing() {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, SessionPlugin, FrameTimesPlugin));
    app.update();
    let (id, session) = (LearnerId::fresh(), SessionId::fresh());
    let learner = app.world_mut().spawn(Learner { id, session }).id();
    let mut frame = |nanos: u64, bodies: &[EventBody], stirs: bool| {
        app.insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_nanos(
            nanos,
        )));
        for body in bodies {
            let body = body.clone();
            app.world_mut().write_message(Happened { learner, body });
        }
        if stirs {
            app.world_mut().write_message(Stirred { learner });
        }
        app.update();
    };
    let by = PauseCause::Runtime;
    let started = EventBody::SessionStarted {
        lesson: crate::protocol::ids::LessonId::new("x"),
        lesson_digest: String::new(),
        seed: 1,
        skills: Default::default(),
        protocol: 1,
    };
    frame(7, &[started], false);
    frame(20_000_001, &[], true);
    // A process that slept is not a learner who thought.
    frame(5_000_000_000, &[], false);
    frame(
        9,
        &[EventBody::Paused { by }, EventBody::Resumed { by }],
        false,
    );
    let log = app.world().get::<Outbox>(learner).unwrap();
    let events: Vec<&Event> = log.0.iter().collect();
    let seqs: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5]);
    let timed = |at: usize| match &events[at].body {
        EventBody::Timed(time) => time.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!((timed(1).events, timed(1).at_ns), (1, 7));
    let last = timed(4);
    assert_eq!((last.events, last.at_ns), (2, 1_020_000_017));
    assert_eq!(last.before_ns, [1_020_000_008, 20_000_008]);
    assert_eq!(last.stirred_ns, [[20_000_008, 7]]);
}
