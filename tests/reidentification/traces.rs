//! What an attacker can hold on to in a session: as motion, as the log's attempts, and as what leaves the headset.

use std::collections::VecDeque;
use std::time::Duration;

use malloc_vr::protocol::event::Attempt;
use malloc_vr::protocol::motion::{NoisedAttribute, OwnLevel, ReleasedAttempt, ReleasedStretch};

use crate::attacker::Features;
use crate::people::Frame;

/// Attempts at one step.
const STEP: usize = 10;

/// Motion: mean, deviation, least and most of each of 21 channels, as Miller et al. (2020) and Nair et al. (2023) take
/// them, over each attempt and averaged over the session.
#[derive(Default)]
pub struct MotionTrace {
    sums: Vec<f64>,
    attempts: f64,
}

impl MotionTrace {
    pub fn add(&mut self, frames: &[Frame]) {
        let mut channels = [Spread::default(); 21];
        for (_, poses) in frames {
            let numbers = poses
                .iter()
                .flat_map(|p| p.position.iter().chain(&p.rotation));
            for (channel, x) in channels.iter_mut().zip(numbers) {
                channel.add(f64::from(*x));
            }
        }
        self.sums.resize(84, 0.0);
        for (sum, x) in self
            .sums
            .iter_mut()
            .zip(channels.iter().flat_map(Spread::four))
        {
            *sum += x;
        }
        self.attempts += 1.0;
    }

    pub fn features(&self) -> Features {
        self.sums.iter().map(|x| x / self.attempts).collect()
    }
}

/// Attempts as the log holds them, with their times and distances.
pub fn of_attempts(attempts: &[Attempt]) -> Features {
    let seconds: Vec<f64> = attempts
        .iter()
        .map(|a| a.latency.as_secs_f64().ln())
        .collect();
    let misses: Vec<f64> = attempts
        .iter()
        .map(|a| f64::from(a.position_error.unwrap_or(0.0)).max(1e-4).ln())
        .collect();
    let mut features = Vec::new();
    for values in [&seconds, &misses] {
        let mut spread = Spread::default();
        values.iter().for_each(|x| spread.add(*x));
        features.extend(spread.four());
        features.push(one_after_another(values, spread.mean()));
        features.push(late_less_early(values));
    }
    let correct: Vec<f64> = attempts
        .iter()
        .map(|a| f64::from(u8::from(a.correct)))
        .collect();
    let credit: Vec<f64> = attempts.iter().map(|a| f64::from(a.credit)).collect();
    features.extend([mean(&correct), mean(&credit)]);
    features
}

/// Outcomes, as they were read back from the wire.
pub fn of_outcomes(attempts: &[ReleasedAttempt]) -> Features {
    let correct: Vec<f64> = attempts
        .iter()
        .map(|a| f64::from(u8::from(a.correct)))
        .collect();
    let nearly: Vec<f64> = attempts
        .iter()
        .map(|a| f64::from(u8::from(a.nearly)))
        .collect();
    let mut features = vec![
        mean(&correct),
        mean(&nearly),
        late_less_early(&correct),
        one_after_another(&correct, mean(&correct)),
    ];
    features.extend(correct.chunks(STEP).map(mean));
    features
}

/// Words, as they were read back from the wire.
pub fn of_stretches(stretches: &[ReleasedStretch]) -> Features {
    of_words(
        &stretches
            .iter()
            .map(|s| [s.slowness, s.effort])
            .collect::<Vec<_>>(),
    )
}

pub fn of_body(body: &[NoisedAttribute]) -> Features {
    body.iter().map(|b| f64::from(b.centimetres)).collect()
}

/// How often each word, each by its place, what follows what, how it changes, and which go together.
pub fn of_words<const N: usize>(words: &[[Option<OwnLevel>; N]]) -> Features {
    let number = |word: Option<OwnLevel>| match word {
        Some(OwnLevel::Low) => -1.0,
        Some(OwnLevel::High) => 1.0,
        Some(OwnLevel::Usual) | None => 0.0,
    };
    let columns: Vec<Vec<f64>> = (0..N)
        .map(|j| words.iter().map(|words| number(words[j])).collect())
        .collect();
    let mut features = Vec::new();
    for (j, column) in columns.iter().enumerate() {
        let share = |of: &dyn Fn(f64) -> bool| {
            column.iter().filter(|x| of(**x)).count() as f64 / column.len() as f64
        };
        features.push(share(&|x| x > 0.5));
        features.push(share(&|x| x < -0.5));
        let missing = words.iter().filter(|words| words[j].is_none()).count();
        features.push(missing as f64 / words.len() as f64);
        features.push(one_after_another(column, 0.0));
        features.push(late_less_early(column));
        for other in &columns[j + 1..] {
            features.push(mean(
                &column
                    .iter()
                    .zip(other)
                    .map(|(a, b)| a * b)
                    .collect::<Vec<_>>(),
            ));
        }
        // Step by step; words for single attempts come in tens.
        features.extend(column.chunks(column.len().div_ceil(6)).map(mean));
    }
    features
}

/// The same words from a scale that is one for all, as a control: fifths of everybody's values.
pub fn of_common_words(sessions: &mut [VecDeque<Duration>]) -> Vec<Features> {
    let mut all: Vec<Duration> = sessions.iter().flatten().copied().collect();
    all.sort();
    let (low, high) = (all[all.len() / 5], all[all.len() * 4 / 5]);
    let word = |x: &Duration| {
        Some(if *x < low {
            OwnLevel::Low
        } else if *x > high {
            OwnLevel::High
        } else {
            OwnLevel::Usual
        })
    };
    sessions
        .iter()
        .map(|session| of_words(&session.iter().map(|x| [word(x)]).collect::<Vec<_>>()))
        .collect()
}

/// Mean, deviation, least and most; nothing of nothing.
pub fn spread(values: &[f64]) -> Features {
    let mut spread = Spread::default();
    values.iter().for_each(|x| spread.add(*x));
    if values.is_empty() {
        return vec![0.0; 4];
    }
    spread.four().to_vec()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Mean product of neighbours, about `centre`.
fn one_after_another(values: &[f64], centre: f64) -> f64 {
    mean(
        &values
            .windows(2)
            .map(|w| (w[0] - centre) * (w[1] - centre))
            .collect::<Vec<_>>(),
    )
}

fn late_less_early(values: &[f64]) -> f64 {
    let (early, late) = values.split_at(values.len() / 2);
    mean(late) - mean(early)
}

#[derive(Clone, Copy)]
struct Spread {
    n: f64,
    sum: f64,
    squares: f64,
    least: f64,
    most: f64,
}

impl Default for Spread {
    fn default() -> Self {
        Self {
            n: 0.0,
            sum: 0.0,
            squares: 0.0,
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
        }
    }
}

impl Spread {
    fn add(&mut self, x: f64) {
        self.n += 1.0;
        self.sum += x;
        self.squares += x * x;
        self.least = self.least.min(x);
        self.most = self.most.max(x);
    }

    fn mean(&self) -> f64 {
        self.sum / self.n
    }

    fn four(&self) -> [f64; 4] {
        let variance = (self.squares / self.n - self.mean().powi(2)).max(0.0);
        [self.mean(), variance.sqrt(), self.least, self.most]
    }
}
