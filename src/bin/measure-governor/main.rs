//! What the governor does on the plant, beside none and two published policies: prints one JSON object for
//! `cargo xtask measure governor`, and draws it.
//!
//! All of it is about a model of a headset (`malloc_vr::governor::plant`), and says nothing about a real one. Policies are
//! paired: each has the same scripts with the same luck.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use malloc_vr::governor::plant::run::{Report, Setup, run};
use malloc_vr::governor::plant::script::{Playing, Script};
use malloc_vr::governor::plant::{Parameters, Plant, heat};
use malloc_vr::governor::policies::{Policy, Unreal, Valve, scale_only};
use malloc_vr::governor::rules::Rules;
use malloc_vr::governor::sense::History;
use malloc_vr::governor::state::Now;
use serde_json::{Value, json};

mod calibrate;
#[path = "../../../benches/support/counting.rs"]
mod counting;
mod plot;
mod processors;
mod session;
mod stress;

use counting::ALLOCATIONS;

/// Seconds between two seams of the lesson.
const SEAMS: f64 = 20.0;
/// Heat takes half an hour.
const SOAK: f64 = 1800.0;

#[derive(Parser)]
#[command(about = "What the governor does on a model of a headset, as one JSON object.")]
struct Args {
    /// Seconds of each script.
    #[arg(long, default_value_t = 240.0)]
    seconds: f64,
    /// Runs of each script, with luck of their own.
    #[arg(long, default_value_t = 8)]
    rounds: u64,
    /// Hours of wild load under our policy.
    #[arg(long, default_value_t = 100)]
    hours: u64,
    /// Rules (RON) instead of the delivered ones.
    #[arg(long)]
    rules: Option<PathBuf>,
    /// Also plays a recorded trace: a line for each frame, `CPU seconds,GPU seconds` at full quality.
    #[arg(long)]
    trace: Option<PathBuf>,
    /// In a real OpenXR session instead, where one runs: write the figures here.
    #[arg(long, value_name = "FILE")]
    session: Option<PathBuf>,
    /// Scripts for the session.
    #[arg(long, value_delimiter = ',', default_value = "steps,ramps,bursts")]
    scripts: Vec<String>,
    /// How many times as fast scripts go in the session.
    #[arg(long, default_value_t = 1.0)]
    pace: f64,
    /// Folder for the plots.
    #[arg(long)]
    plots: Option<PathBuf>,
}

/// The policies: the four that are compared, ours with the scale alone, Valve's law over Unreal's range.
const POLICIES: [&str; 6] = ["off", "ours", "valve", "unreal", "ours_scale", "valve_wide"];

fn policy(name: &str, rules: &Rules) -> Policy {
    match name {
        "ours" | "ours_scale" => Policy::ours(rules),
        "valve" => Policy::Valve(Valve::default()),
        "valve_wide" => Policy::Valve(Valve::from_scale(0.5)),
        "unreal" => Policy::Unreal(Unreal::default()),
        _ => Policy::Off,
    }
}

fn main() -> Result<()> {
    let args = Args::parse();
    let rules = match &args.rules {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            ron::from_str(&text).with_context(|| format!("{} holds no rules", file.display()))?
        }
        None => Rules::default(),
    };
    rules.validate()?;
    if let Some(file) = &args.session {
        return session::measure(&args, file, rules);
    }
    let mut scripts: Vec<(String, Script)> = Script::COMPARED
        .into_iter()
        .map(|(name, script)| (name.to_owned(), script))
        .collect();
    if let Some(file) = &args.trace {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let trace = Script::trace(&text).with_context(|| file.display().to_string())?;
        scripts.push(("trace".to_owned(), trace));
    }
    let mut figures = BTreeMap::new();
    for (script_name, script) in &scripts {
        for name in POLICIES {
            let reports: Vec<Report> = (1..=args.rounds)
                .map(|seed| play(name, script, seed, args.seconds, false, &rules))
                .collect();
            figures.extend(compared(&format!("{name}_{script_name}"), &reports));
        }
    }
    figures.extend(long(args.hours, &rules));
    figures.extend(own_cost(&rules));
    if let Some(folder) = &args.plots {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        for (script_name, script) in &scripts {
            let runs: Vec<(&str, Report)> = POLICIES
                .iter()
                .take(4)
                .map(|name| (*name, play(name, script, 1, 60.0, true, &rules)))
                .collect();
            let file = folder.join(format!("governor-{script_name}.png"));
            let title = format!(
                "{script_name}, on the plant model (no headset): frame time, level, render scale"
            );
            plot::draw(&file, &title, plot::TALLEST, &runs)?;
        }
    }
    println!("{}", json!(figures));
    Ok(())
}

fn play(
    name: &str,
    script: &Script,
    seed: u64,
    seconds: f64,
    trace: bool,
    rules: &Rules,
) -> Report {
    let one_lever;
    let rules = if name == "ours_scale" {
        one_lever = scale_only(rules);
        &one_lever
    } else {
        rules
    };
    let soak = *script == Script::Soak;
    let setup = Setup {
        parameters: Parameters {
            heat: soak.then(heat::Parameters::default),
            ..Parameters::default()
        },
        script,
        seed,
        seconds: if soak && !trace { SOAK } else { seconds },
        seams: SEAMS,
        trace,
    };
    run(&mut policy(name, rules), &setup, rules)
}

/// The value that stands for all, and the least and the most.
fn figure(mut values: Vec<f64>, n: u64, worst: bool) -> Value {
    values.sort_by(f64::total_cmp);
    let (least, most) = (values.first().copied(), values.last().copied());
    let value = if worst {
        most
    } else {
        values.get(values.len() / 2).copied()
    };
    json!({ "value": value, "n": n, "spread": [least, most] })
}

fn compared(name: &str, reports: &[Report]) -> Vec<(String, Value)> {
    let frames = reports.iter().map(|it| it.frames).sum();
    let runs = reports.len() as u64;
    let all = |f: &dyn Fn(&Report) -> f64| reports.iter().map(f).collect::<Vec<f64>>();
    let mut figures = vec![
        (
            "missed_ratio",
            figure(all(&Report::missed_ratio), frames, false),
        ),
        (
            "mean_scale",
            figure(all(&|it| it.mean_scale), frames, false),
        ),
        (
            "mean_quality",
            figure(all(&|it| it.mean_quality), frames, false),
        ),
        (
            "reversals_per_2s_max",
            figure(all(&|it| f64::from(it.reversals)), runs, true),
        ),
        (
            "turns_per_2s_max",
            figure(all(&|it| f64::from(it.turns)), runs, true),
        ),
        (
            "level_changes_per_minute",
            figure(
                all(&|it| it.level_changes as f64 / it.seconds * 60.0),
                runs,
                false,
            ),
        ),
    ];
    let recoveries: Vec<f64> = reports
        .iter()
        .flat_map(|it| it.recoveries.iter().copied().map(f64::from))
        .collect();
    if !recoveries.is_empty() {
        let n = recoveries.len() as u64;
        figures.push(("recovery_frames", figure(recoveries, n, true)));
    }
    figures
        .into_iter()
        .map(|(kind, value)| (format!("{kind}_{name}"), value))
        .collect()
}

/// Many hours of steps, ramps and bursts on both sides, an hour with each luck, on as many threads as there are cores.
fn long(hours: u64, rules: &Rules) -> Vec<(String, Value)> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let begun = Instant::now();
    let hour = |seed| {
        let setup = Setup {
            parameters: Parameters {
                heat: Some(heat::Parameters::default()),
                ..Parameters::default()
            },
            script: &Script::Wild,
            seed,
            seconds: 3600.0,
            seams: SEAMS,
            trace: false,
        };
        run(&mut Policy::ours(rules), &setup, rules)
    };
    let reports: Vec<Report> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|first| {
                scope.spawn(move || {
                    (first..hours)
                        .step_by(threads as usize)
                        .map(hour)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers
            .into_iter()
            .filter_map(|worker| worker.join().ok())
            .flatten()
            .collect()
    });
    if reports.is_empty() {
        return Vec::new();
    }
    let took = begun.elapsed().as_secs_f64();
    let played = reports.len() as f64;
    let mut figures = compared("ours_wild", &reports);
    figures.push((
        "hours_per_second".to_owned(),
        figure(vec![played / took], reports.len() as u64, false),
    ));
    figures
}

/// What a decision costs: p99 in µs of five minutes of wild load, and how often memory is asked for.
fn own_cost(rules: &Rules) -> Vec<(String, Value)> {
    let frames = 21_600;
    let mut plant = Plant::new(Parameters::default(), 1);
    let mut playing = Playing::new(&Script::Wild, 1);
    let mut policy = Policy::ours(rules);
    let mut history = History::default();
    let mut out = policy.full(rules);
    let mut now = Now::default();
    let mut costs = Vec::with_capacity(frames);
    let mut asked = 0;
    for _ in 0..frames {
        let (demand, _) = playing.at(now.time);
        let shown = plant.frame(&demand, &out.quality, out.setting, 1);
        now.time += shown.interval;
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        let begun = Instant::now();
        history.push(shown.sample);
        out = policy.decide(&history, &now, rules);
        costs.push(begun.elapsed().as_secs_f64() * 1e6);
        asked += ALLOCATIONS.load(Ordering::Relaxed) - before;
    }
    costs.sort_by(f64::total_cmp);
    let at = |share: usize| costs.get(frames * share / 100).copied();
    vec![
        (
            "own_cost_p99_us".to_owned(),
            json!({ "value": at(99), "n": frames, "spread": [at(5), at(99)] }),
        ),
        (
            "own_allocations".to_owned(),
            figure(vec![asked as f64], frames as u64, true),
        ),
    ]
}
