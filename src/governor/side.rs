//! One side, CPU or GPU: its load, what its actuators are worth, and what it wants.

use super::actuators::{Work, same_work};
use super::cost::CostModel;
use super::forecast::{Forecast, Track};
use super::restraint::Wall;
use super::rules::Rules;

/// Frames over which the effect of a change is measured.
const MEASURED: u8 = 4;
/// Frames after which a change whose effect didn't come is no longer waited for.
const PATIENCE: u64 = 12;

/// A change whose effect is being measured.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pending {
    from: Work,
    to: Work,
    /// Cost in seconds, as it was expected without the change.
    before: f64,
    slope: f64,
    since: u64,
    sum: f64,
    n: u8,
    /// Whether the first that was seen of it was a surprise: the actuators' worth is another then.
    odd: bool,
}

/// What a side asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Want {
    /// As it is.
    Stay,
    /// Give up as much as this.
    Less {
        to: f64,
        /// Whether a miss is certain otherwise.
        certain: bool,
    },
    /// Room for less given up; how much wasn't looked at.
    Room,
    /// Room, but not for what was here before.
    Walled,
    /// Room for only so much given up.
    More(f64),
    /// Everything is given up, and it isn't enough.
    Floor,
}

/// What a side decides from.
pub(super) struct Ask<'a, F: Fn(f64) -> Work> {
    pub(super) rules: &'a Rules,
    /// Seconds that there are, and the part of them that may be used.
    pub(super) period: f64,
    pub(super) share: f64,
    /// Seconds of it that are gone before this side can begin.
    pub(super) before: f64,
    /// Given up now, and the work that is left with it.
    pub(super) at: f64,
    pub(super) now: f64,
    pub(super) missed: bool,
    /// Whether it is time to look how much can be given back.
    pub(super) look: bool,
    /// Work by what is given up.
    pub(super) work: F,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    pub(super) track: Track,
    pub(super) cost: CostModel,
    pub(super) wall: Wall,
    pending: Option<Pending>,
    /// The frame of the last change.
    pub(super) changed: u64,
}

impl Side {
    pub(super) fn new(shares: &[f64; 5], rules: &Rules) -> Self {
        Self {
            track: Track::default(),
            cost: CostModel::new(shares, rules.share_doubt),
            wall: Wall::default(),
            pending: None,
            changed: 0,
        }
    }

    /// Other frames come: what was measured of the old ones says nothing.
    pub(super) fn forget_frames(&mut self) {
        self.track.forget();
        self.pending = None;
    }

    /// Another accounting: all but what the actuators are worth is forgotten.
    pub(super) fn count_anew(&mut self) {
        self.forget_frames();
        self.wall = Wall::default();
    }

    /// A frame took `seconds` on this side, with this work. `true` where it turned out to be a step of the load.
    pub(super) fn feed(&mut self, seconds: f64, work: &Work, frame: u64, rules: &Rules) -> bool {
        let step = self.track.feed(seconds / self.cost.factor(work), rules);
        self.measure(seconds, work, frame, step, rules);
        step
    }

    /// Measures the effect of the last change.
    fn measure(&mut self, seconds: f64, work: &Work, frame: u64, step: bool, rules: &Rules) {
        if step {
            self.wall_aside();
        }
        let Some(pending) = &mut self.pending else {
            return;
        };
        if frame > pending.since + PATIENCE {
            self.pending = None;
            return;
        }
        if !same_work(work, &pending.to) {
            return;
        }
        let odd = step || self.track.is_odd();
        if pending.n == 0 {
            pending.odd = odd;
        } else if odd && !pending.odd {
            // What was as expected until now changes by itself: that is the load's doing, or a hiccup's.
            self.pending = None;
            return;
        }
        pending.sum += seconds;
        pending.n += 1;
        if pending.n < MEASURED {
            return;
        }
        let done = *pending;
        self.pending = None;
        let after = done.sum / f64::from(done.n);
        let drift = done.slope.abs() * (frame - done.since) as f64 / done.before.max(1e-6);
        let noise = rules.ratio_noise + drift;
        if self
            .cost
            .learn(&done.from, &done.to, after / done.before.max(1e-6), noise)
        {
            self.track.restart(after / self.cost.factor(&done.to));
        }
    }

    /// A step of the load in the middle of a measurement spoils it, unless the cost model was wrong by that much.
    fn wall_aside(&mut self) {
        if let Some(pending) = &mut self.pending
            && pending.n == 0
        {
            self.pending = None;
        }
    }

    /// This side goes from one work to another.
    pub(super) fn change(&mut self, from: Work, to: Work, frame: u64, forecast: Option<&Forecast>) {
        self.changed = frame;
        self.pending = forecast.map(|forecast| Pending {
            from,
            to,
            before: forecast.load * self.cost.factor(&from),
            slope: forecast.slope * self.cost.factor(&from),
            since: frame,
            sum: 0.0,
            n: 0,
            odd: false,
        });
    }

    /// What this side wants, by the forecast.
    pub(super) fn want<F: Fn(f64) -> Work>(&mut self, forecast: &Forecast, ask: &Ask<F>) -> Want {
        let rules = ask.rules;
        let budget = ask.period * ask.share;
        // What there is of it here.
        let left_of = |seconds: f64| seconds - ask.before;
        let work = (ask.work)(ask.at);
        let factor = self.cost.factor(&work);
        let (middle, tail) = (forecast.load * factor, forecast.tail_load() * factor);
        self.wall.see(forecast.tail_load(), ask.now, rules);
        // Without heat's restraint: a period missed is one of the runtime's.
        let certain = middle > left_of(rules.certain * ask.period)
            || ask.missed && tail > left_of(rules.high * ask.period);
        if tail > left_of(rules.high * budget) || certain {
            if ask.at >= 1.0 {
                return Want::Floor;
            }
            if certain {
                self.wall.force(forecast.tail_load(), ask.now, rules);
            }
            let fits = |to: f64| {
                let then = (ask.work)(to);
                let left = self.cost.factor(&then) + rules.doubt * self.cost.doubt(&work, &then);
                forecast.tail_later() * left <= left_of(rules.aim * budget)
            };
            let to = first(ask.at, 1.0, fits)
                .max(ask.at + rules.least_change)
                .min(1.0);
            return Want::Less { to, certain };
        }
        let rising = forecast.slope > 0.0 && forecast.later > forecast.load * 1.02;
        if ask.at <= 0.0 || rising || tail >= left_of(rules.low * budget) {
            return Want::Stay;
        }
        if !ask.look {
            return Want::Room;
        }
        let fits = |load: f64| {
            let cost = &self.cost;
            move |to: f64| {
                let then = (ask.work)(to);
                let left = cost.factor(&then) + rules.doubt * cost.doubt(&work, &then);
                load * left <= left_of(rules.raise_to * budget)
            }
        };
        let to = first(
            0.0,
            ask.at,
            fits(forecast.tail_load().max(self.wall.load())),
        );
        // The last bit isn't worth keeping.
        let to = if to < rules.least_change { 0.0 } else { to };
        if to > 0.0 && ask.at - to < rules.least_raise {
            return Want::Walled;
        }
        Want::More(to)
    }
}

/// The least in `from..=to` for which `fits` holds, where it holds for all above that; `to` where it holds for none.
fn first(from: f64, to: f64, fits: impl Fn(f64) -> bool) -> f64 {
    if fits(from) {
        return from;
    }
    let (mut no, mut yes) = (from, to);
    // A thousandth of the way is nothing that anybody sees.
    for _ in 0..10 {
        let middle = f64::midpoint(no, yes);
        if fits(middle) {
            yes = middle;
        } else {
            no = middle;
        }
    }
    yes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_in_the_middle_of_a_measurement_is_a_burst_and_teaches_nothing() {
        let rules = Rules::default();
        let mut side = Side::new(&rules.gpu_shares, &rules);
        let (full, less) = ([1.0; 5], [0.8, 0.5, 1.0, 0.5, 1.0]);
        for frame in 0..40 {
            side.feed(0.010, &full, frame, &rules);
        }
        let forecast = side.track.forecast(&rules);
        side.change(full, less, 40, forecast.as_ref());
        let left = side.cost.factor(&less);
        for (frame, load) in (41..).zip([0.010, 0.010, 0.016, 0.016]) {
            side.feed(load * left, &less, frame, &rules);
        }
        let load = side.track.forecast(&rules).map_or(0.0, |it| it.load);
        assert!((load / 0.016 - 1.0).abs() < 0.02, "{load}");
        assert!(same_work(side.cost.shares(), &rules.gpu_shares));
        // What is another from the first frame on is the change's own effect, and is learnt.
        let forecast = side.track.forecast(&rules);
        side.change(less, full, 45, forecast.as_ref());
        for frame in 46..50 {
            side.feed(0.016 * 1.12, &full, frame, &rules);
        }
        assert!(!same_work(side.cost.shares(), &rules.gpu_shares));
    }
}
