//! `malloc-vr play`: one learner, one lesson, whatever this machine can show it with.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bevy::app::{ScheduleRunnerPlugin, TerminalCtrlCHandlerPlugin};
use bevy::log::LogPlugin;
use bevy::prelude::*;
use bevy::transform::TransformPlugin;
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;

use super::activity::{Activity, pause_with_the_headset};
use super::cli::PlayArgs;
use super::frame::order_the_frame;
use super::frame_stats::FrameStatsFilePlugin;
use super::policy;
use super::records;
use super::view::{self, View};
use crate::adaptation::AdaptationPlugin;
use crate::bridge::{Bridge, BridgeConfig, BridgePlugin};
use crate::interaction::{InputMode, InteractionPlugin};
use crate::lesson::{self, LessonPlugin, Loaded};
use crate::physics::PhysicsPlugin;
use crate::protocol::event::EventBody;
use crate::protocol::ids::LessonId;
use crate::record::Recorder;
use crate::session::clock::SessionRules;
use crate::session::join::Joining;
use crate::session::life::LifeRules;
use crate::session::{Folded, SessionPlugin, unix_ms};
use crate::task::{HeadSigns, TaskPlugin};
use crate::ui::UiPlugin;
use crate::xr::rig::RigPlugin;
use crate::xr::{self, XrPhase, XrRestartAdvised};

/// Frames a second without any view: enough for models and instructors, little for the processor.
const HEADLESS_RATE: f64 = 60.0;

/// Neither headset nor window.
#[derive(Debug, thiserror::Error)]
#[error(
    "there is nothing to show the lesson with:\n  headset: {headset}\n  window:  {window}\n\
     mend one of them, or: `cargo xtask run --sim` for a simulated headset, `malloc-vr play --headless` for no view at all"
)]
struct NothingToShow {
    headset: String,
    window: String,
}

/// Plays until the window is closed, or Ctrl-C, or SIGTERM.
pub(super) fn play(args: &PlayArgs) -> Result<ExitCode, Box<dyn Error>> {
    let lesson = lesson::load(&args.lesson)?;
    let strategies = policy::read(args.policy.as_deref())?;
    let view = choose_view(args)?;
    let store = records::open_file(&records::file(&args.data.data_dir))?;
    let joining = Joining::latest(&store)?;
    let recorder = Recorder::start(store)?;
    let bridge = Bridge::start(BridgeConfig {
        listen: args.listen,
        token: args.token.clone(),
        allow_plaintext: args.allow_plaintext,
    })?;
    stop_on_signals()?;
    introduce(&lesson, view, &joining, &bridge, args.fresh);
    let token = bridge.token().to_owned();
    let mut app = engine(view);
    add_rooms(&mut app, &lesson, view);
    app.insert_resource(recorder)
        .insert_resource(bridge)
        .insert_resource(strategies)
        .insert_resource(SessionRules(LifeRules::on_the_headset()))
        .insert_resource(HeadSigns(args.head_signs));
    if let Some(file) = &args.frame_stats {
        app.add_plugins(FrameStatsFilePlugin { file: file.clone() });
    }
    joining.enter(app.world_mut(), &lesson.lesson, &lesson.digest, args.fresh);
    match app.run() {
        AppExit::Success => Ok(ExitCode::SUCCESS),
        AppExit::Error(code) if code.get() == START_ANEW => start_anew(&token),
        AppExit::Error(code) => Ok(ExitCode::from(code.get())),
    }
}

fn choose_view(args: &PlayArgs) -> Result<View, Box<dyn Error>> {
    if args.headless {
        return Ok(View::Headless);
    }
    if cfg!(target_os = "android") {
        // There is no other view; the entry has just asked the runtime who it is.
        return Ok(View::Headset);
    }
    let headset = if args.no_xr {
        Err("left alone (--no-xr)".to_owned())
    } else {
        xr::probe().map(|_| ()).map_err(|error| error.to_string())
    };
    let headset = match headset {
        Ok(()) => return Ok(View::Headset),
        Err(why) => why,
    };
    match view::display() {
        Ok(()) => {
            // The engine would panic over this later.
            view::adapters()?;
            Ok(View::Desktop)
        }
        Err(window) => Err(NothingToShow {
            headset,
            window: window.to_string(),
        }
        .into()),
    }
}

/// Tells the person at the keyboard what runs and who may come in.
fn introduce(lesson: &Loaded, view: View, joining: &Joining, bridge: &Bridge, fresh: bool) {
    let mut text = String::new();
    let resumed = !fresh && joining.interrupted_in(&lesson.lesson.id);
    let _ = writeln!(
        text,
        "lesson: {} ({})",
        lesson.lesson.title, lesson.lesson.id
    );
    let _ = writeln!(text, "view: {view}");
    let _ = writeln!(
        text,
        "learner: {}{}",
        joining.learner,
        if resumed {
            ", taking up where they left off"
        } else {
            ""
        }
    );
    // A headset's output is its log, which people send on; there the token goes into a file (see `android`).
    #[cfg(not(target_os = "android"))]
    let _ = writeln!(
        text,
        "instructor: http://{}/ (token {})",
        bridge.address(),
        bridge.token()
    );
    #[cfg(target_os = "android")]
    super::android::tell_instructor(bridge.address(), bridge.token());
    text.push_str(&reviews(joining));
    print!("{text}");
    // A pipe would otherwise keep this back until it is full.
    let _ = std::io::Write::flush(&mut std::io::stdout());
}

/// What the learner would do well to go over today, by lesson; empty where nothing is due.
fn reviews(joining: &Joining) -> String {
    let away = unix_ms().saturating_sub(joining.state.at_unix_ms);
    let mut due: BTreeMap<&LessonId, Vec<&str>> = BTreeMap::new();
    for (lesson, skill) in joining.state.models.due_after(away) {
        due.entry(lesson).or_default().push(skill.as_str());
    }
    due.iter()
        .map(|(lesson, skills)| {
            format!("due for review: {} (lesson {lesson})\n", skills.join(", "))
        })
        .collect()
}

/// Exit code of the frame loop that asks for a new process in its place.
const START_ANEW: u8 = 75;

/// The headset's runtime came back on another graphics device, which only a new process can use.
fn ask_to_start_anew(advised: Res<XrRestartAdvised>, mut exit: MessageWriter<AppExit>) {
    warn!("starting anew: {}", advised.0);
    exit.write(AppExit::from_code(START_ANEW));
}

/// A new process takes this one's place; the lesson goes on at its step, and the instructor's token stays.
#[cfg(all(unix, not(target_os = "android")))]
fn start_anew(token: &str) -> Result<ExitCode, Box<dyn Error>> {
    use std::os::unix::process::CommandExt;
    let error = std::process::Command::new(std::env::current_exe()?)
        .args(to_go_on(std::env::args_os().skip(1)))
        .env("MALLOC_VR_TOKEN", token)
        .exec();
    Err(format!("cannot start anew ({error}); start malloc-vr again, the lesson goes on").into())
}

#[cfg(any(not(unix), target_os = "android"))]
fn start_anew(_token: &str) -> Result<ExitCode, Box<dyn Error>> {
    Err("the headset's runtime uses another graphics device now; start malloc-vr again, the lesson goes on".into())
}

/// The arguments of this process, but for the wish to begin at the beginning.
#[cfg(all(unix, not(target_os = "android")))]
fn to_go_on(
    arguments: impl Iterator<Item = std::ffi::OsString>,
) -> impl Iterator<Item = std::ffi::OsString> {
    arguments.filter(|argument| argument != "--fresh")
}

/// Set by Ctrl-C and SIGTERM.
static STOP: AtomicBool = AtomicBool::new(false);

fn stop_on_signals() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            // Asked twice: do not wait for the frame.
            std::process::exit(130);
        }
    })
}

fn exit_when_asked(mut exit: MessageWriter<AppExit>) {
    if STOP.load(Ordering::Relaxed) {
        exit.write(AppExit::Success);
    }
}

fn log_plugin() -> LogPlugin {
    LogPlugin {
        filter: "warn,malloc_vr=info,wgpu=error,naga=warn".to_owned(),
        ..default()
    }
}

/// The engine under the rooms.
fn engine(view: View) -> App {
    let mut app = App::new();
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

fn add_rooms(app: &mut App, lesson: &Loaded, view: View) {
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
        SessionPlugin,
        AdaptationPlugin,
        UiPlugin,
        BridgePlugin,
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
        pause_with_the_headset
            .run_if(resource_changed::<XrPhase>.or_eager(resource_changed::<Activity>)),
    )
    .add_systems(Last, report_progress)
    .init_resource::<Activity>();
    #[cfg(target_os = "android")]
    app.add_plugins(super::android::ActivityPlugin);
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn who_starts_anew_does_not_begin_at_the_beginning() {
        let arguments = ["play", "knots.ron", "--fresh", "--listen", "127.0.0.1:0"];
        let kept: Vec<_> = to_go_on(arguments.into_iter().map(Into::into)).collect();
        assert_eq!(kept, ["play", "knots.ron", "--listen", "127.0.0.1:0"]);
    }
}
