//! Writes frame statistics to a file for `cargo xtask measure`, on a thread of its own.

use std::path::PathBuf;
use std::time::Duration;

use bevy::prelude::*;
use crossbeam_channel::{Sender, bounded};
use serde_json::json;

use crate::xr::{FrameStats, QuadLayer};

/// Writes [`FrameStats`] to `file` as JSON each second; the file is replaced whole, never half written.
pub struct FrameStatsFilePlugin {
    /// The file.
    pub file: PathBuf,
}

#[derive(Resource)]
struct Writer {
    sender: Sender<String>,
    timer: Timer,
}

impl Plugin for FrameStatsFilePlugin {
    fn build(&self, app: &mut App) {
        // One report may wait; where the disk is slower than that, the older one is the one to miss.
        let (sender, receiver) = bounded::<String>(1);
        let file = self.file.clone();
        let spawned = std::thread::Builder::new()
            .name("frame-stats".to_owned())
            .spawn(move || {
                let part = file.with_extension("part");
                for report in receiver {
                    if let Err(error) =
                        std::fs::write(&part, report).and_then(|()| std::fs::rename(&part, &file))
                    {
                        warn!(
                            "frame statistics not written to {}: {error}",
                            file.display()
                        );
                    }
                }
            });
        if let Err(error) = spawned {
            warn!("frame statistics will not be written: {error}");
            return;
        }
        app.insert_resource(Writer {
            sender,
            timer: Timer::new(Duration::from_secs(1), TimerMode::Repeating),
        })
        .add_systems(Last, report);
    }
}

fn report(
    time: Res<Time<Real>>,
    stats: Res<FrameStats>,
    layers: Query<&QuadLayer>,
    mut writer: ResMut<Writer>,
) {
    if writer.timer.tick(time.delta()).just_finished() {
        // Skipped where the disk is slower than a report a second.
        let _ = writer.sender.try_send(
            report_of(
                &stats,
                layers.iter().filter(|it| it.is_shown()).count(),
                time.elapsed_secs_f64(),
            )
            .to_string(),
        );
    }
}

/// The report's form is read by `cargo xtask measure`.
fn report_of(stats: &FrameStats, layers: usize, at: f64) -> serde_json::Value {
    json!({
        "at_s": at,
        "cpu_total_s": stats.total_cpu,
        "frames": stats.frames,
        "missed": stats.missed,
        "stale": stats.stale,
        "layers": layers,
        "period_s": stats.period,
        "cpu_s": {
            "p5": stats.cpu_quantile(0.05),
            "median": stats.cpu_quantile(0.5),
            "p95": stats.cpu_quantile(0.95),
            "deviation": stats.cpu_deviation(),
        },
        "start_to_focused_s": stats.start_to_focused,
    })
}
