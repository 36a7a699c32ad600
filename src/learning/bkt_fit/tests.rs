//! Fits against simulated learners, and what must hold for any class.

use std::sync::Mutex;

use proptest::prelude::*;

use super::*;

fn tree(learners: &[Vec<bool>]) -> AnswerTree {
    AnswerTree::new(learners.iter().map(Vec::as_slice))
}

fn class() -> impl Strategy<Value = Vec<Vec<bool>>> {
    prop::collection::vec(prop::collection::vec(any::<bool>(), 0..10), 0..20)
}

fn options() -> impl Strategy<Value = FitOptions> {
    let strength = prop_oneof![Just(0.0), 0.0..20.0];
    (any::<bool>(), strength, any::<u64>(), 0.0..0.3).prop_map(
        |(forgetting, strength, seed, forget)| FitOptions {
            forgetting,
            strength,
            seed,
            towards: BktParams {
                forget,
                ..BktParams::default()
            },
            starts: 2,
            max_iterations: 60,
            ..FitOptions::default()
        },
    )
}

/// Learners who are as the model says, with `answers` each.
fn simulated(p: &BktParams, learners: usize, answers: usize, seed: u64) -> AnswerTree {
    let mut random = SplitMix64(seed);
    let mut happens = |rate: f64| random.unit() < rate;
    let class: Vec<Vec<bool>> = (0..learners)
        .map(|_| {
            let mut known = happens(p.prior);
            (0..answers)
                .map(|_| {
                    let correct = if known {
                        !happens(p.slip)
                    } else {
                        happens(p.guess)
                    };
                    known = if known {
                        !happens(p.forget)
                    } else {
                        happens(p.learn)
                    };
                    correct
                })
                .collect()
        })
        .collect();
    tree(&class)
}

fn assert_near(found: &BktParams, truth: &BktParams, tolerance: f64) {
    for (name, found, truth) in [
        ("prior", found.prior, truth.prior),
        ("learn", found.learn, truth.learn),
        ("slip", found.slip, truth.slip),
        ("guess", found.guess, truth.guess),
        ("forget", found.forget, truth.forget),
    ] {
        assert!(
            (found - truth).abs() < tolerance,
            "{name}: {found}, in truth {truth}"
        );
    }
}

#[test]
fn parameters_are_recovered_from_many_simulated_learners() {
    let truth = BktParams {
        prior: 0.35,
        learn: 0.15,
        slip: 0.08,
        guess: 0.22,
        forget: 0.0,
    };
    let options = FitOptions {
        strength: 0.0,
        tolerance: 1e-9,
        ..FitOptions::default()
    };
    let fit = fit(&simulated(&truth, 20_000, 12, 7), &options);
    assert!(fit.converged);
    assert_near(&fit.params, &truth, 0.01);
}

#[test]
fn forgetting_is_recovered_too() {
    let truth = BktParams {
        prior: 0.6,
        learn: 0.12,
        slip: 0.1,
        guess: 0.15,
        forget: 0.06,
    };
    let answers = simulated(&truth, 20_000, 15, 11);
    let options = FitOptions {
        forgetting: true,
        strength: 0.0,
        tolerance: 1e-9,
        ..FitOptions::default()
    };
    let with = fit(&answers, &options);
    assert_near(&with.params, &truth, 0.01);
    let without = fit(
        &answers,
        &FitOptions {
            forgetting: false,
            ..options
        },
    );
    assert!(with.log_likelihood > without.log_likelihood + 100.0);
}

#[test]
fn a_skill_without_answers_keeps_what_it_is_drawn_to() {
    let towards = BktParams {
        prior: 0.4,
        learn: 0.15,
        slip: 0.12,
        guess: 0.2,
        forget: 0.03,
    };
    for strength in [0.0, 2.0] {
        let options = FitOptions {
            forgetting: true,
            strength,
            towards,
            ..FitOptions::default()
        };
        let fit = fit(&AnswerTree::default(), &options);
        assert_near(&fit.params, &towards, 1e-12);
        assert_eq!((fit.learners, fit.answers), (0, 0));
        assert!(fit.log_likelihood.abs() < 1e-12);
    }
}

#[test]
fn a_skill_with_few_answers_stays_near_what_it_is_drawn_to() {
    let options = |strength| FitOptions {
        strength,
        ..FitOptions::default()
    };
    let few = tree(&[vec![false, false], vec![false]]);
    let alone = fit(&few, &options(0.0)).params;
    let drawn = fit(&few, &options(10.0)).params;
    let towards = BktParams::default();
    assert!((drawn.prior - towards.prior).abs() < 0.1, "{drawn:?}");
    assert!((drawn.prior - towards.prior).abs() < (alone.prior - towards.prior).abs());
}

#[test]
fn many_skills_on_many_threads_are_as_one_by_one() {
    let skills: Vec<AnswerTree> = (0..9_u32)
        .map(|at| {
            let p = BktParams {
                prior: 0.1 * f64::from(at + 1),
                ..BktParams::default()
            };
            simulated(&p, 30 * usize::try_from(at).unwrap(), 5, u64::from(at))
        })
        .collect();
    let options = FitOptions::default();
    let alone: Vec<Fit> = skills.iter().map(|skill| fit(skill, &options)).collect();
    for threads in [1, 4, 100] {
        let seen = Mutex::new(Vec::new());
        let progress = |done, total| seen.lock().unwrap().push((done, total));
        let together = fit_all(
            &skills,
            &options,
            NonZeroUsize::new(threads).unwrap(),
            &progress,
        );
        assert_eq!(together, alone);
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (1..=9).map(|done| (done, 9)).collect::<Vec<_>>());
    }
}

#[test]
fn senseless_options_still_give_parameters() {
    let class = tree(&[vec![true, false, true], vec![false, true]]);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, 2.0] {
        let options = FitOptions {
            forgetting: true,
            max_slip: value,
            max_guess: value,
            towards: BktParams {
                prior: value,
                learn: value,
                slip: value,
                guess: value,
                forget: value,
            },
            strength: value,
            starts: 0,
            tolerance: value,
            max_iterations: 50,
            ..FitOptions::default()
        };
        let fit = fit(&class, &options);
        let BktParams {
            prior,
            learn,
            slip,
            guess,
            forget,
        } = fit.params;
        for p in [prior, learn, slip, guess, forget] {
            assert!((0.0..=1.0).contains(&p), "{value}: {fit:?}");
        }
        assert!(fit.log_likelihood.is_finite());
    }
}

proptest! {
    #[test]
    fn the_objective_never_falls(class in class(), options in options()) {
        let (answers, goal) = (tree(&class), Goal::new(&options));
        let mut room = answers.room();
        let mut random = SplitMix64(options.seed);
        for mut params in [goal.first_start(), goal.random_start(&mut random)] {
            let mut before = f64::NEG_INFINITY;
            for _ in 0..40 {
                let (next, objective) = goal.step(&answers, &params, &mut room);
                prop_assert!(objective >= before - 1e-9 * (1.0 + objective.abs()), "{objective} after {before}");
                (params, before) = (next, objective);
            }
        }
    }

    #[test]
    fn more_starts_never_end_lower(class in class(), seed in any::<u64>()) {
        let answers = tree(&class);
        let ends = [1, 2, 6].map(|starts| {
            let options = FitOptions { starts, seed, strength: 0.0, ..FitOptions::default() };
            fit(&answers, &options).log_likelihood
        });
        prop_assert!(ends.is_sorted(), "{ends:?}");
    }

    #[test]
    fn the_bounds_hold(class in class(), options in options()) {
        let params = fit(&tree(&class), &options).params;
        prop_assert!(params.validated().is_ok(), "{params:?}");
        prop_assert!(options.forgetting || params.forget.abs() < f64::MIN_POSITIVE);
    }

    #[test]
    fn the_order_of_learners_changes_nothing(
        (class, other) in class().prop_flat_map(|c| (Just(c.clone()), Just(c).prop_shuffle())),
        options in options(),
    ) {
        prop_assert_eq!(fit(&tree(&class), &options), fit(&tree(&other), &options));
    }

    /// Learning and forgetting share the bound learn + forget ≤ 1; no pair inside it may do better.
    #[test]
    fn learning_and_forgetting_are_the_best_inside_their_bound(
        counts in prop::array::uniform4(0.01..50.0), strength in 0.0..5.0, other in (0.001..0.999, 0.0..1.0),
    ) {
        let options = FitOptions { forgetting: true, strength, ..FitOptions::default() };
        let goal = Goal::new(&options);
        let [learnt, not_learnt, forgot, not_forgot] = counts;
        let counts = Counts {
            learn: Count { yes: learnt, no: not_learnt },
            forget: Count { yes: forgot, no: not_forgot },
            ..Counts::default()
        };
        let value = |learn: f64, forget: f64| {
            let at = BktParams { learn, forget, ..goal.towards };
            learnt * learn.ln() + not_learnt * (1.0 - learn).ln()
                + forgot * forget.ln() + not_forgot * (1.0 - forget).ln() + goal.log_prior(&at)
        };
        let best = goal.maximise(&counts);
        prop_assert!(best.learn + best.forget <= 1.0);
        let (learn, share) = other;
        prop_assert!(value(best.learn, best.forget) >= value(learn, share * (1.0 - learn)) - 1e-9);
    }
}
