//! The five models together: worked examples, then properties.

use std::time::Duration;

use proptest::prelude::*;

use super::observation::{Moment, Observation};
use super::*;
use crate::learning::assessment::Credit;
use crate::learning::bkt;
use crate::learning::engagement::Stretch;
use crate::learning::event::{LearningEvent, Place};
use crate::learning::event_chart::Decision;
use crate::learning::quality::Quality;
use crate::learning::strategy::action::Action;
use crate::learning::strategy::check::{Checked, read};
use crate::learning::strategy::choose::choose;
use crate::learning::strategy::memory::Memory;
use crate::learning::strategy::table::Table;

const FIVE_SECONDS: Duration = Duration::from_secs(5);

fn skills(numbers: &[u32]) -> Few<u32, 8> {
    let mut few = Few::default();
    for &number in numbers {
        few.push(number);
    }
    few
}

fn attempt(id: u64, skill: u32, correct: bool) -> Observation {
    Observation {
        id,
        skills: skills(&[skill]),
        correct,
        ..Observation::default()
    }
}

fn moment(dt: Duration) -> Moment {
    Moment {
        dt,
        ready: true,
        ..Moment::default()
    }
}

#[test]
fn before_anything_is_seen_nothing_is_said() {
    let p = Params::default();
    let mut five = Five::new(3, &p);
    let tick = five.tick(&moment(FIVE_SECONDS), &p);
    assert_eq!(tick.signals, crate::learning::equation::Signals::default());
    assert_eq!(tick.load.level, None);
    assert!(tick.weights.fired.is_empty());
    assert_eq!(tick.verdict.decision, Decision::Continue);
    // The index does not move, and its bounds stay as wide as they can be.
    assert_eq!(five.index(), Index::default());
    let view = five.view(&[0, 1, 2], p.ability.prior(0.0), &View::default(), &p);
    assert_eq!(view, View::default());
}

#[test]
fn one_right_answer_is_what_the_models_papers_say() {
    let p = Params::default();
    let mut five = Five::new(2, &p);
    five.observe(&attempt(7, 1, true), &p);
    let skill = &five.skills()[1];
    // Prior 0.3, slip 0.1, guess 0.2: 0.27/(0.27 + 0.14) = 0.658536…, then learnt with 0.2: 0.726829….
    assert!((skill.known.mean - 0.726_829_268).abs() < 1e-9);
    // From 0.05: 0.045/(0.045 + 0.19) = 0.191489… → 0.353191…; from 0.95: 0.855/0.865 = 0.988439… → 0.990751….
    assert!((skill.known.lower - 0.353_191_489).abs() < 1e-9);
    assert!((skill.known.upper - 0.990_751_445).abs() < 1e-9);
    // K = 1 at first: θ = 0 + 1·(1 − σ(0)) = 0.5, variance 1/1.05.
    assert!((skill.ability.mean - 0.5).abs() < 1e-12);
    assert!((skill.ability.variance - 1.0 / 1.05).abs() < 1e-12);
    // Beta(1, 1) and a success: 2/3.
    assert!((skill.competency().unwrap() - 2.0 / 3.0).abs() < 1e-12);
    // Learner σ(0.5), knowledge and assessment as above; the skill not tried counts nowhere.
    let signals = five.signals(&p);
    assert!((signals.learner.unwrap() - 0.622_459_331).abs() < 1e-9);
    assert!((signals.knowledge.unwrap() - skill.known.mean).abs() < 1e-12);
    assert!((signals.assessment.unwrap() - 2.0 / 3.0).abs() < 1e-12);
    assert_eq!(signals.engagement, None);
    // The answer is named as what moved them.
    assert_eq!(skill.known_movers.largest().next().unwrap().observation, 7);
    let moved = skill.ability_movers.largest().next().unwrap();
    assert!((moved.change - 0.5).abs() < 1e-12);
    assert_eq!(five.skills()[0], Skill::new(&p.skill(0), &p));
}

/// Somebody who does everything right and feels well.
fn flawless(id: u64) -> Observation {
    use Criterion::{Interactions, Interface, Orientation};
    let mut shows = Few::default();
    for criterion in [Interactions, Orientation, Interface] {
        shows.push(criterion);
    }
    Observation {
        shows,
        seconds: Some(4.0),
        in_good_time: Some(true),
        efficiency: Some(0.95),
        ..attempt(id, (id % 2) as u32, true)
    }
}

#[test]
fn who_does_well_goes_on_and_is_told_why() {
    let p = Params::default();
    let mut five = Five::new(2, &p);
    five.told(Criterion::Comfort, 0.95, &p);
    let mut advanced = None;
    for id in 0..80 {
        five.observe(&flawless(id), &p);
        let tick = five.tick(&moment(FIVE_SECONDS), &p);
        if let Decision::Advance(event) = tick.verdict.decision {
            advanced = Some((id, event, tick.verdict));
            break;
        }
    }
    let (id, event, verdict) = advanced.expect("eighty flawless attempts are enough");
    assert_eq!(event, LearningEvent::Introduction);
    // Interactions has to be above 0.9 at its lower end, which takes evidence.
    assert!(id > 30, "{id}");
    assert!(verdict.guards.iter().all(|guard| guard.passes));
    assert!(five.index().value > 0.7);
}

#[test]
fn who_does_not_say_how_they_feel_does_not_go_on() {
    let p = Params::default();
    let mut five = Five::new(2, &p);
    for id in 0..200 {
        five.observe(&flawless(id), &p);
        let tick = five.tick(&moment(FIVE_SECONDS), &p);
        assert_eq!(tick.verdict.decision, Decision::Continue);
    }
}

#[test]
fn demotion_is_possible() {
    let p = Params::default();
    let mut five = Five::new(2, &p);
    five.chart = Chart::beginning_at(LearningEvent::Practice, 0);
    let mut decisions = Vec::new();
    for id in 0..120 {
        five.observe(&attempt(id, 0, false), &p);
        decisions.push(five.tick(&moment(FIVE_SECONDS), &p).verdict.decision);
    }
    assert!(decisions.contains(&Decision::Remediate));
    assert!(decisions.contains(&Decision::Demote(LearningEvent::Introduction)));
}

#[test]
fn ten_failures_are_wheel_spinning_and_the_instructor_hears_of_it() {
    let p = Params::default();
    let mut five = Five::new(1, &p);
    let difficulty = p.ability.prior(0.0);
    for id in 0..10 {
        let view = five.view(&[0], difficulty, &View::default(), &p);
        assert_eq!(view.get(Feature::WheelSpinning), None);
        five.observe(&attempt(id, 0, false), &p);
    }
    let done = actions(&five.view(&[0], difficulty, &View::default(), &p));
    assert!(done.contains(&Action::TellInstructor));
    assert!(done.contains(&Action::ChangeApproach));
}

/// What the table as delivered does with a learner it never met.
fn actions(view: &View) -> Vec<Action> {
    let table: Checked = read(Table::DEFAULT).expect("a sound table");
    let choice = choose(&table, &mut Memory::new(&table), view, 100.0, None);
    choice.picks.iter().map(|pick| pick.action).collect()
}

#[test]
fn advice_follows_from_what_is_known() {
    let p = Params::default();
    let mut five = Five::new(2, &p);
    let easy = Estimate {
        mean: -2.0,
        variance: 0.1,
    };
    let scene = View::default();
    for id in 0..12 {
        five.observe(&attempt(id, 0, true), &p);
    }
    let actions = |five: &Five, skills: &[u32]| actions(&five.view(skills, easy, &scene, &p));
    assert_eq!(actions(&five, &[0]), [Action::MoveOn]);
    // Of a skill never tried nothing is known, and nothing advised; the weaker of two speaks for both.
    assert!(actions(&five, &[1]).is_empty());
    for id in 0..4 {
        five.observe(&attempt(id, 1, false), &p);
    }
    assert!(!actions(&five, &[0, 1]).contains(&Action::MoveOn));
    five.told(Criterion::Comfort, 0.4, &p);
    assert_eq!(actions(&five, &[0]), [Action::Rest]);
}

#[test]
fn failures_through_dead_hardware_are_no_scored_attempts() {
    let p = Params::default();
    let mut five = Five::new(1, &p);
    let dead = Quality {
        frame_health: 0.2,
        tracking: 1.0,
    };
    for correct in [false, true, false] {
        let seen = Observation {
            quality: dead,
            ..attempt(1, 0, correct)
        };
        five.observe(&seen, &p);
    }
    assert_eq!(five.attempts(), 1);
    assert_eq!(five.recent().len(), 1);
}

#[test]
fn a_drop_of_engagement_counts_for_a_while() {
    let p = Params::default();
    let mut five = Five::new(1, &p);
    let watch = |five: &mut Five, on_task: f64| {
        let stretch = Stretch {
            seconds: 5.0,
            on_task: Some(on_task),
            ..Stretch::default()
        };
        five.tick(
            &Moment {
                stretch: Some(stretch),
                ..moment(FIVE_SECONDS)
            },
            &p,
        )
    };
    let dropped = |five: &Five| {
        let view = five.view(&[0], p.ability.prior(0.0), &View::default(), &p);
        view.get(Feature::EngagementDropped).map(|seen| seen.mean)
    };
    for i in 0..20 {
        assert_eq!(dropped(&five), None);
        let tick = watch(&mut five, if i % 2 == 0 { 0.85 } else { 0.95 });
        assert!(tick.signals.engagement.is_some());
    }
    assert_eq!(dropped(&five), Some(0.0));
    let tick = watch(&mut five, 0.9);
    assert_eq!(tick.conditions.engagement_trend, Some(0.5));
    let mut lowest: f64 = 1.0;
    for _ in 0..4 {
        let tick = watch(&mut five, 0.1);
        lowest = lowest.min(tick.conditions.engagement_trend.unwrap_or(1.0));
    }
    assert_eq!(dropped(&five), Some(1.0));
    let mut after_a_day = five.clone();
    after_a_day.away(1.0, &p);
    assert_eq!(dropped(&after_a_day), Some(0.0));
    // A minute later, with nothing measured, it is no news any more.
    for _ in 0..12 {
        five.tick(&moment(FIVE_SECONDS), &p);
    }
    assert_eq!(dropped(&five), Some(0.0));
}

#[test]
fn time_away_widens_and_brings_reviews_and_moves_no_mean() {
    let p = Params::default();
    let mut five = Five::new(1, &p);
    for id in 0..5 {
        five.observe(&attempt(id, 0, true), &p);
    }
    let before = five.clone();
    assert!(!before.review_due());
    five.away(60.0, &p);
    assert!(five.review_due());
    let (old, new) = (&before.skills()[0], &five.skills()[0]);
    assert!(new.ability.variance > old.ability.variance);
    let evidence = |five: &Five| {
        five.skills()[0]
            .competency
            .rate(crate::learning::assessment::Dimension::Choice)
            .evidence()
    };
    // Two half-lives.
    assert!((evidence(&five) - evidence(&before) / 4.0).abs() < 1e-12);
    assert_eq!(five.signals(&p), before.signals(&p));
}

#[test]
fn stored_and_read_back_a_learner_goes_on_as_before() {
    let p = Params::default();
    let mut five = Five::new(2, &p);
    five.told(Criterion::Comfort, 0.7, &p);
    for id in 0..30 {
        five.observe(&flawless(id), &p);
        five.tick(&moment(Duration::from_millis(3300)), &p);
    }
    let text = serde_json::to_string(&five).unwrap();
    let mut back: Five = serde_json::from_str(&text).unwrap();
    assert_eq!(back, five);
    let next = moment(FIVE_SECONDS);
    assert_eq!(back.tick(&next, &p), five.tick(&next, &p));
    let params = serde_json::to_string(&p).unwrap();
    assert_eq!(serde_json::from_str::<Params>(&params).unwrap(), p);
}

#[test]
fn any_number_leaves_everything_in_range() {
    let p = Params::default();
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e308, 0.0];
    for &x in &odd {
        let mut five = Five::new(2, &p);
        for id in 0..15 {
            let credit = Credit {
                total: Some(x),
                position: Some(x),
                ..Credit::default()
            };
            let seen = Observation {
                skills: skills(&[0, 1, 99]),
                difficulty: Some(x),
                variant: Some(u32::MAX),
                credit,
                seconds: Some(x),
                efficiency: Some(x),
                quality: Quality {
                    frame_health: x,
                    tracking: 1.0,
                },
                ..attempt(id, 0, id % 2 == 0)
            };
            five.observe(&seen, &p);
            five.told(Criterion::Comfort, x, &p);
            five.away(x, &p);
            let stretch = Stretch {
                seconds: x,
                on_task: Some(x),
                ..Stretch::default()
            };
            let tick = five.tick(
                &Moment {
                    stretch: Some(stretch),
                    epsilon: x,
                    prerequisite_gaps: Some(x),
                    ..moment(FIVE_SECONDS)
                },
                &p,
            );
            let index = five.index();
            assert!(0.0 <= index.lower && index.lower <= index.value);
            assert!(index.value <= index.upper && index.upper <= 1.0);
            assert!((0.0..=1.0).contains(&tick.verdict.confidence));
            for skill in five.skills() {
                assert!(skill.ability.mean.is_finite() && skill.ability.variance > 0.0);
                assert!((0.0..=1.0).contains(&skill.known.lower));
                assert!(skill.known.lower <= skill.known.mean);
                assert!(skill.known.mean <= skill.known.upper && skill.known.upper <= 1.0);
            }
        }
    }
}

/// An attempt, a moment, or a word about comfort. A few dozen at a time: large variants do no harm.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone)]
enum Entry {
    Attempt(Observation),
    Moment(u64),
    Told(f64),
}

fn entry() -> impl Strategy<Value = Entry> {
    let seen = (
        (0..4_u32, 0..4_u32, any::<bool>()),
        prop::option::of(0.5..60.0),
        (0..3_u32, 0..2_u32),
        prop::option::of(-3.0..3.0),
        0.0..=1.0,
        prop::option::of(0.0..=1.0),
    );
    let seen = seen.prop_map(
        |((a, b, correct), seconds, (hints, errors), difficulty, health, total)| {
            Entry::Attempt(Observation {
                id: u64::from(a + b),
                skills: skills(if a == b { &[0] } else { &[1, 2] }),
                difficulty,
                variant: Some(a),
                correct,
                credit: Credit {
                    total,
                    ..Credit::default()
                },
                seconds,
                hints,
                errors,
                quality: Quality {
                    frame_health: health,
                    tracking: 1.0,
                },
                ..Observation::default()
            })
        },
    );
    prop_oneof![
        4 => seen,
        3 => (0..20_000_u64).prop_map(Entry::Moment),
        1 => (0.0..=1.0).prop_map(Entry::Told),
    ]
}

fn replay<'a>(log: impl IntoIterator<Item = &'a Entry>, p: &Params) -> Five {
    let mut five = Five::new(3, p);
    for entry in log {
        take(&mut five, entry, p);
    }
    five
}

fn take(five: &mut Five, entry: &Entry, p: &Params) {
    match entry {
        Entry::Attempt(seen) => five.observe(seen, p),
        Entry::Moment(ms) => {
            five.tick(&moment(Duration::from_millis(*ms)), p);
        }
        Entry::Told(comfort) => five.told(Criterion::Comfort, *comfort, p),
    }
}

/// To the last bit: `==` would call 0 and −0 equal.
fn bits(five: &Five) -> String {
    serde_json::to_string(five).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn equal_logs_give_equal_states(log in prop::collection::vec(entry(), 0..60)) {
        let p = Params::default();
        prop_assert_eq!(bits(&replay(&log, &p)), bits(&replay(&log, &p)));
    }

    #[test]
    fn learners_do_not_depend_on_each_other(
        log in prop::collection::vec((0..2_usize, entry()), 0..60),
    ) {
        let p = Params::default();
        let mut mixed = [Five::new(3, &p), Five::new(3, &p)];
        for (who, entry) in &log {
            take(&mut mixed[*who], entry, &p);
        }
        for (who, together) in mixed.iter().enumerate() {
            let alone = replay(log.iter().filter(|(it, _)| *it == who).map(|(_, entry)| entry), &p);
            prop_assert_eq!(bits(together), bits(&alone));
        }
    }

    #[test]
    fn all_zero_evidence_never_advances_anyone(
        event in prop::sample::select(LearningEvent::ALL.to_vec()), steps in 1..150_u64, hints in 0..2_u32,
    ) {
        let p = Params::default();
        let mut five = Five::new(2, &p);
        five.chart = Chart::beginning_at(event, 0);
        five.told(Criterion::Comfort, 1.0, &p);
        for id in 0..steps {
            let seen = Observation {
                hints, errors: 1, efficiency: Some(0.0), in_good_time: Some(false), correct: false, ..flawless(id)
            };
            five.observe(&seen, &p);
            let before = five.chart.place();
            let decision = five.tick(&moment(Duration::from_secs(30)), &p).verdict.decision;
            prop_assert!(!matches!(decision, Decision::Advance(_) | Decision::Complete(_)), "{before:?}");
        }
        // Nor does the index rise above where it began.
        prop_assert!(five.index().value < 0.5);
    }

    #[test]
    fn more_success_never_lowers_ability_or_knowledge(
        log in prop::collection::vec(entry(), 1..60), which in any::<prop::sample::Index>(), learn in 0.01..0.6, forget in 0.0..0.3,
    ) {
        let bkt = bkt::BktParams { learn, forget, ..bkt::BktParams::default() };
        let p = Params { skills: vec![params::SkillParams { bkt, difficulty: 0.3 }; 3], ..Params::default() };
        let which = which.index(log.len());
        let mut better = log.clone();
        if let Some(Entry::Attempt(seen)) = better.get_mut(which) {
            seen.correct = true;
        }
        let (plain, better) = (replay(&log, &p), replay(&better, &p));
        for (plain, better) in plain.skills().iter().zip(better.skills()) {
            prop_assert!(better.ability.mean >= plain.ability.mean - 1e-12);
            for (plain, better) in [
                (plain.known.mean, better.known.mean), (plain.known.lower, better.known.lower), (plain.known.upper, better.known.upper),
            ] {
                prop_assert!(better >= plain - 1e-12, "{} < {}", better, plain);
            }
        }
    }

    #[test]
    fn failures_through_dead_hardware_leave_no_trace_on_the_skills(log in prop::collection::vec(entry(), 0..40)) {
        let p = Params::default();
        let before = replay(&log, &p);
        let mut after = before.clone();
        let seen = Observation { quality: Quality { frame_health: 0.0, tracking: 1.0 }, ..attempt(99, 0, false) };
        after.observe(&seen, &p);
        let (before, after) = (&before.skills()[0], &after.skills()[0]);
        prop_assert_eq!(before.ability, after.ability);
        prop_assert!((before.known.mean - after.known.mean).abs() < 1e-12);
        prop_assert_eq!(before.competency, after.competency);
        prop_assert_eq!(before.remembered, after.remembered);
    }

    #[test]
    fn no_event_is_left_within_its_dwell_time(log in prop::collection::vec(entry(), 0..80)) {
        let p = Params::default();
        let mut five = Five::new(3, &p);
        let mut since = Duration::MAX;
        for entry in &log {
            let before = event_at(five.chart().place());
            take(&mut five, entry, &p);
            if let Entry::Moment(ms) = entry {
                since = since.saturating_add(Duration::from_millis(*ms));
            }
            if event_at(five.chart().place()) != before {
                prop_assert!(since >= Duration::from_secs(60));
                since = Duration::ZERO;
            }
        }
    }

    #[test]
    fn what_is_not_measured_adds_nothing(log in prop::collection::vec(entry(), 1..40)) {
        let p = Params::default();
        let strip = |entry: &Entry| match entry {
            Entry::Attempt(seen) => Entry::Attempt(Observation { seconds: None, credit: Credit::default(), ..*seen }),
            other => other.clone(),
        };
        let stripped: Vec<_> = log.iter().map(strip).collect();
        let five = replay(&stripped, &p);
        prop_assert!(five.habits().pace().estimate().is_none());
        prop_assert!(five.shown().get(Criterion::Quality).is_none());
        prop_assert!(five.shown().get(Criterion::Efficiency).is_none());
        prop_assert!(five.engagement().on_task().is_none());
    }
}

#[test]
fn it_is_send_and_has_a_known_size() {
    fn is_send<T: Send + Sync>() {}
    is_send::<Five>();
    // Three columns of a spreadsheet, not a database: what a skill of a learner takes.
    assert!(size_of::<Skill>() <= 1024, "{}", size_of::<Skill>());
    assert!(matches!(Chart::default().place(), Place::In(..)));
}

#[test]
fn a_skill_never_tried_is_expected_to_be_as_hard_as_the_learners_others() {
    let p = Params::default();
    let mut five = Five::new(3, &p);
    assert_eq!(five.ability(2, &p), None, "nothing was seen of anybody");
    let wrong = |skill: u32| {
        let mut skills = Few::default();
        skills.push(skill);
        Observation {
            skills,
            ..Observation::default()
        }
    };
    for _ in 0..8 {
        five.observe(&wrong(0), &p);
        five.observe(&wrong(1), &p);
    }
    let never_tried = five.ability(2, &p).unwrap();
    let tried = five.ability(0, &p).unwrap();
    assert!(never_tried.mean < -0.5, "{never_tried:?}");
    assert!(tried.mean < never_tried.mean && tried.variance < never_tried.variance);
    // The log of the skill itself says nothing yet.
    assert!(five.skills()[2].mastery().is_none());
    let alone = Params {
        shared_ability: 0.0,
        ..p
    };
    let apart = five.ability(2, &alone).unwrap();
    assert!(apart.mean.abs() < 1e-3 && (apart.variance - 1.0).abs() < 1e-3);
}

#[test]
fn a_learners_rating_moves_the_load_to_where_they_mean_it() {
    let p = Params::default();
    let moment = Moment {
        dt: Duration::from_secs(5),
        load: crate::learning::load::Observed {
            hesitation: Some(2.0),
            baseline: 50,
            ..Default::default()
        },
        ..Moment::default()
    };
    let level = |ratings: &[f64]| {
        let mut five = Five::new(1, &p);
        five.tick(&moment, &p);
        for rating in ratings {
            five.rated(*rating);
        }
        // Long enough for the rating itself to be over: what is left is what it taught.
        let later = Moment {
            dt: Duration::from_secs(200),
            ..moment
        };
        five.tick(&later, &p).load.level.unwrap()
    };
    assert!(level(&[9.0, 9.0]) > level(&[]) && level(&[]) > level(&[1.0, 1.0]));
    assert!((level(&[f64::NAN]) - level(&[])).abs() < 1e-12);
}

#[test]
fn what_was_logged_and_stored_before_windows_were_watched_still_reads() {
    let p = Params::default();
    let five = Five::new(2, &p);
    let mut stored = serde_json::to_value(&five).unwrap();
    assert!(stored.as_object_mut().unwrap().remove("own").is_some());
    assert_eq!(serde_json::from_value::<Five>(stored).unwrap(), five);
    let logged = r#"{"dt":{"secs":5,"nanos":0},"load":{"path":1.4,"baseline":0},"ready":true}"#;
    let moment: Moment = serde_json::from_str(logged).unwrap();
    assert_eq!(moment.window, None);
}

#[test]
fn bad_hardware_makes_neither_a_baseline_nor_a_load() {
    use crate::learning::load::window::LoadWindow;
    let p = Params::default();
    let moment = |seconds: f64, tracking: f64| Moment {
        dt: Duration::from_secs(5),
        stretch: Some(Stretch {
            seconds: 5.0,
            quality: Quality {
                frame_health: 1.0,
                tracking,
            },
            ..Stretch::default()
        }),
        window: Some(LoadWindow {
            hesitation: Some(seconds),
            ..LoadWindow::default()
        }),
        ..Moment::default()
    };
    let mut five = Five::new(1, &p);
    for _ in 0..20 {
        assert_eq!(five.tick(&moment(0.5, 0.5), &p).load.level, None);
    }
    for _ in 0..12 {
        five.tick(&moment(0.5, 1.0), &p);
    }
    let calm = five.tick(&moment(0.5, 1.0), &p).load.level.unwrap();
    let lost = five.tick(&moment(9.0, 0.5), &p).load.level.unwrap();
    assert!((lost - calm).abs() < 1e-9, "{calm} {lost}");
    let strained = five.tick(&moment(9.0, 1.0), &p).load.level.unwrap();
    assert!(strained > calm + 0.2, "{strained}");
}
