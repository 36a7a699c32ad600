//! What is given up and what is given back: a pure function of what frames cost and what the lesson is at.
//!
//! Two numbers are decided, one for each side ([`Setting`]); the side that the frame rate hangs on moves. Down at once,
//! before the miss where the forecast sees it; up slowly, at the lesson's seams, and not against a wall that is known.
//! Never: a clock, chance, allocation, an engine.

use super::actuators::{Actuator, Level, Quality, Setting, Work, same_work};
use super::forecast::Forecast;
use super::rules::Rules;
use super::sense::{FrameSample, History};
use super::side::{Ask, Side, Want};
use super::state::{Moment, Now, State, is_warm, reset, take_in};
use super::why::{Bound, Cause, Why};
use crate::protocol::blur::Blurs;

/// Frames that must have been seen before anything is decided.
const ENOUGH: u64 = 3;
/// Frames in which a miss counts as recent.
const RECENT: usize = 3;
/// The same for the compositor, which is blamed for no single one.
const PATTERN: usize = 24;

/// What is in force from the next frame on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// How far quality has gone down.
    pub level: Level,
    /// How much is given up on each side; goes into the next frame's [`super::sense::FrameSample`].
    pub setting: Setting,
    /// The value of every actuator.
    pub quality: Quality,
    /// What learning is read from and is blurred meanwhile.
    pub marks: Blurs,
    /// Why, in one line.
    pub why: Why,
}

/// Decides once for each frame, after its sample was pushed. Deterministic: the same arguments give the same decision.
#[must_use]
pub fn decide(history: &History, state: &State, rules: &Rules, now: &Now) -> (Decision, State) {
    let mut state = *state;
    let decision = advance(history, &mut state, rules, now);
    (decision, state)
}

/// [`decide`] for whoever has no use for the old state.
pub fn advance(history: &History, state: &mut State, rules: &Rules, now: &Now) -> Decision {
    let from = state.setting;
    reset(state, history, rules, now);
    let warm = is_warm(state, history, rules, now);
    take_in(state, history, rules, now);
    state.heat.follow(now.heat, now.time, rules);
    let forecasts = [
        state.cpu.track.forecast(rules),
        gpu_forecast(state, rules, now),
    ];
    let cause = if !now.focused {
        Cause::Unfocused
    } else if !warm || (history.len() as u64).min(state.taken - state.known_from) < ENOUGH {
        Cause::Gathering
    } else {
        steer(state, history, rules, now, forecasts)
    };
    conclude(state, history, rules, now, from, cause, forecasts)
}

/// What is expected of the GPU's side. Where the runtime waits for the GPU, our work before that surprises as well.
fn gpu_forecast(state: &mut State, rules: &Rules, now: &Now) -> Option<Forecast> {
    let mut forecast = state.gpu.track.forecast(rules)?;
    if state.chain.waits() {
        let before = state.chain.before(rules);
        let setting = state.setting;
        let (_, work) = state.works(&setting, rules, &now.limits);
        let cost = forecast.load * state.gpu.cost.factor(&work);
        let spread = (cost * forecast.tail).hypot(before.load * before.tail);
        forecast.tail = spread / cost.max(1e-6);
    }
    Some(forecast)
}

/// A period has just passed without a frame, and the runtime waited longer for the GPU than was expected: a step of the
/// load, or a hiccup. The next frame would tell, and be missed as well; so it counts as a step, unless the last ones
/// turned out to be none.
fn alarm(
    state: &State,
    history: &History,
    now: &Now,
    forecast: Option<Forecast>,
) -> Option<Forecast> {
    let missed = history.back(0).is_some_and(FrameSample::missed);
    if !missed || !state.chain.waits() || !state.alarms.trusted(now.time) {
        return None;
    }
    let load = state.gpu.track.odd_rise()?;
    Some(Forecast {
        load,
        later: load,
        slope: 0.0,
        tail: forecast?.tail,
    })
}

/// Moves the sides, and says why.
fn steer(
    state: &mut State,
    history: &History,
    rules: &Rules,
    now: &Now,
    mut forecasts: [Option<Forecast>; 2],
) -> Cause {
    let frame = history.frames();
    let missed = history.missed_in(RECENT) > 0;
    let share = state.heat.share(rules);
    let at = state.setting;
    let mut to = at;
    let mut cause = Cause::Steady;
    let dwelt = now.time - state.changed;
    let seam = now.moment == Moment::Seam;
    let wait = if seam {
        rules.raise_after
    } else {
        rules.raise_without_seam_after
    };
    let look = now.moment != Moment::Protected && dwelt >= wait && frame >= state.look_again;
    if look {
        state.look_again = frame + u64::from(rules.least_frames);
        state.waits_for = Cause::Dwelling;
    }
    let alarm = alarm(state, history, now, forecasts[1]);
    forecasts[1] = alarm.or(forecasts[1]);
    let before = state.chain.before(rules).load;
    let mut wants = [Want::Stay; 2];
    for (which, (want, forecast)) in wants.iter_mut().zip(&forecasts).enumerate() {
        let Some(forecast) = forecast else { continue };
        let is_cpu = which == 0;
        let limits = &now.limits;
        let work = |given: f64| {
            if is_cpu {
                Quality::at(&Setting { cpu: given, ..at }, rules, limits).cpu_work()
            } else {
                Quality::at(&Setting { gpu: given, ..at }, rules, limits).gpu_work(rules)
            }
        };
        let ask = Ask {
            rules,
            period: state.period,
            share,
            before: if is_cpu { 0.0 } else { before },
            at: if is_cpu { at.cpu } else { at.gpu },
            now: now.time,
            missed,
            look,
            work,
        };
        let side = if is_cpu {
            &mut state.cpu
        } else {
            &mut state.gpu
        };
        *want = side.want(forecast, &ask);
    }
    let mut alarmed = false;
    let less = wants
        .iter()
        .any(|it| matches!(it, Want::Less { .. } | Want::Floor));
    for (which, want) in wants.into_iter().enumerate() {
        let (side, value) = if which == 0 {
            (&state.cpu, &mut to.cpu)
        } else {
            (&state.gpu, &mut to.gpu)
        };
        match want {
            Want::Stay => {}
            Want::Floor => cause = stronger(cause, Cause::Floor),
            Want::Less { to, certain } => {
                let unseen = if which == 0 { unseen_until(rules) } else { 0.0 };
                if now.moment == Moment::Protected && !certain && *value >= unseen {
                    cause = stronger(cause, Cause::Moment);
                } else if !certain && frame < side.changed + u64::from(rules.least_frames) {
                    cause = stronger(cause, Cause::Dwelling);
                } else if certain {
                    *value = to;
                    let at_once = which == 1 && alarm.is_some();
                    cause = stronger(
                        cause,
                        if at_once {
                            Cause::Alarm
                        } else {
                            Cause::Certain
                        },
                    );
                    alarmed |= at_once;
                } else {
                    let hidden = now.moment == Moment::Protected;
                    *value = if hidden { to.min(unseen) } else { to };
                    cause = stronger(cause, Cause::Forecast);
                }
            }
            Want::Room if now.moment == Moment::Protected => {
                cause = stronger(cause, Cause::Moment);
            }
            Want::Room => cause = stronger(cause, state.waits_for),
            Want::Walled => {
                state.waits_for = Cause::Wall;
                cause = stronger(cause, Cause::Wall);
            }
            // Both sides want to be well before either gets more.
            Want::More(_) if less => {}
            Want::More(to) if seam => {
                *value = to;
                cause = stronger(cause, Cause::RoomAtSeam);
            }
            Want::More(to) => {
                *value = to.max(*value - rules.raise_step);
                cause = stronger(cause, Cause::Room);
            }
        }
    }
    if alarmed {
        state.alarms.raise();
    }
    if to != at {
        apply(state, rules, now, to, frame, forecasts);
    } else if cause == Cause::Steady && not_ours(history, state, rules, forecasts) {
        cause = Cause::NotOurs;
    }
    cause
}

fn apply(
    state: &mut State,
    rules: &Rules,
    now: &Now,
    to: Setting,
    frame: u64,
    [cpu, gpu]: [Option<Forecast>; 2],
) {
    let from = state.setting;
    let (cpu_from, gpu_from) = state.works(&from, rules, &now.limits);
    let (cpu_to, gpu_to) = state.works(&to, rules, &now.limits);
    // Detail serves both sides, so the other side's work may change with this one's.
    if !same_work(&cpu_from, &cpu_to) {
        state.cpu.change(cpu_from, cpu_to, frame, cpu.as_ref());
    }
    if !same_work(&gpu_from, &gpu_to) {
        let measured = gpu.as_ref().filter(|_| state.presumed <= 0.0);
        state.gpu.change(gpu_from, gpu_to, frame, measured);
        if state.presumed > 0.0 {
            state.presumed *= state.gpu.cost.factor(&gpu_to) / state.gpu.cost.factor(&gpu_from);
        }
    }
    state.setting = to;
    state.changed = now.time;
    state.look_again = frame + u64::from(rules.least_frames);
}

/// Whether periods are missed while both sides take little of them.
fn not_ours(
    history: &History,
    state: &State,
    rules: &Rules,
    forecasts: [Option<Forecast>; 2],
) -> bool {
    history.missed_in(PATTERN) >= 2
        && costs(state, forecasts, state.known.2, state.known.3, rules)
            .iter()
            .flatten()
            .all(|cost| *cost < rules.innocent)
}

/// Tails of the forecast costs as shares of the period.
fn costs(
    state: &State,
    [cpu, gpu]: [Option<Forecast>; 2],
    cpu_work: Work,
    gpu_work: Work,
    rules: &Rules,
) -> [Option<f64>; 2] {
    let share = |forecast: Option<Forecast>, side: &Side, work: &Work| {
        forecast
            .filter(|_| state.period > 0.0)
            .map(|it| it.tail_load() * side.cost.factor(work) / state.period)
    };
    let before = state.chain.before(rules).load / state.period.max(1e-6);
    [
        share(cpu, &state.cpu, &cpu_work),
        share(gpu, &state.gpu, &gpu_work).map(|it| before + it),
    ]
}

fn conclude(
    state: &mut State,
    history: &History,
    rules: &Rules,
    now: &Now,
    from: Setting,
    cause: Cause,
    forecasts: [Option<Forecast>; 2],
) -> Decision {
    let (cpu_work, gpu_work) = state.works(&from, rules, &now.limits);
    let [cpu, gpu] = costs(state, forecasts, cpu_work, gpu_work, rules);
    let waits = state.chain.waits();
    let measured = waits || history.back(0).is_some_and(|sample| sample.gpu.is_some());
    let near = |share: Option<f64>| share.is_some_and(|it| it > rules.low);
    let bound = match (cause, near(cpu), near(gpu)) {
        (Cause::NotOurs, ..) => Bound::Compositor,
        (_, true, true) => Bound::Both,
        (_, true, false) => Bound::Cpu,
        (_, false, true) => Bound::Gpu,
        (_, false, false) => Bound::Free,
    };
    let quality = Quality::at(&state.setting, rules, &now.limits);
    Decision {
        level: Level::of(&state.setting),
        setting: state.setting,
        quality,
        marks: quality.marks(rules),
        why: Why {
            cause,
            bound,
            period: state.period,
            cpu: cpu.unwrap_or_default(),
            gpu: gpu.filter(|_| measured),
            waits,
            from,
            to: state.setting,
        },
    }
}

/// Up to where giving up on the CPU's side turns nothing that can be seen.
fn unseen_until(rules: &Rules) -> f64 {
    let seen = [
        Actuator::Physics,
        Actuator::Animation,
        Actuator::Panels,
        Actuator::Detail,
    ];
    let still = |leg: &&usize| {
        seen.iter().all(|actuator| {
            let path = rules.paths.of(*actuator);
            path.get(**leg)
                .is_some_and(|it| (it - path[0]).abs() < 1e-9)
        })
    };
    let legs = [1_usize, 2, 3, 4];
    legs.iter().take_while(still).count() as f64 / 4.0
}

/// What is said where both sides have a reason: a change before a wait, a wait before nothing.
fn stronger(one: Cause, other: Cause) -> Cause {
    let rank = |cause: Cause| match cause {
        Cause::Alarm => 9,
        Cause::Certain => 8,
        Cause::Forecast => 7,
        Cause::Floor => 6,
        Cause::RoomAtSeam => 5,
        Cause::Room => 4,
        Cause::Moment => 3,
        Cause::Wall => 2,
        Cause::Dwelling => 1,
        _ => 0,
    };
    if rank(other) > rank(one) { other } else { one }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
