//! Simulated lessons: what must hold whatever the figures are.

use super::act::Act;
use super::draws::Draws;
use super::lesson::Lesson;
use super::mind::Mind;
use super::oracle::Oracle;
use super::ours::{original, ours};
use super::run::{Happened, Outcome, Run};
use super::scene::{Decider, Policy, Seen};
use super::study::{Mean, judge, outcomes};
use super::truth::{Kind, Learner, Population};
use super::world::World;
use crate::learning::five::params::Params;
use crate::learning::strategy::check::{check, read};
use crate::learning::strategy::table::Table;

fn people(n: u64) -> Vec<(Learner, Draws)> {
    let one = |i| {
        let draws = Draws::new(11).of(i);
        (Population::default().learner(draws), draws)
    };
    (0..n).map(one).collect()
}

fn under(policy: Policy, people: &[(Learner, Draws)]) -> Vec<Outcome> {
    outcomes(people, &Lesson::default(), &Params::default(), policy)
}

fn gain(a: &[Outcome], b: &[Outcome]) -> Mean {
    let each: Vec<f64> = a.iter().zip(b).map(|(a, b)| a.after - b.after).collect();
    Mean::of(&each, Draws::new(1)).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_lesson_to_the_bit() {
    let people = people(3);
    let table = read(Table::DEFAULT).unwrap();
    let our = || -> Decider { ours(&table) };
    let (a, b) = (
        under(Policy::Models(&our), &people),
        under(Policy::Models(&our), &people),
    );
    assert_eq!(a, b);
}

#[test]
fn a_learner_with_no_evidence_never_advances() {
    let people: Vec<_> = people(12)
        .into_iter()
        .map(|(learner, draws)| (learner.who_never_succeeds(), draws))
        .collect();
    let table = read(Table::DEFAULT).unwrap();
    let our = || -> Decider { ours(&table) };
    let theirs = || -> Decider { original() };
    for policy in [
        Policy::Nothing,
        Policy::Models(&our),
        Policy::Models(&theirs),
    ] {
        let outcomes = under(policy, &people);
        assert!(
            outcomes
                .iter()
                .all(|it| it.attempts > 5 && it.advances == 0)
        );
    }
}

#[test]
fn learning_events_change_no_faster_than_the_dwell_and_go_back_when_evidence_falls() {
    let p = Params::default();
    let people = people(25);
    let outcomes = under(Policy::Nothing, &people);
    let quickest = outcomes.iter().filter_map(|it| it.quickest_change);
    let quickest = quickest.fold(f64::INFINITY, f64::min);
    assert!(quickest >= p.chart.dwell, "{quickest}");
    assert!(outcomes.iter().any(|it| it.demotions > 0));
}

#[test]
fn knowing_the_truth_is_worth_something() {
    let people = people(20);
    let gain = gain(
        &under(Policy::Oracle, &people),
        &under(Policy::Nothing, &people),
    );
    assert!(gain.lower > 0.02, "{gain:?}");
}

#[test]
fn ours_teaches_more_than_nothing_does() {
    let people = people(60);
    let table = read(Table::DEFAULT).unwrap();
    let our = || -> Decider { ours(&table) };
    let gain = gain(
        &under(Policy::Models(&our), &people),
        &under(Policy::Nothing, &people),
    );
    assert!(gain.lower > 0.0, "{gain:?}");
}

#[test]
fn the_oracle_makes_it_easier_for_whom_it_is_too_hard_and_harder_for_whom_it_is_too_easy() {
    let lesson = Lesson::default();
    let (mut learner, _) = people(1)[0];
    learner.kind = Kind::Usual;
    let best = |ability: f64| {
        let mut learner = learner;
        for skill in &mut learner.skills {
            skill.ability = ability;
            skill.blocked = false;
        }
        let oracle = Oracle {
            learner: &learner,
            lesson: &lesson,
            dwell: 50.0,
        };
        let mut world = World::new(&learner, &lesson);
        world.begin_attempt(8.0, 0.0);
        let value = |multiple: f64| {
            let mut actions = super::act::Advice::default();
            actions.push(Act::Difficulty(multiple));
            oracle.value(&world, &actions)
        };
        (value(0.7), value(1.0), value(1.3))
    };
    let (easier, same, harder) = best(-2.5);
    assert!(easier > same && same > harder, "{easier} {same} {harder}");
    let (easier, same, harder) = best(4.0);
    assert!(easier < same && same < harder, "{easier} {same} {harder}");
}

#[test]
fn the_oracle_changes_the_approach_of_a_wheel_spinner_and_of_nobody_else() {
    let lesson = Lesson::default();
    let (mut learner, _) = people(1)[0];
    learner.kind = Kind::Usual;
    let worth = |blocked: bool| {
        let mut learner = learner;
        learner.skills[0].blocked = blocked;
        learner.skills[0].ability = 0.8;
        let oracle = Oracle {
            learner: &learner,
            lesson: &lesson,
            dwell: 50.0,
        };
        let mut world = World::new(&learner, &lesson);
        world.begin_attempt(8.0, 0.0);
        let mut change = super::act::Advice::default();
        change.push(Act::ChangeApproach);
        oracle.value(&world, &change) - oracle.value(&world, &super::act::Advice::default())
    };
    assert!(worth(true) > 0.0 && worth(false) < 0.0);
}

#[test]
fn doing_nothing_on_purpose_and_for_lack_of_a_policy_are_judged_alike() {
    let (learner, draws) = people(1)[0];
    let (lesson, p) = (Lesson::default(), Params::default());
    let silent = || -> Decider { Box::new(|_: &Seen| super::act::Advice::default()) };
    let judged = |policy| judge(&learner, &lesson, &p, draws, policy, 0.2, &mut |_| {});
    assert_eq!(judged(Policy::Nothing), judged(Policy::Models(&silent)));
}

#[test]
fn who_leaves_has_learnt_less_than_who_stays() {
    let people = people(80);
    let outcomes = under(Policy::Nothing, &people);
    let mean = |left: bool| {
        let gains = outcomes.iter().filter(|it| it.left == left);
        let gains: Vec<f64> = gains.map(|it| it.after - it.before).collect();
        gains.iter().sum::<f64>() / gains.len() as f64
    };
    assert!(mean(true) < mean(false));
}

#[test]
fn the_lesson_ends_with_its_time() {
    let (lesson, p) = (Lesson::default(), Params::default());
    let (learner, draws) = people(1)[0];
    let mut clock = 0.0;
    let outcome = Run::new(&learner, &lesson, &p, draws).finish(Policy::Nothing, &mut |it| {
        if let Happened::Passed { seconds, .. } = it {
            clock += seconds;
        }
    });
    assert!(
        outcome.left || (clock - lesson.seconds).abs() < 0.2,
        "{clock}"
    );
    let mind = Mind::of(&learner);
    assert!((mind.test(&learner, lesson.skills()) - outcome.before).abs() < 1e-12);
}

#[test]
fn the_delivered_table_teaches_more_than_its_first_edition() {
    let people = people(240);
    let [now, first] = [Table::DEFAULT, Table::EARLIER[0]].map(|text| read(text).unwrap());
    let [now, first] = [&now, &first].map(|table| {
        let our = || -> Decider { ours(table) };
        under(Policy::Models(&our), &people)
    });
    let gain = gain(&now, &first);
    assert!(gain.lower > 0.0, "{gain:?}");
}

/// What the decisions of all of them secured of what was at stake.
fn appropriateness(policy: Policy, people: &[(Learner, Draws)]) -> Vec<(f64, f64)> {
    let (lesson, p) = (Lesson::default(), Params::default());
    let of = |(learner, draws): &(Learner, Draws)| {
        let judged = judge(learner, &lesson, &p, *draws, policy, 0.2, &mut |_| {}).1;
        (judged.secured, judged.at_stake)
    };
    people.iter().map(of).collect()
}

#[test]
fn of_what_is_at_stake_the_oracle_secures_all_and_nobody_more() {
    let people = people(6);
    let all = appropriateness(Policy::Oracle, &people);
    assert!(all.iter().any(|(_, at_stake)| *at_stake > 0.0));
    for (secured, at_stake) in all {
        assert!((secured - at_stake).abs() < 1e-9, "{secured} of {at_stake}");
    }
    for policy in [Policy::Chance, Policy::Nothing] {
        let others = appropriateness(policy, &people);
        assert!(others.iter().all(|(of, all)| 0.0 <= *of && of < all));
    }
}

#[test]
fn looking_ahead_secures_more_than_the_same_rules_as_written() {
    let people = people(40);
    let ahead = read(Table::DEFAULT).unwrap();
    let mut table = ahead.table().clone();
    table.by_gain = None;
    let as_written = check(table).unwrap();
    let [ahead, as_written] = [&ahead, &as_written].map(|table| {
        let our = || -> Decider { ours(table) };
        let pairs = appropriateness(Policy::Models(&our), &people);
        Mean::of_ratio(&pairs, Draws::new(1)).unwrap()
    });
    assert!(
        ahead.mean > as_written.mean + 0.01,
        "{ahead:?} {as_written:?}"
    );
}

#[test]
fn a_ratio_is_of_the_sums_and_its_interval_holds_it() {
    let draws = Draws::new(1);
    let ratio = Mean::of_ratio(&[(1.0, 1.0), (0.0, 3.0)], draws).unwrap();
    assert!((ratio.mean - 0.25).abs() < 1e-12);
    assert!(ratio.lower <= 0.25 && ratio.upper >= 0.25);
    assert!(Mean::of_ratio(&[], draws).is_none());
    assert!(Mean::of_ratio(&[(0.0, 0.0)], draws).is_none());
}
