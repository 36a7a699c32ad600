//! A class as it is: a host process, learners' runtimes that join it, links that break, instructors at the door.

// Helpers of a test may unwrap like the test itself; clippy knows only functions marked as tests.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use malloc_vr::protocol::command::CommandBody;
use malloc_vr::protocol::event::EventBody;
use malloc_vr::session::join::Joining;
use serde_json::json;

#[path = "support/host.rs"]
mod host;
#[path = "support/pupil.rs"]
mod pupil;
mod support;

use host::{Client, Host, PATIENCE, TOKEN};
use pupil::{Pupil, Script, store};

/// Runs frames until it is so.
fn until(pupil: &mut Pupil, mut is_so: impl FnMut(&Pupil) -> bool) {
    let begun = Instant::now();
    while !is_so(pupil) {
        assert!(
            begun.elapsed() < PATIENCE,
            "it does not come: {:?}",
            pupil.link()
        );
        pupil.frame();
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_runtime_joins_a_host_and_its_attempts_arrive_whether_the_host_is_there_or_not() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    let address = host.address.clone();
    let folder = home.path().join("pupil");
    let mut pupil = Pupil::at(&folder, &address, TOKEN, Script::new(4, 1));
    until(&mut pupil, |pupil| pupil.link().up && pupil.host_has() > 5);
    host.kill();
    until(&mut pupil, |pupil| !pupil.link().up);
    // The lesson goes on.
    until(&mut pupil, |pupil| pupil.state().ended);
    assert!(pupil.host_has() < pupil.state().seq);
    let host = Host::start(home.path(), &address);
    until(&mut pupil, Pupil::is_through);
    let state = pupil.state().clone();
    assert_eq!(pupil.link().times, 2);
    drop(pupil);
    host.end();
    let (theirs, ours) = (store(&folder), store(&home.path().join("data")));
    let learner = state.learner.unwrap();
    let events = ours.events(learner).unwrap();
    assert_eq!(events, theirs.events(learner).unwrap());
    assert_eq!(Joining::of(&ours, learner).unwrap().state, state);
    let attempts = events
        .iter()
        .filter(|it| matches!(it.body, EventBody::Attempted(_)));
    assert!(attempts.count() > 11);
}
