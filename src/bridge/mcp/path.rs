//! Which skill a learner could take next, and the way to one of them: the skill graph of their lesson and what the models
//! believe in; every skill with its reason out.

use schemars::JsonSchema;
use serde::Serialize;

use crate::learning::knowledge::pathway::{PathParams, Standing, Verdict};
use crate::learning::knowledge::{KnowledgeGraph, SkillNode};
use crate::learning::skill::SkillId;
use crate::lesson::format::Lesson;
use crate::protocol::ids::{LearnerId, LessonId, StepId};
use crate::session::state::LearnerState;
use crate::session::unix_ms;

/// Which skills a learner could take next.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::bridge) struct Suggested {
    /// Whose.
    pub learner: LearnerId,
    /// Of which lesson.
    pub lesson: LessonId,
    /// Every skill of it as the next one, best first.
    pub next: Vec<NextSkill>,
    /// The skills still to master on the way to `goal`, in an order in which that can be done; without a goal none.
    pub way: Vec<SkillId>,
}

/// A skill as the next one.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::bridge) struct NextSkill {
    /// Which.
    pub skill: SkillId,
    /// In words.
    pub title: String,
    /// Whether to take it: within reach, too easy, too hard, waiting for another, or mastered.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub why: String,
    /// Lower end of what is known of the weakest skill that comes before it, 0..1 (inferred); 1 where none does.
    pub readiness: f64,
    /// Expected success, 0..1 (inferred); left out for a skill never tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_success: Option<f64>,
    /// Skills not yet mastered that need this one.
    pub unlocks: u32,
    /// It is about to be forgotten: due for review (inferred).
    pub review_due: bool,
    /// Steps of the lesson that practise it.
    pub steps: Vec<StepId>,
}

/// What could come next for a learner of this lesson.
///
/// # Errors
/// In words: nothing is done with this record, the lesson knows no such goal, or its skills make no graph.
pub(super) fn suggest(
    learner: LearnerId,
    state: &LearnerState,
    lesson: &Lesson,
    goal: Option<&SkillId>,
) -> Result<Suggested, String> {
    if state.is_restricted() {
        return Err(
            "the record of this learner is restricted: nothing is worked out from it".to_owned(),
        );
    }
    let models = &state.models;
    let difficulty = |skill: &SkillId| {
        let number = models.number(&lesson.id, skill)? as usize;
        models.params().skills.get(number).map(|it| it.difficulty)
    };
    let nodes: Vec<SkillNode> = lesson
        .skills
        .iter()
        .map(|skill| SkillNode {
            id: skill.id.clone(),
            prerequisites: skill.requires.clone(),
            difficulty: difficulty(&skill.id).unwrap_or(0.0),
        })
        .collect();
    let graph = KnowledgeGraph::new(&nodes).map_err(|error| error.to_string())?;
    // Of a skill never tried the models only have what anybody begins with.
    let standing = |skill: &SkillId| {
        let skill = models.skill(&lesson.id, skill)?;
        (skill.wheel_spinning.attempts() > 0).then_some(Standing {
            mastery_low: skill.known.lower,
            ability: skill.ability,
        })
    };
    let standings: Vec<Option<Standing>> = graph.order().map(standing).collect();
    let params = PathParams::default();
    let mut steps = Vec::with_capacity(standings.len());
    graph.next_steps(&standings, &params, &mut steps);
    let away = unix_ms().saturating_sub(state.at_unix_ms);
    let due = models.due_after(away);
    let next = steps.iter().filter_map(|step| {
        let skill = graph.name(step.skill)?;
        let title = lesson
            .skills
            .iter()
            .find(|it| it.id == *skill)?
            .title
            .clone();
        let practise = lesson
            .steps
            .iter()
            .filter(|it| it.evidence_for.contains(skill));
        Some(NextSkill {
            skill: skill.clone(),
            title,
            verdict: step.verdict,
            why: graph.explain(step, &params),
            readiness: step.readiness,
            expected_success: step.expected,
            unlocks: step.unlocks,
            review_due: due.iter().any(|(of, it)| **of == lesson.id && *it == skill),
            steps: practise.map(|it| it.id.clone()).collect(),
        })
    });
    let way = match goal {
        None => Vec::new(),
        Some(goal) => {
            let Some(number) = graph.number(goal) else {
                let known: Vec<&str> = graph.order().map(SkillId::as_str).collect();
                return Err(format!(
                    "lesson {} has no skill `{goal}`; it has {}",
                    lesson.id,
                    known.join(", ")
                ));
            };
            let way = graph.way_to(number, &standings, &params);
            way.into_iter()
                .filter_map(|it| graph.name(it).cloned())
                .collect()
        }
    };
    Ok(Suggested {
        learner,
        lesson: lesson.id.clone(),
        next: next.collect(),
        way,
    })
}
