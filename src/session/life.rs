//! A session's life as a state machine: what may follow what, and what is due when nothing happens.
//!
//! Four things are independent of each other, and each is remembered while another one is in front: what the learner
//! does, who has stopped the lesson, whether the link is there, whether anything happens at all. Pure: time comes in
//! as [`Duration`] since the session began, and nothing happens but by [`LifeLine::take`].
//!
//! | cause | is admitted where | leads to |
//! |---|---|---|
//! | joined | not begun | active |
//! | rejoined | begun, not ended | active, the review or the break; all else belonged to the process before |
//! | intervention began | active, not stopped, not idle | intervening |
//! | intervention ended | intervening | active |
//! | review began | active, not stopped | reviewing; no longer idle |
//! | review ended | reviewing | active |
//! | paused, unpaused | not yet, already stopped by the same | one reason to stand still more, less; a break is one |
//! | link lost, link back | link there, link gone | link gone, link there |
//! | went idle | at the lesson, not stopped, link or not | idle |
//! | stirred | idle | no longer idle |
//! | ended | begun, not ended | ended, for good |

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::event::{EndReason, EventBody, PauseCause};
use crate::protocol::life::{Life, LifeCause};

/// How long things may last. Configuration, not code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LifeRules {
    /// Without any sign of the learner for this long, the session is idle. Arbitrary: 5 min.
    pub idle_after: Duration,
    /// Without any sign for this long, it ends (the original's session timeout: 60 min).
    pub idle_ends: Duration,
    /// A lost link ends it after this long (15 min); `None`: never, as on a headset, which teaches without a link.
    pub link_window: Option<Duration>,
}

impl Default for LifeRules {
    fn default() -> Self {
        Self {
            idle_after: Duration::from_mins(5),
            idle_ends: Duration::from_mins(60),
            link_window: Some(Duration::from_mins(15)),
        }
    }
}

impl LifeRules {
    /// For the machine on which the lesson runs: a lost link ends nothing.
    #[must_use]
    pub fn on_the_headset() -> Self {
        Self {
            link_window: None,
            ..Self::default()
        }
    }
}

/// Why a session's life did not take a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LifeRefused {
    /// Nothing can happen yet.
    #[error("the session has not begun; a learner has to join it first")]
    NotBegun,
    /// It has begun already.
    #[error("the session has begun already; another one has to be started")]
    Begun,
    /// It has ended.
    #[error("the session is over ({why:?}), which is final; another one has to be started")]
    Over {
        /// Why it ended.
        why: EndReason,
    },
    /// What was asked for holds already.
    #[error("nothing to do: it is so already")]
    AlreadySo,
    /// What should end does not hold.
    #[error("nothing to end: it is not so")]
    NotSo,
    /// Something else has to end first.
    #[error("not while the session is {in_the_way:?}; that has to end first")]
    NotNow {
        /// What is in the way.
        in_the_way: Life,
    },
}

/// What a learner does in a session that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
enum Doing {
    #[default]
    Active,
    Intervening,
    Reviewing,
}

/// The life of one session so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LifeLine {
    begun: bool,
    doing: Doing,
    paused_by: Vec<PauseCause>,
    idle_since: Option<Duration>,
    link_lost_since: Option<Duration>,
    ended: Option<EndReason>,
    at: Duration,
}

impl LifeLine {
    /// Where the session is.
    #[must_use]
    pub fn life(&self) -> Life {
        if let Some(why) = self.ended {
            return Life::Ended { why };
        }
        if !self.begun {
            return Life::Joining;
        }
        if let Some(since) = self.link_lost_since {
            return Life::LinkLost { since };
        }
        self.life_without_link()
    }

    fn life_without_link(&self) -> Life {
        match self.paused_by.first() {
            Some(PauseCause::Break) => return Life::OnBreak,
            Some(&by) => return Life::Paused { by },
            None => {}
        }
        if let Some(since) = self.idle_since {
            return Life::Idle { since };
        }
        match self.doing {
            Doing::Active => Life::Active,
            Doing::Intervening => Life::Intervening,
            Doing::Reviewing => Life::Reviewing,
        }
    }

    /// Who has stopped the lesson: in order, each once.
    #[must_use]
    pub fn paused_by(&self) -> &[PauseCause] {
        &self.paused_by
    }

    /// Why the session ended, if it has.
    #[must_use]
    pub fn ended(&self) -> Option<EndReason> {
        self.ended
    }

    /// Whether time of the lesson passes: it has begun, not ended, and nothing stops it. A
    /// lost link stops nothing: the lesson goes on where it runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.begun && self.ended.is_none() && self.paused_by.is_empty()
    }

    /// Time of the session, as far as the log tells.
    #[must_use]
    pub fn at(&self) -> Duration {
        self.at
    }

    /// Whether `cause` may come now.
    ///
    /// # Errors
    /// [`LifeRefused`] with what is in the way.
    pub fn admits(&self, cause: LifeCause) -> Result<(), LifeRefused> {
        if let Some(why) = self.ended {
            return Err(LifeRefused::Over { why });
        }
        if self.begun == (cause == LifeCause::Joined) {
            return Err(if self.begun {
                LifeRefused::Begun
            } else {
                LifeRefused::NotBegun
            });
        }
        let fresh = |is_so| match is_so {
            true => Err(LifeRefused::AlreadySo),
            false => Ok(()),
        };
        let holds = |is_so| match is_so {
            true => Ok(()),
            false => Err(LifeRefused::NotSo),
        };
        let while_in = |admitted: &[Life]| {
            let in_the_way = self.life_without_link();
            match admitted.contains(&in_the_way) {
                true => Ok(()),
                false => Err(LifeRefused::NotNow { in_the_way }),
            }
        };
        match cause {
            LifeCause::Joined | LifeCause::Rejoined | LifeCause::Ended { .. } => Ok(()),
            LifeCause::InterventionBegan => {
                fresh(self.doing == Doing::Intervening).and_then(|()| while_in(&[Life::Active]))
            }
            LifeCause::InterventionEnded => holds(self.doing == Doing::Intervening),
            LifeCause::ReviewBegan => {
                fresh(self.doing == Doing::Reviewing)?;
                match (self.doing, self.idle_since, &self.paused_by[..]) {
                    (Doing::Active, Some(_), []) => Ok(()),
                    _ => while_in(&[Life::Active]),
                }
            }
            LifeCause::ReviewEnded => holds(self.doing == Doing::Reviewing),
            LifeCause::Paused { by } => fresh(self.paused_by.contains(&by)),
            LifeCause::Unpaused { by } => holds(self.paused_by.contains(&by)),
            LifeCause::LinkLost => fresh(self.link_lost_since.is_some()),
            LifeCause::LinkBack => holds(self.link_lost_since.is_some()),
            LifeCause::WentIdle => {
                fresh(self.idle_since.is_some())?;
                while_in(&[Life::Active, Life::Intervening, Life::Reviewing])
            }
            LifeCause::Stirred => holds(self.idle_since.is_some()),
        }
    }

    /// Takes a turn at `at`, in time since the session began; a time before the last one counts as the last one.
    ///
    /// # Errors
    /// [`LifeRefused`]; nothing has changed then.
    pub fn take(&mut self, cause: LifeCause, at: Duration) -> Result<(), LifeRefused> {
        self.admits(cause)?;
        self.at = self.at.max(at);
        match cause {
            LifeCause::Joined => self.begun = true,
            LifeCause::Rejoined => {
                if self.doing == Doing::Intervening {
                    self.doing = Doing::Active;
                }
                // Only the learner ends their break, least of all a crash does.
                self.paused_by.retain(|by| *by == PauseCause::Break);
                self.idle_since = None;
                self.link_lost_since = None;
            }
            LifeCause::InterventionBegan => self.doing = Doing::Intervening,
            LifeCause::ReviewBegan => {
                self.doing = Doing::Reviewing;
                self.idle_since = None;
            }
            LifeCause::InterventionEnded | LifeCause::ReviewEnded => self.doing = Doing::Active,
            LifeCause::Paused { by } => {
                if let Err(place) = self.paused_by.binary_search(&by) {
                    self.paused_by.insert(place, by);
                }
            }
            LifeCause::Unpaused { by } => {
                self.paused_by.retain(|cause| *cause != by);
                self.idle_since = None;
            }
            LifeCause::LinkLost => self.link_lost_since = Some(self.at),
            LifeCause::LinkBack => self.link_lost_since = None,
            LifeCause::WentIdle => self.idle_since = Some(self.at),
            LifeCause::Stirred => self.idle_since = None,
            LifeCause::Ended { reason } => self.ended = Some(reason),
        }
        Ok(())
    }

    /// What is due at `now` although nothing happened; `stirred`: the last sign of the learner. Both in time since the
    /// session began. What is returned is admitted.
    #[must_use]
    pub fn due(&self, now: Duration, stirred: Duration, rules: &LifeRules) -> Option<LifeCause> {
        let quiet = now.saturating_sub(stirred);
        let gone = self.link_lost_since.map(|since| now.saturating_sub(since));
        let gone_too_long = gone
            .zip(rules.link_window)
            .is_some_and(|(gone, window)| gone >= window);
        let due = if gone_too_long {
            let reason = EndReason::LinkLost;
            LifeCause::Ended { reason }
        } else if quiet >= rules.idle_ends {
            let reason = EndReason::Idle;
            LifeCause::Ended { reason }
        } else if quiet >= rules.idle_after {
            LifeCause::WentIdle
        } else if self.idle_since.is_some() {
            LifeCause::Stirred
        } else {
            return None;
        };
        self.admits(due).is_ok().then_some(due)
    }
}

/// What an event means for the life of its session, if it means anything.
#[must_use]
pub fn cause_of(body: &EventBody) -> Option<LifeCause> {
    match body {
        EventBody::SessionStarted { .. } => Some(LifeCause::Joined),
        EventBody::SessionResumed => Some(LifeCause::Rejoined),
        EventBody::Paused { by } => Some(LifeCause::Paused { by: *by }),
        EventBody::Resumed { by } => Some(LifeCause::Unpaused { by: *by }),
        EventBody::SessionEnded { reason } => Some(LifeCause::Ended { reason: *reason }),
        EventBody::LifeChanged { cause, .. } => Some(*cause),
        _ => None,
    }
}

/// The event that tells of `cause` at `at`; `None` for joining and rejoining, which tell more than that.
///
/// # Errors
/// [`LifeRefused`] where the cause is not admitted.
pub fn event_of(
    line: &LifeLine,
    cause: LifeCause,
    at: Duration,
) -> Result<Option<EventBody>, LifeRefused> {
    let mut after = line.clone();
    after.take(cause, at)?;
    Ok(Some(match cause {
        LifeCause::Joined | LifeCause::Rejoined => return Ok(None),
        LifeCause::Paused { by } => EventBody::Paused { by },
        LifeCause::Unpaused { by } => EventBody::Resumed { by },
        LifeCause::Ended { reason } => EventBody::SessionEnded { reason },
        _ => EventBody::LifeChanged {
            from: line.life(),
            to: after.life(),
            cause,
            at: after.at,
        },
    }))
}

#[cfg(test)]
#[path = "life_tests.rs"]
mod tests;
