//! What is predicted of simulated learners, and what happened then.

use malloc_vr::learning::five::params::Params;
use malloc_vr::learning::predict::fit::logistic;
use malloc_vr::learning::predict::reliability::Reliability;
use malloc_vr::learning::predict::{
    INTERVAL, Inputs, LeavingInputs, Predictor, STALL, StallInputs, SuccessInputs,
};
use malloc_vr::learning::simulated::draws::Draws;
use malloc_vr::learning::simulated::lesson::Lesson;
use malloc_vr::learning::simulated::ours::ours;
use malloc_vr::learning::simulated::run::{Happened, Run};
use malloc_vr::learning::simulated::scene::{Decider, Policy};
use malloc_vr::learning::simulated::truth::Learner;
use malloc_vr::learning::strategy::check::Checked;
use serde_json::{Value, json};

use super::{Args, people};

/// What is predicted at moments and attempts of some lessons, with what happened.
#[derive(Default)]
struct Rows {
    success: Vec<(Inputs, bool)>,
    /// At the ends of intervals: inputs, seconds until the next stall and until leaving (if they came), seconds watched.
    moments: Vec<Watched>,
}

struct Watched {
    inputs: Inputs,
    at: f64,
    stalling: bool,
    stalled: Option<f64>,
    left: Option<f64>,
    watched: f64,
}

fn rows(people: &[(Learner, Draws)], p: &Params, policy: Policy) -> Rows {
    let lesson = Lesson::default();
    let mut rows = Rows::default();
    for (learner, draws) in people {
        let first = rows.moments.len();
        let (mut clock, mut next) = (0.0, INTERVAL);
        let mut watch = |happened: &Happened| match happened {
            Happened::Attempted { seen, correct } => {
                let inputs = Inputs::of(seen.five, seen.skill, &seen.view(), p);
                rows.success.push((inputs, *correct));
            }
            Happened::Passed {
                seen,
                seconds,
                hesitated,
                left,
            } => {
                let stalls = *hesitated >= STALL;
                clock += seconds;
                for moment in rows.moments.iter_mut().skip(first) {
                    moment.watched = clock - moment.at;
                    if stalls && moment.stalled.is_none() {
                        moment.stalled = Some(clock - moment.at);
                    }
                    if *left {
                        moment.left = Some(clock - moment.at);
                    }
                }
                if clock >= next {
                    next += INTERVAL;
                    rows.moments.push(Watched {
                        inputs: Inputs::of(seen.five, seen.skill, &seen.view(), p),
                        at: clock,
                        stalling: stalls,
                        stalled: None,
                        left: None,
                        watched: 0.0,
                    });
                }
            }
            Happened::Decided { .. } => {}
        };
        Run::new(learner, &lesson, p, *draws).finish(policy, &mut watch);
    }
    rows
}

impl Watched {
    /// Whether it came within so many seconds; `None`: the lesson ended before anybody could tell.
    fn within(&self, when: Option<f64>, seconds: f64) -> Option<bool> {
        let came = when.is_some_and(|when| when <= seconds);
        (came || self.watched >= seconds || self.left.is_some()).then_some(came)
    }
}

/// Fits the parameters to learners of the seed after the given one.
pub(super) fn fit(args: &Args, p: &Params, table: &Checked) -> Predictor {
    let our = || -> Decider { ours(table) };
    let seed = args.seed + 1;
    let rows = rows(&people(args.predicted, seed), p, Policy::Models(&our));
    let success: Vec<(SuccessInputs, bool)> = rows
        .success
        .iter()
        .map(|(it, right)| (it.success[0], *right))
        .collect();
    let mut predictor = Predictor {
        provenance: format!(
            "simulated learners only: {} of the default population, seed {seed}, `measure-adaptation --fit`",
            args.predicted
        ),
        success: logistic(&success),
        ..Predictor::default()
    };
    let chance = |inputs: &Inputs| predictor.predict(inputs).success.mean;
    let stall: Vec<(StallInputs, bool)> = rows
        .moments
        .iter()
        .filter(|it| !it.stalling)
        .filter_map(|it| {
            let came = it.within(it.stalled, INTERVAL)?;
            Some((it.inputs.stall_with(chance(&it.inputs)), came))
        })
        .collect();
    let leaving: Vec<(LeavingInputs, bool)> = rows
        .moments
        .iter()
        .filter_map(|it| Some((it.inputs.leaving, it.within(it.left, INTERVAL)?)))
        .collect();
    let (stall, leaving) = (logistic(&stall), logistic(&leaving));
    predictor.stall = stall;
    predictor.leaving = leaving;
    predictor
}

/// Nanoseconds of one prediction: median and 5th and 95th percentile of repetitions over all attempts.
fn cost(rows: &Rows, predictor: &Predictor) -> Value {
    let mut times: Vec<f64> = (0..21)
        .map(|_| {
            let start = std::time::Instant::now();
            for (inputs, _) in &rows.success {
                std::hint::black_box(predictor.predict(std::hint::black_box(inputs)));
            }
            start.elapsed().as_secs_f64() * 1e9 / rows.success.len().max(1) as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |place: usize| times.get(place).copied();
    json!({ "value": at(10), "n": 21 * rows.success.len(), "spread": [at(1), at(19)] })
}

/// How well predictions hold on learners that they were not fitted on.
pub(super) fn predictions(args: &Args, p: &Params, policy: Policy) -> Option<Vec<(String, Value)>> {
    // A seed that the fit never sees.
    let rows = rows(&people(args.predicted, args.seed + 1000), p, policy);
    let predictor = Predictor::default();
    let mut figures = vec![("prediction_ns".to_owned(), cost(&rows, &predictor))];
    let mut success = Reliability::default();
    for (inputs, right) in &rows.success {
        success.observe(predictor.predict(inputs).success.mean, *right);
    }
    let mut all = vec![("success".to_owned(), success)];
    for seconds in [60.0, 300.0] {
        let (mut stall, mut leaving) = (Reliability::default(), Reliability::default());
        for it in &rows.moments {
            let soon = predictor.predict(&it.inputs);
            if !it.stalling
                && let Some(came) = it.within(it.stalled, seconds)
            {
                stall.observe(soon.stalls_within(seconds), came);
            }
            if let Some(came) = it.within(it.left, seconds) {
                leaving.observe(soon.leaves_within(seconds), came);
            }
        }
        all.push((format!("stall_{seconds}s"), stall));
        all.push((format!("leaving_{seconds}s"), leaving));
    }
    for (name, reliability) in all {
        let n = reliability.len();
        let one = |value: f64| json!({ "value": value, "n": n, "spread": [value, value] });
        figures.push((format!("brier_{name}"), one(reliability.brier()?)));
        figures.push((
            format!("brier_base_rate_{name}"),
            one(reliability.brier_of_base_rate()?),
        ));
        figures.push((
            format!("calibration_error_{name}"),
            one(reliability.calibration_error()?),
        ));
        let curve: Vec<_> = reliability.curve().collect();
        figures.push((format!("reliability_{name}"), json!(curve)));
    }
    Some(figures)
}
