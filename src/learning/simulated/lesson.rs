//! A lesson for simulated learners: steps in order, each repeated until it sits.

/// One step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Number of the skill it exercises, below [`super::truth::MAX_SKILLS`].
    pub skill: usize,
    /// Difficulty at the authored setting, logit.
    pub difficulty: f64,
    /// Authored variants.
    pub variants: u32,
    /// Motion of the picture, 1 as usual.
    pub motion: f64,
    /// Seconds that are good time for an attempt.
    pub reference: f64,
}

/// A lesson. When the last step is done and there is time left, it begins again with other variants, unless it is to be
/// taken once.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Successes in a row that end a step.
    pub successes: u32,
    /// Attempts that end it anyway.
    pub at_most: u32,
    /// Seconds that the lesson lasts.
    pub seconds: f64,
    /// It ends with its last step, even where there is time left.
    pub once: bool,
}

impl Default for Lesson {
    /// Eight skills in 25 minutes, as long as a school lesson leaves for the headset. Every other step is a little easier or
    /// harder than its author thought, and one in four moves the picture more: authors don't measure.
    fn default() -> Self {
        let step = |skill| Step {
            skill,
            difficulty: [0.0, 0.4, 0.0, -0.4][skill % 4],
            variants: 4,
            motion: if skill % 4 == 3 { 1.6 } else { 0.8 },
            reference: 12.0,
        };
        Self {
            steps: (0..super::truth::MAX_SKILLS).map(step).collect(),
            successes: 3,
            at_most: 10,
            seconds: 1500.0,
            once: false,
        }
    }
}

impl Lesson {
    /// How many skills it has: one more than the highest number, at least 1.
    #[must_use]
    pub fn skills(&self) -> usize {
        let last = self.steps.iter().map(|step| step.skill + 1).max();
        last.unwrap_or(1).clamp(1, super::truth::MAX_SKILLS)
    }
}
