//! What is looked up of one learner beside the published state: what was agreed to, and what is likely to happen next.

use schemars::JsonSchema;
use serde::Serialize;

use crate::adaptation::{Foresight, Outlook};
use crate::bridge::gate::Gate;
use crate::learning::comfort::MOST;
use crate::learning::estimate::Estimate;
use crate::learning::predict::HORIZON;
use crate::learning::strategy::feature::View;
use crate::protocol::consent::{ConsentActor, ConsentScope};
use crate::protocol::ids::LearnerId;
use crate::protocol::teaching::TelemetryLevel;
use crate::session::Learner;
use crate::session::standing::{Age, Agreements, allows, in_words};
use crate::session::state::LearnerState;
use crate::session::unix_ms;

/// What was agreed to for a learner.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::bridge) struct Agreed {
    /// Whose.
    pub learner: LearnerId,
    /// Whether an instructor may see this learner now.
    pub shown: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
    /// How much is told, as far as was agreed to.
    pub telemetry: TelemetryLevel,
    /// Who keeps the record from being used, if somebody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restricted_by: Option<ConsentActor>,
    /// Everything that can be agreed to.
    pub scopes: Vec<Scope>,
}

/// One thing that can be agreed to.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::bridge) struct Scope {
    /// Which.
    pub scope: ConsentScope,
    /// In words.
    pub words: String,
    /// Whether it may be done now.
    pub allowed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
    /// Who may agree to it for this learner.
    pub who: Vec<ConsentActor>,
    /// Who has agreed to it.
    pub given_by: Vec<ConsentActor>,
    /// Who has said no, or no longer.
    pub refused_by: Vec<ConsentActor>,
}

const ACTORS: [ConsentActor; 3] = [
    ConsentActor::Learner,
    ConsentActor::Guardian,
    ConsentActor::School,
];

pub(super) fn agreed(
    learner: &Learner,
    state: &LearnerState,
    age: Age,
    gate: &Gate,
    agreements: &Agreements,
) -> Agreed {
    let now = unix_ms();
    let standing = agreements.standing(learner.id, age, state, now);
    let consents = &state.consents;
    let one = |scope: ConsentScope| Scope {
        scope,
        words: in_words(scope).to_owned(),
        allowed: allows(scope, &standing),
        why_not: agreements
            .0
            .decide(scope, age.0, consents, now)
            .err()
            .map(|why| why.to_string()),
        who: agreements.0.may_agree(scope, age.0),
        given_by: ACTORS
            .into_iter()
            .filter(|by| consents.given(scope, *by).is_some())
            .collect(),
        refused_by: ACTORS
            .into_iter()
            .filter(|by| consents.refused(scope, *by))
            .collect(),
    };
    Agreed {
        learner: learner.id,
        shown: gate.is_open(),
        why_not: gate.shut.clone(),
        telemetry: state.telemetry,
        restricted_by: state.rights.restricted_by().map(|(by, _)| by),
        scopes: ConsentScope::ALL.into_iter().map(one).collect(),
    }
}

/// What is likely to happen next to a learner.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::bridge) struct Risk {
    /// Whose.
    pub learner: LearnerId,
    /// Chances within the horizon; left out where nothing can be said: no lesson runs, or the record is restricted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soon: Option<Soon>,
    /// Sickness to be expected; left out where no headset was worn and nobody said how they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sickness: Option<Sickness>,
    /// What the chances are worth.
    pub calibration: String,
    /// Version of the parameters.
    pub version: u32,
}

/// Chances of the next while.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::bridge) struct Soon {
    /// Seconds that they are for.
    pub horizon_seconds: f64,
    /// That the next attempt succeeds, 0..1 …
    pub next_success: f64,
    /// … with what the ends of the models' intervals make of it.
    pub next_success_interval: [f64; 2],
    /// That the learner stalls (30 s without progress) within the horizon, 0..1.
    pub stall: f64,
    /// That the learner leaves for good within the horizon, 0..1.
    pub leaving: f64,
}

/// Sickness on the fast motion sickness scale.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::bridge) struct Sickness {
    /// 0 (none) to 20 (about to be sick).
    pub fms: f64,
    /// Its 95 % interval.
    pub interval: [f64; 2],
    /// The scale's end.
    pub most: f64,
}

pub(super) fn risk(
    learner: LearnerId,
    state: &LearnerState,
    outlook: Option<&Outlook>,
    foresight: &Foresight,
) -> Risk {
    let may = !state.is_restricted() && !state.ended;
    let told = outlook.and_then(|outlook| outlook.0);
    // Where the rules do not run (on a host), from what the log says alone, over the lesson's skills.
    let from_log = || {
        let skills: Vec<_> = state.skills.iter().cloned().collect();
        let numbers = state.models.numbers(state.lesson.as_ref()?, &skills);
        let difficulty = Estimate {
            mean: state.adapted.logits(),
            variance: 0.0,
        };
        let scene = View::default();
        let (_, soon) = state
            .models
            .view(&numbers, difficulty, &scene, &foresight.0);
        soon
    };
    let soon = may.then(|| told.or_else(from_log)).flatten();
    let sickness = state.models.comfort().filter(|_| !state.is_restricted());
    Risk {
        learner,
        soon: soon.map(|soon| Soon {
            horizon_seconds: HORIZON,
            next_success: soon.success.mean,
            next_success_interval: [soon.success.lower, soon.success.upper],
            stall: soon.stalls_within(HORIZON),
            leaving: soon.leaves_within(HORIZON),
        }),
        sickness: sickness.map(|comfort| {
            let (fms, interval) = comfort.sickness();
            Sickness {
                fms,
                interval: [interval.low, interval.high],
                most: MOST,
            }
        }),
        calibration: format!(
            "not calibrated on real learners; {}",
            foresight.0.provenance
        ),
        version: foresight.0.version,
    }
}
