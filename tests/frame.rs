//! What our own systems ask of a frame, counted by an allocator, so in a program of its own.

// Helpers of tests may panic as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::atomic::Ordering;

use malloc_vr::app::frame_cost::frame_cost;

#[path = "../benches/support/counting.rs"]
mod counting;

use counting::ALLOCATIONS;

#[test]
fn a_frame_in_which_hands_only_move_hardly_asks_for_memory() {
    let costs = frame_cost("first-steps", 720, || ALLOCATIONS.load(Ordering::Relaxed)).unwrap();
    for cost in &costs {
        println!(
            "{:32} {:8.2} allocations a frame, in {:5.1} % of the frames, {:7.1} us",
            cost.part,
            cost.allocations,
            100.0 * cost.asking,
            cost.median_us
        );
    }
    let all: f64 = costs.iter().map(|it| it.allocations).sum();
    println!("all: {all:.2} allocations a frame");
    assert!(all < MOST, "{all} allocations a frame");
}

/// Allocations of a frame at most, on average.
const MOST: f64 = 400.0;
