//! A kind word for what was just done, for a moment: people go on when they see that it counted.

use std::time::Duration;

use bevy::prelude::*;

use crate::protocol::event::{EventBody, Evidence};
use crate::protocol::ids::PanelId;
use crate::session::Folded;

/// How long it is shown.
const SHOWN_FOR: Duration = Duration::from_millis(2_200);

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feedback {
    /// It counted.
    Done,
    /// Not yet: another try is welcome.
    NotYet,
    /// What the learner said was heard.
    Heard,
}

impl Feedback {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Done => "Well done!",
            Self::NotYet => "Not quite yet. Have another try.",
            Self::Heard => "Thank you for telling.",
        }
    }
}

/// What is shown now.
#[derive(Resource, Debug, Default, PartialEq)]
pub(super) struct Latest(Option<Shown>);

#[derive(Debug, PartialEq)]
struct Shown {
    feedback: Feedback,
    /// The question that was answered, if it was one.
    panel: Option<PanelId>,
    until: Duration,
}

impl Latest {
    /// For the guide.
    pub(super) fn any(&self) -> Option<Feedback> {
        self.0.as_ref().map(|shown| shown.feedback)
    }

    /// For a question.
    pub(super) fn of(&self, panel: &PanelId) -> Option<Feedback> {
        self.0
            .as_ref()
            .filter(|shown| shown.panel.as_ref() == Some(panel))
            .map(|shown| shown.feedback)
    }
}

pub(super) fn remember_how_it_went(
    time: Res<Time<Real>>,
    mut folded: MessageReader<Folded>,
    mut latest: ResMut<Latest>,
) {
    let until = time.elapsed() + SHOWN_FOR;
    let mut heard = false;
    for Folded { event, .. } in folded.read() {
        heard |= matches!(event.body, EventBody::Told { .. });
        if let EventBody::Attempted(attempt) = &event.body {
            let panel = match &attempt.evidence {
                Evidence::Answered { panel, .. } => Some(panel.clone()),
                _ => None,
            };
            let feedback = if attempt.correct {
                Feedback::Done
            } else {
                Feedback::NotYet
            };
            latest.0 = Some(Shown {
                feedback,
                panel,
                until,
            });
        }
    }
    if heard {
        latest.0 = Some(Shown {
            feedback: Feedback::Heard,
            panel: None,
            until,
        });
    }
    if latest
        .0
        .as_ref()
        .is_some_and(|shown| time.elapsed() >= shown.until)
    {
        latest.0 = None;
    }
}
