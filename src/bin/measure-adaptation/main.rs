//! What adaptation does to simulated learners: prints one JSON object for `cargo xtask measure adaptation`.
//!
//! Learners are paired: each takes the lesson under every policy with the same traits and the same luck. Intervals are
//! 95 %, from drawing learners again. All of it is about simulated learners, and says nothing about people.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use malloc_vr::learning::five::params::Params;
use malloc_vr::learning::simulated::act::Act;
use malloc_vr::learning::simulated::draws::Draws;
use malloc_vr::learning::simulated::lesson::Lesson;
use malloc_vr::learning::simulated::ours::{original, ours, patient_original};
use malloc_vr::learning::simulated::run::{DWELL, Outcome};
use malloc_vr::learning::simulated::scene::{Decider, Policy};
use malloc_vr::learning::simulated::study::{Compared, Judged, Mean, judge, outcomes};
use malloc_vr::learning::simulated::truth::{Learner, Population};
use malloc_vr::learning::strategy::check::{Checked, read};
use malloc_vr::learning::strategy::table::Table;
use serde_json::{Value, json};

mod predictions;

use predictions::{fit, predictions};

#[derive(Parser)]
#[command(about = "What adaptation does to simulated learners, as one JSON object.")]
struct Args {
    /// Learners whose gains are compared.
    #[arg(long, default_value_t = 300)]
    learners: u64,
    /// Learners of whom every decision is compared with the oracle's.
    #[arg(long, default_value_t = 60)]
    judged: u64,
    /// Learners that predictions are tested on.
    #[arg(long, default_value_t = 200)]
    predicted: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How much worse than the best a decision may be to count as appropriate, as a share of what the time until the next
    /// one is worth.
    #[arg(long, default_value_t = 0.2)]
    margin: f64,
    /// An adaptation table (RON) instead of the delivered one.
    #[arg(long)]
    table: Option<PathBuf>,
    /// A table (RON) to set beside it, instead of the delivered one's first edition.
    #[arg(long)]
    beside: Option<PathBuf>,
    /// Also list what was decided where something else would have been better.
    #[arg(long)]
    why: bool,
    /// Fit the prediction's parameters to learners of another seed, print them, and do nothing else.
    #[arg(long)]
    fit: bool,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let p = Params::default();
    let [first] = Table::EARLIER;
    let table = table(args.table.as_deref(), Table::DEFAULT)?;
    let beside = self::table(args.beside.as_deref(), first)?;
    let printed = if args.fit {
        serde_json::to_value(fit(&args, &p, &table))?
    } else {
        figures(&args, &p, &table, &beside)
            .context("no learners: --learners and --judged must be at least 1")?
    };
    println!("{printed}");
    Ok(())
}

fn table(file: Option<&Path>, delivered: &str) -> Result<Checked> {
    let text = match file {
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?,
        None => delivered.to_owned(),
    };
    read(&text).map_err(|mistakes| {
        let said: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the table is not sound:\n{}", said.join("\n"))
    })
}

/// Learners with their luck, from one seed.
fn people(n: u64, seed: u64) -> Vec<(Learner, Draws)> {
    let population = Population::default();
    let one = |i| {
        let draws = Draws::new(seed).of(i);
        (population.learner(draws), draws)
    };
    (0..n).map(one).collect()
}

fn figures(args: &Args, p: &Params, table: &Checked, beside: &Checked) -> Option<Value> {
    let our = || -> Decider { ours(table) };
    let first = || -> Decider { ours(beside) };
    let first = Policy::Models(&first);
    let ours = Policy::Models(&our);
    let their = || -> Decider { original() };
    let theirs = Policy::Models(&their);
    let patient = || -> Decider { patient_original(30.0) };
    let patient = Policy::Models(&patient);
    let lesson = Lesson::default();
    let class = people(args.learners, args.seed);
    let draws = Draws::new(args.seed).of(u64::MAX);
    let under = |policy| outcomes(&class, &lesson, p, policy);
    let [none, ours_did, theirs_did, slow, best] =
        [Policy::Nothing, ours, theirs, patient, Policy::Oracle].map(under);
    let gain = |a: &[Outcome], b: &[Outcome]| {
        let each: Vec<f64> = a.iter().zip(b).map(|(a, b)| a.after - b.after).collect();
        Mean::of(&each, draws)
    };
    let first_did = under(first);
    let indifferent: Vec<_> = class
        .iter()
        .map(|(learner, draws)| (learner.indifferent_to_difficulty(), *draws))
        .collect();
    let [flat_none, flat_ours] =
        [Policy::Nothing, ours].map(|policy| outcomes(&indifferent, &lesson, p, policy));
    let chart = chart(args, p, ours, &ours_did);
    let mut figures = BTreeMap::new();
    let mut put = |name: &str, value: Value| figures.insert(name.to_owned(), value);
    put("gain_vs_none", mean(gain(&ours_did, &none)?));
    put(
        "gain_vs_original_thresholds",
        mean(gain(&ours_did, &theirs_did)?),
    );
    put(
        "gain_vs_original_with_cool_down",
        mean(gain(&ours_did, &slow)?),
    );
    put("gain_vs_first_table", mean(gain(&ours_did, &first_did)?));
    put("gain_of_oracle_vs_none", mean(gain(&best, &none)?));
    put(
        "gain_vs_none_if_difficulty_is_irrelevant",
        mean(gain(&flat_ours, &flat_none)?),
    );
    for (name, under) in [
        ("none", &none),
        ("ours", &ours_did),
        ("original", &theirs_did),
        ("oracle", &best),
    ] {
        let share = |f: &dyn Fn(&Outcome) -> f64| {
            Mean::of(&under.iter().map(f).collect::<Vec<f64>>(), draws).map(mean)
        };
        put(&format!("test_score_{name}"), share(&|it| it.after)?);
        put(
            &format!("left_early_{name}"),
            share(&|it| f64::from(u8::from(it.left)))?,
        );
        put(&format!("worst_sickness_{name}"), share(&|it| it.sickness)?);
        put(
            &format!("actions_{name}"),
            share(&|it| f64::from(it.actions))?,
        );
    }
    for (name, value) in chart {
        put(name, value);
    }
    for (name, policy) in [
        ("appropriateness", ours),
        ("appropriateness_first_table", first),
        ("appropriateness_none", Policy::Nothing),
        ("appropriateness_original", theirs),
        ("appropriateness_chance", Policy::Chance),
        ("appropriateness_oracle", Policy::Oracle),
    ] {
        for (suffix, value) in judged(args, p, policy, name == "appropriateness")? {
            put(&format!("{name}{suffix}"), value);
        }
    }
    for (name, value) in predictions(args, p, ours)? {
        put(&name, value);
    }
    Some(json!(figures))
}

fn mean(mean: Mean) -> Value {
    json!({ "value": mean.mean, "n": mean.n, "spread": [mean.lower, mean.upper] })
}

/// Evidence and the learning events: nobody without any advances, some who lose it fall back, nothing flips.
fn chart(args: &Args, p: &Params, policy: Policy, did: &[Outcome]) -> Vec<(&'static str, Value)> {
    let lesson = Lesson::default();
    let none: Vec<_> = people(args.learners, args.seed)
        .into_iter()
        .map(|(learner, draws)| (learner.who_never_succeeds(), draws))
        .collect();
    let never = outcomes(&none, &lesson, p, policy);
    let count = |value: f64, n: usize| json!({ "value": value, "n": n, "spread": [value, value] });
    let sum = |of: &[Outcome], f: &dyn Fn(&Outcome) -> f64| of.iter().map(f).sum::<f64>();
    let faster = |than: f64, quickest: Option<f64>| {
        f64::from(u8::from(quickest.is_some_and(|it| it < than - 1e-6)))
    };
    let all = did.len();
    let events = sum(did, &|it| faster(p.chart.dwell, it.quickest_change));
    let difficulty = sum(did, &|it| faster(DWELL, it.quickest_reversal));
    vec![
        (
            "zero_evidence_advances",
            count(sum(&never, &|it| f64::from(it.advances)), never.len()),
        ),
        (
            "advances",
            count(sum(did, &|it| f64::from(it.advances)), all),
        ),
        (
            "demotions",
            count(sum(did, &|it| f64::from(it.demotions)), all),
        ),
        ("event_changes_faster_than_dwell", count(events, all)),
        (
            "difficulty_reversals_faster_than_cool_down",
            count(difficulty, all),
        ),
    ]
}

/// What an action is called, with the direction of what has one.
fn name(action: &Act, of: &Compared) -> &'static str {
    let setting = &of.world.setting;
    match action {
        Act::Rest => "rest",
        Act::OfferBreak => "offer_break",
        Act::OfferHint(_) => "offer_hint",
        Act::FadeHint => "fade_hint",
        Act::AddSupport => "add_support",
        Act::FadeSupport => "fade_support",
        Act::Difficulty(to) if *to < setting.difficulty => "easier",
        Act::Difficulty(_) => "harder",
        Act::Pace(to) if *to < setting.pace => "slower",
        Act::Pace(_) => "faster",
        Act::ChangeApproach => "change_approach",
        Act::Vary => "vary",
        Act::MoveOn => "move_on",
    }
}

/// Every decision of some lessons beside the oracle's.
fn judged(args: &Args, p: &Params, policy: Policy, of_ours: bool) -> Option<Vec<(String, Value)>> {
    let lesson = Lesson::default();
    let mut better: BTreeMap<String, u32> = BTreeMap::new();
    let judged: Vec<Judged> = people(args.judged, args.seed)
        .iter()
        .map(|(learner, draws)| {
            let each = &mut |it: &Compared| {
                if it.regret > args.margin {
                    let did: Vec<_> = it.advice.iter().map(|action| name(action, it)).collect();
                    let best = it.best.as_ref().map_or("nothing", |best| name(best, it));
                    let did = if did.is_empty() {
                        "nothing".to_owned()
                    } else {
                        did.join("+")
                    };
                    *better.entry(format!("{did}, better {best}")).or_default() += 1;
                }
            };
            judge(learner, &lesson, p, *draws, policy, args.margin, each).1
        })
        .collect();
    let of_all = |f: &dyn Fn(&Judged) -> (f64, f64)| {
        let pairs: Vec<(f64, f64)> = judged.iter().map(f).collect();
        Mean::of_ratio(&pairs, Draws::new(args.seed)).map(mean)
    };
    let share = |f: &dyn Fn(&Judged) -> (u32, u32)| {
        let (of, all) = judged
            .iter()
            .map(f)
            .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        // Learners are what is drawn, so the interval is over their shares.
        let each: Vec<f64> = judged
            .iter()
            .map(f)
            .filter(|(_, all)| *all > 0)
            .map(|(of, all)| f64::from(of) / f64::from(all))
            .collect();
        let around = Mean::of(&each, Draws::new(args.seed))?;
        let value = f64::from(of) / f64::from(all.max(1));
        Some(json!({ "value": value, "n": all, "spread": [around.lower, around.upper] }))
    };
    let regret: Vec<f64> = judged.iter().map(|it| it.regret).collect();
    let mut figures = vec![
        (String::new(), of_all(&|it| (it.secured, it.at_stake))?),
        (
            "_agreement_with_oracle".to_owned(),
            share(&|it| (it.agreed, it.decisions))?,
        ),
        (
            "_within_a_fifth".to_owned(),
            share(&|it| (it.within, it.decisions))?,
        ),
        (
            "_regret".to_owned(),
            mean(Mean::of(&regret, Draws::new(args.seed))?),
        ),
    ];
    if let Some(acts) = share(&|it| (it.within_acts, it.acts)) {
        figures.push(("_within_a_fifth_acts".to_owned(), acts));
    }
    if of_ours && args.why {
        let mut better: Vec<_> = better.into_iter().collect();
        better.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        better.truncate(30);
        figures.push(("_why".to_owned(), json!(better)));
    }
    Some(figures)
}
