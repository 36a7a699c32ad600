//! The governor asks for no memory in a frame: counted by an allocator, so in a program of its own.

// Helpers of tests may panic as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use malloc_vr::governor::decide::decide;
use malloc_vr::governor::plant::script::{Playing, Script};
use malloc_vr::governor::plant::{Parameters, Plant};
use malloc_vr::governor::rules::Rules;
use malloc_vr::governor::sense::History;
use malloc_vr::governor::state::{Now, State};

#[path = "../benches/support/counting.rs"]
mod counting;

use counting::HERE;

#[test]
fn no_decision_asks_for_memory() {
    let rules = Rules::default();
    let mut plant = Plant::new(Parameters::default(), 3);
    let mut playing = Playing::new(&Script::Wild, 3);
    let (mut history, mut state) = (History::default(), State::new(&rules));
    let mut now = Now::default();
    let (mut out, _) = decide(&history, &state, &rules, &now);
    let (mut asked, mut changes) = (0, 0);
    for _ in 0..20_000 {
        let (demand, _) = playing.at(now.time);
        let shown = plant.frame(&demand, &out.quality, out.setting, 1);
        now.time += shown.interval;
        let before = HERE.get();
        history.push(shown.sample);
        let (decision, next) = decide(&history, &state, &rules, &now);
        changes += u32::from(decision.setting != out.setting);
        (out, state) = (decision, next);
        asked += HERE.get() - before;
    }
    assert!(
        changes > 10,
        "the load is to make it decide: {changes} changes"
    );
    assert_eq!(asked, 0);
    // The allocator does count.
    let before = HERE.get();
    drop(out.why.to_string());
    assert!(HERE.get() > before);
}
