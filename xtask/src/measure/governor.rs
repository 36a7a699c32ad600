//! The governor suite: missed frames, recovery, reversals and quality kept under four policies, on a model of a headset and
//! in a real OpenXR session.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{Args, Figure, Missing, Suite};
use crate::cargo::{cargo, shown, succeed, target_dir};
use crate::runtime::Runtime;

/// One figure of the program's.
#[derive(Debug, Deserialize)]
struct Measured {
    value: f64,
    n: u64,
    spread: [f64; 2],
}

/// Kinds of figures: how the name begins, unit, our goal where the actuators can absorb the load, which is better.
const KINDS: [(&str, &str, Option<f64>, &str); 15] = [
    ("missed_ratio", "ratio", Some(0.01), "lower"),
    ("mean_scale", "ratio", None, "higher"),
    ("mean_quality", "ratio", None, "higher"),
    ("recovery_frames", "frames", Some(3.0), "lower"),
    ("reversals_per_2s_max", "count", Some(1.0), "lower"),
    ("turns_per_2s_max", "count", None, "lower"),
    ("level_changes_per_minute", "1/min", None, "lower"),
    ("hours_per_second", "h/s", None, "higher"),
    ("own_cost_p99_us", "us", Some(20.0), "lower"),
    ("own_allocations", "count", Some(0.0), "lower"),
    // With nothing on the dial: what lies above can't be absorbed where this is near 1.
    ("base_cpu_ratio", "ratio", None, "lower"),
    ("base_gpu_ratio", "ratio", None, "lower"),
    ("lit_load_ratio", "ratio", None, "higher"),
    ("absorbable_load_ratio", "ratio", None, "higher"),
    // What other guests of the host took: figures of a run in which this is much say little.
    ("stolen_time_ratio", "ratio", None, "lower"),
];

/// The governor on the plant and in a session; in a session only, and as the development build, where that is asked for.
///
/// # Errors
/// Where our own program doesn't build or run, or prints a figure of no known kind.
pub(super) fn measure(args: &Args) -> Result<Suite> {
    let release = args.release || !args.session;
    let mut build = cargo(&["build", "--locked"]);
    if release {
        build.args(["--release", "--package", "malloc-vr"]);
        build.args(["--bin", "measure-governor", "--bin", "simulate"]);
    } else {
        build.args(["--workspace", "--bins"]);
    }
    succeed(&mut build)?;
    let plots = args.out.clone();
    let plots = plots.unwrap_or_else(|| target_dir().join("measure"));
    let bin = target_dir().join(if release { "release" } else { "debug" });
    let mut suite = Suite::new("governor", if release { "release" } else { "dev" });
    if !args.session {
        on_the_plant(&bin, &plots, &mut suite)?;
    }
    match in_session(args, &bin, &plots) {
        Ok(measured) => {
            for (name, measured) in measured {
                suite.figures.push(figure(name, &measured)?);
            }
        }
        Err(error) => suite.missing.push(Missing {
            name: "the same in a real OpenXR session".into(),
            why: format!("{error:#}"),
        }),
    }
    Ok(suite)
}

fn on_the_plant(bin: &Path, plots: &Path, suite: &mut Suite) -> Result<()> {
    let mut program = Command::new(bin.join("measure-governor"));
    program.arg("--plots").arg(plots).stderr(Stdio::inherit());
    println!("{}", shown(&program));
    let output = program.output().context("cannot start it")?;
    if !output.status.success() {
        bail!("measure-governor ended with {}", output.status);
    }
    let measured: BTreeMap<String, Measured> = serde_json::from_slice(&output.stdout)
        .context("measure-governor printed no JSON object of figures")?;
    for (name, measured) in measured {
        suite.figures.push(figure(name, &measured)?);
    }
    Ok(())
}

/// Scripts that are played in the session; what it takes beside the runs, seconds.
const SCRIPTS: [&str; 3] = ["steps", "ramps", "bursts"];
const BESIDE: u32 = 180;
/// How often a run is played at most, where the host's other guests disturb it.
const PLAYED: u32 = 4;
/// What the session runs with, unless the user says otherwise: one core for the software renderer and one for us; and every
/// period asked for, as headsets do, where Monado would ask an application that was late for every second one only.
const SETTINGS: [(&str, &str); 2] = [
    ("LP_NUM_THREADS", "1"),
    ("U_PACING_APP_USE_MIN_FRAME_PERIOD", "1"),
];

/// What the session wrote.
#[derive(Debug, Deserialize)]
struct Session {
    /// Device, driver and display rate.
    device: String,
    figures: BTreeMap<String, Measured>,
}

/// The stress scene in the simulated headset: each script under each of the four policies, as many times as rounds are asked
/// for. The plots show the last.
fn in_session(args: &Args, bin: &Path, plots: &Path) -> Result<BTreeMap<String, Measured>> {
    let runtime = Runtime::ready()?;
    std::fs::create_dir_all(plots)?;
    let mut rounds = Vec::new();
    for round in 1..=args.rounds.max(1) {
        println!("in a session, round {round} of {}", args.rounds.max(1));
        rounds.push(one_session(&runtime, args.seconds, bin, plots, round)?);
    }
    Ok(together(&rounds))
}

fn one_session(
    runtime: &Runtime,
    seconds: u32,
    bin: &Path,
    plots: &Path,
    round: u32,
) -> Result<BTreeMap<String, Measured>> {
    let file = target_dir().join(format!("measure/governor-session-{round}.json"));
    let _ = std::fs::remove_file(&file);
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let runs = (seconds + 2) * 4 * SCRIPTS.len() as u32 * PLAYED;
    let mut arguments = vec![
        "--for".to_owned(),
        (runs + BESIDE).to_string(),
        "--run".to_owned(),
    ];
    arguments.push(bin.join("measure-governor").display().to_string());
    for (name, value) in [
        ("--session", file.display().to_string()),
        ("--plots", plots.display().to_string()),
        ("--scripts", SCRIPTS.join(",")),
        ("--seconds", seconds.to_string()),
    ] {
        arguments.extend([name.to_owned(), value]);
    }
    let mut command = runtime.command(&bin.join("simulate"), &arguments)?;
    for (name, value) in SETTINGS {
        if std::env::var_os(name).is_none() {
            command.env(name, value);
        }
    }
    succeed(command.stdout(Stdio::null()))?;
    let text = std::fs::read_to_string(&file).context("the session wrote no figures")?;
    let session: Session =
        serde_json::from_str(&text).context("the session wrote figures that can't be read")?;
    println!("in a session on {}", session.device);
    Ok(session.figures)
}

/// Figures of several rounds: the median of each with its range over the rounds; of recoveries and turns the worst.
fn together(rounds: &[BTreeMap<String, Measured>]) -> BTreeMap<String, Measured> {
    let mut all: BTreeMap<&str, Vec<&Measured>> = BTreeMap::new();
    for (name, measured) in rounds.iter().flatten() {
        all.entry(name).or_default().push(measured);
    }
    let one = |name: &str, measured: &[&Measured]| {
        let mut values: Vec<f64> = measured.iter().map(|it| it.value).collect();
        values.sort_by(f64::total_cmp);
        let worst = name.starts_with("recovery") || name.contains("_max_");
        let (least, most) = (values.first().copied(), values.last().copied());
        let middle = values.get(values.len() / 2).copied();
        Measured {
            value: if worst { most } else { middle }.unwrap_or(f64::NAN),
            n: measured.iter().map(|it| it.n).sum(),
            spread: [least, most].map(|it| it.unwrap_or(f64::NAN)),
        }
    };
    all.into_iter()
        .map(|(name, measured)| (name.to_owned(), one(name, &measured)))
        .collect()
}

fn figure(name: String, measured: &Measured) -> Result<Figure> {
    let kind = KINDS.iter().find(|(kind, ..)| name.starts_with(kind));
    let Some(&(kind, unit, goal, better)) = kind else {
        bail!(
            "measure-governor printed `{name}`, of a kind that xtask/src/measure/governor.rs does not know"
        );
    };
    // Goals are for our own policy; with one lever alone they aren't promised.
    let of_us = !name.starts_with(&format!("{kind}_")) || name.contains("_ours_");
    let one_lever = name.contains("_ours_scale_");
    Ok(Figure {
        value: measured.value,
        unit,
        goal: goal.filter(|_| of_us && !one_lever),
        better,
        baseline: if kind.starts_with("own") || kind == "hours_per_second" {
            "none"
        } else if name.ends_with("_session") {
            "the other policies in the same OpenXR session, one after the other"
        } else {
            "plant model, no headset; the other policies with the same script and luck"
        },
        n: measured.n,
        spread: measured.spread,
        name: name.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_are_ours_and_not_the_others() {
        let measured = Measured {
            value: 0.0,
            n: 1,
            spread: [0.0, 0.0],
        };
        let goal = |name: &str| figure(name.to_owned(), &measured).unwrap().goal;
        assert_eq!(goal("missed_ratio_ours_steps"), Some(0.01));
        assert_eq!(goal("missed_ratio_off_steps"), None);
        assert_eq!(goal("missed_ratio_ours_scale_steps"), None);
        assert_eq!(goal("own_cost_p99_us"), Some(20.0));
        assert!(figure("luck".to_owned(), &measured).is_err());
    }

    #[test]
    fn rounds_come_together_as_median_and_range_and_recoveries_as_their_worst() {
        let round = |missed: f64, recovery: f64| {
            let of = |value: f64| Measured {
                value,
                n: 400,
                spread: [value, value],
            };
            BTreeMap::from([
                ("missed_ratio_ours_steps_session".to_owned(), of(missed)),
                (
                    "recovery_frames_ours_steps_session".to_owned(),
                    of(recovery),
                ),
            ])
        };
        let all = together(&[round(0.03, 2.0), round(0.01, 5.0), round(0.02, 3.0)]);
        let of = |name: &str| {
            let it = &all[name];
            (it.value, it.n, it.spread)
        };
        assert_eq!(
            of("missed_ratio_ours_steps_session"),
            (0.02, 1200, [0.01, 0.03])
        );
        assert_eq!(
            of("recovery_frames_ours_steps_session"),
            (5.0, 1200, [2.0, 5.0])
        );
    }
}
