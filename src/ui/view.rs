//! What each panel says, as plain data: drawn by `paint`, tested without a picture.

use bevy::prelude::*;

use super::menu::{self, MenuOpen};
use crate::adaptation::{HintShown, MessageShown};
use crate::lesson::format::{Panel, PanelContent};
use crate::lesson::placed::LessonPanel;
use crate::lesson::{ActiveLesson, LessonFault};
use crate::protocol::event::{EndReason, PauseCause};
use crate::record::Health;
use crate::session::state::LearnerState;
use crate::session::{Learner, RecordHealth};

/// What a panel shows now.
#[derive(Component, Debug, Clone, PartialEq, Default)]
pub struct PanelView {
    /// Small line at the top.
    pub heading: String,
    /// The main sentence.
    pub body: String,
    /// Steps done and steps in all.
    pub progress: Option<(usize, usize)>,
    /// What is said.
    pub caption: Option<String>,
    /// The hint, and its rung.
    pub hint: Option<(u8, String)>,
    /// The instructor's words.
    pub message: Option<String>,
    /// Something that is wrong or stands still, and what to do.
    pub notice: Option<String>,
    /// What can be chosen.
    pub choices: Vec<String>,
    /// Which choice is pointed at.
    pub pointed: Option<usize>,
    /// Which choice was taken.
    pub chosen: Option<usize>,
}

/// Brings every panel up to date; a panel that says the same is not touched, so that it is not drawn again.
pub(super) fn describe_panels(
    mut commands: Commands,
    lesson: Option<Res<ActiveLesson>>,
    fault: Option<Res<LessonFault>>,
    health: Option<Res<RecordHealth>>,
    menu: Option<Res<MenuOpen>>,
    learner: Query<(&LearnerState, Option<&HintShown>, Option<&MessageShown>), With<Learner>>,
    mut panels: Query<(Entity, &LessonPanel, Option<&mut PanelView>)>,
) {
    let Some(lesson) = lesson else {
        return;
    };
    // One learner looks at these panels; a host has none.
    let Some((state, hint, message)) = learner.iter().next() else {
        return;
    };
    let notice = notice(state, fault.as_deref(), health.as_deref());
    for (entity, id, view) in &mut panels {
        let Some(panel) = lesson.lesson.panels.iter().find(|panel| panel.id == id.0) else {
            continue;
        };
        let menu_open = menu.is_some() && matches!(panel.content, PanelContent::Guide);
        let mut next = if menu_open {
            menu::view()
        } else {
            describe(panel, &lesson, state, hint, message, notice.clone())
        };
        match view {
            Some(mut view) => {
                // Pointing and choosing belong to `choose`; they hold as long as the choices are the same.
                if view.choices == next.choices {
                    next.pointed = view.pointed;
                    next.chosen = view.chosen;
                }
                view.set_if_neq(next);
            }
            None => {
                commands.entity(entity).insert(next);
            }
        }
    }
}

fn describe(
    panel: &Panel,
    lesson: &ActiveLesson,
    state: &LearnerState,
    hint: Option<&HintShown>,
    message: Option<&MessageShown>,
    notice: Option<String>,
) -> PanelView {
    match &panel.content {
        PanelContent::Text { title, body } => PanelView {
            heading: title.clone(),
            body: body.clone(),
            ..PanelView::default()
        },
        PanelContent::Question {
            prompt, choices, ..
        } => PanelView {
            heading: "Question".to_owned(),
            body: prompt.clone(),
            choices: choices.clone(),
            ..PanelView::default()
        },
        PanelContent::Guide => {
            let step = state.step.as_ref().and_then(|step| lesson.step(step));
            let body = match step {
                Some(step) => step.goal.clone(),
                None if state.end_reason == Some(EndReason::LessonCompleted) => {
                    "Well done! That was the whole lesson.".to_owned()
                }
                None => "One moment …".to_owned(),
            };
            PanelView {
                heading: lesson.lesson.title.clone(),
                body,
                progress: Some((state.completed.len(), lesson.lesson.steps.len())),
                caption: step.and_then(|step| step.say.as_ref()).map(|line| line.caption.clone()),
                hint: hint.map(|hint| (hint.level, hint.text.clone())),
                message: message.map(|message| message.text.clone()),
                notice,
                ..PanelView::default()
            }
        }
    }
}

/// The gravest of what the learner should know about the program itself.
fn notice(
    state: &LearnerState,
    fault: Option<&LessonFault>,
    health: Option<&RecordHealth>,
) -> Option<String> {
    if let Some(Health::Failing { why }) = health.map(|health| &health.0) {
        return Some(format!("Your work is kept, but not on the disk yet: {why}"));
    }
    if state.paused_by.contains(&PauseCause::Instructor) {
        return Some("Your instructor has paused the lesson.".to_owned());
    }
    if state.paused_by.contains(&PauseCause::Runtime) {
        return Some("Paused: the headset is put down.".to_owned());
    }
    fault
        .and_then(|fault| fault.0.as_deref())
        .map(|mistakes| {
            let first = mistakes.lines().find(|line| line.contains("error")).unwrap_or(mistakes);
            format!("The edited lesson is broken, this one goes on. {first}")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::load;
    use crate::protocol::ids::StepId;

    fn guide(state: &LearnerState, notice: Option<String>) -> PanelView {
        let lesson = ActiveLesson(load("first-steps").unwrap());
        let panel = lesson
            .lesson
            .panels
            .iter()
            .find(|panel| panel.content == PanelContent::Guide)
            .unwrap()
            .clone();
        describe(&panel, &lesson, state, None, None, notice)
    }

    #[test]
    fn the_guide_says_what_the_step_asks() {
        let state = LearnerState {
            step: Some(StepId::new("touch-cube")),
            ..LearnerState::default()
        };
        let view = guide(&state, None);
        assert_eq!(view.body, "Touch the red cube.");
        assert!(view.caption.is_some());
        assert_eq!(view.progress, Some((0, 10)));
    }

    #[test]
    fn a_failing_disk_outranks_other_notices() {
        let state = LearnerState {
            paused_by: vec![PauseCause::Instructor],
            ..LearnerState::default()
        };
        let failing = RecordHealth(Health::Failing {
            why: "the disk is full".to_owned(),
        });
        assert!(notice(&state, None, Some(&failing)).unwrap().contains("disk is full"));
        assert!(notice(&state, None, None).unwrap().contains("instructor"));
        assert_eq!(notice(&LearnerState::default(), None, None), None);
    }
}
