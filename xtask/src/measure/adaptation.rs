//! The adaptation suite: what the policy does to simulated learners, beside none, the original's and an oracle's.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use super::{Args, Figure, Missing, Suite};
use crate::cargo::{build_test, cargo, shown, succeed, target_dir};

/// One figure, with its 95 % interval over learners.
#[derive(Debug, Deserialize)]
struct Measured {
    value: f64,
    n: u64,
    spread: [f64; 2],
}

/// What is taken over from `measure-adaptation`: name, unit, goal, which is better, beside what.
const FIGURES: [(&str, &str, Option<f64>, &str, &str); 32] = [
    (
        "appropriateness",
        "ratio",
        Some(0.97),
        "higher",
        "the decision with the truth known",
    ),
    (
        "appropriateness_agreement_with_oracle",
        "ratio",
        None,
        "higher",
        "appropriateness_chance_agreement_with_oracle",
    ),
    (
        "appropriateness_chance_agreement_with_oracle",
        "ratio",
        None,
        "higher",
        "control: anything at random",
    ),
    (
        "appropriateness_within_a_fifth",
        "ratio",
        None,
        "higher",
        "at most a fifth of what the time until the next decision is worth is lost",
    ),
    (
        "appropriateness_regret",
        "ratio",
        None,
        "lower",
        "share of what the time until the next decision is worth",
    ),
    (
        "appropriateness_first_table",
        "ratio",
        None,
        "higher",
        "the delivered table's first edition",
    ),
    (
        "gain_vs_first_table",
        "score",
        None,
        "higher",
        "the delivered table's first edition, same learners and luck",
    ),
    (
        "appropriateness_none",
        "ratio",
        None,
        "higher",
        "control: never doing anything",
    ),
    (
        "appropriateness_original",
        "ratio",
        None,
        "higher",
        "control: the original's thresholds",
    ),
    (
        "appropriateness_chance",
        "ratio",
        None,
        "higher",
        "control: anything at random",
    ),
    (
        "zero_evidence_advances",
        "count",
        Some(0.0),
        "lower",
        "none",
    ),
    ("demotions", "count", None, "higher", "none"),
    (
        "event_changes_faster_than_dwell",
        "count",
        Some(0.0),
        "lower",
        "none",
    ),
    (
        "difficulty_reversals_faster_than_cool_down",
        "count",
        Some(0.0),
        "lower",
        "none",
    ),
    (
        "gain_vs_none",
        "score",
        None,
        "higher",
        "the lesson as authored, same learners and luck",
    ),
    (
        "gain_vs_original_thresholds",
        "score",
        None,
        "higher",
        "the original's thresholds, same learners and luck",
    ),
    (
        "gain_vs_original_with_cool_down",
        "score",
        None,
        "higher",
        "the same with 30 s between changes",
    ),
    (
        "gain_of_oracle_vs_none",
        "score",
        None,
        "higher",
        "what could be had",
    ),
    (
        "gain_vs_none_if_difficulty_is_irrelevant",
        "score",
        None,
        "higher",
        "control: learners to whom difficulty is all the same",
    ),
    ("left_early_none", "ratio", None, "lower", "none"),
    ("left_early_ours", "ratio", None, "lower", "left_early_none"),
    ("worst_sickness_none", "FMS", None, "lower", "none"),
    (
        "worst_sickness_ours",
        "FMS",
        None,
        "lower",
        "worst_sickness_none",
    ),
    (
        "brier_success",
        "score",
        None,
        "lower",
        "brier_base_rate_success",
    ),
    ("brier_base_rate_success", "score", None, "lower", "none"),
    (
        "calibration_error_success",
        "ratio",
        None,
        "lower",
        "simulated learners only",
    ),
    ("prediction_ns", "ns", Some(1e6), "lower", "none"),
    (
        "calibration_error_stall_60s",
        "ratio",
        None,
        "lower",
        "simulated learners only",
    ),
    (
        "calibration_error_stall_300s",
        "ratio",
        None,
        "lower",
        "simulated learners only",
    ),
    (
        "calibration_error_leaving_60s",
        "ratio",
        None,
        "lower",
        "simulated learners only",
    ),
    (
        "calibration_error_leaving_300s",
        "ratio",
        None,
        "lower",
        "simulated learners only",
    ),
    (
        "brier_leaving_300s",
        "score",
        None,
        "lower",
        "brier_base_rate_leaving_300s",
    ),
];

/// Simulated learners under several policies.
///
/// # Errors
/// Where our own program doesn't build or run, or leaves a figure out.
pub(super) fn measure(_: &Args) -> Result<Suite> {
    let mut build = cargo(&["build", "--release", "--workspace"]);
    build.args(["--bin", "measure-adaptation"]);
    succeed(&mut build)?;
    let mut program = Command::new(target_dir().join("release/measure-adaptation"));
    program.stderr(Stdio::inherit());
    println!("{}", shown(&program));
    let output = program.output().context("cannot start it")?;
    if !output.status.success() {
        bail!("measure-adaptation ended with {}", output.status);
    }
    let measured: BTreeMap<String, Value> =
        serde_json::from_slice(&output.stdout).context("measure-adaptation printed no JSON")?;
    let mut suite = Suite::new("adaptation", "release");
    for (name, unit, goal, better, baseline) in FIGURES {
        let value = measured
            .get(name)
            .with_context(|| format!("measure-adaptation printed no `{name}`"))?;
        let figure = Measured::deserialize(value).with_context(|| name.to_owned())?;
        suite.figures.push(Figure {
            name: name.into(),
            value: figure.value,
            unit,
            goal,
            better,
            baseline,
            n: figure.n,
            spread: figure.spread,
        });
    }
    reidentification(&mut suite)?;
    Ok(suite)
}

/// What the attack of `tests/reidentification` prints.
#[derive(Debug, Deserialize)]
struct Attack {
    of: String,
    auc: f64,
    half_width: f64,
    people: u64,
}

/// Forms of the same sessions that are attacked: their name in the test, the figure's name, beside what.
const ATTACKED: [(&str, &str, &str); 2] = [
    (
        "released",
        "reidentification_auc",
        "reidentification_auc_motion; 0.5 is chance",
    ),
    (
        "motion",
        "reidentification_auc_motion",
        "control: the motion itself, which does not leave",
    ),
];

/// Whether people are told apart by what leaves the headset, by the test that tries it.
fn reidentification(suite: &mut Suite) -> Result<()> {
    let output = Command::new(build_test("reidentification")?)
        .args(["motion_tells_who_it_is", "what_leaves_the_headset_does_not"])
        .args(["--exact", "--nocapture"])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let told = attacks(&text);
    for (of, name, baseline) in ATTACKED {
        let Some(attack) = told.iter().find(|it| it.of == of) else {
            suite.missing.push(Missing {
                name: name.into(),
                why: format!("the test told nothing of it: {text}"),
            });
            continue;
        };
        suite.figures.push(Figure {
            name: name.into(),
            value: attack.auc,
            unit: "AUC",
            goal: (of == "released").then_some(0.5),
            better: "lower",
            baseline,
            n: attack.people,
            spread: [
                attack.auc - attack.half_width,
                attack.auc + attack.half_width,
            ],
        });
    }
    Ok(())
}

/// The figures among what the test prints; a line may begin with the test's own name.
fn attacks(text: &str) -> Vec<Attack> {
    text.lines()
        .filter_map(|line| serde_json::from_str(line.get(line.find("{\"figure\"")?..)?).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attacks_figures_are_found_among_the_tests_words() {
        let text = "running 2 tests\nmotion: AUC 0.999\n\
            {\"figure\":\"reidentification_auc\",\"of\":\"motion\",\"auc\":0.9990,\"half_width\":0.0010,\
            \"first_guess\":0.9,\"chance\":0.0167,\"people\":180}\ntest motion_tells_who_it_is ... ok\n";
        let told = attacks(text);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].of.as_str(), told[0].people), ("motion", 180));
    }
}
