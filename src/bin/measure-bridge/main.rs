//! What the class's WebSocket costs: prints one JSON object for `cargo xtask measure bridge`.
//!
//! The program starts itself as what it measures: as a host (sessions, bridge, disk: all that `malloc-vr classroom` runs, without
//! limits for clients), as a bare echo server on tokio-tungstenite, and as a headset with one learner at 72 Hz. Runtimes by hand load one and then the other, in
//! turns. A learner sends a sample and has its answer when the host has checked it, taken it into the learner's state,
//! published it to instructors and acknowledged it: there is no other adaptation to wait for, the headset adapts itself.
//!
//! `soak MINUTES` asks a headset's door fifty times a second and tells its memory each minute.
//! Else the arguments are: seconds of each run, learners at their 5 s interval, saturated learners (lists with commas).

use std::error::Error;
use std::time::Duration;

use malloc_vr::bridge::join::Trust;
use serde_json::{Map, Value, json};

mod attempts;
mod calls;
mod load;
mod servers;
mod sizes;

/// What a plan has measured.
type Figures = Map<String, Value>;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("host") => return servers::host(false),
        Some("encrypted-host") => return servers::host(true),
        Some("headset") => return servers::headset(),
        Some("soak") => return soak(arguments.get(1).map_or(Ok(60), |it| it.parse())?),
        Some("echo") => return servers::echo(),
        _ => {}
    }
    let seconds = arguments.first().map_or(Ok(20), |it| it.parse())?;
    let paced = list(arguments.get(1), "1,64,256,1024,2048,8192")?;
    let saturated = list(arguments.get(2), "1,64,1024")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut figures = Figures::new();
    let run = Duration::from_secs(seconds);
    runtime.block_on(measure(run, &paced, &saturated, &mut figures))?;
    sizes::tell(&mut figures)?;
    println!("{}", Value::Object(figures));
    Ok(())
}

/// Has a headset's door asked fifty times a second, and tells what that did to its memory.
fn soak(minutes: u64) -> Result<(), Box<dyn Error + Send + Sync>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let headset = servers::Server::start("headset")?;
    let told = runtime.block_on(async {
        let mut told = Vec::new();
        for minute in 1..=minutes.max(1) {
            let calls = calls::at(&headset.address, Duration::from_secs(60)).await?;
            let n: usize = calls.iter().map(|(_, waits)| waits.len()).sum();
            let mut line = Figures::new();
            line.insert("minute".to_owned(), json!(minute));
            line.insert("requests_per_s".to_owned(), json!(n as f64 / 60.0));
            line.insert("resident_kib".to_owned(), json!(headset.resident_kib()?));
            for (name, waits) in &calls {
                line.insert(name.clone(), json!(load::quantile(waits, 0.99)));
            }
            eprintln!("{}", Value::Object(line.clone()));
            told.push(Value::Object(line));
        }
        Ok::<_, load::Fault>(told)
    })?;
    println!("{}", Value::Array(told));
    Ok(())
}

fn list(written: Option<&String>, usual: &str) -> Result<Vec<usize>, std::num::ParseIntError> {
    let written = written.map_or(usual, String::as_str);
    written.split(',').map(str::parse).collect()
}

async fn measure(
    run: Duration,
    paced: &[usize],
    saturated: &[usize],
    figures: &mut Figures,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    for &n in paced {
        let host = servers::Server::start("host")?;
        let before = host.resident_kib()?;
        let mut class = match load::connect(&host.address, n, true, None).await {
            Ok(class) => class,
            Err(error) => {
                // Most likely the system's limit of open files.
                eprintln!("{n} learners do not get in: {error}");
                continue;
            }
        };
        let waited = class.take_connect_times();
        let told = load::paced(&mut class, run).await?;
        let after = host.resident_kib()?;
        tell(figures, "snapshot_to_adaptation", n, &told.waits);
        put(
            figures,
            format!("messages_per_s_{n}"),
            told.per_second(),
            told.messages,
        );
        if n == 256 || paced.len() == 1 {
            put(
                figures,
                "connect_p99_ms".to_owned(),
                load::quantile(&waited, 0.99),
                waited.len(),
            );
        }
        if n >= 64 {
            let each = (after - before) / n as f64;
            put(figures, "memory_per_connection_kib".to_owned(), each, n);
        }
    }
    for &n in saturated {
        let mut shares = Vec::new();
        let mut rates = Vec::new();
        // A B A B
        for _ in 0..2 {
            let host = servers::Server::start("host")?;
            let mut class = load::connect(&host.address, n, true, None).await?;
            let ours = load::saturated(&mut class, run / 4).await?;
            drop((class, host));
            let echo = servers::Server::start("echo")?;
            let mut class = load::connect(&echo.address, n, false, None).await?;
            let bare = load::saturated(&mut class, run / 4).await?;
            shares.push(ours.per_second() / bare.per_second());
            rates.push(ours.per_second());
        }
        put(
            figures,
            format!("saturated_messages_per_s_{n}"),
            mean(&rates),
            rates.len(),
        );
        put(
            figures,
            format!("throughput_vs_echo_{n}"),
            mean(&shares),
            shares.len(),
        );
        if n == 64 || saturated.len() == 1 {
            put(
                figures,
                "throughput_vs_echo".to_owned(),
                mean(&shares),
                shares.len(),
            );
        }
    }
    encrypted(figures).await?;
    let host = servers::Server::start("host")?;
    let (sent, stored) = attempts::count(&host.address).await?;
    put(figures, "attempts_sent".to_owned(), sent as f64, 1);
    put(figures, "attempts_stored_once".to_owned(), stored as f64, 1);
    let headset = servers::Server::start("headset")?;
    for (name, waits) in calls::at(&headset.address, run).await? {
        put(figures, name, load::quantile(&waits, 0.99), waits.len());
    }
    Ok(())
}

/// How long a class takes to be let in where everything is encrypted.
async fn encrypted(figures: &mut Figures) -> Result<(), load::Fault> {
    let host = servers::Server::start("encrypted-host")?;
    let tls = Trust::Fingerprint(host.fingerprint.parse()?).connector()?;
    let mut class = load::connect(&host.address, 256, true, Some(&tls)).await?;
    let waited = class.take_connect_times();
    let p99 = load::quantile(&waited, 0.99);
    put(figures, "connect_tls_p99_ms".to_owned(), p99, waited.len());
    Ok(())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn put(figures: &mut Figures, name: String, value: f64, n: usize) {
    figures.insert(name, json!({ "value": value, "n": n }));
}

fn tell(figures: &mut Figures, name: &str, n: usize, waits: &[f64]) {
    for (quantile, called) in [(0.5, "p50"), (0.99, "p99"), (0.999, "p999")] {
        let value = load::quantile(waits, quantile);
        put(
            figures,
            format!("{name}_{called}_ms_{n}"),
            value,
            waits.len(),
        );
    }
}
