//! What an instructor sets beside the lesson's own words: preferences, the stage, checkpoints, the rules, how much is told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::call::{Call, Fault};
use super::super::catalogue::{Act, Catalogue, Effects, ToolRow};
use super::super::look::Look;
use super::super::person::Risk;
use super::write::{offer as act, offer_for_all};
use crate::learning::event::LearningEvent;
use crate::learning::skill::SkillId;
use crate::learning::strategy::patch::PolicyPatch;
use crate::protocol::command::CommandBody;
use crate::protocol::ids::{LearnerId, StepId};
use crate::protocol::teaching::{
    Checkpoint, CheckpointAsks, Preferences, PreferencesPatch, TelemetryLevel,
};

/// Which learner.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Who {
    /// The learner's id from class.list_learners; may be left out where only one is here.
    #[serde(default)]
    learner: Option<String>,
}

/// How a learner likes it.
#[derive(Debug, Serialize, JsonSchema)]
struct Liked {
    /// Whose.
    learner: LearnerId,
    /// What is in force.
    preferences: Preferences,
}

/// What is to be otherwise.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Prefer {
    /// Only what is to change; the rest stays.
    preferences: PreferencesPatch,
}

/// The stage.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Stage {
    /// Where the learner stands in your judgement; null: the models decide again at once.
    event: Option<LearningEvent>,
    /// For so long the models move nobody: 30 to 3600 seconds of the running lesson.
    #[serde(default = "ten_minutes")]
    seconds: u32,
}

fn ten_minutes() -> u32 {
    600
}

/// A checkpoint.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Check {
    /// Its name: 1 to 64 letters, digits, `-` and `_`; no step has it.
    id: String,
    /// What has to be done.
    asks: CheckpointAsks,
    /// The lesson's skills that it is evidence for, 1 to 8; lesson://ID/graph names them.
    skills: Vec<String>,
    /// Seconds after which it is missed, 5 to 1800; left out: it waits.
    #[serde(default)]
    within: Option<f32>,
}

/// Which checkpoint.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    /// The `id` given to assess.create_checkpoint.
    checkpoint: String,
}

/// Other rules.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Policy {
    /// Only what is to change.
    patch: PolicyPatch,
}

/// How much is told.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Telemetry {
    /// Off, aggregate (where they stand, no single events, samples or scene) or detailed (all that was agreed to).
    level: TelemetryLevel,
}

/// The rules in force.
#[derive(Debug, Serialize, JsonSchema)]
struct InForce {
    /// The table's name.
    name: String,
    /// What was changed since the program began; empty: nothing.
    changed: PolicyPatch,
    /// Rules that speak, in their order.
    rules: Vec<String>,
}

pub(super) fn offer(catalogue: &mut Catalogue) {
    use Effects::{Adds, Reads, Sets};
    catalogue.tool(ToolRow::typed(
        (
            "learner.get_preferences",
            "Get preferences",
            "How the learner likes it: letters, captions, sitting or standing, turning, narrowed view, hints by themselves, \
             more time.",
        ),
        (Act::ReadState, Reads),
        |call: Call, who: Who| async move {
            let learner = call.find(who.learner.as_deref())?.learner;
            call.may_with(Act::ReadState, learner)?;
            let preferences = call
                .look(|answer| Look::Preferences(learner, answer))
                .await??;
            Ok(Liked {
                learner,
                preferences,
            })
        },
    ));
    act(
        catalogue,
        (
            "learner.set_preferences",
            "Set preferences",
            "Changes how the learner likes it; it holds at once in their headset, and in later sessions.",
        ),
        (Act::Preferences, Sets),
        |it: Prefer| {
            Ok(CommandBody::SetPreferences {
                patch: it.preferences,
            })
        },
    );
    act(
        catalogue,
        (
            "learner.set_event",
            "Override stage",
            "Says at which stage of learning the learner is, whatever the models found; say why in `purpose`. It holds for a \
             while, then the models judge on from there. Low comfort still makes a break.",
        ),
        (Act::StageOverride, Sets),
        |it: Stage| {
            Ok(CommandBody::OverrideStage {
                event: it.event,
                seconds: it.seconds,
            })
        },
    );
    act(
        catalogue,
        (
            "assess.create_checkpoint",
            "Set checkpoint",
            "Has something checked beside the lesson's steps: a thing touched, taken, pressed, put into a socket or brought \
             into a volume, or a place reached. Once done, or once its time is over, it counts as an attempt at its skills.",
        ),
        (Act::Checkpoint, Adds),
        |it: Check| {
            Ok(CommandBody::SetCheckpoint {
                checkpoint: Checkpoint {
                    id: StepId::new(it.id),
                    asks: it.asks,
                    skills: it.skills.into_iter().map(SkillId::new).collect(),
                    within: it.within,
                },
            })
        },
    );
    act(
        catalogue,
        (
            "assess.remove_checkpoint",
            "Remove checkpoint",
            "A checkpoint that waits is not checked any more; it counts neither for nor against the learner.",
        ),
        (Act::Checkpoint, Sets),
        |it: Unchecked| {
            Ok(CommandBody::RemoveCheckpoint {
                checkpoint: StepId::new(it.checkpoint),
            })
        },
    );
    catalogue.tool(ToolRow::typed(
        (
            "adapt.get_policy",
            "Get adaptation policy",
            "Which adaptation rules are in force, and what was changed since the program began. policy://adaptation has the \
             whole table.",
        ),
        (Act::ReadPolicy, Reads),
        |call: Call, _: super::class::NoArguments| async move {
            let strategies = call.look(Look::Policy).await?;
            let table = strategies.table().table();
            Ok(InForce {
                name: table.name.clone(),
                changed: strategies.patch().clone(),
                rules: table.rules.iter().map(|rule| rule.id.clone()).collect(),
            })
        },
    ));
    offer_for_all(
        catalogue,
        (
            "adapt.set_policy",
            "Change adaptation policy",
            "Changes the adaptation rules of the machines on which these learners are: automatic on or off, rules on or off, \
             thresholds, limits, the hint ladder. Checked as `malloc-vr doctor --policy` does; it holds until the program is \
             started again, and `reset` takes everything back.",
        ),
        (Act::AdaptPolicy, Sets),
        |it: Policy| Ok(CommandBody::SetPolicy { patch: it.patch }),
    );
    act(
        catalogue,
        (
            "telemetry.set_level",
            "Set telemetry level",
            "How much is told of a learner, as far as was agreed to. A learner whose level is off is in no list: name their \
             id to open it again.",
        ),
        (Act::TelemetryLevel, Sets),
        |it: Telemetry| Ok(CommandBody::SetTelemetry { level: it.level }),
    );
    catalogue.tool(ToolRow::typed(
        (
            "predict.risk",
            "Risk",
            "How likely the learner is to stall or to leave within the next minute, and how sick they may feel, with \
             intervals. Calibrated on simulated learners only.",
        ),
        (Act::ReadRisk, Reads),
        |call: Call, who: Who| async move { risk(call, who).await },
    ));
}

async fn risk(call: Call, who: Who) -> Result<Risk, Fault> {
    let learner = call.find(who.learner.as_deref())?.learner;
    call.may_with(Act::ReadRisk, learner)?;
    Ok(call.look(|answer| Look::Risk(learner, answer)).await??)
}
