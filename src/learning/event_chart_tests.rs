//! The state chart: what moves a learner, what never does.

use proptest::prelude::*;

use super::super::event::{Attained, BreakCause};
use super::super::event_criteria::{Bounded, Criteria, Criterion};
use super::*;

const SECOND: Duration = Duration::from_secs(1);

const EVERY: [Criterion; 24] = [
    Criterion::Comfort,
    Criterion::Strain,
    Criterion::Interactions,
    Criterion::Orientation,
    Criterion::Interface,
    Criterion::Concept,
    Criterion::GuidedTasks,
    Criterion::Exploration,
    Criterion::Comprehension,
    Criterion::Fluency,
    Criterion::Independence,
    Criterion::Recovery,
    Criterion::Efficiency,
    Criterion::Transfer,
    Criterion::Purpose,
    Criterion::Integration,
    Criterion::Quality,
    Criterion::Expertise,
    Criterion::Connections,
    Criterion::Creativity,
    Criterion::Context,
    Criterion::Creation,
    Criterion::Teaching,
    Criterion::Innovation,
];

fn estimate(mean: f64, half: f64, n: u32) -> Bounded {
    Bounded {
        mean,
        lower: (mean - half).max(0.0),
        upper: (mean + half).min(1.0),
        n,
    }
}

/// Every performance criterion at `mean`, comfort as given, rubrics and strain left out.
fn doing(mean: f64, comfort: f64, attempts: u32) -> Situation {
    let mut criteria =
        Criteria::default().with(Criterion::Comfort, estimate(comfort, 0.02, attempts));
    for criterion in EVERY {
        if criterion.is_performance() && !criterion.by_rubric() {
            criteria = criteria.with(criterion, estimate(mean, 0.02, attempts));
        }
    }
    Situation {
        criteria,
        attempts,
        ready: true,
        ..Situation::default()
    }
}

/// Steps once a second with an attempt every 5 s; returns what was decided, `Continue` left out, with the second.
fn run(chart: &mut Chart, situation: &mut Situation, seconds: u32) -> Vec<(u32, Decision)> {
    let rules = ChartRules::default();
    let mut decided = Vec::new();
    for second in 1..=seconds {
        if second.is_multiple_of(5) {
            situation.attempts += 1;
        }
        let verdict = chart.step(&rules, situation, SECOND);
        if verdict.decision != Decision::Continue {
            decided.push((second, verdict.decision));
        }
    }
    decided
}

fn in_event(chart: &Chart) -> Option<LearningEvent> {
    match chart.place() {
        Place::In(event, _) => Some(event),
        Place::Completed(_) => None,
    }
}

#[test]
fn the_rules_as_delivered_are_valid_and_an_event_without_a_requirement_is_not() {
    assert!(ChartRules::default().validated().is_ok());
    let mut rules = ChartRules::default();
    rules.stages.practice.requirements = Few::default();
    assert!(rules.validated().is_err());
}

#[test]
fn who_shows_everything_goes_through_one_dwell_time_per_event() {
    let mut chart = Chart::default();
    let decided = run(&mut chart, &mut doing(0.97, 0.95, 9), 400);
    assert_eq!(
        decided,
        [
            (60, Decision::Advance(LearningEvent::Introduction)),
            (120, Decision::Advance(LearningEvent::Practice)),
            (180, Decision::Advance(LearningEvent::Application)),
            (240, Decision::Advance(LearningEvent::Mastery)),
            (300, Decision::Complete(Attained::PerformanceMastery)),
        ]
    );
}

#[test]
fn full_mastery_needs_the_instructors_scores() {
    let mut chart = Chart::beginning_at(LearningEvent::Mastery, 0);
    let mut situation = doing(0.97, 0.95, 9);
    for criterion in [
        Criterion::Creation,
        Criterion::Teaching,
        Criterion::Innovation,
    ] {
        situation.criteria = situation.criteria.with(criterion, estimate(0.95, 0.05, 1));
    }
    let decided = run(&mut chart, &mut situation, 60);
    assert_eq!(decided, [(60, Decision::Complete(Attained::FullMastery))]);
}

#[test]
fn quick_hands_do_not_make_up_for_sickness() {
    // In the original: .4·.5 + .4·1 + .2·1 = .80, ready. Here: comfort .5 is a break, and .7 holds up.
    let mut chart = Chart::default();
    let decided = run(&mut chart, &mut doing(1.0, 0.5, 9), 200);
    assert!(
        decided
            .iter()
            .all(|(_, decision)| *decision == Decision::Rest(BreakCause::Comfort))
    );
    assert_eq!(decided.len(), 200);

    let mut chart = Chart::default();
    let mut queasy = doing(1.0, 0.7, 9);
    assert!(run(&mut chart, &mut queasy, 200).is_empty());
    queasy.comfort_put_aside = true;
    let decided = run(&mut chart, &mut queasy, 1);
    assert_eq!(
        decided,
        [(1, Decision::Advance(LearningEvent::Introduction))]
    );
}

#[test]
fn a_break_for_comfort_ends_only_when_comfort_is_clearly_back() {
    let mut chart = Chart::default();
    let rules = ChartRules::default();
    let mut at = |comfort: Option<f64>| {
        let mut situation = doing(0.6, comfort.unwrap_or(0.0), 9);
        if comfort.is_none() {
            situation.criteria = Criteria::default();
        }
        chart.step(&rules, &situation, SECOND).decision
    };
    assert_eq!(at(Some(0.6)), Decision::Rest(BreakCause::Comfort));
    assert_eq!(at(Some(0.64)), Decision::Rest(BreakCause::Comfort));
    assert_eq!(at(None), Decision::Rest(BreakCause::Comfort));
    assert_eq!(at(Some(0.66)), Decision::Continue);
    assert_eq!(at(Some(0.61)), Decision::Continue);
}

#[test]
fn a_break_counts_for_nothing() {
    let mut chart = Chart::default();
    let mut situation = doing(0.97, 0.95, 9);
    situation.break_wanted = true;
    assert_eq!(run(&mut chart, &mut situation, 300).len(), 300);
    situation.break_wanted = false;
    // The second before it began belongs to the event, the one in which it ends to the break.
    let decided = run(&mut chart, &mut situation, 60);
    assert_eq!(
        decided,
        [(60, Decision::Advance(LearningEvent::Introduction))]
    );
}

#[test]
fn demotion_takes_two_remediate_decisions_a_dwell_time_apart_with_attempts_between() {
    let mut chart = Chart::beginning_at(LearningEvent::Application, 9);
    let mut lost = doing(0.3, 0.95, 9);
    let decided = run(&mut chart, &mut lost, 120);
    assert_eq!(decided.first(), Some(&(60, Decision::Remediate)));
    assert_eq!(
        decided.last(),
        Some(&(120, Decision::Demote(LearningEvent::Practice)))
    );
    assert!(
        decided
            .iter()
            .rev()
            .skip(1)
            .all(|(_, d)| *d == Decision::Remediate)
    );

    // The same evidence looked at for an hour is one decision.
    let rules = ChartRules::default();
    let mut chart = Chart::beginning_at(LearningEvent::Application, 0);
    let stale = doing(0.3, 0.95, 9);
    for _ in 0..3600 {
        chart.step(&rules, &stale, SECOND);
    }
    assert_eq!(
        chart.place(),
        Place::In(LearningEvent::Application, Activity::Intervening)
    );
}

#[test]
fn who_is_sent_back_again_and_again_practises_twice_as_long_each_time() {
    let rules = ChartRules::default();
    let mut chart = Chart::beginning_at(LearningEvent::Practice, 0);
    let mut attempts = 0;
    let mut stays = Vec::new();
    for _ in 0..4 {
        // On the edge: well enough to go on, not well enough to stay.
        let mut seconds = 0;
        while in_event(&chart) == Some(LearningEvent::Practice) {
            attempts += 1;
            seconds += 10;
            chart.step(&rules, &doing(0.97, 1.0, attempts), 10 * SECOND);
        }
        stays.push(seconds);
        while in_event(&chart) == Some(LearningEvent::Application) {
            attempts += 1;
            chart.step(&rules, &doing(0.1, 1.0, attempts), 10 * SECOND);
        }
    }
    assert_eq!(stays, [60, 120, 240, 480]);
    // New ground makes up for it: nobody stays marked.
    for event in [LearningEvent::Application, LearningEvent::Mastery] {
        while in_event(&chart) != Some(event) {
            attempts += 1;
            chart.step(&rules, &doing(0.97, 1.0, attempts), 10 * SECOND);
        }
    }
    assert_eq!(chart.attempts_needed(&rules), rules.least_attempts);
}

#[test]
fn one_good_look_in_between_starts_the_count_anew() {
    let mut chart = Chart::beginning_at(LearningEvent::Application, 9);
    let mut situation = doing(0.3, 0.95, 9);
    run(&mut chart, &mut situation, 100);
    situation.criteria = doing(0.86, 0.95, 40).criteria;
    run(&mut chart, &mut situation, 1);
    situation.criteria = doing(0.3, 0.95, 60).criteria;
    run(&mut chart, &mut situation, 40);
    assert_eq!(in_event(&chart), Some(LearningEvent::Application));
    run(&mut chart, &mut situation, 40);
    assert_eq!(in_event(&chart), Some(LearningEvent::Practice));
}

#[test]
fn ground_is_lost_only_below_the_threshold_by_the_hysteresis() {
    // Practice asks for independence .9: in application an upper bound of .86 is within .05 of it, .84 is not.
    let lost = |upper: f64| {
        let mut situation = doing(0.82, 0.95, 9);
        situation.criteria = Criteria::default().with(
            Criterion::Independence,
            Bounded {
                mean: 0.8,
                lower: 0.7,
                upper,
                n: 9,
            },
        );
        let mut chart = Chart::beginning_at(LearningEvent::Application, 0);
        run(&mut chart, &mut situation, 60).len()
    };
    assert_eq!((lost(0.86), lost(0.84)), (0, 1));
}

#[test]
fn time_that_runs_out_is_told_once_and_moves_nobody() {
    let mut chart = Chart::default();
    let rules = ChartRules::default();
    let situation = doing(0.6, 0.95, 9);
    let notices: Vec<u32> = (1..=2000)
        .filter(|_| chart.step(&rules, &situation, SECOND).notice == Some(Notice::TimeCap))
        .collect();
    assert_eq!(notices, [900]);
    assert_eq!(in_event(&chart), Some(LearningEvent::Onboarding));
}

#[test]
fn a_review_that_is_due_is_entered_and_left() {
    let mut chart = Chart::default();
    let mut situation = doing(0.6, 0.95, 9);
    situation.review_due = true;
    run(&mut chart, &mut situation, 1);
    assert_eq!(
        chart.place(),
        Place::In(LearningEvent::Onboarding, Activity::Review)
    );
    situation.review_due = false;
    run(&mut chart, &mut situation, 1);
    assert_eq!(
        chart.place(),
        Place::In(LearningEvent::Onboarding, Activity::Active)
    );
}

#[test]
fn every_guard_is_reported_with_its_numbers() {
    let mut chart = Chart::default();
    let verdict = chart.step(&ChartRules::default(), &doing(0.97, 0.95, 9), SECOND);
    let dwell = verdict
        .guards
        .iter()
        .find(|report| report.guard == Guard::Dwell)
        .unwrap();
    assert_eq!(
        (dwell.needed, dwell.observed, dwell.passes),
        (60.0, Some(1.0), false)
    );
    let interactions = verdict
        .guards
        .iter()
        .find(|report| report.guard == Guard::Criterion(Criterion::Interactions))
        .unwrap();
    assert_eq!(
        (interactions.needed, interactions.observed),
        (0.9, Some(0.97))
    );
    assert!(interactions.passes && (interactions.bound.unwrap() - 0.95).abs() < 1e-12);
    assert!(
        verdict.confidence.abs() < 1e-12,
        "the dwell time surely has not passed"
    );
}

#[test]
fn a_chart_survives_being_written_down() {
    let mut chart = Chart::default();
    let mut situation = doing(0.3, 0.95, 9);
    run(&mut chart, &mut situation, 70);
    let json = serde_json::to_string(&chart).unwrap();
    assert_eq!(serde_json::from_str::<Chart>(&json).unwrap(), chart);
    let verdict = chart.step(&ChartRules::default(), &situation, SECOND);
    let json = serde_json::to_string(&verdict).unwrap();
    assert!(json.contains(r#""criterion":"interactions""#), "{json}");
}

#[test]
fn a_verdict_has_a_schema_with_plain_lists() {
    let schema = serde_json::to_value(schemars::schema_for!(Verdict)).unwrap();
    assert_eq!(schema["properties"]["guards"]["type"], "array", "{schema}");
}

fn share() -> impl Strategy<Value = f64> {
    prop_oneof![3 => 0.0..=1.0_f64, 2 => Just(0.95), 1 => prop::num::f64::ANY]
}

fn any_estimate() -> impl Strategy<Value = Bounded> {
    (prop::array::uniform3(share()), 0..30_u32).prop_map(|([mean, lower, upper], n)| Bounded {
        mean,
        lower,
        upper,
        n,
    })
}

/// Any situation at all, often one that nearly passes.
fn any_situation() -> impl Strategy<Value = Situation> {
    let measured = (prop::sample::select(EVERY.to_vec()), any_estimate());
    (
        prop_oneof![
            prop::collection::vec(measured, 0..24).prop_map(|list| {
                list.into_iter()
                    .fold(Criteria::default(), |criteria, (criterion, estimate)| {
                        criteria.with(criterion, estimate)
                    })
            }),
            (0.0..=1.0_f64, 0.5..1.0_f64)
                .prop_map(|(mean, comfort)| doing(mean, comfort, 9).criteria),
            Just(doing(0.97, 0.95, 9).criteria),
            Just(doing(0.2, 0.95, 9).criteria),
        ],
        any::<[bool; 4]>(),
        0..4_u32,
    )
        .prop_map(
            |(criteria, [ready, wanted, aside, review_due], attempts)| Situation {
                criteria,
                attempts,
                ready,
                break_wanted: wanted && aside,
                comfort_put_aside: aside,
                review_due,
            },
        )
}

fn any_path() -> impl Strategy<Value = Vec<(Situation, u64)>> {
    prop::collection::vec((any_situation(), 0..90_000_u64), 1..60)
}

fn any_start() -> impl Strategy<Value = LearningEvent> {
    prop::sample::select(LearningEvent::ALL.to_vec())
}

proptest! {
    #[test]
    fn all_zero_evidence_never_advances_anyone(
        start in any_start(), flags in any::<[bool; 3]>(),
        steps in prop::collection::vec((0..600_000_u64, 0..50_u32), 1..150),
    ) {
        let rules = ChartRules::default();
        let mut chart = Chart::beginning_at(start, 0);
        let mut attempts = 0;
        let mut place = Some(start);
        for (millis, more) in steps {
            attempts += more;
            let mut criteria = Criteria::default();
            for criterion in EVERY {
                criteria = criteria.with(criterion, estimate(0.0, 0.0, attempts));
            }
            let [ready, comfort_put_aside, review_due] = flags;
            let situation = Situation { criteria, attempts, ready, break_wanted: false, comfort_put_aside, review_due };
            let verdict = chart.step(&rules, &situation, Duration::from_millis(millis));
            prop_assert!(verdict.confidence < 1e-6);
            let now = in_event(&chart);
            prop_assert!(now == place || now == place.and_then(LearningEvent::previous));
            place = now;
        }
    }

    #[test]
    fn nobody_flips_within_the_dwell_time_or_without_enough_new_attempts(start in any_start(), path in any_path()) {
        let rules = ChartRules::default();
        let mut chart = Chart::beginning_at(start, 0);
        let (mut attempts, mut since, mut at_entry) = (0, Duration::ZERO, 0);
        for (mut situation, millis) in path {
            attempts += situation.attempts;
            situation.attempts = attempts;
            let before = in_event(&chart);
            let dt = Duration::from_millis(millis);
            since += dt;
            chart.step(&rules, &situation, dt);
            if in_event(&chart) != before {
                prop_assert!(since >= Duration::from_secs(60), "{since:?}");
                prop_assert!(attempts - at_entry >= 5);
                since = Duration::ZERO;
                at_entry = attempts;
            }
        }
    }

    #[test]
    fn going_on_means_that_every_guard_passes_and_probably_is_met(start in any_start(), path in any_path()) {
        let rules = ChartRules::default();
        let mut chart = Chart::beginning_at(start, 0);
        let mut attempts = 0;
        for (mut situation, millis) in path {
            attempts += situation.attempts;
            situation.attempts = attempts;
            let verdict = chart.step(&rules, &situation, Duration::from_millis(millis));
            prop_assert!((0.0..=1.0).contains(&verdict.confidence));
            if matches!(verdict.decision, Decision::Advance(_) | Decision::Complete(_)) {
                prop_assert!(verdict.guards.iter().all(|guard| guard.passes));
                // Each of at most eight guards with 97.5 %.
                prop_assert!(verdict.confidence >= 0.975_f64.powi(8) - 1e-6, "{verdict:?}");
            }
        }
    }

    #[test]
    fn better_evidence_never_turns_going_on_into_staying(mean in 0.5..1.0_f64, more in 0.0..0.5_f64, start in any_start()) {
        let goes_on = |mean: f64| {
            let mut chart = Chart::beginning_at(start, 0);
            !run(&mut chart, &mut doing(mean, 0.95, 9), 60).is_empty() && in_event(&chart) != Some(start)
        };
        prop_assert!(!goes_on(mean) || goes_on((mean + more).min(1.0)));
    }

    #[test]
    fn what_sends_back_is_not_what_let_go_on(start in any_start(), path in any_path()) {
        // Whoever has just gone on is never remediated on the ground that let them: the hysteresis keeps them apart.
        let rules = ChartRules::default();
        let mut chart = Chart::beginning_at(start, 0);
        let mut attempts = 0;
        for (mut situation, millis) in path {
            attempts += situation.attempts;
            situation.attempts = attempts;
            let verdict = chart.step(&rules, &situation, Duration::from_millis(millis));
            if let Decision::Advance(event) = verdict.decision {
                let ground_lost = lacking(event, &rules, &situation.criteria);
                prop_assert!(ground_lost.iter().all(|lacking| Some(lacking.event) != event.previous()));
            }
        }
    }
}

#[test]
fn while_a_persons_word_holds_nobody_is_moved_and_then_the_chart_judges_on() {
    let rules = ChartRules::default();
    let mut chart = Chart::default();
    chart.stand_at(Some(LearningEvent::Practice), 10, Duration::from_secs(3600));
    let stands = |chart: &Chart| match chart.place() {
        Place::In(event, _) => Some(event),
        Place::Completed(_) => None,
    };
    // As good as one can be, for nearly an hour: without the word they would be through.
    for second in 0..3590 {
        chart.step(&rules, &doing(0.99, 0.99, 10 + second), SECOND);
        assert_eq!(stands(&chart), Some(LearningEvent::Practice));
    }
    for second in 0..100 {
        chart.step(&rules, &doing(0.99, 0.99, 4000 + second), SECOND);
    }
    assert_ne!(stands(&chart), Some(LearningEvent::Practice));
    chart.stand_at(
        Some(LearningEvent::Practice),
        5000,
        Duration::from_secs(3600),
    );
    // Comfort comes before everybody's word.
    let verdict = chart.step(&rules, &doing(0.99, 0.01, 5001), SECOND);
    assert!(matches!(verdict.decision, Decision::Rest(_)), "{verdict:?}");
    chart.stand_at(None, 0, Duration::ZERO);
    assert!(chart.held().is_zero());
}
