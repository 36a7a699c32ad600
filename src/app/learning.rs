//! `malloc-vr learning`: fits knowledge tracing to answers, and measures it on others.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::cli::{EvalArgs, ExplainArgs, FitArgs};
use crate::learning::tracer::answers::Names;
use crate::learning::tracer::fitted::{self, Fitted, Provenance};
use crate::learning::tracer::score::{Counted, score};
use crate::record::Action;
use crate::record::rights::Rights;

mod effect;
mod explain;
mod plot;
mod table;

/// Why parameters cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {why}")]
struct BadParams {
    file: String,
    why: String,
}

/// `malloc-vr learning fit`.
pub(super) fn fit(args: &FitArgs) -> Result<ExitCode, Box<dyn Error>> {
    let table = table::read(&args.data, Names::default(), Names::default())?;
    // Known only now, and better said before the work than after it.
    if args.output.is_dir() {
        return Err(format!(
            "{} is a folder; name the file to write with -o",
            args.output.display()
        )
        .into());
    }
    let bar = ProgressBar::new(1).with_style(
        ProgressStyle::with_template("  fitting {bar:30} {pos}/{len}, {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let begun = Instant::now();
    let name = args.data.file_name().unwrap_or_default().to_string_lossy();
    let fitted = fitted::fit(
        args.model.into(),
        &table.answers,
        (&table.skills, &table.items),
        Provenance {
            data: name.into_owned(),
            fitted_by: concat!("malloc-vr ", env!("CARGO_PKG_VERSION")).to_owned(),
            ..Provenance::default()
        },
        &|done, of| {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
        },
    );
    bar.finish_and_clear();
    write_whole(&args.output, serde_json::to_string(&fitted)?.as_bytes())?;
    println!(
        "{}: fitted to {} answers of {} learners ({} skills, {} items) in {:.1} s",
        args.output.display(),
        table.answers.len(),
        table.answers.learner_count(),
        table.skills.len(),
        table.items.len(),
        begun.elapsed().as_secs_f64()
    );
    Ok(ExitCode::SUCCESS)
}

/// `malloc-vr learning eval`.
pub(super) fn eval(args: &EvalArgs) -> Result<ExitCode, Box<dyn Error>> {
    let fitted = read_params(&args.params)?;
    let (skills, items) = fitted.names();
    let (known_skills, known_items) = (skills.len(), items.len());
    let table = table::read(&args.data, skills, items)?;
    let counted = if args.first_of_run {
        Counted::FirstOfRun
    } else {
        Counted::All
    };
    let begun = Instant::now();
    let pairs = fitted.one_step_ahead(&table.answers, counted);
    let seconds = begun.elapsed().as_secs_f64();
    let score = score(&pairs).ok_or("no answer counts")?;
    let protocol = match counted {
        Counted::All => "one step ahead, every answer counted",
        Counted::FirstOfRun => {
            "one step ahead, only answers counted that cannot repeat the one before"
        }
    };
    if let Some(file) = &args.plot {
        let title = format!(
            "{:?} on {}: calibration error {:.4}",
            fitted.kind(),
            args.data.display(),
            score.ece
        );
        plot::reliability(file, &title, &score)?;
    }
    if args.json {
        let figures = json!({
            "auc": score.auc,
            "rmse": score.rmse,
            "log_loss": score.log_loss,
            "accuracy": score.accuracy,
            "ece": score.ece,
            "n": score.n,
            "seconds": seconds,
            "protocol": protocol,
        });
        println!("{figures}");
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "model:     {:?}, fitted to {}",
        fitted.kind(),
        fitted.provenance.data
    );
    println!("protocol:  {protocol}");
    println!(
        "answers:   {} of {} learners; {} skills and {} items were not in the fit",
        score.n,
        table.answers.learner_count(),
        table.skills.len() - known_skills,
        table.items.len().saturating_sub(known_items)
    );
    println!("AUC        {:.4}", score.auc);
    println!("RMSE       {:.4}", score.rmse);
    println!("log-loss   {:.4}", score.log_loss);
    println!("accuracy   {:.4}", score.accuracy);
    println!("calibration error {:.4}", score.ece);
    println!(
        "{:.2} µs an answer",
        seconds * 1e6 / table.answers.len() as f64
    );
    Ok(ExitCode::SUCCESS)
}

/// `malloc-vr learning explain`.
pub(super) fn explain(args: &ExplainArgs) -> Result<ExitCode, Box<dyn Error>> {
    let events = explain::read(&args.log, args.learner)?;
    if let Some(number) = args.decision {
        print!("{}", explain::decision(&events, number)?);
        return Ok(ExitCode::SUCCESS);
    }
    let story = explain::tell(&events)?;
    print!("{}", story.text);
    if let Some(file) = &args.plot {
        plot::story(file, &story.curves)?;
        println!("\n{}", file.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// `malloc-vr learning effect`.
pub(super) fn effect(data_dir: &Path, json: bool) -> Result<ExitCode, Box<dyn Error>> {
    let store = super::records::open(data_dir)?;
    let purpose = "what the adaptation rules do, over the class";
    store.audit(&super::duties::by(purpose), None, Action::Accessed)?;
    let mut logs = Vec::new();
    for entry in store.learners()? {
        let log = store.events(entry.learner)?;
        // Who restricted their record is no part of it.
        if Rights::of(&log).restricted_by().is_none() {
            logs.push(log);
        }
    }
    let reports = effect::of(&logs);
    if json {
        println!("{}", serde_json::to_string_pretty(&reports)?);
    } else {
        print!("{}", effect::in_words(&reports));
    }
    Ok(ExitCode::SUCCESS)
}

fn read_params(file: &Path) -> Result<Fitted, BadParams> {
    let bad = |why: String| BadParams {
        file: file.display().to_string(),
        why,
    };
    let text = std::fs::read_to_string(file).map_err(|error| bad(error.to_string()))?;
    let fitted: Fitted = serde_json::from_str(&text).map_err(|error| {
        bad(format!(
            "not the parameters of a tracer ({error}); `malloc-vr learning fit` writes them"
        ))
    })?;
    fitted.validated().map_err(|error| bad(error.to_string()))
}

/// Under another name first, so that a full disk leaves no half file behind.
fn write_whole(file: &Path, bytes: &[u8]) -> Result<(), String> {
    let part = file.with_extension("part");
    std::fs::write(&part, bytes)
        .and_then(|()| std::fs::rename(&part, file))
        .map_err(|error| {
            // What is left of it is of no use.
            let _ = std::fs::remove_file(&part);
            format!("cannot write {}: {error}", file.display())
        })
}
