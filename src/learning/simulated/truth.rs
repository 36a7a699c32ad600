//! Who a simulated learner truly is, and how such learners are drawn.
//!
//! Where a distribution has a source it is named; where it has none it says 'ours'. Nothing here was fitted to
//! learners in headsets: there is no such data. What the figures show is how a policy does in *this* world.

use serde::{Deserialize, Serialize};

use super::draws::{Draws, Purpose};
use crate::learning::estimate::sigmoid;

/// Most skills of a simulated lesson.
pub const MAX_SKILLS: usize = 8;

/// The truth about one skill of one learner.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkillTruth {
    /// Ability before the lesson, logit; 0 succeeds at authored difficulty as often as not, slips and guesses aside.
    pub ability: f64,
    /// What one attempt at the ideal difficulty adds, logit.
    pub rate: f64,
    /// The usual approach teaches this learner nearly nothing; another does.
    pub blocked: bool,
}

/// What kind of learner it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Most.
    Usual,
    /// Goes on without getting anywhere in some skills, until the approach changes (Beck & Gong 2013).
    WheelSpinner,
    /// Takes every hint to be through, and learns little from them (gaming the system: Baker, Corbett, Koedinger &
    /// Wagner 2004).
    Gaming,
}

/// The truth about a learner. What of it changes in a session is in [`super::mind::Mind`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learner {
    /// By number; the lesson says how many count.
    pub skills: [SkillTruth; MAX_SKILLS],
    /// Kind.
    pub kind: Kind,
    /// P(wrong although able), in [0, 0.3].
    pub slip: f64,
    /// P(right although unable), in [0, 0.3].
    pub guess: f64,
    /// Chance of success at which this learner learns most, slips and guesses aside, as logit.
    pub ideal: f64,
    /// Distance from there at which 0.6 of the learning is left, logit; above 0.
    pub breadth: f64,
    /// Share of a session's gain that is lost by the next day, in [0, 1].
    pub forgetting: f64,
    /// Seconds that an attempt takes at the authored pace (median).
    pub seconds: f64,
    /// Fatigue gained per hour of work; 1 is worn out.
    pub fatigue: f64,
    /// Sickness per minute of the authored motion, points of the fast motion sickness scale (0 to 20).
    pub susceptibility: f64,
    /// Chance of asking for help when stuck for a while, in [0, 1].
    pub help_seeking: f64,
    /// Engagement at the beginning, in [0, 1].
    pub engagement: f64,
    /// Engagement lost per hour.
    pub drift: f64,
}

/// A normal distribution cut to a range: draws outside are moved to its ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub deviation: f64,
    /// Lowest.
    pub low: f64,
    /// Highest.
    pub high: f64,
}

impl Spread {
    const fn new(mean: f64, deviation: f64, low: f64, high: f64) -> Self {
        Self {
            mean,
            deviation,
            low,
            high,
        }
    }

    fn at(self, normal: f64) -> f64 {
        (self.mean + self.deviation * normal)
            .max(self.low)
            .min(self.high)
    }
}

/// How learners differ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Population {
    /// A learner's ability over all skills, logit. Middle half of the students of 27 courses: 55 % to 75 % right at the
    /// start, median 65 % (Koedinger, Carvalho, Liu & McLaughlin 2023, PNAS 120(13)): logit 0.6 ± 0.67 there, with
    /// guesses. Ours: two logits lower, for a skill of the hands that is new.
    pub ability: Spread,
    /// What a skill's ability adds to that, logit. Ours.
    pub skill: Spread,
    /// Natural logarithm of what an attempt at the ideal difficulty adds, logit. Median 0.16: the same courses show 0.1
    /// per attempt as they come, which are not all ideal (ibid.; ours by how much).
    pub log_rate: Spread,
    /// P(slip): fitted tutors 0.05 to 0.15 (Corbett & Anderson 1995, table 2).
    pub slip: Spread,
    /// P(guess). A hand rarely guesses: lower than the 0.2 of questions (ours).
    pub guess: Spread,
    /// Best chance of success for learning, logit: 0.85 for a simple learner (Wilson, Shenhav, Straccia & Cohen 2019),
    /// less for a skill that wants effort (challenge point: Guadagnoli & Lee 2004). 0.75 in the middle, 0.5 to 0.9: ours.
    pub ideal: Spread,
    /// How far from the ideal 0.6 of the learning is left, logit. Ours.
    pub breadth: f64,
    /// Share of a gain lost by the next day. Ours; a third is what motor tasks with one session lose at most.
    pub forgetting: Spread,
    /// Natural logarithm of an attempt's seconds: about 10 s, logs spread by 0.4 between people (van der Linden 2006
    /// reports log response times normal with such spreads).
    pub log_seconds: Spread,
    /// Fatigue per hour: worn out after two hours (ours).
    pub fatigue: Spread,
    /// Natural logarithm of sickness per minute. Median 0.15: after 25 min 2 to 3 of 20 for most, beyond 8 for one in
    /// ten. Head-mounted displays are left early by about one in six (Saredakis et al. 2020); the spread is ours.
    pub log_susceptibility: Spread,
    /// Help-seeking: many who need help don't ask for it (Aleven & Koedinger 2000); ours in size.
    pub help_seeking: Spread,
    /// Engagement at the beginning (ours).
    pub engagement: Spread,
    /// Engagement lost per hour (ours).
    pub drift: Spread,
    /// Share of wheel-spinners, in [0, 1]. A tenth to a quarter of practised skills end so (Beck & Gong 2013).
    pub wheel_spinners: f64,
    /// Share of learners who game the system, in [0, 1]. About a tenth (Baker et al. 2004).
    pub gaming: f64,
}

impl Default for Population {
    fn default() -> Self {
        let s = Spread::new;
        Self {
            ability: s(-1.4, 1.0, -5.0, 4.0),
            skill: s(0.0, 0.7, -3.0, 3.0),
            log_rate: s(-1.83, 0.35, -3.5, -0.7),
            slip: s(0.08, 0.03, 0.01, 0.2),
            guess: s(0.1, 0.05, 0.01, 0.25),
            ideal: s(1.1, 0.5, 0.0, 2.2),
            breadth: 1.5,
            forgetting: s(0.2, 0.08, 0.0, 0.5),
            log_seconds: s(2.3, 0.4, 1.2, 3.4),
            fatigue: s(0.5, 0.2, 0.1, 1.5),
            log_susceptibility: s(-1.9, 1.0, -5.0, 0.7),
            help_seeking: s(0.35, 0.25, 0.0, 1.0),
            engagement: s(0.85, 0.08, 0.5, 1.0),
            drift: s(0.25, 0.15, 0.0, 1.0),
            wheel_spinners: 0.12,
            gaming: 0.1,
        }
    }
}

impl Population {
    /// A learner. Equal draws give equal learners.
    #[must_use]
    pub fn learner(&self, draws: Draws) -> Learner {
        let normal = |n: u64| draws.normal(Purpose::Trait, n);
        let chance = |n: u64| draws.uniform(Purpose::Trait, 1_000 + n);
        let share = chance(0);
        let kind = if share < self.wheel_spinners {
            Kind::WheelSpinner
        } else if share < self.wheel_spinners + self.gaming {
            Kind::Gaming
        } else {
            Kind::Usual
        };
        let general = self.ability.at(normal(0));
        let mut skills = [SkillTruth {
            ability: general,
            rate: 0.0,
            blocked: false,
        }; MAX_SKILLS];
        for (n, skill) in (0..).zip(&mut skills) {
            skill.ability += self.skill.at(normal(20 + n));
            skill.rate = self.log_rate.at(normal(40 + n)).exp();
            // Half of a wheel-spinner's skills (ours).
            skill.blocked = kind == Kind::WheelSpinner && chance(20 + n) < 0.5;
        }
        Learner {
            skills,
            kind,
            slip: self.slip.at(normal(1)),
            guess: self.guess.at(normal(2)),
            ideal: self.ideal.at(normal(3)),
            breadth: self.breadth,
            forgetting: self.forgetting.at(normal(4)),
            seconds: self.log_seconds.at(normal(5)).exp(),
            fatigue: self.fatigue.at(normal(6)),
            susceptibility: self.log_susceptibility.at(normal(7)).exp(),
            help_seeking: self.help_seeking.at(normal(8)),
            engagement: self.engagement.at(normal(9)),
            drift: self.drift.at(normal(10)),
        }
    }
}

impl Learner {
    /// The same learner as one who can never do it: what they try fails, and nothing is learnt.
    #[must_use]
    pub fn who_never_succeeds(mut self) -> Self {
        for skill in &mut self.skills {
            skill.ability = -1e3;
            skill.rate = 0.0;
        }
        self.guess = 0.0;
        self.slip = 1.0;
        self
    }

    /// The same learner for whom difficulty doesn't matter to learning: the negative control of every figure that
    /// speaks for fitting it.
    #[must_use]
    pub fn indifferent_to_difficulty(mut self) -> Self {
        self.breadth = 1e9;
        self
    }

    /// Chance of success in a task for which the logit of being able is `x`: the four-parameter logistic model (Barton &
    /// Lord 1981), in [guess, 1 − slip].
    #[must_use]
    pub fn chance(&self, x: f64) -> f64 {
        self.guess + (1.0 - self.slip - self.guess) * sigmoid(x)
    }
}
