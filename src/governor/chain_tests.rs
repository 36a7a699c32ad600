//! Found out by evidence, and what comes of it on a compositor that waits.

use proptest::prelude::*;

use super::*;
use crate::governor::actuators::Setting;
use crate::governor::decide::{Decision, advance};
use crate::governor::plant::run::{Point, Report, Tally};
use crate::governor::plant::script::{Playing, Script};
use crate::governor::plant::{Demand, Parameters, Plant};
use crate::governor::sense::CpuPhases;
use crate::governor::state::{Moment, Now, State};
use crate::governor::why::{Bound, Cause};

const P: f64 = 1.0 / 72.0;

/// A headset whose runtime waits for the GPU, and whose timestamps are two frames old when they come. Most of the CPU's
/// work is the main world's, which runs beside.
fn waiting() -> Parameters {
    Parameters {
        waits: true,
        phases: [0.8, 0.12],
        read_back: 2,
        ..Parameters::default()
    }
}

/// The accounting that knows of no wait: `xrEndFrame` is the CPU's work, and no reason.
fn blind(mut sample: FrameSample) -> FrameSample {
    let cpu = &mut sample.cpu;
    cpu.record += std::mem::take(&mut cpu.end);
    cpu.overlap = cpu.simulation.min(cpu.prepare + cpu.record);
    sample
}

/// What came of a script, and the most that was given up on the CPU's side.
fn play(
    parameters: Parameters,
    script: &Script,
    seed: u64,
    seconds: f64,
    sees: fn(FrameSample) -> FrameSample,
) -> (Report, f64) {
    let rules = Rules::default();
    let mut plant = Plant::new(parameters, seed);
    let mut playing = Playing::new(script, seed);
    let (mut history, mut state) = (History::default(), State::new(&rules));
    let (mut now, mut tally) = (Now::default(), Tally::new(false));
    let mut out = advance(&history, &mut state, &rules, &now);
    let (mut given, mut hiccup) = (0.0_f64, false);
    while now.time < seconds {
        let (demand, stepped) = playing.at(now.time);
        let shown = plant.frame(&demand, &out.quality, out.setting, 1);
        now.time += shown.interval;
        now.moment = if now.time % 20.0 < 0.3 {
            Moment::Seam
        } else {
            Moment::Free
        };
        history.push(sees(shown.sample));
        let before = out;
        out = advance(&history, &mut state, &rules, &now);
        let index = before.quality.index(&rules);
        let point = Point {
            time: now.time,
            interval: shown.interval,
            cost: shown.cost.gpu,
            level: before.level as u8,
            scale: before.quality.render_scale,
        };
        // A hiccup delays what comes after it, too.
        let delayed = std::mem::replace(&mut hiccup, shown.hiccup);
        tally.frame(point, stepped, shown.missed, delayed || hiccup, index);
        tally.decided(now.time, false, out.quality.index(&rules) - index);
        given = given.max(out.setting.cpu);
    }
    (tally.end(now.time), given)
}

/// A headset under a constant load, and the governor on it.
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
    fn new(parameters: Parameters, seed: u64) -> Self {
        let rules = Rules::default();
        let (history, mut state) = (History::default(), State::new(&rules));
        let now = Now::default();
        Self {
            last: advance(&history, &mut state, &rules, &now),
            plant: Plant::new(parameters, seed),
            history,
            state,
            rules,
            now,
            missed: 0,
        }
    }

    fn frame(&mut self, cpu: f64, gpu: f64) {
        let demand = Demand {
            cpu: cpu * P,
            gpu: gpu * P,
        };
        let (quality, setting) = (self.last.quality, self.last.setting);
        let shown = self.plant.frame(&demand, &quality, setting, 1);
        self.missed += shown.missed;
        self.now.time += shown.interval;
        self.history.push(shown.sample);
        self.last = advance(&self.history, &mut self.state, &self.rules, &self.now);
    }

    fn seconds(&mut self, seconds: f64, cpu: f64, gpu: f64) {
        let until = self.now.time + seconds;
        while self.now.time < until {
            self.frame(cpu, gpu);
        }
    }
}

/// Frames with a GPU time each, and what `xrEndFrame` took in each; in periods.
fn found(frames: impl IntoIterator<Item = (f64, f64)>) -> bool {
    let (mut history, mut chain) = (History::default(), Chain::default());
    for (gpu, end) in frames {
        let gpu = GpuTime {
            seconds: gpu * P,
            age: 0,
        };
        history.push(FrameSample {
            period: P,
            cpu: CpuPhases {
                simulation: 0.2 * P,
                record: 0.1 * P,
                end: end * P,
                ..CpuPhases::default()
            },
            gpu: Some(gpu),
            wait: 0.0,
            skipped: 0,
            stale: false,
            setting: Setting::FULL,
        });
        chain.witness(&history, 0, gpu);
    }
    chain.waits()
}

#[test]
fn a_wait_for_the_gpu_is_found_out_and_nothing_else_is_one() {
    let gpu = |n: u32| 0.5 + 0.3 * f64::from(n % 7) / 7.0;
    assert!(found((0..40).map(|n| (gpu(n), gpu(n) - 0.1))));
    // Too few.
    assert!(!found((0..20).map(|n| (gpu(n), gpu(n) - 0.1))));
    // A runtime that takes its time, whatever the GPU does: none, some, and as much as it sometimes takes.
    for end in [0.0, 0.1, 0.3, 1.0] {
        assert!(!found((0..400).map(|n| (gpu(n), end))), "{end}");
    }
    // A GPU with nothing to do says nothing.
    assert!(!found((0..400).map(|_| (0.1, 0.0))));
    // A graphics card in place of the software renderer, in the middle of a session.
    let both = (0..40).map(|n| (gpu(n), gpu(n) - 0.1));
    assert!(!found(both.chain((0..20).map(|n| (gpu(n), 0.02)))));
}

#[test]
fn a_false_alarm_costs_trust_and_a_true_one_gives_it_back() {
    let rules = Rules::default();
    let mut alarms = Alarms::default();
    let mut now = 0.0;
    for rest in [30.0, 60.0, 120.0] {
        assert!(alarms.trusted(now));
        alarms.raise();
        assert!(!alarms.trusted(now), "once is enough");
        alarms.hear(false, true, now, &rules);
        alarms.hear(false, false, now, &rules);
        assert!(!alarms.trusted(now + rest - 1.0));
        now += rest;
    }
    alarms.raise();
    alarms.hear(true, false, now, &rules);
    assert!(alarms.trusted(now));
}

#[test]
fn a_runtime_that_waits_has_its_gpu_turned_down_and_not_its_cpu() {
    let parameters = Parameters {
        noise: [0.005; 2],
        hiccup: [0.0; 2],
        ..waiting()
    };
    let mut bench = Bench::new(parameters, 7);
    bench.seconds(3.0, 0.6, 0.6);
    assert_eq!(bench.last.setting, Setting::FULL, "{}", bench.last.why);
    assert!(bench.last.why.waits);
    // Less than the whole period is the GPU's.
    bench.seconds(2.0, 0.6, 0.95);
    assert!(bench.last.setting.gpu > 0.0, "{}", bench.last.why);
    bench.seconds(1.0, 0.6, 1.5);
    bench.missed = 0;
    bench.seconds(20.0, 0.6, 1.5);
    assert_eq!(bench.missed, 0, "{}", bench.last.why);
    assert!(bench.last.setting.cpu <= 0.0, "{}", bench.last.why);
    assert_eq!(bench.last.why.bound, Bound::Gpu);
}

#[test]
fn the_first_missed_frame_of_a_step_is_answered_at_once_and_says_so() {
    let parameters = Parameters {
        hiccup: [0.0; 2],
        ..waiting()
    };
    let mut bench = Bench::new(parameters, 3);
    bench.seconds(3.0, 0.5, 0.6);
    let before = bench.missed;
    while bench.missed == before {
        bench.frame(0.5, 1.7);
    }
    // The main world was told of the miss a frame before the picture was due.
    let mut frames = 0;
    while bench.last.setting.gpu <= 0.0 && frames < 5 {
        bench.frame(0.5, 1.7);
        frames += 1;
    }
    assert!(frames <= 1, "{frames} frames");
    assert_eq!(bench.last.why.cause, Cause::Alarm, "{}", bench.last.why);
    let missed = bench.missed;
    bench.seconds(0.1, 0.5, 1.7);
    bench.seconds(10.0, 0.5, 1.7);
    assert!(bench.missed <= missed + 2, "{}", bench.missed - missed);
}

#[test]
fn steps_and_ramps_are_absorbed_where_the_runtime_waits() {
    for seed in 0..4 {
        for script in [Script::Steps, Script::Ramps] {
            let off = play(waiting(), &script, seed, 120.0, |it| FrameSample {
                // Nobody who sees this does anything.
                cpu: CpuPhases::default(),
                gpu: Some(GpuTime {
                    seconds: 0.0,
                    age: 0,
                }),
                skipped: 0,
                ..it
            });
            assert!(off.0.missed_ratio() > 0.3, "off {}", off.0.missed_ratio());
            let (ours, given) = play(waiting(), &script, seed, 120.0, |it| it);
            assert!(
                ours.missed_ratio() < 0.01,
                "{script:?} {seed}: {}",
                ours.missed_ratio()
            );
            assert!(
                ours.recoveries.iter().all(|it| *it <= 3),
                "{script:?} {seed}: {:?}",
                ours.recoveries
            );
            assert!(
                ours.reversals <= 1 && given <= 0.0,
                "{script:?} {seed}: {given}"
            );
        }
    }
}

#[test]
fn what_the_earlier_accounting_misses_is_absorbed_and_the_cpu_gives_up_nothing_for_it() {
    // A third of a period goes before the GPU begins, and little of that can be shed.
    let parameters = || Parameters {
        phases: [0.5, 0.3],
        cpu_shares: [0.05, 0.03, 0.03, 0.02, 0.05],
        ..waiting()
    };
    let demand = |gpu: f64| Demand {
        cpu: 0.65 * P,
        gpu: gpu * P,
    };
    let frames = (0..2000).map(|n| demand(if n < 300 { 0.4 } else { 1.3 }));
    let script = Script::Trace(frames.collect());
    for seed in 0..4 {
        let (seen, given) = play(parameters(), &script, seed, 120.0, |it| it);
        let (unseen, in_vain) = play(parameters(), &script, seed, 120.0, blind);
        assert!(
            seen.missed_ratio() < 0.01 && given <= 0.0,
            "{seed}: {}",
            seen.missed_ratio()
        );
        assert!(
            unseen.missed_ratio() > 0.01 && in_vain > 0.5,
            "{seed}: {}",
            unseen.missed_ratio()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn where_nothing_waits_it_is_never_believed(seed in any::<u64>()) {
        let parameters = Parameters { read_back: 2, ..Parameters::default() };
        let mut bench = Bench::new(parameters, seed);
        let mut playing = Playing::new(&Script::Wild, seed);
        while bench.now.time < 120.0 {
            let (demand, _) = playing.at(bench.now.time);
            bench.frame(demand.cpu / P, demand.gpu / P);
            prop_assert!(!bench.last.why.waits);
        }
    }

    #[test]
    fn what_fits_beside_the_renderer_is_made_to_fit(cpu in 0.2..0.7_f64, gpu in 0.4..1.8_f64, seed in any::<u64>()) {
        let mut bench = Bench::new(Parameters { hiccup: [0.0; 2], ..waiting() }, seed);
        bench.seconds(4.0, cpu, 0.5);
        bench.seconds(3.0, cpu, gpu);
        bench.missed = 0;
        bench.seconds(20.0, cpu, gpu);
        prop_assert!(bench.missed <= 2, "{} missed: {}", bench.missed, bench.last.why);
        prop_assert!(bench.last.setting.cpu <= 0.0, "{}", bench.last.why);
    }
}
