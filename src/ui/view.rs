//! What each panel says, as plain data: drawn by `paint`, tested without a picture.

use bevy::prelude::*;

use super::feedback::{Feedback, Latest};
use super::menu::{self, MenuOpen, ReadingSettings, offers_to};
use super::overlay::ShowFrames;
use super::picture::Watched;
use crate::adaptation::{HintShown, MessageShown};
use crate::lesson::format::{Panel, PanelContent};
use crate::lesson::placed::LessonPanel;
use crate::lesson::{ActiveLesson, LessonFault};
use crate::protocol::event::{EndReason, PauseCause};
use crate::protocol::ids::StepId;
use crate::session::frames::{FrameStanding, Frames};
use crate::session::pairing::Pairing;
use crate::session::standing::{Age, Agreements};
use crate::session::state::LearnerState;
use crate::session::{Learner, RecordHealth};
use crate::xr::rig::SeatedOffset;

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
    /// How frames fare, in one line.
    pub frames: Option<String>,
    /// How the last try went, for a moment.
    pub feedback: Option<Feedback>,
    /// Whether letters are larger than they must be.
    pub large_text: bool,
    /// What can be chosen.
    pub choices: Vec<String>,
    /// Places of choices above the first one that the main sentence takes besides its own.
    pub room: usize,
    /// Which choice is pointed at.
    pub pointed: Option<usize>,
    /// Which choice was taken.
    pub chosen: Option<usize>,
    /// Whether somebody looks through the learner's eyes now.
    pub watched: bool,
}

/// Which of the things that come and go were there when panels were described last.
type Presence = [bool; 6];

/// Brings every panel up to date where something that panels tell of has changed; one that says the same is not touched, so
/// that it is not drawn again.
pub(super) fn describe_panels(
    mut commands: Commands,
    lesson: Option<Res<ActiveLesson>>,
    fault: Option<Res<LessonFault>>,
    health: Option<Res<RecordHealth>>,
    menu: Option<Res<MenuOpen>>,
    (seated, reading, pairing): (
        Res<SeatedOffset>,
        Res<ReadingSettings>,
        Option<Res<Pairing>>,
    ),
    latest: Res<Latest>,
    watched: Res<Watched>,
    agreements: Res<Agreements>,
    (show_frames, standing): (Option<Res<ShowFrames>>, Option<Res<FrameStanding>>),
    learner: Query<(
        &Learner,
        Ref<LearnerState>,
        Ref<Age>,
        Option<Ref<HintShown>>,
        Option<Ref<MessageShown>>,
    )>,
    new: Query<(), Added<LessonPanel>>,
    mut were_there: Local<Option<Presence>>,
    mut panels: Query<(Entity, &LessonPanel, Option<&mut PanelView>)>,
) {
    let Some(lesson) = lesson else {
        return;
    };
    // One learner looks at these panels; a host has none.
    let Some((who, state, age, hint, message)) = learner.iter().next() else {
        return;
    };
    let there = [
        fault.is_some(),
        health.is_some(),
        menu.is_some(),
        hint.is_some(),
        message.is_some(),
        pairing.is_some(),
    ];
    let same = were_there.replace(there) == Some(there);
    let still = same
        && new.is_empty()
        // What the menu offers also depends on the time.
        && menu.is_none()
        && ![
            lesson.is_changed(),
            fault.as_ref().is_some_and(|it| it.is_changed()),
            health.as_ref().is_some_and(|it| it.is_changed()),
            pairing.as_ref().is_some_and(|it| it.is_changed()),
            seated.is_changed() || reading.is_changed(),
            latest.is_changed() || watched.is_changed() || agreements.is_changed(),
            show_frames.as_ref().is_some_and(|it| it.is_changed()),
            standing.as_ref().is_some_and(|it| it.is_changed()),
            state.is_changed() || age.is_changed(),
            hint.as_ref().is_some_and(|it| it.is_changed()),
            message.as_ref().is_some_and(|it| it.is_changed()),
        ]
        .contains(&true);
    if still {
        return;
    }
    let notice = notice(&state, fault.as_deref(), health.as_deref());
    for (entity, id, view) in &mut panels {
        let Some(panel) = lesson.lesson.panels.iter().find(|panel| panel.id == id.0) else {
            continue;
        };
        let menu = menu
            .as_ref()
            .filter(|_| matches!(panel.content, PanelContent::Guide));
        let menu_open = menu.is_some();
        let mut next = match menu {
            Some(menu) => {
                let offers = offers_to(&agreements, who, &state, *age);
                let code = pairing.as_ref().and_then(|pairing| pairing.0.as_ref());
                menu::view(menu, &offers, *seated, *reading, code)
            }
            None => describe(
                panel,
                &lesson,
                &state,
                hint.as_deref(),
                message.as_deref(),
                notice.clone(),
            ),
        };
        next.frames = match panel.content {
            PanelContent::Guide if show_frames.as_ref().is_some_and(|it| it.0) => standing
                .as_ref()
                .and_then(|it| it.0.as_ref())
                .map(Frames::line),
            _ => None,
        };
        next.large_text = reading.large_text;
        if !reading.captions && state.step.is_some() {
            next.caption = None;
        }
        next.watched = watched.is_on();
        next.feedback = match panel.content {
            PanelContent::Guide if !menu_open => latest.any(),
            PanelContent::Question { .. } | PanelContent::Rating { .. } => latest.of(&panel.id),
            _ => None,
        };
        match view {
            Some(mut view) => {
                // Pointing and choosing belong to `choose`; they hold as long as the choices are the same.
                if view.choices == next.choices && view.room == next.room {
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
        PanelContent::Rating {
            prompt, choices, ..
        } => PanelView {
            heading: "Your word".to_owned(),
            body: prompt.clone(),
            choices: choices.clone(),
            ..PanelView::default()
        },
        PanelContent::Guide => {
            let step = state.step.as_ref().and_then(|step| lesson.step(step));
            let over = state.end_reason == Some(EndReason::LessonCompleted);
            let body = match step {
                Some(step) => step.goal.clone(),
                None if over => "Well done! That was the whole lesson.".to_owned(),
                None => "One moment …".to_owned(),
            };
            PanelView {
                heading: lesson.lesson.title.clone(),
                body,
                progress: Some(progress(state, lesson)),
                caption: match step {
                    Some(step) => step.say.as_ref().map(|line| line.caption.clone()),
                    None if over => Some(summary(state)),
                    None => None,
                },
                hint: hint.map(|hint| (hint.level, hint.text.clone())),
                message: message.map(|message| message.text.clone()),
                notice,
                ..PanelView::default()
            }
        }
    }
}

/// Steps done, each counted once however often it was repeated, and steps in all.
fn progress(state: &LearnerState, lesson: &ActiveLesson) -> (usize, usize) {
    let steps = &lesson.lesson.steps;
    let done = |id: &StepId| state.completed.iter().any(|done| done.step == *id);
    (
        steps.iter().filter(|step| done(&step.id)).count(),
        steps.len(),
    )
}

fn summary(state: &LearnerState) -> String {
    let tries = match state.attempts {
        1 => "1 try".to_owned(),
        many => format!("{many} tries"),
    };
    if state.correct == state.attempts {
        format!("{tries}, and every one right. You may take the headset off, or stay and play.")
    } else {
        format!(
            "{tries}, {} of them right. You may take the headset off, or stay and play.",
            state.correct
        )
    }
}

/// The gravest of what the learner should know about the program itself.
fn notice(
    state: &LearnerState,
    fault: Option<&LessonFault>,
    health: Option<&RecordHealth>,
) -> Option<String> {
    if let Some(why) = health.and_then(RecordHealth::failing) {
        return Some(format!("Your work is kept, but not on the disk yet: {why}"));
    }
    if state.paused_by.contains(&PauseCause::Instructor) {
        return Some("Your instructor has paused the lesson.".to_owned());
    }
    if state.paused_by.contains(&PauseCause::Break) {
        return Some(
            "You are taking a break. To go on, press the menu button and choose “Go on”."
                .to_owned(),
        );
    }
    if state.paused_by.contains(&PauseCause::Runtime) {
        return Some("Paused: the headset is put down.".to_owned());
    }
    if state.paused_by.contains(&PauseCause::Learner) {
        return Some("Paused. Press the menu button to go on.".to_owned());
    }
    if state.adapted.break_offered {
        return Some("How about a break? Press the menu button for one, or just go on.".to_owned());
    }
    fault.and_then(|fault| fault.0.as_deref()).map(|mistakes| {
        let first = mistakes
            .lines()
            .find(|line| line.contains("error"))
            .unwrap_or(mistakes);
        format!("The edited lesson is broken, this one goes on. {first}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::load;
    use crate::session::state::CompletedStep;

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
        assert_eq!(view.progress, Some((0, 12)));
    }

    #[test]
    fn a_repeated_step_is_one_step_of_the_way() {
        let done = |step: &str| CompletedStep {
            step: StepId::new(step),
            skipped: false,
        };
        let state = LearnerState {
            completed: vec![done("touch-cube"), done("touch-cube"), done("grab-cube")],
            ..LearnerState::default()
        };
        assert_eq!(guide(&state, None).progress, Some((2, 12)));
    }

    #[test]
    fn the_end_says_how_it_went() {
        let state = LearnerState {
            end_reason: Some(EndReason::LessonCompleted),
            ended: true,
            attempts: 12,
            correct: 10,
            ..LearnerState::default()
        };
        let view = guide(&state, None);
        assert!(view.body.contains("Well done"));
        assert!(view.caption.unwrap().contains("12 tries, 10 of them right"));
    }

    #[test]
    fn a_failing_disk_outranks_other_notices() {
        let state = LearnerState {
            paused_by: vec![PauseCause::Instructor],
            ..LearnerState::default()
        };
        let failing = RecordHealth::failing_because("the disk is full");
        assert!(
            notice(&state, None, Some(&failing))
                .unwrap()
                .contains("disk is full")
        );
        assert!(notice(&state, None, None).unwrap().contains("instructor"));
        assert_eq!(notice(&LearnerState::default(), None, None), None);
    }
}
