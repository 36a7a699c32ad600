//! The engine and the rooms in it, whatever the view; and what ends it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bevy::app::{ScheduleRunnerPlugin, TerminalCtrlCHandlerPlugin};
use bevy::log::LogPlugin;
use bevy::prelude::*;
use bevy::transform::TransformPlugin;
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;

use super::START_ANEW;
use crate::adaptation::AdaptationPlugin;
use crate::app::activity::{Activity, pause_with_the_headset};
use crate::app::frame::order_the_frame;
use crate::app::quiet;
use crate::app::view::View;
use crate::bridge::BridgePlugin;
use crate::bridge::join::JoinPlugin;
use crate::interaction::{InputMode, InteractionPlugin};
use crate::lesson::{LessonPlugin, Loaded};
use crate::physics::PhysicsPlugin;
use crate::protocol::event::EventBody;
use crate::session::pairing::{Pairing, PairingCode};
use crate::session::times::{FrameTimesPlugin, Redoing};
use crate::session::{Folded, SessionPlugin};
use crate::task::{TaskPlugin, offer_models};
use crate::ui::UiPlugin;
use crate::xr::rig::RigPlugin;
use crate::xr::{self, XrPhase, XrRestartAdvised};

/// Frames a second without any view: enough for models and instructors, little for the processor.
const HEADLESS_RATE: f64 = 60.0;

/// Codes made later, for whoever watches from the desk.
fn show_codes(pairing: Res<Pairing>, mut shown: Local<Option<PairingCode>>) {
    let now = pairing.0.clone();
    let first = shown.is_none() && pairing.is_added();
    if let Some(code) = now.as_ref().filter(|_| now != *shown && !first) {
        info!(
            "pairing: {} at {}, for five minutes",
            code.code, code.address
        );
    }
    *shown = now;
}

/// The headset's runtime came back on another graphics device, which only a new process can use.
fn ask_to_start_anew(advised: Res<XrRestartAdvised>, mut exit: MessageWriter<AppExit>) {
    warn!("starting anew: {}", advised.0);
    exit.write(AppExit::from_code(START_ANEW));
}

/// Set by Ctrl-C and SIGTERM.
static STOP: AtomicBool = AtomicBool::new(false);

pub(in crate::app) fn stop_on_signals() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            // Asked twice: do not wait for the frame.
            std::process::exit(130);
        }
    })
}

pub(in crate::app) fn exit_when_asked(mut exit: MessageWriter<AppExit>) {
    if STOP.load(Ordering::Relaxed) {
        exit.write(AppExit::Success);
    }
}

pub(in crate::app) fn log_plugin() -> LogPlugin {
    LogPlugin {
        filter: "warn,malloc_vr=info,wgpu=error,naga=warn".to_owned(),
        custom_layer: quiet::layer,
        ..default()
    }
}

/// The engine under the rooms, for this lesson.
pub(in crate::app) fn engine(view: View, lesson: &Loaded) -> App {
    let mut app = App::new();
    offer_models(&mut app, lesson);
    let window = |primary| WindowPlugin {
        primary_window: primary,
        exit_condition: ExitCondition::DontExit,
        ..default()
    };
    match view {
        View::Headset => {
            app.add_plugins(xr::xr_plugins(
                DefaultPlugins
                    .set(log_plugin())
                    .set(window(None))
                    .disable::<WinitPlugin>()
                    .disable::<TerminalCtrlCHandlerPlugin>(),
            ))
            // The headset's frame wait paces the loop.
            .add_plugins(ScheduleRunnerPlugin::run_loop(Duration::ZERO));
        }
        View::Desktop => {
            let primary = Window {
                title: "Malloc VR".to_owned(),
                ..default()
            };
            app.add_plugins(
                DefaultPlugins
                    .set(log_plugin())
                    .set(WindowPlugin {
                        exit_condition: ExitCondition::OnPrimaryClosed,
                        ..window(Some(primary))
                    })
                    .disable::<TerminalCtrlCHandlerPlugin>(),
            );
        }
        View::Headless => {
            app.add_plugins((
                MinimalPlugins.set(ScheduleRunnerPlugin::run_loop(Duration::from_secs_f64(
                    1.0 / HEADLESS_RATE,
                ))),
                log_plugin(),
                TransformPlugin,
            ));
        }
    }
    app
}

pub(in crate::app) fn add_rooms(app: &mut App, lesson: &Loaded, view: View) {
    app.insert_resource(match view {
        View::Headset => InputMode::Xr,
        View::Desktop => InputMode::Desktop,
        View::Headless => InputMode::Headless,
    })
    .add_plugins((
        RigPlugin,
        PhysicsPlugin,
        InteractionPlugin,
        LessonPlugin {
            lesson: lesson.clone(),
        },
        TaskPlugin,
        (SessionPlugin, FrameTimesPlugin),
        AdaptationPlugin,
        UiPlugin,
        BridgePlugin,
        JoinPlugin,
    ))
    .add_systems(
        First,
        (
            exit_when_asked,
            ask_to_start_anew.run_if(resource_added::<XrRestartAdvised>),
        ),
    )
    .add_systems(
        PreUpdate,
        pause_with_the_headset.run_if(
            resource_changed::<XrPhase>
                .or_eager(resource_changed::<Activity>)
                .and_then(not(resource_exists::<Redoing>)),
        ),
    )
    .add_systems(
        Last,
        (
            report_progress,
            show_codes.run_if(resource_changed::<Pairing>),
        ),
    )
    .init_resource::<Activity>();
    #[cfg(target_os = "android")]
    app.add_plugins(crate::app::android::ActivityPlugin);
    order_the_frame(app);
}

/// Steps on the terminal, for whoever watches from the desk.
fn report_progress(mut folded: MessageReader<Folded>) {
    for Folded { event, .. } in folded.read() {
        match &event.body {
            EventBody::StepEntered { step, .. } => info!("step: {step}"),
            EventBody::Attempted(attempt) => info!(
                "attempt: {} ({})",
                attempt.step,
                if attempt.correct { "right" } else { "not yet" }
            ),
            EventBody::SessionEnded { .. } => info!("the lesson is over"),
            _ => {}
        }
    }
}
