//! The baseline that our frames are measured against: a lesson's scene, drawn by bevy_mod_openxr alone.
//!
//! Same scene, same cameras, same ruler ([`FrameClock`]); none of our systems. `cargo xtask measure frame` runs it in turn
//! with the real thing.

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bevy::app::{ScheduleRunnerPlugin, TerminalCtrlCHandlerPlugin};
use bevy::prelude::*;
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;
use bevy_mod_openxr::add_xr_plugins;
use bevy_mod_openxr::init::should_run_frame_loop;
use bevy_mod_openxr::render::OxrWaitFrameSystem;
use bevy_mod_openxr::resources::OxrFrameState;
use bevy_mod_xr::session::{XrFirst, XrHandleEvents};
use clap::Parser;
use malloc_vr::app::frame_stats::FrameStatsFilePlugin;
use malloc_vr::lesson::{self, LessonPlugin};
use malloc_vr::task::StillScenePlugin;
use malloc_vr::xr::{FrameClock, FrameStats, dress_eye};

/// Draws a lesson's scene in a headset, with bevy_mod_openxr alone.
#[derive(Debug, Parser)]
struct Cli {
    /// Name of a bundled lesson, or a lesson file.
    #[arg(default_value = "first-steps")]
    lesson: String,
    /// Write frame statistics here (JSON), each second.
    #[arg(long, value_name = "FILE")]
    frame_stats: PathBuf,
}

fn main() -> Result<AppExit, Box<dyn Error>> {
    let cli = Cli::parse();
    let lesson = lesson::load(&cli.lesson)?;
    Ok(App::new()
        .add_plugins(add_xr_plugins(
            DefaultPlugins
                .set(WindowPlugin {
                    primary_window: None,
                    exit_condition: ExitCondition::DontExit,
                    ..default()
                })
                .disable::<WinitPlugin>()
                .disable::<TerminalCtrlCHandlerPlugin>(),
        ))
        .add_plugins((
            ScheduleRunnerPlugin::run_loop(Duration::ZERO),
            LessonPlugin { lesson },
            StillScenePlugin,
            FrameStatsFilePlugin {
                file: cli.frame_stats,
            },
        ))
        .init_resource::<FrameStats>()
        .init_resource::<FrameClock>()
        .add_observer(dress_eye)
        .add_systems(
            XrFirst,
            (
                wait_begins.before(OxrWaitFrameSystem),
                wait_ended.after(OxrWaitFrameSystem),
            )
                .run_if(should_run_frame_loop)
                .in_set(XrHandleEvents::FrameLoop),
        )
        .run())
}

fn wait_begins(mut clock: ResMut<FrameClock>, mut stats: ResMut<FrameStats>) {
    clock.wait_begins(Instant::now(), &mut stats);
}

fn wait_ended(
    frame: Option<Res<OxrFrameState>>,
    mut clock: ResMut<FrameClock>,
    mut stats: ResMut<FrameStats>,
) {
    let Some(frame) = frame else { return };
    clock.wait_ended(
        Instant::now(),
        frame.predicted_display_time.as_nanos(),
        frame.predicted_display_period.as_nanos(),
        &mut stats,
    );
}
