//! What a policy can do in a simulated lesson, with its numbers worked out.

use crate::learning::few::Few;

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Act {
    /// A break now.
    Rest,
    /// Offer a break; the learner may decline.
    OfferBreak,
    /// Show this rung of the hint ladder.
    OfferHint(u8),
    /// Take the hint away.
    FadeHint,
    /// Put support in place.
    AddSupport,
    /// Take it away.
    FadeSupport,
    /// Set the difficulty to this multiple of the authored one.
    Difficulty(f64),
    /// Set the pace to this multiple of the authored one.
    Pace(f64),
    /// The other approach to the skill.
    ChangeApproach,
    /// The same in another form.
    Vary,
    /// The next step.
    MoveOn,
}

impl Act {
    /// Whether it changes the task, so that the next change must wait.
    #[must_use]
    pub const fn is_change(self) -> bool {
        !matches!(
            self,
            Self::Rest | Self::OfferBreak | Self::OfferHint(_) | Self::FadeHint
        )
    }
}

/// What a policy says at once.
pub type Advice = Few<Act, 5>;
