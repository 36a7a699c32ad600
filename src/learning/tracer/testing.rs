//! What the tracers' tests share: simulated learners, arbitrary logs, and the promises that hold for every tracer.

use proptest::prelude::*;

use super::answers::{Answer, Answers};
use super::{Question, Tracer, sigmoid};

/// Random numbers from a seed (SplitMix64, as in `bkt_fit`).
pub(super) struct Random(pub u64);

impl Random {
    pub(super) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 * (-53f64).exp2()
    }
}

/// Easiness of the four skills of [`rasch`], logits.
pub(super) const SKILLS: [f64; 4] = [1.5, 0.5, -0.5, -1.5];
/// Items of each skill; the later ones are harder, by 0.8 logits each.
pub(super) const ITEMS: u32 = 3;

/// Learners who answer as a Rasch model says: four skills, three items each, abilities spread over ±2 logits; everybody gets
/// better at a skill by 0.1 logits for each answer to it.
pub(super) fn rasch(learners: usize, seed: u64) -> Answers {
    let mut random = Random(seed);
    Answers::of((0..learners).map(|_| {
        let ability = 4.0 * random.unit() - 2.0;
        let mut practised = [0.0; SKILLS.len()];
        (0..30)
            .map(|_| {
                let skill = (random.unit() * SKILLS.len() as f64) as usize;
                let item = (random.unit() * f64::from(ITEMS)) as u32;
                let logit =
                    SKILLS[skill] - 0.8 * (f64::from(item) - 1.0) + ability + practised[skill];
                practised[skill] += 0.1;
                Answer {
                    question: Question {
                        skill: skill as u32,
                        item: Some(skill as u32 * ITEMS + item),
                    },
                    correct: random.unit() < sigmoid(logit),
                }
            })
            .collect::<Vec<_>>()
    }))
}

/// One learner's answers with the weights of failures; some of the skills and items are new to every model.
pub(super) type Log = Vec<(Answer, f64)>;

fn answer(skills: u32) -> impl Strategy<Value = Answer> {
    (0..skills, prop::option::of(0..30u32), any::<bool>()).prop_map(|(skill, item, correct)| {
        Answer {
            question: Question { skill, item },
            correct,
        }
    })
}

pub(super) fn log(skills: u32) -> impl Strategy<Value = Log> {
    let weight = prop_oneof![3 => Just(1.0), 1 => Just(0.0), 1 => 0.0..1.0];
    prop::collection::vec((answer(skills), weight), 0..60)
}

/// A log, and where in it an answer may turn from wrong to right.
pub(super) fn log_and_place(skills: u32) -> impl Strategy<Value = (Log, usize)> {
    (log(skills), any::<prop::sample::Index>()).prop_map(|(log, index)| {
        let place = if log.is_empty() {
            0
        } else {
            index.index(log.len())
        };
        (log, place)
    })
}

/// The learner after a log, the questions' difficulties held.
pub(super) fn after<T: Tracer>(tracer: &T, log: &Log) -> T::Learner {
    let mut learner = T::Learner::default();
    for (answer, weight) in log {
        tracer.observe(&mut learner, answer.question, answer.correct, *weight);
    }
    learner
}

/// Every question of a log, every skill without an item, and one that nobody has met.
fn questions(log: &Log) -> impl Iterator<Item = Question> {
    let new = (0..8).map(|skill| Question { skill, item: None });
    let far = Question {
        skill: u32::MAX,
        item: Some(u32::MAX),
    };
    let met = log.iter().map(|(answer, _)| answer.question);
    met.chain(new).chain([far])
}

/// Predictions are probabilities inside (0, 1) and inside their interval, whatever happened.
pub(super) fn predicts_probabilities<T: Tracer>(
    tracer: &mut T,
    log: &Log,
) -> Result<(), TestCaseError> {
    let mut learner = T::Learner::default();
    for (answer, weight) in log {
        tracer.learn_question(&learner, answer.question, answer.correct);
        tracer.observe(&mut learner, answer.question, answer.correct, *weight);
    }
    for weight in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
        for (answer, _) in log.iter().take(3) {
            tracer.observe(&mut learner, answer.question, answer.correct, weight);
        }
    }
    for question in questions(log) {
        let p = tracer.predict(&learner, question);
        prop_assert!(p.mean > 0.0 && p.mean < 1.0, "{question:?} {p:?}");
        prop_assert!(
            p.low > 0.0 && p.low <= p.mean && p.mean <= p.high && p.high < 1.0,
            "{p:?}"
        );
    }
    Ok(())
}

/// Turning a past answer from wrong to right never lowers a prediction.
pub(super) fn no_success_lowers<T: Tracer>(
    tracer: &T,
    (log, place): &(Log, usize),
) -> Result<(), TestCaseError> {
    let (mut wrong, mut right) = (log.clone(), log.clone());
    if let (Some(wrong), Some(right)) = (wrong.get_mut(*place), right.get_mut(*place)) {
        (wrong.0.correct, right.0.correct) = (false, true);
    }
    let (before, then) = (after(tracer, &wrong), after(tracer, &right));
    for question in questions(log) {
        let (before, then) = (
            tracer.predict(&before, question),
            tracer.predict(&then, question),
        );
        // What rounding in f32 may take away.
        prop_assert!(
            then.mean >= before.mean - 2e-6,
            "{question:?} {before:?} {then:?}"
        );
    }
    Ok(())
}

/// Equal logs give equal states, and a state in use is not changed by looking at it.
pub(super) fn equal_logs_give_equal_states<T: Tracer>(
    tracer: &T,
    log: &Log,
) -> Result<(), TestCaseError>
where
    T::Learner: PartialEq + std::fmt::Debug,
{
    let mut looked_at = T::Learner::default();
    for (answer, weight) in log {
        let before = looked_at.clone();
        tracer.predict(&looked_at, answer.question);
        prop_assert_eq!(&before, &looked_at);
        tracer.observe(&mut looked_at, answer.question, answer.correct, *weight);
    }
    prop_assert_eq!(after(tracer, log), looked_at);
    Ok(())
}

/// The weight of a failure is held in 0..=1, and one that is no number counts as 0.
pub(super) fn weights_are_held_in_range<T: Tracer>(
    tracer: &T,
    log: &Log,
) -> Result<(), TestCaseError>
where
    T::Learner: PartialEq + std::fmt::Debug,
{
    for (wild, held) in [
        (f64::NAN, 0.0),
        (-3.0, 0.0),
        (f64::INFINITY, 1.0),
        (1e300, 1.0),
    ] {
        let with = |weight| {
            after(
                tracer,
                &log.iter().map(|(answer, _)| (*answer, weight)).collect(),
            )
        };
        prop_assert_eq!(with(wild), with(held));
    }
    Ok(())
}

/// Mean log-loss of predicting everybody's share of right answers, and of the tracer, on new learners.
pub(super) fn losses<T: Tracer>(tracer: &mut T, answers: &Answers) -> (f64, f64) {
    let pairs = super::score::one_step_ahead(tracer, answers, super::score::Counted::All);
    let share = pairs.iter().filter(|pair| pair.1).count() as f64 / pairs.len() as f64;
    let constant: Vec<_> = pairs.iter().map(|pair| (share, pair.1)).collect();
    let loss = |pairs: &[(f64, bool)]| super::score::score(pairs).unwrap().log_loss;
    (loss(&constant), loss(&pairs))
}
