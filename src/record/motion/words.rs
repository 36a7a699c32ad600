//! Words under local differential privacy: now and then another word is told, by lot, so that none proves anything.
//!
//! Randomised response (Warner 1965) over the four things that can be said (Kairouz, Bonawitz & Ramage 2016, "Discrete
//! distribution estimation under local privacy", ICML: k-ary randomised response).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::motion::OwnLevel;

/// What can be said of a stretch.
const WORDS: [Option<OwnLevel>; 4] = [
    None,
    Some(OwnLevel::Low),
    Some(OwnLevel::Usual),
    Some(OwnLevel::High),
];

/// How words are noised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WordNoise {
    /// Privacy loss of each word, 0 (pure chance) to 3; what lies outside is cut to that, and NaN to 0.
    epsilon: f64,
}

impl Default for WordNoise {
    /// 0.5: at 1.5 the attack of `tests/reidentification` finds people (AUC 0.55), at 1 it begins to (0.52), at 0.5 it
    /// does not. What is true is told in a third of the stretches.
    fn default() -> Self {
        Self { epsilon: 0.5 }
    }
}

impl WordNoise {
    /// With this privacy loss for each word.
    #[must_use]
    pub fn new(epsilon: f64) -> Self {
        Self { epsilon }
    }

    /// Privacy loss of each word, in 0..=3.
    #[must_use]
    pub fn epsilon(&self) -> f64 {
        if self.epsilon.is_nan() {
            0.0
        } else {
            self.epsilon.clamp(0.0, 3.0)
        }
    }

    /// Probability that what is true is told: e^ε/(e^ε + 3).
    #[must_use]
    pub fn keeps(&self) -> f64 {
        let e = self.epsilon().exp();
        e / (e + 3.0)
    }

    /// What is told of `word`, with `u` uniform in [0, 1). A `u` that is no such number tells nothing.
    #[must_use]
    pub fn draw(&self, word: Option<OwnLevel>, u: f64) -> Option<OwnLevel> {
        if !(0.0..1.0).contains(&u) {
            return None;
        }
        let keeps = self.keeps();
        if u < keeps {
            return word;
        }
        // The rest of the way from `keeps` to 1 in three equal parts.
        let part = (3.0 * (u - keeps) / (1.0 - keeps)) as usize;
        let mut others = WORDS.into_iter().filter(|other| *other != word);
        others.nth(part.min(2)).flatten()
    }

    /// The share of stretches in which a word was true, of the share in which it was told, without bias and so perhaps
    /// outside [0, 1]; nothing at ε = 0. With n stretches the standard error is about √(0.2/n)/(keeps − others): half a
    /// share for ten, a tenth for a hundred or two.
    #[must_use]
    pub fn true_share(&self, told: f64) -> Option<f64> {
        let keeps = self.keeps();
        let others = (1.0 - keeps) / 3.0;
        (keeps > others + 1e-9).then(|| (told - others) / (keeps - others))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How often each word is told after `word`, over an even grid.
    fn shares(noise: &WordNoise, word: Option<OwnLevel>) -> [f64; 4] {
        let n = 40_000;
        let mut shares = [0.0; 4];
        for i in 0..n {
            let told = noise.draw(word, (f64::from(i) + 0.5) / f64::from(n));
            let at = WORDS.iter().position(|other| *other == told).unwrap();
            shares[at] += 1.0 / f64::from(n);
        }
        shares
    }

    #[test]
    fn no_word_proves_a_stretch_by_more_than_e_to_the_epsilon() {
        for epsilon in [0.0, 0.1, 0.5, 1.0, 3.0] {
            let noise = WordNoise::new(epsilon);
            let all = WORDS.map(|word| shares(&noise, word));
            let mut worst: f64 = 0.0;
            for a in &all {
                assert!((a.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                for b in &all {
                    for (x, y) in a.iter().zip(b) {
                        worst = worst.max(x / y);
                    }
                }
            }
            assert!(
                (worst / epsilon.exp() - 1.0).abs() < 0.01,
                "{epsilon}: {worst}"
            );
        }
    }

    #[test]
    fn a_class_is_seen_through_the_noise() {
        let noise = WordNoise::default();
        // In three tenths of the stretches it went slowly, else as usual.
        let slow = shares(&noise, WORDS[3]);
        let usual = shares(&noise, WORDS[2]);
        let told = 0.3 * slow[3] + 0.7 * usual[3];
        assert!((noise.true_share(told).unwrap() - 0.3).abs() < 1e-3);
        assert_eq!(WordNoise::new(0.0).true_share(0.3), None);
    }

    proptest! {
        #[test]
        fn any_numbers_give_a_word(epsilon in prop::num::f64::ANY, u in prop::num::f64::ANY) {
            let noise = WordNoise::new(epsilon);
            prop_assert!((0.25..0.9).contains(&noise.keeps()));
            let told = noise.draw(WORDS[3], u);
            prop_assert!(u.is_finite() || told.is_none());
        }
    }
}
