//! The learning suite: what the models cost, beside plain Python and NumPy; with `--data`, how well they predict students.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Args, Figure, Missing, Suite, figure};
use crate::cargo::{cargo, shown, succeed, target_dir};

/// The same equation for an interpreter.
const PYTHON: &str = include_str!("equation.py");

/// One figure of one run.
#[derive(Debug, Clone, Deserialize)]
struct Measured {
    value: f64,
    n: u64,
}

/// What `measure-learning` prints.
#[derive(Debug, Deserialize)]
struct Ours {
    equation_check: [f64; 3],
    #[serde(flatten)]
    figures: BTreeMap<String, Measured>,
}

/// What the Python program prints. Without NumPy: why there is none.
#[derive(Debug, Deserialize)]
struct Theirs {
    check: [f64; 3],
    python_ns: f64,
    numpy_check: Option<[f64; 3]>,
    numpy_ns: Option<f64>,
    no_numpy: Option<String>,
}

/// Costs of the learning models, and with `--data` how well they predict students.
///
/// # Errors
/// Where our own programs don't build or run, or the data can't be read.
pub(super) fn measure(args: &Args) -> Result<Suite> {
    // Only what is needed: of the whole workspace the engine's own programs would be linked, too.
    let mut build = cargo(&["build", "--release", "--workspace"]);
    build.args(["--bin", "measure-learning"]);
    if args.data.is_some() {
        build.args(["--bin", "malloc-vr"]);
    }
    succeed(&mut build)?;
    let bin = target_dir().join("release");
    let mut suite = Suite::new("learning", "release");
    costs(
        &mut suite,
        &bin.join("measure-learning"),
        args.rounds.max(1),
    )?;
    match &args.data {
        Some(data) => students(&mut suite, &bin.join("malloc-vr"), data)?,
        None => suite.missing.push(Missing {
            name: "auc_*, log_loss_*".into(),
            why: "no --data given".to_owned(),
        }),
    }
    Ok(suite)
}

/// What is taken over from `measure-learning`: name, unit, goal.
const COSTS: [(&str, &str, Option<f64>); 8] = [
    ("update_ns", "ns", None),
    ("decision_ns", "ns", None),
    ("update_decision_ns", "ns", Some(2000.0)),
    ("equation_ns", "ns", Some(50.0)),
    ("equation_batch_ns", "ns", None),
    ("tick_1k_learners_ms", "ms", None),
    ("tick_100k_learners_ms", "ms", Some(100.0)),
    ("steady_state_allocations", "count", Some(0.0)),
];

/// Ours and theirs in turns.
fn costs(suite: &mut Suite, program: &Path, rounds: u32) -> Result<()> {
    let mut ours: Vec<Ours> = Vec::new();
    let mut theirs: Result<Vec<Theirs>> = Ok(Vec::new());
    for round in 1..=rounds {
        println!("round {round} of {rounds}");
        let run: Ours = run(&mut Command::new(program))?;
        theirs = theirs.and_then(|mut theirs| {
            let python = python(run.equation_check)?;
            theirs.push(python);
            Ok(theirs)
        });
        ours.push(run);
    }
    for (name, unit, goal) in COSTS {
        let measured: Vec<&Measured> = ours.iter().filter_map(|it| it.figures.get(name)).collect();
        let values: Vec<f64> = measured.iter().map(|it| it.value).collect();
        let n = measured.iter().map(|it| it.n).sum();
        let baseline = if name.starts_with("equation") {
            "plain Python and NumPy, below"
        } else {
            "none"
        };
        suite
            .figures
            .push(figure(name, unit, goal, baseline, n, &values));
    }
    let ours = |name: &str| -> Vec<f64> {
        let of = |it: &Ours| it.figures.get(name).map_or(f64::NAN, |it| it.value);
        ours.iter().map(of).collect()
    };
    let theirs = match theirs {
        Ok(theirs) => theirs,
        Err(error) => {
            for name in ["equation_python_ratio", "equation_numpy_ratio"] {
                suite.missing.push(Missing {
                    name: name.into(),
                    why: format!("{error:#}"),
                });
            }
            return Ok(());
        }
    };
    compare(
        suite,
        ["equation_python_ns", "equation_python_ratio"],
        "plain Python, the same equation, one learner at a time, interleaved",
        &ours("equation_ns"),
        &theirs.iter().map(|it| it.python_ns).collect::<Vec<_>>(),
    );
    let numpy: Option<Vec<f64>> = theirs.iter().map(|it| it.numpy_ns).collect();
    match numpy {
        Some(numpy) => compare(
            suite,
            ["equation_numpy_ns", "equation_numpy_ratio"],
            "NumPy, the same equation, 1024 learners at once on both sides, interleaved",
            &ours("equation_batch_ns"),
            &numpy,
        ),
        None => suite.missing.push(Missing {
            name: "equation_numpy_ratio".into(),
            why: theirs
                .iter()
                .find_map(|it| it.no_numpy.clone())
                .unwrap_or_default(),
        }),
    }
    Ok(())
}

/// Their time, and ours as a share of it.
fn compare(
    suite: &mut Suite,
    names: [&'static str; 2],
    baseline: &'static str,
    ours: &[f64],
    theirs: &[f64],
) {
    let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| a / b).collect();
    let n = theirs.len() as u64;
    let [absolute, ratio] = names;
    suite
        .figures
        .push(figure(absolute, "ns", None, "none", n, theirs));
    suite
        .figures
        .push(figure(ratio, "ratio", None, baseline, n, &ratios));
}

/// Runs the Python program, and makes sure that it computes what we do.
fn python(ours: [f64; 3]) -> Result<Theirs> {
    let theirs: Theirs = run(Command::new("python3").args(["-c", PYTHON]))
        .context("python3 and for half of it NumPy are needed (apt install python3-numpy)")?;
    for check in [Some(theirs.check), theirs.numpy_check]
        .into_iter()
        .flatten()
    {
        let differ = ours.iter().zip(check).any(|(a, b)| (a - b).abs() > 1e-12);
        if differ {
            bail!("Python's equation gives {check:?}, ours {ours:?}: not the same equation");
        }
    }
    Ok(theirs)
}

/// Runs a program to its end and reads the JSON that it printed.
pub(super) fn run<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let shown = shown(command);
    // The words of a program handed over as an argument are many.
    let shown = shown.lines().next().unwrap_or_default();
    let output = command
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("cannot start {shown}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{shown} failed: {} {}", output.status, said.trim());
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("{shown} printed no figures"))
}

/// The models that `malloc-vr learning fit` knows.
const MODELS: [&str; 5] = ["bkt", "pfa", "elo", "best-lr", "best"];

/// Parts of a cross-validation: a learner belongs to the part of its number modulo this.
const FOLDS: u64 = 5;

/// How a data set is evaluated.
struct Set {
    name: &'static str,
    /// Whether questions of several skills stand in several rows, so that a row can repeat the one before.
    repeats: bool,
}

const SETS: [Set; 3] = [
    Set {
        name: "assist09u",
        repeats: true,
    },
    Set {
        name: "assist09",
        repeats: false,
    },
    Set {
        name: "assist15",
        repeats: false,
    },
];

/// What `malloc-vr learning eval --json` prints, as far as it is needed here.
#[derive(Debug, Deserialize)]
struct Evaluated {
    auc: f64,
    log_loss: f64,
    n: u64,
}

/// How well the models predict learners they have never seen, five-fold.
fn students(suite: &mut Suite, malloc_vr: &Path, data: &Path) -> Result<()> {
    for set in &SETS {
        let file = data.join(format!("{}.csv.gz", set.name));
        if !file.is_file() {
            suite.missing.push(Missing {
                name: format!("auc_{0}_*, log_loss_{0}_*", set.name).into(),
                why: format!("there is no {}", file.display()),
            });
            continue;
        }
        let folds = split(&file, set.name)?;
        for model in MODELS {
            println!("{model} on {}, {FOLDS} folds", set.name);
            if let Err(error) = cross_validate(suite, malloc_vr, set, model, &folds) {
                suite.missing.push(Missing {
                    name: format!("auc_{0}_{model}, log_loss_{0}_{model}", set.name).into(),
                    why: format!("{error:#}"),
                });
            }
        }
        for fold in folds {
            for file in [fold.fit, fold.eval] {
                std::fs::remove_file(file)?;
            }
        }
    }
    Ok(())
}

/// Fits a model to each fold's learners and evaluates it on the others.
fn cross_validate(
    suite: &mut Suite,
    malloc_vr: &Path,
    set: &Set,
    model: &str,
    folds: &[Fold],
) -> Result<()> {
    let (mut all, mut first_of_run) = (Vec::new(), Vec::new());
    let params = target_dir().join(format!("measure/{}-{model}.json", set.name));
    for fold in folds {
        succeed(
            Command::new(malloc_vr)
                .args(["learning", "fit", "--model", model])
                .arg(&fold.fit)
                .arg("--output")
                .arg(&params)
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )?;
        let evaluate = |option: Option<&str>| -> Result<Evaluated> {
            let mut command = Command::new(malloc_vr);
            command.args(["learning", "eval", "--json", "--params"]);
            run(command.arg(&params).arg(&fold.eval).args(option))
        };
        all.push(evaluate(None)?);
        if set.repeats {
            first_of_run.push(evaluate(Some("--first-of-run"))?);
        }
    }
    std::fs::remove_file(params)?;
    let unseen =
        "learners never seen, 5-fold by learner mod 5; one step ahead, every answer counted";
    let once = "the same, only answers counted that cannot repeat the one before";
    report(suite, &format!("{}_{model}", set.name), unseen, &all);
    if set.repeats {
        let name = format!("{}_first_of_run_{model}", set.name);
        report(suite, &name, once, &first_of_run);
    }
    Ok(())
}

/// Mean over the folds, as is usual for them, with the least and the most.
fn report(suite: &mut Suite, name: &str, protocol: &'static str, folds: &[Evaluated]) {
    let n = folds.iter().map(|it| it.n).sum();
    let mut push = |kind: &str, better, values: Vec<f64>| {
        let name = format!("{kind}_{name}").replace('-', "_");
        suite.figures.push(Figure {
            value: values.iter().sum::<f64>() / values.len() as f64,
            better,
            ..figure(name, "", None, protocol, n, &values)
        });
    };
    push("auc", "higher", folds.iter().map(|it| it.auc).collect());
    let losses = folds.iter().map(|it| it.log_loss).collect();
    push("log_loss", "lower", losses);
}

/// Two files: the learners to fit to, and the others.
struct Fold {
    fit: PathBuf,
    eval: PathBuf,
}

/// Writes each fold's two files to target/measure.
fn split(file: &Path, name: &str) -> Result<Vec<Fold>> {
    let folder = target_dir().join("measure");
    std::fs::create_dir_all(&folder)?;
    let (mut folds, mut writers) = (Vec::new(), Vec::new());
    for fold in 0..FOLDS {
        let [fit, eval] =
            ["fit", "eval"].map(|part| folder.join(format!("{name}-{fold}-{part}.csv")));
        writers.push([
            BufWriter::new(File::create(&fit)?),
            BufWriter::new(File::create(&eval)?),
        ]);
        folds.push(Fold { fit, eval });
    }
    let mut gzip = Command::new("gzip")
        .arg("-dc")
        .arg(file)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start gzip (apt install gzip)")?;
    let text = gzip.stdout.take().context("gzip has no output")?;
    for (number, line) in BufReader::new(text).lines().enumerate() {
        let line = line?;
        let learner = (number > 0)
            .then(|| learner_of(&line))
            .transpose()
            .with_context(|| format!("{}:{}", file.display(), number + 1))?;
        for (fold, [fit, eval]) in (0..).zip(&mut writers) {
            match learner {
                Some(learner) if learner % FOLDS == fold => writeln!(eval, "{line}")?,
                Some(_) => writeln!(fit, "{line}")?,
                // The heading.
                None => {
                    writeln!(fit, "{line}")?;
                    writeln!(eval, "{line}")?;
                }
            }
        }
    }
    for writer in writers.iter_mut().flatten() {
        writer.flush()?;
    }
    if !gzip.wait()?.success() {
        bail!("gzip could not read {}", file.display());
    }
    Ok(folds)
}

/// The number of a row's learner, which stands first.
fn learner_of(row: &str) -> Result<u64> {
    let learner = row.split(',').next().unwrap_or_default();
    learner
        .trim()
        .parse()
        .with_context(|| format!("`{learner}` is no learner's number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_learner_is_in_one_fold_by_its_number() {
        assert_eq!(learner_of("17,3,1").unwrap() % FOLDS, 2);
        assert!(learner_of("somebody,3,1").is_err());
    }

    #[test]
    fn what_our_program_prints_can_be_read() {
        let printed =
            r#"{"equation_check":[1,0,1],"update_ns":{"value":2.5,"n":3,"spread":[1,2]}}"#;
        let ours: Ours = serde_json::from_str(printed).unwrap();
        assert_eq!(ours.figures["update_ns"].n, 3);
    }
}
