//! The hint ladder: which rung to show now. Its numbers are part of the adaptation table ([`super::strategy`]).
//!
//! In: what happened on the running step. Out: the next rung, or its taking away, with the observation behind it.
//! Equal views give equal answers; never allocates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The hint ladder's thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HintRules {
    /// Wrong attempts that bring the next hint. One miss is a slip of the hand; two in a row say that something is not
    /// understood.
    pub failures: u32,
    /// Seconds of hesitation that bring the next hint. Looking round, reading the goal and reaching for a thing takes a
    /// newcomer 10 to 15 s; beyond 20 s they are searching.
    pub hesitation: f64,
    /// Least seconds between two hints: a hint must be read (3 s) and tried (about 5 s) before it can have failed.
    pub cool_down: f64,
    /// Right attempts in a row that take the hint away.
    pub successes: u32,
}

impl Default for HintRules {
    fn default() -> Self {
        Self {
            failures: 2,
            hesitation: 20.0,
            cool_down: 8.0,
            successes: 1,
        }
    }
}

/// What the hint rule looks at. Times leave pauses out.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HintView {
    /// Wrong attempts on this step since its start or the last hint.
    pub failures: u32,
    /// Right attempts in a row since the last hint.
    pub successes: u32,
    /// Seconds without attempt, hint or other progress.
    pub hesitated: f64,
    /// Rung shown now; 0: none.
    pub rung: u8,
    /// Rungs that there are.
    pub rungs: u8,
    /// Seconds since the last hint came or went on this step; `None`: not yet.
    pub since_hint: Option<f64>,
    /// The learner asks for a hint.
    pub wanted: bool,
}

/// What to do with hints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HintAction {
    /// Show this rung of the hint ladder.
    Offer(u8),
    /// Take the hint away.
    Fade,
}

/// What is behind it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HintReason {
    /// The learner asked.
    Asked,
    /// So many wrong attempts.
    Failures(u32),
    /// So many right attempts in a row.
    Successes(u32),
    /// So many seconds without progress.
    Hesitation(f64),
}

/// What the ladder advises.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HintAdvice {
    /// What to do.
    pub action: HintAction,
    /// Why.
    pub because: HintReason,
}

/// The hint ladder: repeated failure or long hesitation offers the next hint, success takes it away, and who asks gets
/// one at once. Help comes late enough to let people think and early enough that they do not give up (Aleven &
/// Koedinger, ITS 2000; fading with success: Wood, Bruner & Ross 1976). Success speaks first.
#[must_use]
pub fn hint(rules: &HintRules, view: &HintView) -> Option<HintAdvice> {
    let offer = HintAction::Offer(view.rung.saturating_add(1));
    let say = |action, because| Some(HintAdvice { action, because });
    let more = view.rung < view.rungs;
    if view.wanted && more {
        return say(offer, HintReason::Asked);
    }
    if view.rung > 0 && view.successes >= rules.successes {
        return say(HintAction::Fade, HintReason::Successes(view.successes));
    }
    let cooling = view.since_hint.is_some_and(|since| since < rules.cool_down);
    if cooling || !more {
        return None;
    }
    if view.failures >= rules.failures {
        return say(offer, HintReason::Failures(view.failures));
    }
    // False for what is no number.
    if view.hesitated >= rules.hesitation {
        return say(offer, HintReason::Hesitation(view.hesitated));
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn advised(view: HintView) -> Option<HintAction> {
        hint(&HintRules::default(), &view).map(|advice| advice.action)
    }

    #[test]
    fn one_failure_is_a_slip_two_bring_the_hint_and_success_takes_it_away() {
        let fresh = HintView {
            rungs: 3,
            ..HintView::default()
        };
        let failed = |failures| HintView { failures, ..fresh };
        let hesitated = |hesitated| HintView { hesitated, ..fresh };
        assert_eq!(advised(failed(1)), None);
        assert_eq!(advised(failed(2)), Some(HintAction::Offer(1)));
        assert_eq!(advised(hesitated(19.9)), None);
        assert_eq!(advised(hesitated(20.0)), Some(HintAction::Offer(1)));
        let helped = HintView {
            successes: 1,
            rung: 2,
            ..failed(5)
        };
        assert_eq!(advised(helped), Some(HintAction::Fade));
    }

    #[test]
    fn who_asks_for_a_hint_gets_it_at_once_as_long_as_there_is_one() {
        let asks = HintView {
            wanted: true,
            rung: 1,
            rungs: 2,
            since_hint: Some(1.0),
            ..HintView::default()
        };
        assert_eq!(advised(asks), Some(HintAction::Offer(2)));
        assert_eq!(advised(HintView { rung: 2, ..asks }), None);
    }

    fn any_hints() -> impl Strategy<Value = HintView> {
        (
            (0..5_u32, 0..3_u32, 0..60_000_u32),
            (0..6_u8, 0..6_u8),
            prop::option::of(0..20_000_u32),
        )
            .prop_map(|((failures, successes, hesitated), (rung, rungs), since)| {
                HintView {
                    failures,
                    successes,
                    hesitated: f64::from(hesitated) / 1000.0,
                    rung,
                    rungs,
                    since_hint: since.map(|since| f64::from(since) / 1000.0),
                    wanted: false,
                }
            })
    }

    proptest! {
        #[test]
        fn a_hint_is_never_offered_beyond_the_ladder_or_within_the_cool_down(view in any_hints()) {
            if let Some(HintAction::Offer(rung)) = advised(view) {
                prop_assert!(rung <= view.rungs);
                prop_assert!(view.since_hint.is_none_or(|since| since >= HintRules::default().cool_down));
            }
        }

        #[test]
        fn more_trouble_never_means_less_help(view in any_hints(), more in 0..5_u32, longer in 0.0..60.0_f64) {
            let worse = HintView {
                failures: view.failures + more,
                hesitated: view.hesitated + longer,
                ..view
            };
            if matches!(advised(view), Some(HintAction::Offer(_))) {
                prop_assert!(matches!(advised(worse), Some(HintAction::Offer(_))), "{worse:?}");
            }
        }

        #[test]
        fn nothing_is_faded_that_is_not_shown(view in any_hints()) {
            if advised(view) == Some(HintAction::Fade) {
                prop_assert!(view.rung > 0);
            }
        }
    }
}
