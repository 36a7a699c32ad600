//! The governor in the situations that its rules are for.

use super::*;
use crate::governor::plant::{Demand, Parameters, Plant};
use crate::governor::restraint::Notice;
use crate::governor::sense::{CpuPhases, FrameSample, GpuTime};
use crate::governor::state::Event;
use crate::protocol::blur::Blur;

const P: f64 = 1.0 / 72.0;

/// A headset without noise, and the governor on it.
struct Bench {
    plant: Plant,
    history: History,
    state: State,
    rules: Rules,
    now: Now,
    last: Decision,
    missed: u32,
}

impl Bench {
    fn new() -> Self {
        Self::with(Parameters {
            noise: [0.005; 2],
            hiccup: [0.0; 2],
            ..Parameters::default()
        })
    }

    fn with(parameters: Parameters) -> Self {
        let rules = Rules::default();
        let state = State::new(&rules);
        let now = Now::default();
        let (last, _) = decide(&History::default(), &state, &rules, &now);
        Self {
            plant: Plant::new(parameters, 7),
            history: History::default(),
            state,
            rules,
            now,
            last,
            missed: 0,
        }
    }

    /// A frame of this many periods of CPU and GPU work at full quality.
    fn frame(&mut self, cpu: f64, gpu: f64) -> Decision {
        let demand = Demand {
            cpu: cpu * P,
            gpu: gpu * P,
        };
        let shown = self
            .plant
            .frame(&demand, &self.last.quality, self.last.setting, 1);
        self.missed += shown.missed;
        self.now.time += shown.interval;
        self.history.push(shown.sample);
        let (decision, state) = decide(&self.history, &self.state, &self.rules, &self.now);
        self.state = state;
        self.now.event = None;
        self.last = decision;
        decision
    }

    fn seconds(&mut self, seconds: f64, cpu: f64, gpu: f64) -> Decision {
        let until = self.now.time + seconds;
        while self.now.time < until {
            self.frame(cpu, gpu);
        }
        self.last
    }
}

#[test]
fn without_frames_everything_stays_and_says_so() {
    let bench = Bench::new();
    assert_eq!(bench.last.setting, Setting::FULL);
    assert_eq!(bench.last.why.cause, Cause::Gathering);
    assert_eq!(bench.last.level, Level::Conservative);
}

#[test]
fn a_step_of_the_gpu_is_answered_within_three_frames_on_the_gpus_side_only() {
    let mut bench = Bench::new();
    bench.seconds(3.0, 0.5, 0.7);
    assert_eq!(bench.last.setting, Setting::FULL);
    let mut frames = 0;
    while bench.last.setting.gpu <= 0.0 && frames < 10 {
        bench.frame(0.5, 1.5);
        frames += 1;
    }
    assert!(frames <= 3, "{frames} frames");
    assert!(bench.last.setting.cpu <= 0.0);
    assert_eq!(bench.last.why.bound, Bound::Gpu);
    bench.seconds(0.5, 0.5, 1.5);
    bench.missed = 0;
    bench.seconds(20.0, 0.5, 1.5);
    assert_eq!(bench.missed, 0, "{}", bench.last.why);
}

#[test]
fn a_step_of_the_cpu_leaves_the_picture_sharp() {
    let mut bench = Bench::new();
    bench.seconds(3.0, 0.5, 0.7);
    let mut frames = 0;
    while bench.last.setting.cpu <= 0.0 && frames < 10 {
        bench.frame(1.4, 0.7);
        frames += 1;
    }
    assert!(frames <= 2, "{frames} frames");
    bench.seconds(0.5, 1.4, 0.7);
    bench.missed = 0;
    let last = bench.seconds(20.0, 1.4, 0.7);
    assert_eq!(bench.missed, 0, "{}", last.why);
    assert!((last.quality.render_scale - 1.0).abs() < 1e-9);
    assert!((last.quality.shadows - 1.0).abs() < 1e-9);
}

#[test]
fn a_slow_rise_is_answered_before_anything_is_missed() {
    let mut bench = Bench::new();
    bench.seconds(3.0, 0.5, 0.7);
    bench.missed = 0;
    for n in 0..720 {
        bench.frame(0.5, 0.7 + 0.8 * f64::from(n) / 720.0);
    }
    assert!(bench.last.setting.gpu > 0.1);
    assert_eq!(bench.missed, 0);
}

#[test]
fn a_single_hiccup_changes_nothing() {
    let mut bench = Bench::new();
    bench.seconds(3.0, 0.5, 0.7);
    bench.frame(1.6, 0.7);
    bench.seconds(1.0, 0.5, 0.7);
    bench.frame(0.5, 2.0);
    assert_eq!(bench.seconds(3.0, 0.5, 0.7).setting, Setting::FULL);
}

#[test]
fn what_the_compositor_misses_costs_no_quality() {
    let rules = Rules::default();
    let (mut history, mut state) = (History::default(), State::new(&rules));
    let mut last = None;
    for n in 0..200_u32 {
        history.push(FrameSample {
            period: P,
            cpu: CpuPhases {
                simulation: 0.3 * P,
                ..CpuPhases::default()
            },
            gpu: Some(GpuTime {
                seconds: 0.4 * P,
                age: 1,
            }),
            wait: 0.5 * P,
            skipped: u8::from(n.is_multiple_of(5)),
            stale: false,
            setting: state.setting(),
        });
        let now = Now {
            time: f64::from(n) * P,
            ..Now::default()
        };
        last = Some(advance(&history, &mut state, &rules, &now));
    }
    let last = last.unwrap();
    assert_eq!(last.setting, Setting::FULL);
    assert_eq!(last.why.cause, Cause::NotOurs);
    assert_eq!(last.why.bound, Bound::Compositor);
}

#[test]
fn while_the_learner_does_something_fine_only_a_certain_miss_changes_what_is_seen() {
    let mut bench = Bench::new();
    bench.seconds(3.0, 0.5, 0.88);
    bench.seconds(3.0, 0.88, 0.88);
    bench.seconds(3.0, 0.5, 0.88);
    bench.now.moment = Moment::Protected;
    // Over the tail's threshold, and not yet missing.
    let held = bench.seconds(2.0, 0.5, 0.965);
    assert!(held.setting.gpu <= 0.0, "{}", held.why);
    assert_eq!(held.why.cause, Cause::Moment);
    // What nobody sees may go on the CPU's side.
    bench.seconds(3.0, 0.88, 0.88);
    let unseen = bench.seconds(2.0, 0.965, 0.88);
    assert!(
        unseen.setting.cpu > 0.0 && unseen.setting.cpu <= 0.25,
        "{}",
        unseen.why
    );
    let certain = bench.seconds(0.5, 0.5, 1.4);
    assert!(certain.setting.gpu > 0.0, "{}", certain.why);
    // And nothing comes back meanwhile.
    let before = bench.last.setting.gpu;
    let after = bench.seconds(30.0, 0.5, 0.5);
    assert!(after.setting.gpu >= before, "{}", after.why);
    assert_eq!(after.why.cause, Cause::Moment);
    bench.now.moment = Moment::Free;
    assert_eq!(bench.seconds(60.0, 0.5, 0.5).setting, Setting::FULL);
}

#[test]
fn quality_comes_back_at_a_seam_and_never_within_four_seconds() {
    let mut bench = Bench::new();
    bench.seconds(3.0, 0.5, 0.7);
    bench.seconds(1.0, 0.5, 1.5);
    let low = bench.last.setting.gpu;
    // Forget the load, without a seam: the wall outlasts the dwell.
    let begun = bench.now.time;
    bench.now.moment = Moment::Seam;
    while bench.last.setting.gpu >= low && bench.now.time < begun + 60.0 {
        bench.frame(0.5, 0.5);
    }
    let waited = bench.now.time - begun;
    assert!(
        (bench.rules.raise_after - 1.0..=11.0).contains(&waited),
        "{waited} s"
    );
    assert_eq!(bench.last.why.cause, Cause::RoomAtSeam);
    // All of it at once.
    assert!(bench.last.setting.gpu < 0.05, "{}", bench.last.why);
}

#[test]
fn without_a_seam_it_comes_back_a_level_at_a_time() {
    let mut bench = Bench::new();
    bench.seconds(3.0, 0.5, 0.7);
    bench.seconds(1.0, 0.5, 1.7);
    let mut last = bench.last.setting.gpu;
    let mut raises = 0;
    let until = bench.now.time + 120.0;
    while bench.now.time < until {
        let now = bench.frame(0.5, 0.5).setting.gpu;
        assert!(last - now <= bench.rules.raise_step + 1e-9);
        raises += u32::from(now < last);
        last = now;
    }
    assert!(raises >= 3 && last <= 0.0, "{raises} raises, {last}");
}

#[test]
fn what_frames_cost_while_pipelines_are_made_costs_no_quality() {
    let mut bench = Bench::new();
    bench.now.moment = Moment::Protected;
    let settled = |bench: &mut Bench| {
        bench.now.warming = true;
        let last = bench.seconds(3.0, 2.5, 3.0);
        assert_eq!(last.why.cause, Cause::Gathering, "{}", last.why);
        bench.now.warming = false;
        // Times of the GPU and the compositor's queue come later than the last pipeline.
        bench.frame(2.5, 3.0);
        bench.seconds(2.0, 0.5, 0.7);
        assert_eq!(bench.last.setting, Setting::FULL, "{}", bench.last.why);
    };
    // At the start, in the middle, and in another scene.
    settled(&mut bench);
    settled(&mut bench);
    bench.now.event = Some(Event::SceneLoaded);
    settled(&mut bench);
    // Without a word about pipelines, too, for the first frames of a scene.
    bench.now.event = Some(Event::SceneLoaded);
    for _ in 0..bench.rules.warm_frames {
        bench.frame(2.5, 3.0);
    }
    assert_eq!(
        bench.seconds(2.0, 0.5, 0.7).setting,
        Setting::FULL,
        "{}",
        bench.last.why
    );
    // And then it is evidence.
    assert!(bench.seconds(1.0, 0.5, 1.4).setting.gpu > 0.0);
}

#[test]
fn pipelines_that_are_never_done_excuse_a_scene_for_seconds_only() {
    let mut bench = Bench::new();
    bench.now.warming = true;
    let longest = bench.rules.warm_longest;
    let excused = bench.seconds(longest - 1.0, 0.5, 1.5).setting.gpu;
    assert!(excused.abs() < f64::EPSILON, "{excused}");
    assert!(bench.seconds(3.0, 0.5, 1.5).setting.gpu > 0.0);
    bench.missed = 0;
    bench.seconds(20.0, 0.5, 1.5);
    assert_eq!(bench.missed, 0, "{}", bench.last.why);
}

#[test]
fn nobody_looks_nothing_changes() {
    let mut bench = Bench::new();
    bench.seconds(3.0, 0.5, 0.7);
    bench.now.focused = false;
    let last = bench.seconds(5.0, 0.5, 1.8);
    assert_eq!(last.setting, Setting::FULL);
    assert_eq!(last.why.cause, Cause::Unfocused);
}

#[test]
fn another_scene_is_learnt_anew() {
    let mut bench = Bench::new();
    for _ in 0..10 {
        bench.seconds(3.0, 0.5, 0.7);
        bench.seconds(3.0, 0.5, 1.6);
    }
    let full = bench.rules.gpu_shares;
    let unlearnt = |bench: &Bench| same_work(bench.state.learnt()[1], &full);
    assert!(!unlearnt(&bench));
    bench.now.event = Some(Event::SceneLoaded);
    bench.frame(0.5, 1.6);
    assert!(unlearnt(&bench));
}

#[test]
fn without_gpu_timestamps_it_goes_by_what_is_missed() {
    let mut bench = Bench::with(Parameters {
        timestamps: false,
        hiccup: [0.0; 2],
        ..Parameters::default()
    });
    bench.seconds(3.0, 0.5, 0.7);
    bench.seconds(4.0, 0.5, 1.4);
    assert!(bench.last.setting.gpu > 0.0 && bench.last.why.gpu.is_none());
    bench.missed = 0;
    bench.seconds(60.0, 0.5, 1.4);
    assert!(
        f64::from(bench.missed) < 0.02 * 60.0 * 72.0,
        "{} missed",
        bench.missed
    );
    assert_eq!(bench.seconds(120.0, 0.5, 0.5).setting, Setting::FULL);
}

#[test]
fn attempts_made_meanwhile_can_be_told_apart() {
    let mut bench = Bench::new();
    bench.seconds(3.0, 0.5, 0.7);
    assert!(bench.last.marks.is_empty());
    bench.seconds(3.0, 0.5, 2.0);
    assert!(bench.last.marks.has(Blur::Precision));
}

#[test]
fn the_same_frames_give_the_same_decision_and_the_state_is_left_alone() {
    let mut bench = Bench::new();
    bench.seconds(3.0, 0.5, 1.3);
    let once = decide(&bench.history, &bench.state, &bench.rules, &bench.now).0;
    let again = decide(&bench.history, &bench.state, &bench.rules, &bench.now).0;
    assert_eq!(once, again);
}

#[test]
fn legible_text_keeps_its_scale_in_an_emergency() {
    let mut bench = Bench::new();
    bench.now.limits.scale_floor = 0.85;
    bench.seconds(3.0, 0.5, 0.7);
    let last = bench.seconds(10.0, 0.5, 2.5);
    assert_eq!(last.level, Level::Emergency);
    assert_eq!(last.why.cause, Cause::Floor);
    assert!(last.quality.render_scale >= 0.85);
}

#[test]
fn a_warning_of_heat_costs_a_little_and_keeps_costing_it() {
    let mut bench = Bench::new();
    bench.seconds(3.0, 0.5, 0.9);
    assert_eq!(bench.last.setting, Setting::FULL);
    bench.now.heat = Notice::Warning;
    let warned = bench.seconds(1.0, 0.5, 0.9).setting.gpu;
    assert!(warned > 0.0, "{}", bench.last.why);
    bench.now.heat = Notice::Normal;
    assert!(bench.seconds(50.0, 0.5, 0.9).setting.gpu >= warned);
}
