//! What others see of a learner.

use std::collections::BTreeMap;

use super::state::LearnerState;
use super::{AcknowledgedSeq, Learner};
use crate::learning::five::Tick;
use crate::learning::skill::SkillId;
use crate::lesson::format::Lesson;
use crate::protocol::ids::LessonId;
use crate::protocol::snapshot::{LearnerSnapshot, Reached, SkillSnapshot};

/// A learner's state as it is published. `message`: the instructor's words now shown, if any.
#[must_use]
pub fn snapshot(
    learner: &Learner,
    state: &LearnerState,
    acknowledged: AcknowledgedSeq,
    lesson: Option<&Lesson>,
    message: Option<&str>,
) -> LearnerSnapshot {
    let step = state
        .step
        .as_ref()
        .and_then(|id| lesson?.steps.iter().find(|step| step.id == *id));
    let hints_available = step.map_or(0, |step| u8::try_from(step.hints.len()).unwrap_or(u8::MAX));
    LearnerSnapshot {
        learner: learner.id,
        session: learner.session,
        lesson: state.lesson.clone().unwrap_or_else(|| LessonId::new("")),
        step: state.step.clone(),
        goal: step.map(|step| step.goal.clone()),
        completed: state
            .completed
            .iter()
            .map(|done| done.step.clone())
            .collect(),
        steps_total: lesson.map_or(0, |lesson| {
            u32::try_from(lesson.steps.len()).unwrap_or(u32::MAX)
        }),
        hint_level: state.hint_level,
        hints_available,
        hint: step.and_then(|step| {
            let rung = usize::from(state.hint_level).checked_sub(1)?;
            step.hints.get(rung).map(|hint| hint.text.clone())
        }),
        message: message.map(str::to_owned),
        failures_on_step: state.failures_on_step,
        attempts: state.attempts,
        correct: state.correct,
        skills: skills(state),
        place: state.models.five().chart().place(),
        index: state.models.five().index(),
        latest: state.models.latest().map(|tick| {
            Box::new(Tick {
                load: tick.load.by_results(&state.models.params().load),
                ..*tick
            })
        }),
        difficulty: state.adapted.difficulty,
        pace: state.adapted.pace,
        support: state.adapted.support.map_or(0, |(_, level, _)| level),
        added: state.adapted.added.iter().map(|it| it.id.clone()).collect(),
        notice: state
            .adapted
            .for_instructor
            .as_ref()
            .map(|(_, words)| words.clone()),
        review_due: state.models.five().review_due(),
        life: state.life(),
        paused_by: state.paused_by.clone(),
        ended: state.ended,
        link: Reached::Here,
        seq: state.seq,
        acknowledged_seq: acknowledged.0,
    }
}

/// What is believed of the lesson's skills.
fn skills(state: &LearnerState) -> BTreeMap<SkillId, SkillSnapshot> {
    let Some(lesson) = &state.lesson else {
        return BTreeMap::new();
    };
    let believed = |id: &SkillId| {
        let skill = state.models.skill(lesson, id)?;
        let snapshot = SkillSnapshot {
            known: skill.known.mean,
            known_low: skill.known.lower,
            known_high: skill.known.upper,
            ability: skill.ability.mean,
            ability_sd: skill.ability.variance.max(0.0).sqrt(),
            attempts: skill.wheel_spinning.attempts(),
        };
        Some((id.clone(), snapshot))
    };
    state.skills.iter().filter_map(believed).collect()
}
