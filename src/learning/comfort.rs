//! Exposure to what makes people sick in a headset, and when to ask, to offer a break, and not to go on.
//!
//! In: how the picture moved without the head, missed frames, time, the learner's own answers on the fast motion sickness
//! scale (FMS, 0 none to 20 about to be sick: Keshavarz & Hecht 2011). Out: an expected FMS with an interval, and advice.
//! Never: a feeling read from behaviour. It is a safety signal from what the *program* did to the learner and what the
//! learner says, and it is used for nothing else.
//!
//! Model: a leaky sum of doses, dS/dt = k·dose − S/τ, with k the learner's own susceptibility: sickness grows with exposure
//! time and with vection, most with rotation (So, Lo & Ho 2001; Keshavarz, Riecke, Hettinger & Campos 2015), and lingers
//! after it (Dużmańska, Strojny & Strojny 2018). People differ by an order of magnitude, so the sum alone is worth little:
//! each answer moves ln k by one Kalman step. The doses' sizes are ours and not fitted.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::estimate::{Estimate, Interval, Z_95, bounded};

/// Most of the fast motion sickness scale.
pub const MOST: f64 = 20.0;

/// The numbers. All are ours where no source is named.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ComfortParams {
    /// FMS points per minute in the headset when nothing else happens.
    pub per_minute: f64,
    /// FMS points per radian that the picture turned and the head did not. A snap turn of 30° is 0.5 rad at once and does
    /// less than the same angle turned smoothly: count it at [`ComfortParams::snap_share`].
    pub per_radian: f64,
    /// Share at which turns without a picture in between count, in [0, 1] (discrete turning reduces sickness: Farmani &
    /// Teather 2020).
    pub snap_share: f64,
    /// FMS points per (m/s²)·s of the picture's acceleration that the head did not make: changes of speed matter, steady
    /// speed does less (LaViola 2000).
    pub per_acceleration: f64,
    /// FMS points per second of missed frames.
    pub per_missed_second: f64,
    /// Time constant, seconds, at which sickness leaks away in the headset.
    pub leak: f64,
    /// The same in a break.
    pub recovery: f64,
    /// Standard deviation of ln k over people, before an answer; above 0.
    pub people: f64,
    /// Standard deviation of an answer, FMS points; above 0.
    pub answer: f64,
    /// Expected FMS from which a break is offered: a quarter of the scale, where most people still feel 'slight'.
    pub offer_at: f64,
    /// The offer is over when it has fallen so far again.
    pub offer_until: f64,
    /// Least seconds between two offers.
    pub offer_every: f64,
    /// Half width of the interval, FMS points, from which the learner is asked.
    pub ask_at_width: f64,
    /// Most seconds of exposure without an answer. The scale was made to be asked every minute; a lesson can't be
    /// interrupted as often.
    pub ask_every: f64,
}

impl ComfortParams {
    /// As for a middling adult.
    pub const USUAL: Self = Self {
        per_minute: 0.08,
        per_radian: 0.06,
        snap_share: 0.3,
        per_acceleration: 0.05,
        per_missed_second: 0.3,
        leak: 1500.0,
        recovery: 400.0,
        people: 1.0,
        answer: 1.5,
        offer_at: 5.0,
        offer_until: 3.0,
        offer_every: 300.0,
        ask_at_width: 3.0,
        ask_every: 300.0,
    };
}

impl Default for ComfortParams {
    fn default() -> Self {
        Self::USUAL
    }
}

/// What the program did to the learner in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Exposure {
    /// How long.
    pub dt: Duration,
    /// Angle that the picture turned smoothly and the head did not, radians, at least 0.
    pub turned: f64,
    /// The same in snaps.
    pub snapped: f64,
    /// Integral of the magnitude of the picture's acceleration that the head did not make, m/s.
    pub acceleration: f64,
    /// Share of frames that were missed, in [0, 1].
    pub missed: f64,
}

/// What to do about comfort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// Nothing.
    Nothing,
    /// Ask the fast question.
    Ask,
    /// Offer a break.
    OfferBreak,
}

/// One learner's comfort. Constant size, never allocates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comfort {
    /// FMS that a middling learner would have.
    typical: f64,
    /// ln k: how much more than a middling learner.
    susceptibility: Estimate,
    /// Seconds of exposure since the last answer; `None`: never asked.
    since_answer: Option<f64>,
    exposed: f64,
    since_offer: Option<f64>,
    offering: bool,
}

impl Comfort {
    /// Of somebody who puts the headset on.
    #[must_use]
    pub fn new(p: &ComfortParams) -> Self {
        let people = bounded(p.people, 0.01, 3.0, 1.0);
        Self {
            typical: 0.0,
            susceptibility: Estimate {
                mean: 0.0,
                variance: people * people,
            },
            since_answer: None,
            exposed: 0.0,
            since_offer: None,
            offering: false,
        }
    }

    /// Takes in a stretch of exposure. What is no number, or negative, was not there.
    pub fn exposed(&mut self, to: &Exposure, p: &ComfortParams) {
        let dose = |per: f64, of: f64| bounded(per, 0.0, 100.0, 0.0) * bounded(of, 0.0, 1e4, 0.0);
        let seconds = to.dt.as_secs_f64().min(86_400.0);
        let snapped = bounded(p.snap_share, 0.0, 1.0, 1.0) * bounded(to.snapped, 0.0, 1e4, 0.0);
        let added = dose(p.per_minute, seconds / 60.0)
            + dose(p.per_radian, bounded(to.turned, 0.0, 1e4, 0.0) + snapped)
            + dose(p.per_acceleration, to.acceleration)
            + dose(
                p.per_missed_second,
                bounded(to.missed, 0.0, 1.0, 0.0) * seconds,
            );
        self.typical = (left(self.typical, seconds, p.leak) + added).min(MOST);
        self.exposed += seconds;
        let both = [&mut self.since_answer, &mut self.since_offer];
        for since in both.into_iter().flatten() {
            *since += seconds;
        }
    }

    /// Takes in a break without the headset.
    pub fn rested(&mut self, dt: Duration, p: &ComfortParams) {
        self.typical = left(self.typical, dt.as_secs_f64(), p.recovery);
        self.offering = false;
    }

    /// The learner answers the fast question: `fms` in [0, 20]. What is no number was not answered.
    ///
    /// Extended Kalman step on ln k for the measurement FMS = k·typical (Kalman 1960; linearised at the mean). Before there
    /// was any exposure an answer says how the learner came, and nothing about their susceptibility: `typical` takes it.
    pub fn answered(&mut self, fms: f64, p: &ComfortParams) {
        if fms.is_nan() {
            return;
        }
        let fms = fms.clamp(0.0, MOST);
        self.since_answer = Some(0.0);
        let noise = bounded(p.answer, 0.1, 10.0, 1.5).powi(2);
        let before = self.susceptibility;
        let slope = before.mean.exp() * self.typical;
        let gain = before.variance * slope / (slope * slope * before.variance + noise);
        let people = bounded(p.people, 0.01, 3.0, 1.0);
        let mean = before.mean + gain * (fms - slope);
        self.susceptibility = Estimate {
            mean: mean.clamp(-4.0 * people, 4.0 * people),
            variance: (before.variance * (1.0 - gain * slope)).max(1e-4),
        };
        // What the susceptibility doesn't explain was there before, or comes from elsewhere; it leaks away like the rest.
        // Half, since one answer is as likely off as the sum is.
        let k = self.susceptibility.mean.exp();
        let surplus = fms - k * self.typical;
        self.typical = (self.typical + 0.5 * surplus / k).clamp(0.0, MOST / k.max(0.05));
    }

    /// FMS now, in [0, 20], with its 95 % interval: ends of k's interval times what a middling learner would have.
    #[must_use]
    pub fn sickness(&self) -> (f64, Interval) {
        let ends = self.susceptibility.interval(Z_95);
        let at = |log_k: f64| (log_k.exp() * self.typical).clamp(0.0, MOST);
        let interval = Interval {
            low: at(ends.low),
            high: at(ends.high),
        };
        (at(self.susceptibility.mean), interval)
    }

    /// What to do now. An offer is made once when the expected FMS passes its threshold, and again only after it has
    /// fallen or the time between offers has passed. Call it after [`Comfort::exposed`], at any rate.
    pub fn advise(&mut self, p: &ComfortParams) -> Advice {
        let (sickness, interval) = self.sickness();
        if sickness < p.offer_until {
            self.offering = false;
        }
        let again = self.since_offer.is_none_or(|since| since >= p.offer_every);
        if sickness >= p.offer_at && (!self.offering || again) {
            let first = !self.offering;
            self.offering = true;
            if first || again {
                self.since_offer = Some(0.0);
                return Advice::OfferBreak;
            }
        }
        let waited = self.since_answer.unwrap_or(self.exposed);
        let unsure = interval.width() / 2.0 >= p.ask_at_width && waited >= 60.0;
        if unsure || waited >= p.ask_every {
            Advice::Ask
        } else {
            Advice::Nothing
        }
    }

    /// The question was put, whether or not it is answered: it isn't put again at once.
    pub fn asked(&mut self) {
        self.since_answer = Some(0.0);
    }
}

/// Comfort in [0, 1], 1 the best, as [`super::event_criteria::Criterion::Comfort`] takes it, of an answer in [0, 20].
#[must_use]
pub fn of_answer(fms: f64) -> f64 {
    1.0 - bounded(fms, 0.0, MOST, 0.0) / MOST
}

/// The answer in [0, 20] that gives this comfort in [0, 1]: [`of_answer`] turned round.
#[must_use]
pub fn fms_of(comfort: f64) -> f64 {
    MOST * (1.0 - comfort)
}

fn left(of: f64, seconds: f64, time_constant: f64) -> f64 {
    of * (-bounded(seconds, 0.0, 86_400.0, 0.0) / bounded(time_constant, 1.0, 86_400.0, 1500.0))
        .exp()
}

#[cfg(test)]
mod tests;
