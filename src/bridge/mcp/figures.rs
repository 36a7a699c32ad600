//! Figures of the running process, as JSON and as OpenMetrics text: learners, connections, frames, queues, the stream.

use std::fmt::Write as _;
use std::time::Duration;

use bevy::prelude::*;
use serde::Serialize;

use crate::bridge::counters::Counted;
use crate::protocol::command::Outcome;
use crate::session::CommandAnswered;
use crate::session::stream::histogram::Histogram;

/// How long frames took.
#[derive(Resource, Debug, Default)]
pub(in crate::bridge) struct Frames {
    took: Histogram,
    sum: Duration,
    /// The latest second: since when, and how many.
    second: (Duration, u32),
    rate: f64,
}

/// What became of commands, whoever gave them.
#[derive(Resource, Debug, Default)]
pub(in crate::bridge) struct Answered {
    applied: u64,
    refused: u64,
}

pub(in crate::bridge) fn count_frames(time: Res<Time<Real>>, mut frames: ResMut<Frames>) {
    let (passed, now) = (time.delta(), time.elapsed());
    if passed.is_zero() {
        return;
    }
    frames.took.record(passed);
    frames.sum = frames.sum.saturating_add(passed);
    let (since, n) = frames.second;
    let second = now.saturating_sub(since);
    if second >= Duration::from_secs(1) {
        frames.rate = f64::from(n + 1) / second.as_secs_f64();
        frames.second = (now, 0);
    } else {
        frames.second.1 += 1;
    }
}

pub(in crate::bridge) fn count_answers(
    mut answers: MessageReader<CommandAnswered>,
    mut counted: ResMut<Answered>,
) {
    for CommandAnswered { outcome, .. } in answers.read() {
        match outcome {
            Outcome::Applied { .. } => counted.applied += 1,
            Outcome::Refused(_) => counted.refused += 1,
        }
    }
}

/// Times of something, milliseconds; quantiles are upper ends of buckets a quarter wide.
#[derive(Debug, Clone, Serialize)]
pub(in crate::bridge) struct Spread {
    n: u64,
    p50_ms: Option<f64>,
    p90_ms: Option<f64>,
    p99_ms: Option<f64>,
    longest_ms: f64,
    #[serde(skip)]
    buckets: Vec<(f64, u64)>,
}

impl Spread {
    pub(super) fn of(histogram: &Histogram) -> Self {
        let ms = |it: Duration| it.as_secs_f64() * 1e3;
        let at = |share| histogram.quantile(share).map(ms);
        let mut sum = 0;
        let mut buckets = Vec::new();
        for (end, count) in histogram.buckets().filter(|(_, count)| *count > 0) {
            sum += count;
            buckets.push((end.as_secs_f64(), sum));
        }
        Self {
            n: histogram.n(),
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            longest_ms: ms(histogram.longest()),
            buckets,
        }
    }
}

/// Frames of this process, by its own clock.
#[derive(Debug, Clone, Serialize)]
pub(in crate::bridge) struct FrameFigures {
    /// Over the latest second.
    per_second: f64,
    /// From one frame to the next.
    took: Spread,
    /// All of them together.
    seconds: f64,
}

impl FrameFigures {
    pub(super) fn of(frames: &Frames) -> Self {
        Self {
            per_second: frames.rate,
            took: Spread::of(&frames.took),
            seconds: frames.sum.as_secs_f64(),
        }
    }
}

/// What the world counts.
#[derive(Debug, Clone, Serialize)]
pub(in crate::bridge) struct Figures {
    pub learners: usize,
    pub running: usize,
    pub paused: usize,
    pub ended: usize,
    pub records_waiting: usize,
    pub commands_applied: u64,
    pub commands_refused: u64,
    pub commands_waiting: usize,
    pub looks_waiting: usize,
    pub stream_waiting: usize,
    pub draining: bool,
    pub frames: FrameFigures,
    /// How far samples came off their five seconds.
    pub stream_off: Spread,
}

impl Figures {
    pub(super) fn commands(answered: &Answered) -> (u64, u64) {
        (answered.applied, answered.refused)
    }
}

/// Everything as OpenMetrics 1.0 text.
pub(super) fn openmetrics(world: &Figures, net: Counted) -> String {
    let mut text = String::new();
    let number = |it: usize| it.to_string();
    let yes = u8::from(world.draining).to_string();
    let rate = format!("{:.3}", world.frames.per_second);
    for (name, help, value) in [
        ("learners", "Learners here", number(world.learners)),
        (
            "sessions_running",
            "Sessions whose lesson runs",
            number(world.running),
        ),
        (
            "sessions_paused",
            "Sessions that stand still",
            number(world.paused),
        ),
        (
            "sessions_ended",
            "Sessions that are over",
            number(world.ended),
        ),
        (
            "connections",
            "Open connections",
            net.connections.to_string(),
        ),
        ("sockets", "Open WebSockets", net.sockets.to_string()),
        (
            "records_waiting",
            "Events that the disk has not taken",
            number(world.records_waiting),
        ),
        (
            "commands_waiting",
            "Commands on their way into the world",
            number(world.commands_waiting),
        ),
        (
            "looks_waiting",
            "Questions on their way into the world",
            number(world.looks_waiting),
        ),
        (
            "stream_waiting",
            "Messages of learners on their way into the world",
            number(world.stream_waiting),
        ),
        ("draining", "Whether nobody new is let in", yes),
        ("frames_per_second", "Frames of the latest second", rate),
    ] {
        let _ = writeln!(
            text,
            "# TYPE malloc_vr_{name} gauge\n# HELP malloc_vr_{name} {help}.\nmalloc_vr_{name} {value}"
        );
    }
    for (name, help, value) in [
        ("connections_accepted", "Connections taken in", net.accepted),
        ("requests", "HTTP requests", net.requests),
        (
            "requests_turned_away",
            "Requests that found no room",
            net.turned_away,
        ),
        ("tool_calls", "Calls of MCP tools", net.calls),
        (
            "tool_calls_failed",
            "Calls that ended as tool errors",
            net.failed,
        ),
        (
            "commands_applied",
            "Commands carried out",
            world.commands_applied,
        ),
        (
            "commands_refused",
            "Commands refused",
            world.commands_refused,
        ),
    ] {
        let _ = writeln!(
            text,
            "# TYPE malloc_vr_{name} counter\n# HELP malloc_vr_{name} {help}.\nmalloc_vr_{name}_total {value}"
        );
    }
    let seconds = Some(world.frames.seconds);
    histogram(
        &mut text,
        "frame_seconds",
        "From one frame to the next",
        &world.frames.took,
        seconds,
    );
    histogram(
        &mut text,
        "stream_off_seconds",
        "How far samples came off their interval",
        &world.stream_off,
        None,
    );
    text.push_str("# EOF\n");
    text
}

fn histogram(text: &mut String, name: &str, help: &str, of: &Spread, sum: Option<f64>) {
    let _ = writeln!(
        text,
        "# TYPE malloc_vr_{name} histogram\n# UNIT malloc_vr_{name} seconds\n# HELP malloc_vr_{name} {help}."
    );
    for (end, count) in &of.buckets {
        let _ = writeln!(text, "malloc_vr_{name}_bucket{{le=\"{end:.6}\"}} {count}");
    }
    let n = of.n;
    let _ = writeln!(text, "malloc_vr_{name}_bucket{{le=\"+Inf\"}} {n}");
    // A sum and a count belong together.
    if let Some(sum) = sum {
        let _ = writeln!(
            text,
            "malloc_vr_{name}_sum {sum:.6}\nmalloc_vr_{name}_count {n}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_openmetrics_and_its_buckets_add_up() {
        let mut frames = Frames::default();
        for ms in [10, 11, 12, 40] {
            frames.took.record(Duration::from_millis(ms));
        }
        let world = Figures {
            learners: 2,
            running: 1,
            paused: 0,
            ended: 1,
            records_waiting: 0,
            commands_applied: 3,
            commands_refused: 1,
            commands_waiting: 0,
            looks_waiting: 0,
            stream_waiting: 0,
            draining: false,
            frames: FrameFigures::of(&frames),
            stream_off: Spread::of(&Histogram::default()),
        };
        let net = crate::bridge::counters::Counters::default().read();
        let text = openmetrics(&world, net);
        assert!(text.ends_with("# EOF\n"));
        assert!(text.contains("malloc_vr_learners 2\n"));
        assert!(text.contains("malloc_vr_commands_applied_total 3\n"));
        assert!(text.contains("malloc_vr_frame_seconds_bucket{le=\"+Inf\"} 4\n"));
        let counts: Vec<u64> = text
            .lines()
            .filter(|line| line.starts_with("malloc_vr_frame_seconds_bucket"))
            .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
            .collect();
        assert!(
            counts.is_sorted() && counts.last() == Some(&4),
            "{counts:?}"
        );
        // Every name has its type before its first value.
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            let family = name
                .trim_end_matches("_total")
                .trim_end_matches("_bucket")
                .trim_end_matches("_sum")
                .trim_end_matches("_count");
            assert!(text.contains(&format!("# TYPE {family} ")), "{line}");
        }
    }
}
