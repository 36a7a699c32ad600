//! What a deed means for a step: pure judging, no world, no clock.
//!
//! A deed is an interaction in the lesson's names. It is an attempt where it goes for the step's goal, right or
//! wrong; what is unrelated (touching the table, opening and closing a hand) is none.

use std::collections::BTreeSet;
use std::f32::consts::PI;

use super::leeway::Leeway;
use crate::learning::event_criteria::Criterion;
use crate::lesson::format::{Action, Lesson, PanelContent, RatingOf, Step};
use crate::protocol::event::{Evidence, Told};
use crate::protocol::ids::{ObjectId, PanelId, SocketId};

/// A near miss in the right socket earns at most this much credit: it was the right idea, not yet the goal.
const NEAR_MISS_CREDIT: f32 = 0.8;

/// What the learner did, in the lesson's names.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// The head has been turned to it for this long, counted from the step's start (seconds).
    Looked { object: ObjectId, held: f32 },
    /// A hand touched it.
    Touched { object: ObjectId },
    /// A hand took it.
    Grabbed { object: ObjectId },
    /// A hand let it go; `fit`: how it then lay to the nearest socket, `None`: at none.
    Released { object: ObjectId, fit: Option<Fit> },
    /// It left a hand with speed (metres per second) and is still in the air.
    Thrown { object: ObjectId, speed: f32 },
    /// A throw came to its end; `hit`: what it struck first among the lesson's objects.
    Landed {
        object: ObjectId,
        speed: f32,
        hit: Option<ObjectId>,
    },
    /// A button was pressed.
    Pressed { object: ObjectId },
    /// The learner moved; `spot`: onto this marked spot.
    Teleported { spot: Option<ObjectId> },
    /// A question was answered.
    Answered { panel: PanelId, choice: u32 },
    /// The step's time ran out.
    TimedOut,
}

/// How an object let go lay to a socket.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The socket.
    pub socket: SocketId,
    /// Whether the socket took it.
    pub accepted: bool,
    /// Metres between the centres.
    pub position_error: f32,
    /// Radians between the rotations.
    pub rotation_error: f32,
}

/// What a deed is worth as a try at a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// It met the goal within tolerance.
    pub correct: bool,
    /// 0..1; 1 exactly where `correct`.
    pub credit: f32,
    /// Metres from the asked place, where it was measured.
    pub position_error: Option<f32>,
    /// Radians from the asked rotation, where one was asked for.
    pub rotation_error: Option<f32>,
    /// What was seen.
    pub evidence: Evidence,
}

impl Verdict {
    fn right(evidence: Evidence) -> Self {
        Self {
            correct: true,
            credit: 1.0,
            position_error: None,
            rotation_error: None,
            evidence,
        }
    }

    fn wrong(credit: f32, evidence: Evidence) -> Self {
        Self {
            correct: false,
            credit: if credit.is_finite() {
                credit.clamp(0.0, 0.99)
            } else {
                0.0
            },
            position_error: None,
            rotation_error: None,
            evidence,
        }
    }

    fn of(correct: bool, credit_if_wrong: f32, evidence: Evidence) -> Self {
        if correct {
            Self::right(evidence)
        } else {
            Self::wrong(credit_if_wrong, evidence)
        }
    }
}

/// Judges one deed against one step; `None`: the deed has nothing to do with the step.
///
/// `mistaken`: objects already taken wrongly during this step; taking one again is no new evidence. `leeway`: how the
/// authored tolerances are fitted to the learner.
#[must_use]
pub fn judge(
    lesson: &Lesson,
    step: &Step,
    deed: &Deed,
    mistaken: &BTreeSet<ObjectId>,
    leeway: Leeway,
) -> Option<Verdict> {
    if *deed == Deed::TimedOut {
        return Some(Verdict::wrong(0.0, Evidence::TimedOut));
    }
    match &step.action {
        Action::LookAt { object, hold } => judge_look(object, *hold, deed),
        Action::Touch { object } => judge_touch(object, deed),
        Action::Grab { object } => judge_grab(object, deed, mistaken),
        Action::Place {
            object,
            socket,
            position_tolerance,
            rotation_tolerance,
        } => {
            let reach = lesson.sockets.iter().find(|s| s.id == *socket)?.reach;
            let asked = Place {
                object,
                socket,
                position_tolerance: leeway.position(*position_tolerance, reach),
                rotation_tolerance: rotation_tolerance.map(|angle| leeway.rotation(angle)),
                reach,
            };
            asked.judge(deed)
        }
        Action::Throw {
            object,
            at,
            min_speed,
        } => judge_throw(object, at.as_ref(), *min_speed, deed),
        Action::Press { object } => judge_press(object, deed),
        Action::Teleport { to } => judge_teleport(to, deed),
        Action::Answer { panel } => judge_answer(lesson, panel, deed),
        // Nothing to judge: see [`rating`].
        Action::Rate { .. } => None,
    }
}

/// What a learner said of themselves by this deed, where the step asks for it: about what, and how much of it, 0..1.
#[must_use]
pub fn rating(lesson: &Lesson, step: &Step, deed: &Deed) -> Option<(Told, f64)> {
    let (Action::Rate { panel: asked }, Deed::Answered { panel, choice }) = (&step.action, deed)
    else {
        return None;
    };
    let panel = lesson
        .panels
        .iter()
        .find(|it| it.id == *panel && it.id == *asked)?;
    let PanelContent::Rating { about, choices, .. } = &panel.content else {
        return None;
    };
    let last = u32::try_from(choices.len().checked_sub(1)?).ok()?;
    if *choice > last {
        return None;
    }
    let about = match about {
        RatingOf::Comfort => Told::Criterion(Criterion::Comfort),
        RatingOf::Effort => Told::Effort,
    };
    Some((about, f64::from(*choice) / f64::from(last.max(1))))
}

fn judge_look(asked: &ObjectId, hold: f32, deed: &Deed) -> Option<Verdict> {
    let Deed::Looked { object, held } = deed else {
        return None;
    };
    (object == asked && *held >= hold).then(|| {
        Verdict::right(Evidence::Looked {
            object: object.clone(),
        })
    })
}

/// Taking or pressing a thing touches it too; touching anything else is feeling one's way.
fn judge_touch(asked: &ObjectId, deed: &Deed) -> Option<Verdict> {
    match deed {
        Deed::Touched { object } | Deed::Grabbed { object } | Deed::Pressed { object }
            if object == asked =>
        {
            Some(Verdict::right(Evidence::Touched {
                object: object.clone(),
            }))
        }
        _ => None,
    }
}

fn judge_grab(asked: &ObjectId, deed: &Deed, mistaken: &BTreeSet<ObjectId>) -> Option<Verdict> {
    let Deed::Grabbed { object } = deed else {
        return None;
    };
    if object != asked && mistaken.contains(object) {
        return None;
    }
    Some(Verdict::of(
        object == asked,
        0.0,
        Evidence::Grabbed {
            object: object.clone(),
        },
    ))
}

/// A placement as a step asks for it.
struct Place<'a> {
    object: &'a ObjectId,
    socket: &'a SocketId,
    position_tolerance: f32,
    rotation_tolerance: Option<f32>,
    reach: f32,
}

impl Place<'_> {
    fn judge(&self, deed: &Deed) -> Option<Verdict> {
        let Deed::Released {
            object,
            fit: Some(fit),
        } = deed
        else {
            return None;
        };
        let evidence = Evidence::Placed {
            object: object.clone(),
            socket: Some(fit.socket.clone()),
        };
        match (object == self.object, fit.socket == *self.socket) {
            (true, true) => Some(self.measure(fit, evidence)),
            (true, false) | (false, true) => Some(Verdict::wrong(0.0, evidence)),
            (false, false) => None,
        }
    }

    fn measure(&self, fit: &Fit, evidence: Evidence) -> Verdict {
        let position = nearness(fit.position_error, self.position_tolerance, self.reach);
        let rotation = self
            .rotation_tolerance
            .map_or(1.0, |tolerance| nearness(fit.rotation_error, tolerance, PI));
        let correct = position >= 1.0 && rotation >= 1.0;
        Verdict {
            position_error: Some(fit.position_error),
            rotation_error: self.rotation_tolerance.map(|_| fit.rotation_error),
            ..Verdict::of(correct, NEAR_MISS_CREDIT * position * rotation, evidence)
        }
    }
}

/// 1 up to the tolerance, then falling in a straight line to 0 at `worst`. Never NaN, always 0..1.
fn nearness(error: f32, tolerance: f32, worst: f32) -> f32 {
    if error <= tolerance {
        1.0
    } else if error < worst {
        ((worst - error) / (worst - tolerance)).clamp(0.0, 1.0 - f32::EPSILON)
    } else {
        0.0
    }
}

/// A throw at something is judged when it lands, a throw anywhere when it leaves the hand.
fn judge_throw(
    asked: &ObjectId,
    at: Option<&ObjectId>,
    min_speed: f32,
    deed: &Deed,
) -> Option<Verdict> {
    match (deed, at) {
        (Deed::Thrown { object, speed }, None) if object == asked => Some(Verdict::of(
            *speed >= min_speed,
            NEAR_MISS_CREDIT * speed / min_speed,
            Evidence::Thrown {
                object: object.clone(),
                speed: *speed,
                hit: None,
            },
        )),
        (Deed::Landed { object, speed, hit }, Some(target))
            if object == asked || hit.as_ref() == Some(target) =>
        {
            let struck = object == asked && hit.as_ref() == Some(target);
            let credit = if struck {
                NEAR_MISS_CREDIT * speed / min_speed
            } else {
                0.0
            };
            Some(Verdict::of(
                struck && *speed >= min_speed,
                credit,
                Evidence::Thrown {
                    object: object.clone(),
                    speed: *speed,
                    hit: hit.clone(),
                },
            ))
        }
        _ => None,
    }
}

fn judge_press(asked: &ObjectId, deed: &Deed) -> Option<Verdict> {
    let Deed::Pressed { object } = deed else {
        return None;
    };
    Some(Verdict::of(
        object == asked,
        0.0,
        Evidence::Pressed {
            object: object.clone(),
        },
    ))
}

fn judge_teleport(asked: &ObjectId, deed: &Deed) -> Option<Verdict> {
    let Deed::Teleported { spot } = deed else {
        return None;
    };
    Some(Verdict::of(
        spot.as_ref() == Some(asked),
        0.0,
        Evidence::Teleported {
            object: spot.clone(),
        },
    ))
}

fn judge_answer(lesson: &Lesson, asked: &PanelId, deed: &Deed) -> Option<Verdict> {
    let Deed::Answered { panel, choice } = deed else {
        return None;
    };
    if panel != asked {
        return None;
    }
    let question = lesson.panels.iter().find(|p| p.id == *panel)?;
    let PanelContent::Question {
        correct, choices, ..
    } = &question.content
    else {
        return None;
    };
    if usize::try_from(*choice).map_or(true, |choice| choice >= choices.len()) {
        return None;
    }
    Some(Verdict::of(
        choice == correct,
        0.0,
        Evidence::Answered {
            panel: panel.clone(),
            choice: *choice,
        },
    ))
}

/// Judges a deed against the steps that may run now: the first that it fulfils wins, else the first that it fails.
#[must_use]
pub fn judge_among<'a>(
    lesson: &Lesson,
    candidates: impl Iterator<Item = &'a Step>,
    deed: &Deed,
    mistaken: &BTreeSet<ObjectId>,
    leeway: Leeway,
) -> Option<(&'a Step, Verdict)> {
    let mut failed = None;
    for step in candidates {
        match judge(lesson, step, deed, mistaken, leeway) {
            Some(verdict) if verdict.correct => return Some((step, verdict)),
            Some(verdict) if failed.is_none() => failed = Some((step, verdict)),
            _ => {}
        }
    }
    failed
}

#[cfg(test)]
mod tests;
