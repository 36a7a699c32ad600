//! What changes in a simulated learner: skill, fatigue, sickness, engagement; and how, second by second.
//!
//! Everything here is deterministic given what is done: chance enters only where an attempt comes out, is timed or is
//! measured ([`super::run`]). So the expected future can be computed without drawing anything, which is what the oracle
//! does. Shapes have sources where named; all sizes are ours.

use super::truth::{Kind, Learner, MAX_SKILLS};
use crate::learning::estimate::sigmoid;

/// Logits of difficulty per unit of the multiple of the authored one: 0.2 per logit, as the policy's
/// `step_per_logit` has it. Wrong by intention where a lesson's variants differ from that: see [`super::lesson::Step`].
pub const LOGITS_PER_MULTIPLE: f64 = 5.0;
/// What support makes easier, logit.
pub const SUPPORT: f64 = 1.5;
/// What each rung of the hint ladder makes easier, logit.
pub const RUNG: f64 = 0.7;
/// Rungs of the ladder.
pub const RUNGS: u8 = 3;
/// What an unhurried pace makes easier per unit of its multiple, logit.
const PACE: f64 = 1.5;
/// What being worn out makes harder, logit.
const FATIGUE: f64 = 1.0;
/// What the worst sickness makes harder, logit.
const SICKNESS: f64 = 2.0;
/// Support helps beginners to learn more and hinders the able: worked examples (Sweller & Cooper 1985), expertise
/// reversal (Kalyuga, Ayres, Chandler & Sweller 2003). Greatest gain or loss, as a share.
const WORKED_EXAMPLE: f64 = 0.35;
/// Share of the learning that is left when every rung is shown: being told is less than finding out (assistance dilemma:
/// Koedinger & Aleven 2007). For those who game the system, the lower one.
const TOLD: f64 = 0.8;
const GAMED: f64 = 0.25;
/// Share of the learning that is left in an approach that doesn't suit.
const BLOCKED: f64 = 0.08;
/// Share of the learning in another approach than the authored one where nothing is blocked: it is the second choice.
const OTHER_APPROACH: f64 = 0.9;
/// Seconds in which engagement moves to where it tends.
const ENGAGEMENT_SECONDS: f64 = 120.0;
/// What three logits off the ideal take from engagement: boredom and frustration (flow: Csikszentmihalyi 1990, as a
/// direction only).
const OFF_IDEAL: f64 = 0.35;
/// What variety gives, how long it lasts in seconds, and what is left of it each time.
const VARIETY: f64 = 0.15;
const VARIETY_SECONDS: f64 = 180.0;
const HABITUATION: f64 = 0.7;
/// Seconds in which sickness leaks away in the headset, and in a break without it. Symptoms outlast exposure by 10 min to
/// hours (Dużmańska, Strojny & Strojny 2018).
const LEAK_SECONDS: f64 = 1500.0;
const RECOVERY_SECONDS: f64 = 400.0;
/// Seconds in which a break takes fatigue away.
const REST_SECONDS: f64 = 300.0;
/// Most of the fast motion sickness scale (Keshavarz & Hecht 2011).
pub const MOST_SICKNESS: f64 = 20.0;

/// How things are set for the learner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// Multiple of the authored difficulty.
    pub difficulty: f64,
    /// Multiple of the authored pace.
    pub pace: f64,
    /// Support is in place.
    pub supported: bool,
    /// Rung of the hint ladder shown.
    pub rung: u8,
    /// One bit for each skill: taught by the other approach.
    pub approach: u8,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            difficulty: 1.0,
            pace: 1.0,
            supported: false,
            rung: 0,
            approach: 0,
        }
    }
}

/// A task: what is asked, apart from the setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Task {
    /// Number of the skill.
    pub skill: usize,
    /// Difficulty at the authored setting, logit.
    pub difficulty: f64,
    /// Motion of the picture, 1 as usual.
    pub motion: f64,
}

/// A learner's state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mind {
    /// Ability now, logit.
    pub ability: [f64; MAX_SKILLS],
    /// Fatigue in [0, 1].
    pub fatigue: f64,
    /// Sickness, 0 to 20.
    pub sickness: f64,
    /// Engagement in [0, 1].
    pub engagement: f64,
    novelty: f64,
    varied: u32,
    hours: f64,
}

impl Mind {
    /// At the beginning.
    #[must_use]
    pub fn of(learner: &Learner) -> Self {
        Self {
            ability: learner.skills.map(|skill| skill.ability),
            fatigue: 0.0,
            sickness: 0.0,
            engagement: learner.engagement,
            novelty: 0.0,
            varied: 0,
            hours: 0.0,
        }
    }

    /// Logit of being able to do the task, slips and guesses aside.
    #[must_use]
    pub fn logit(&self, task: &Task, setting: &Setting) -> f64 {
        self.ability(task.skill)
            - FATIGUE * self.fatigue
            - SICKNESS * self.sickness / MOST_SICKNESS
            - task.difficulty
            - LOGITS_PER_MULTIPLE * (setting.difficulty - 1.0)
            - PACE * (setting.pace - 1.0)
            + if setting.supported { SUPPORT } else { 0.0 }
            + RUNG * f64::from(setting.rung)
    }

    fn ability(&self, skill: usize) -> f64 {
        self.ability.get(skill).copied().unwrap_or(0.0)
    }

    /// What one attempt adds to the skill's ability, logit, at least 0. Most at the learner's ideal difficulty.
    #[must_use]
    pub fn gain(&self, learner: &Learner, task: &Task, setting: &Setting) -> f64 {
        let Some(skill) = learner.skills.get(task.skill) else {
            return 0.0;
        };
        let off = (self.logit(task, setting) - learner.ideal) / learner.breadth;
        let other = setting.approach >> task.skill & 1 == 1;
        let approach = match (skill.blocked, other) {
            (true, false) => BLOCKED,
            (false, true) => OTHER_APPROACH,
            _ => 1.0,
        };
        let example = if setting.supported {
            1.0 + WORKED_EXAMPLE * (1.0 - 2.0 * sigmoid(self.ability(task.skill)))
        } else {
            1.0
        };
        let left = if learner.kind == Kind::Gaming {
            GAMED
        } else {
            TOLD
        };
        let told = 1.0 - (1.0 - left) * f64::from(setting.rung) / f64::from(RUNGS);
        let fit = (-0.5 * off * off).exp();
        let awake = 1.0 - 0.5 * self.fatigue;
        let well = 1.0 - self.sickness / MOST_SICKNESS;
        skill.rate * fit * approach * example * told * self.engagement * awake * well
    }

    /// Learns from one attempt. Whether it was right doesn't matter: both are followed by feedback (additive factors
    /// model: Cen, Koedinger & Junker 2006).
    pub fn practise(&mut self, learner: &Learner, task: &Task, setting: &Setting) {
        let gain = self.gain(learner, task, setting);
        if let Some(ability) = self.ability.get_mut(task.skill) {
            *ability += gain;
        }
    }

    /// Lets `seconds` of work pass.
    pub fn work(&mut self, learner: &Learner, task: &Task, setting: &Setting, seconds: f64) {
        let hours = seconds / 3600.0;
        self.hours += hours;
        self.fatigue = (self.fatigue + learner.fatigue * hours).min(1.0);
        let dose = learner.susceptibility * task.motion * setting.pace * seconds / 60.0;
        let left = (-seconds / LEAK_SECONDS).exp();
        self.sickness = (self.sickness * left + dose).clamp(0.0, MOST_SICKNESS);
        self.novelty *= (-seconds / VARIETY_SECONDS).exp();
        // Two logits either way are play.
        let off = ((self.logit(task, setting) - learner.ideal).abs() - 2.0).clamp(0.0, 3.0) / 3.0;
        // Who is indifferent to difficulty is so here, too.
        let off = if learner.breadth > 100.0 { 0.0 } else { off };
        let lost = learner.drift * self.hours + OFF_IDEAL * off;
        // Variety gives back what was lost and no more: who is at it stays as much at it as before.
        let tends = learner.engagement - (lost - VARIETY * self.novelty).max(0.0);
        let moved = 1.0 - (-seconds / ENGAGEMENT_SECONDS).exp();
        self.engagement += moved * (tends.clamp(0.05, 1.0) - self.engagement);
    }

    /// Lets `seconds` of a break pass.
    pub fn rest(&mut self, seconds: f64) {
        self.fatigue *= (-seconds / REST_SECONDS).exp();
        self.sickness *= (-seconds / RECOVERY_SECONDS).exp();
    }

    /// The same in another form: new for a while, less so each time.
    pub fn vary(&mut self) {
        let strength = HABITUATION.powi(i32::try_from(self.varied).unwrap_or(i32::MAX));
        self.novelty = self.novelty.max(strength);
        self.varied = self.varied.saturating_add(1);
    }

    /// Hazard of leaving for good, per minute (Cox 1972 in its form, ours in its numbers): two in a thousand when all is
    /// well, doubled by about three points of sickness or a quarter of the engagement.
    #[must_use]
    pub fn hazard(&self) -> f64 {
        let unwell = 5.0 * self.sickness / MOST_SICKNESS;
        let bored = 3.0 * (0.7 - self.engagement).max(0.0);
        0.002 * (unwell + bored + self.fatigue).exp()
    }

    /// Score of a test on the next day without help, at the authored difficulty, rested: mean chance of success over the
    /// first `skills` skills, in [0, 1].
    #[must_use]
    pub fn test(&self, learner: &Learner, skills: usize) -> f64 {
        let skills = skills.clamp(1, MAX_SKILLS);
        let each = self.ability.iter().zip(&learner.skills).take(skills);
        let kept = 1.0 - learner.forgetting;
        let score = |(now, before): (&f64, &super::truth::SkillTruth)| {
            learner.chance(before.ability + kept * (now - before.ability))
        };
        each.map(score).sum::<f64>() / skills as f64
    }

    /// Chance of getting stuck in an attempt, not knowing how to go on, in [0, 1]: rises as the task gets too hard; a hint
    /// shown or support makes it rare.
    #[must_use]
    pub fn stuck(&self, task: &Task, setting: &Setting) -> f64 {
        0.35 * sigmoid(-(self.logit(task, setting) + 1.0) * 1.5)
    }
}

/// Mean seconds for which a learner who is stuck stays so, if nobody helps (ours).
pub const STUCK_SECONDS: f64 = 60.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::simulated::draws::Draws;
    use crate::learning::simulated::truth::Population;

    const TASK: Task = Task {
        skill: 0,
        difficulty: 0.0,
        motion: 1.0,
    };

    fn somebody() -> Learner {
        let mut learner = Population::default().learner(Draws::new(3));
        learner.kind = Kind::Usual;
        learner.skills[0].blocked = false;
        learner
    }

    #[test]
    fn most_is_learnt_at_the_ideal_difficulty() {
        let learner = somebody();
        let mind = Mind::of(&learner);
        let ideal = 1.0 + (mind.ability[0] - learner.ideal) / LOGITS_PER_MULTIPLE;
        let at = |difficulty| {
            let setting = Setting {
                difficulty,
                ..Setting::default()
            };
            mind.gain(&learner, &TASK, &setting)
        };
        assert!(at(ideal) > at(ideal + 0.2) && at(ideal) > at(ideal - 0.2));
        let usual = learner.skills[0].rate * learner.engagement;
        assert!((at(ideal) - usual).abs() < 1e-9);
    }

    #[test]
    fn support_helps_the_beginner_and_hinders_the_able() {
        let learner = somebody();
        let mut mind = Mind::of(&learner);
        let compare = |mind: &Mind| {
            // Equally hard with and without, so that only the support itself differs.
            let harder = SUPPORT / LOGITS_PER_MULTIPLE;
            let with = Setting {
                supported: true,
                difficulty: 1.0 + harder,
                ..Setting::default()
            };
            mind.gain(&learner, &TASK, &with) / mind.gain(&learner, &TASK, &Setting::default())
        };
        mind.ability[0] = -2.0;
        assert!(compare(&mind) > 1.2);
        mind.ability[0] = 2.0;
        assert!(compare(&mind) < 0.8);
    }

    #[test]
    fn a_wheel_spinner_learns_once_the_approach_changes() {
        let mut learner = somebody();
        learner.skills[0].blocked = true;
        let mind = Mind::of(&learner);
        let other = Setting {
            approach: 1,
            ..Setting::default()
        };
        let usual = mind.gain(&learner, &TASK, &Setting::default());
        assert!(mind.gain(&learner, &TASK, &other) > 10.0 * usual);
    }

    #[test]
    fn exposure_makes_sick_and_a_break_helps() {
        let learner = somebody();
        let mut mind = Mind::of(&learner);
        mind.work(&learner, &TASK, &Setting::default(), 1200.0);
        let (sick, hazard) = (mind.sickness, mind.hazard());
        assert!(sick > 0.0 && mind.fatigue > 0.0);
        mind.rest(120.0);
        assert!(mind.sickness < 0.8 * sick && mind.hazard() < hazard);
    }
}
