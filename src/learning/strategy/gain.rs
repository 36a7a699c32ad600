//! What an action is worth to a learner, as far as the models know them: a look one step ahead.
//!
//! In: what is known now, an action, and what the table assumes of learning ([`ByGain`]). Out: by how much the action is
//! expected to change what is learnt over the horizon, where 1 is what the best circumstances bring in that time.
//! Expected under what the models believe: the interval of the chance of success and the spread of the ideal between
//! people are averaged over, so that who is hardly known is moved for clear reasons only. It ranks what the rules admit
//! (expected value of a pedagogical action: Murray, VanLehn & Mostow 2004, "Looking ahead to select tutorial actions"); it
//! makes nothing admissible.
//! Never: an allocation. What is not known has no worth: `None`, and the rule comes, as written, after those that have one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::Action;
use super::feature::{Feature, View};
use crate::learning::estimate::{Z_95, logit, sigmoid};

/// What is assumed of learning, to look one step ahead with ([`gain`]). Assumptions about people, not measurements:
/// `learning::strategy::effect` is there to measure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ByGain {
    /// Chance of success at which most is learnt, 0.5..0.95.
    pub success: f64,
    /// How much that differs between people: standard deviation, logit, 0..3.
    pub spread: f64,
    /// Distance from there at which 0.6 of the learning is left, logit, 0.2..10.
    pub breadth: f64,
    /// Multiple of the authored difficulty that a logit is, 0.02..1.
    pub per_logit: f64,
    /// By how much support makes a task easier, logit, 0..4.
    pub support_eases: f64,
    /// Share that support adds to the learning of a novice and takes from that of an expert, 0..0.9.
    pub example: f64,
    /// Share of the learning that is left in another approach for whom the first one suits, 0.1..1.
    pub second_choice: f64,
    /// Share that another form adds for who has seen this one for a while, 0..0.5.
    pub variety: f64,
    /// Seconds that it takes to follow support or to find one's way in another approach, 0..120.
    pub takes: f64,
    /// Seconds for which something is taken to last, 10..1800.
    pub horizon: f64,
    /// Least gain for which something is done, 0..0.5.
    pub least: f64,
}

impl Default for ByGain {
    /// Success, spread: between 0.6 and 0.85 as for the rules. Breadth: a logit and a half, ours. Easing: as the ability
    /// model has hints, twice. Example: the order of worked-example effects (Sweller & Cooper 1985; Kalyuga, Ayres,
    /// Chandler & Sweller 2003), ours in size. The rest is ours.
    fn default() -> Self {
        Self {
            success: 0.725,
            spread: 0.5,
            breadth: 1.5,
            per_logit: 0.2,
            support_eases: 1.0,
            example: 0.3,
            second_choice: 0.9,
            variety: 0.05,
            takes: 10.0,
            horizon: 120.0,
            least: 0.03,
        }
    }
}

/// Expected gain of an action, about -1 to 1; `None`: this can't be told of it, or of this learner.
#[must_use]
pub fn gain(assumed: &ByGain, view: &View, action: &Action) -> Option<f64> {
    let stands = Stands::of(assumed, view)?;
    let now = stands.rate(assumed);
    let (then, seconds) = match *action {
        Action::Difficulty { multiplier } => {
            let difficulty = view.mean_or(Feature::Difficulty, 1.0);
            let harder = (multiplier - difficulty) / assumed.per_logit;
            (stands.eased(-harder).rate(assumed), 0.0)
        }
        Action::AddSupport { .. } if !stands.supported => {
            let with = Stands {
                supported: true,
                ..stands.eased(assumed.support_eases)
            };
            (with.rate(assumed), assumed.takes)
        }
        Action::FadeSupport if stands.supported => {
            let without = Stands {
                supported: false,
                ..stands.eased(-assumed.support_eases)
            };
            (without.rate(assumed), 0.0)
        }
        Action::ChangeApproach => {
            // Who gets nowhere learns nothing this way; who gets on learns a little less another way. At a difficulty
            // that suits: that is for others to see to.
            let spins = view.get(Feature::WheelSpinning)?.mean;
            let other = spins + (1.0 - spins) * assumed.second_choice;
            return Some(other * kept(assumed, assumed.takes) - (1.0 - spins));
        }
        Action::Vary { .. } => return Some(now * assumed.variety),
        _ => return None,
    };
    Some(then * kept(assumed, seconds) - now)
}

/// Share of the horizon that is left when something takes so many seconds.
fn kept(assumed: &ByGain, seconds: f64) -> f64 {
    (1.0 - seconds / assumed.horizon.max(1.0)).max(0.0)
}

/// How the learner stands to the task, logit.
#[derive(Clone, Copy)]
struct Stands {
    /// Of success in the next attempt, with the variance of not knowing it.
    success: f64,
    variance: f64,
    /// Of success without support at the authored difficulty.
    unaided: f64,
    supported: bool,
}

impl Stands {
    fn of(assumed: &ByGain, view: &View) -> Option<Self> {
        let seen = view.get(Feature::NextSuccess)?;
        let deviation = (logit(seen.upper) - logit(seen.lower)) / (2.0 * Z_95);
        let success = logit(seen.mean);
        let supported = view.mean_or(Feature::SupportLevel, 0.0) > 0.0;
        let help = if supported {
            assumed.support_eases
        } else {
            0.0
        };
        let harder = (view.mean_or(Feature::Difficulty, 1.0) - 1.0) / assumed.per_logit;
        Some(Self {
            success,
            variance: deviation * deviation,
            unaided: success + harder - help,
            supported,
        })
    }

    fn eased(self, logits: f64) -> Self {
        Self {
            success: self.success + logits,
            ..self
        }
    }

    /// What is learnt in a while, as a share of the most. A bell over the distance to the ideal, averaged over two normal
    /// beliefs, is a lower and wider bell.
    fn rate(&self, assumed: &ByGain) -> f64 {
        let own = assumed.breadth * assumed.breadth;
        let all = own + assumed.spread * assumed.spread + self.variance;
        let off = self.success - logit(assumed.success);
        let fit = (own / all).sqrt() * (-0.5 * off * off / all).exp();
        let example = if self.supported {
            1.0 + assumed.example * (1.0 - 2.0 * sigmoid(self.unaided))
        } else {
            1.0
        };
        fit * example
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::learning::event_criteria::Bounded;
    use crate::learning::strategy::action::{Modality, SupportKind};

    fn seen(mean: f64, lower: f64, upper: f64) -> View {
        let success = Bounded {
            mean,
            lower,
            upper,
            n: 5,
        };
        View::default()
            .inferred(Feature::NextSuccess, Some(success))
            .measured(Feature::Difficulty, 1.0)
            .measured(Feature::SupportLevel, 0.0)
    }

    fn to(multiplier: f64) -> Action {
        Action::Difficulty { multiplier }
    }

    const GUIDANCE: Action = Action::AddSupport {
        kind: SupportKind::Guidance,
        level: 3,
        modality: Modality::Highlight,
    };

    #[test]
    fn who_fails_gains_by_an_easier_task_and_who_succeeds_by_a_harder_one() {
        let assumed = ByGain::default();
        let of = |view: &View, action| gain(&assumed, view, &action).unwrap();
        let fails = seen(0.3, 0.2, 0.4);
        assert!(of(&fails, to(0.8)) > 0.0 && of(&fails, to(1.2)) < 0.0);
        let succeeds = seen(0.95, 0.9, 0.98);
        assert!(of(&succeeds, to(0.8)) < 0.0 && of(&succeeds, to(1.2)) > 0.0);
        assert!(of(&fails, GUIDANCE) > of(&succeeds, GUIDANCE));
    }

    #[test]
    fn the_less_is_known_the_less_there_is_to_gain() {
        let assumed = ByGain::default();
        let of = |view: &View| gain(&assumed, view, &to(0.8)).unwrap();
        assert!(of(&seen(0.3, 0.29, 0.31)) > of(&seen(0.3, 0.02, 0.9)));
        assert!(gain(&assumed, &View::default(), &to(0.8)).is_none());
    }

    proptest! {
        #[test]
        fn whatever_is_seen_a_gain_is_a_number_between_two_and_its_opposite(
            mean in prop::num::f64::ANY, lower in prop::num::f64::ANY, upper in prop::num::f64::ANY,
            multiplier in 0.4..1.6_f64,
        ) {
            let view = seen(mean, lower, upper);
            for action in [to(multiplier), GUIDANCE, Action::FadeSupport, Action::ChangeApproach] {
                if let Some(gain) = gain(&ByGain::default(), &view, &action) {
                    prop_assert!(gain.abs() <= 2.0, "{gain}");
                }
            }
        }
    }
}
