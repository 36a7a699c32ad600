//! The population: recovers what simulated learners were made with, and stays at its prior elsewhere.

use super::super::testing::{ITEMS, SKILLS, rasch};
use super::*;

fn question(skill: u32, item: u32) -> Question {
    Question {
        skill,
        item: Some(item),
    }
}

#[test]
fn it_recovers_the_order_and_the_spread_of_difficulties() {
    let population = Population::fit(&rasch(300, 1));
    let middle = |skill: u32| population.easiness(question(skill, skill * ITEMS + 1));
    let easiness: Vec<f64> = (0..4).map(middle).collect();
    assert!(easiness.is_sorted_by(|a, b| a > b), "{easiness:?}");
    // 3 logits apart; the priors draw them together a little.
    let (spread, made) = (easiness[0] - easiness[3], SKILLS[0] - SKILLS[3]);
    assert!((0.75 * made..1.1 * made).contains(&spread), "{spread}");
    for skill in 0..4 {
        let item = |item| population.easiness(question(skill, skill * ITEMS + item));
        let spread = item(0) - item(2);
        assert!((1.0..2.0).contains(&spread), "{spread} of 1.6");
    }
}

#[test]
fn what_was_never_met_stays_at_its_prior() {
    let population = Population::fit(&rasch(50, 1));
    let new = question(99, 999);
    assert!((population.easiness(new) - population.overall).abs() < 1e-12);
    let prior = 1.0 / SKILL_PRECISION + 1.0 / ITEM_PRECISION;
    assert!((population.variance(new) - prior).abs() < 1e-6);
    assert!(population.variance(question(0, 0)) < prior / 5.0);
    assert_eq!(population.place(new), population.usual_place);
    let nothing = Population::fit(&Answers::default());
    assert!(nothing.easiness(new).abs() < 1e-12 && nothing.is_sound());
}

#[test]
fn the_order_of_learners_hardly_matters() {
    // Sums in another order round otherwise; nothing else differs.
    let answers = rasch(40, 1);
    let mut learners: Vec<_> = answers.learners().map(<[_]>::to_vec).collect();
    learners.reverse();
    let (one, other) = (
        Population::fit(&answers),
        Population::fit(&Answers::of(learners)),
    );
    for item in 0..12 {
        let q = question(item / ITEMS, item);
        assert!((one.easiness(q) - other.easiness(q)).abs() < 1e-5);
    }
}

#[test]
fn learning_on_moves_towards_the_answers_and_grows_sure() {
    let mut population = Population::fit(&rasch(50, 1));
    let new = question(4, 12);
    let before = population.variance(new);
    // Everybody fails where one half was expected.
    for _ in 0..20 {
        let expected = sigmoid(population.easiness(new));
        population.learn(new, 0.0 - expected);
    }
    assert!(sigmoid(population.easiness(new)) < 0.25);
    assert!(population.variance(new) < before / 3.0);
    // In between nothing was met: it is still the prior.
    assert!(population.is_sound());
}

#[test]
fn one_learner_hardly_moves_what_many_said() {
    let mut population = Population::fit(&rasch(300, 1));
    let skill = Question {
        skill: 0,
        item: None,
    };
    let (easiness, variance) = (population.easiness(skill), population.variance(skill));
    for _ in 0..20 {
        population.learn(skill, -0.5);
    }
    assert!(population.variance(skill) <= variance);
    // 2250 answers spoke about it before these 20.
    assert!(easiness - population.easiness(skill) < 0.15);
}

#[test]
fn one_answer_as_worked_by_hand() {
    let mut population = Population::default();
    let only_skill = Question {
        skill: 0,
        item: None,
    };
    population.learn(only_skill, 0.5);
    // Information 0.2/(1 + 0.2·1) = 1/6; gain 1·(1/6)/0.2 = 5/6, so the mean moves by 5/12 and 1/6 of the variance goes.
    assert!((population.easiness(only_skill) - 5.0 / 12.0).abs() < 1e-6);
    assert!((population.variance(only_skill) - 5.0 / 6.0).abs() < 1e-6);
}

#[test]
fn places_are_where_items_came() {
    let at = |skill: u32, item: u32| Answer {
        question: question(skill, item),
        correct: true,
    };
    let population = Population::fit(&Answers::of([vec![at(0, 0), at(0, 1), at(1, 2)]]));
    let second = population.place(question(0, 1));
    // Seen once, after one answer to its skill: (ln 2 + 3·usual)/4; the usual place is (0 + ln 2 + 0)/3.
    let usual = 2f32.ln() / 3.0;
    assert!((second.answered - (2f32.ln() + 3.0 * usual) / 4.0).abs() < 1e-6);
    // One of the three came after its own skill.
    assert!((second.same_skill - (1.0 + 3.0 / 3.0) / 4.0).abs() < 1e-6);
}

#[test]
fn a_damaged_file_is_noticed() {
    let sound = Population::fit(&rasch(5, 1));
    assert!(sound.is_sound());
    let mut none = sound.clone();
    none.skills[0].variance = 0.0;
    let mut nan = sound.clone();
    nan.items[2].mean = f32::NAN;
    let mut place = sound;
    place.places[1].clock = f32::INFINITY;
    assert!(!none.is_sound() && !nan.is_sound() && !place.is_sound());
}
