//! The hint ladder: repeated failure or long hesitation offers the next hint, success takes it away.
//!
//! A pure rule over plain data, so that the same log always gives the same advice. Help comes late enough to let
//! people think and early enough that they do not give up (help-giving in tutors: Aleven & Koedinger 2000;
//! fading with success: Wood, Bruner & Ross 1976).

use std::time::Duration;

/// The thresholds. Data, not code: a later lesson or policy may bring its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LadderRules {
    /// Wrong attempts since the last hint (or the step's start) that bring the next one. One miss is a slip of
    /// the hand; two in a row say that something is not understood.
    pub failures: u32,
    /// Time without an attempt or any other progress, pauses left out, that brings the next hint. Looking round,
    /// reading the goal and reaching for a thing takes a newcomer 10 to 15 s; beyond 20 s they are searching.
    pub hesitation: Duration,
    /// Least time between two hints: a hint must be read (3 s) and tried (about 5 s) before it can have failed.
    pub cool_down: Duration,
    /// Right attempts in a row that take the hint away: the help did its work.
    pub successes: u32,
}

impl Default for LadderRules {
    fn default() -> Self {
        Self {
            failures: 2,
            hesitation: Duration::from_secs(20),
            cool_down: Duration::from_secs(8),
            successes: 1,
        }
    }
}

/// What the rule looks at. All times leave pauses out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LadderView {
    /// Wrong attempts on this step since its start or since the last hint, whichever is later.
    pub failures: u32,
    /// Right attempts in a row, the latest included, since the last hint.
    pub successes: u32,
    /// Time without attempt, hint or other progress.
    pub hesitated: Duration,
    /// Rung shown now; 0 = none.
    pub rung: u8,
    /// Rungs that the step's ladder has.
    pub rungs: u8,
    /// Time since the last hint came or went on this step; `None`: not yet.
    pub since_hint: Option<Duration>,
}

/// What the rule advises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Show the next rung, because of this.
    OfferNext(Reason),
    /// Take the hint away.
    Fade,
    /// Leave things as they are.
    Nothing,
}

/// Why a hint is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Wrong attempts.
    Failures(u32),
    /// Nothing happened for so long.
    Hesitation(Duration),
}

/// The rule. Success speaks first: who has just done it right needs no help, whatever came before.
#[must_use]
pub fn advise(rules: &LadderRules, view: &LadderView) -> Advice {
    if view.rung > 0 && view.successes >= rules.successes {
        return Advice::Fade;
    }
    let cooling = view.since_hint.is_some_and(|since| since < rules.cool_down);
    if cooling || view.rung >= view.rungs {
        return Advice::Nothing;
    }
    if view.failures >= rules.failures {
        Advice::OfferNext(Reason::Failures(view.failures))
    } else if view.hesitated >= rules.hesitation {
        Advice::OfferNext(Reason::Hesitation(view.hesitated))
    } else {
        Advice::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fresh() -> LadderView {
        LadderView {
            rungs: 3,
            ..LadderView::default()
        }
    }

    #[test]
    fn one_failure_is_a_slip_two_bring_the_hint() {
        let rules = LadderRules::default();
        let once = LadderView {
            failures: 1,
            ..fresh()
        };
        let twice = LadderView {
            failures: 2,
            ..fresh()
        };
        assert_eq!(advise(&rules, &once), Advice::Nothing);
        assert_eq!(
            advise(&rules, &twice),
            Advice::OfferNext(Reason::Failures(2))
        );
    }

    #[test]
    fn hesitation_brings_the_hint() {
        let rules = LadderRules::default();
        let mut view = fresh();
        view.hesitated = rules.hesitation.saturating_sub(Duration::from_millis(1));
        assert_eq!(advise(&rules, &view), Advice::Nothing);
        view.hesitated = rules.hesitation;
        assert!(matches!(
            advise(&rules, &view),
            Advice::OfferNext(Reason::Hesitation(_))
        ));
    }

    #[test]
    fn success_takes_the_hint_away_even_after_failures() {
        let view = LadderView {
            failures: 5,
            successes: 1,
            rung: 2,
            ..fresh()
        };
        assert_eq!(advise(&LadderRules::default(), &view), Advice::Fade);
    }

    fn any_view() -> impl Strategy<Value = LadderView> {
        (
            0..10_u32,
            0..3_u32,
            0..100_000_u64,
            0..6_u8,
            0..6_u8,
            proptest::option::of(0..30_000_u64),
        )
            .prop_map(
                |(failures, successes, hesitated, rung, rungs, since)| LadderView {
                    failures,
                    successes,
                    hesitated: Duration::from_millis(hesitated),
                    rung,
                    rungs,
                    since_hint: since.map(Duration::from_millis),
                },
            )
    }

    proptest! {
        #[test]
        fn a_hint_is_never_offered_beyond_the_ladder_or_within_the_cool_down(view in any_view()) {
            let rules = LadderRules::default();
            if let Advice::OfferNext(_) = advise(&rules, &view) {
                prop_assert!(view.rung < view.rungs);
                prop_assert!(view.since_hint.is_none_or(|since| since >= rules.cool_down));
            }
        }

        #[test]
        fn more_trouble_never_means_less_help(view in any_view(), more in 0..5_u32, longer in 0..60_000_u64) {
            let rules = LadderRules::default();
            let worse = LadderView {
                failures: view.failures + more,
                hesitated: view.hesitated + Duration::from_millis(longer),
                ..view
            };
            if matches!(advise(&rules, &view), Advice::OfferNext(_)) {
                prop_assert!(matches!(advise(&rules, &worse), Advice::OfferNext(_)), "{worse:?}");
            }
        }

        #[test]
        fn nothing_is_faded_that_is_not_shown(view in any_view()) {
            if advise(&LadderRules::default(), &view) == Advice::Fade {
                prop_assert!(view.rung > 0);
            }
        }
    }
}
