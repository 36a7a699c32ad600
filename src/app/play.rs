//! `malloc-vr play`: one learner, one lesson, whatever this machine can show it with.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
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
use super::cli::{DoorArgs, PlayArgs};
use super::flight::{Flight, FlightPlugin, FlightRules};
use super::frame::order_the_frame;
use super::frame_alarm::FrameAlarmPlugin;
use super::frame_stats::FrameStatsFilePlugin;
use super::governing::GoverningPlugin;
use super::law;
use super::policy;
use super::quiet;
use super::records;
use super::replay::play::play_again;
use super::sweep::{self, SweepPlugin};
use super::view::{self, View};
use crate::adaptation::AdaptationPlugin;
use crate::bridge::access::Offer;
use crate::bridge::join::{HostAddress, JoinConfig, JoinPlugin, ToJoin, Trust};
use crate::bridge::{Bridge, BridgeConfig, BridgePlugin, Limits, TlsConfig, gate};
use crate::governor::plugin::GovernorPlugin;
use crate::interaction::{InputMode, InteractionPlugin};
use crate::lesson::{self, LessonPlugin, Loaded};
use crate::physics::PhysicsPlugin;
use crate::protocol::event::EventBody;
use crate::protocol::ids::LessonId;
use crate::protocol::wire::Learning;
use crate::record::Recorder;
use crate::record::ages::AgeBand;
use crate::session::clock::SessionRules;
use crate::session::join::Joining;
use crate::session::life::LifeRules;
use crate::session::pairing::{Pairing, PairingCode};
use crate::session::standing::{Age, Agreements};
use crate::session::times::{FrameTimesPlugin, Redoing};
use crate::session::{Folded, Learner, SessionPlugin, WordScreen, unix_ms};
use crate::task::{HeadSigns, TaskPlugin, offer_models};
use crate::ui::{ShowFrames, UiPlugin};
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
    if let Some(of) = args.replay {
        return play_again(args, of, choose_view(args)?);
    }
    let lesson = lesson::load(&args.lesson)?;
    let strategies = policy::read(args.policy.as_deref())?;
    let view = choose_view(args)?;
    let store = records::open_file(&records::file(&args.data.data_dir))?;
    let agreements = Agreements(args.law.policy()?);
    // Before anybody joins: who comes back after their record's time is over begins anew.
    sweep::today(&store, &args.data.data_dir);
    let roster = law::roster(&args.data.data_dir, store.keys())?;
    let joining = match args.learner {
        Some(learner) => Joining::of(&store, learner)?,
        None => Joining::latest(&store)?,
    };
    let age = Age(law::band(
        joining.learner,
        &roster,
        &args.age,
        &agreements.0,
    ));
    let screen = law::screen(&roster);
    drop(roster);
    let recorder = Recorder::start(store)?;
    let bridge = Bridge::start(door(&args.door, &args.data.data_dir, Limits::HEADSET))?;
    let code = bridge.open_pairing(Offer::default())?;
    stop_on_signals()?;
    introduce(&lesson, view, &joining, &bridge, &code, args.fresh);
    say_what_leaves(&agreements, &joining, age);
    let token = bridge.token().to_owned();
    let mut app = engine(view, &lesson);
    add_rooms(&mut app, &lesson, view);
    app.insert_resource(recorder)
        .insert_resource(bridge)
        .insert_resource(strategies)
        .insert_resource(SessionRules(LifeRules::on_the_headset()))
        .insert_resource(HeadSigns(args.head_signs))
        .insert_resource(FlightRules::of(&agreements.0, age.0))
        .insert_resource(agreements)
        .insert_resource(WordScreen(screen))
        .add_plugins(SweepPlugin {
            data_dir: args.data.data_dir.clone(),
        });
    if let Some(file) = &args.frame_stats {
        app.add_plugins(FrameStatsFilePlugin { file: file.clone() });
    }
    if view == View::Headset {
        app.insert_resource(args.governor)
            .add_plugins((GovernorPlugin::default(), GoverningPlugin, FrameAlarmPlugin))
            .insert_resource(ShowFrames(args.show_frames));
    }
    let resumed = !args.fresh && joining.interrupted_in(&lesson.lesson.id);
    let flight = Flight::of(&joining.log, resumed);
    let learner = joining.enter(app.world_mut(), &lesson.lesson, &lesson.digest, args.fresh);
    #[cfg(not(target_os = "android"))]
    if view == View::Desktop {
        app.add_plugins(super::desk::DeskPlugin {
            open_for: args.desk,
        });
    } else if args.desk.is_some() {
        warn!("there is no desk panel without a desktop window (view: {view}); it needs --no-xr");
    }
    app.add_plugins(FlightPlugin);
    app.world_mut().entity_mut(learner).insert((age, flight));
    if let Some(wish) = join(args, &lesson, app.world().get(learner), age)? {
        app.insert_resource(wish);
    }
    match app.run() {
        AppExit::Success => Ok(ExitCode::SUCCESS),
        AppExit::Error(code) if code.get() == START_ANEW => start_anew(&token),
        AppExit::Error(code) => Ok(ExitCode::from(code.get())),
    }
}

/// The host asked for does not say who may come in.
#[derive(Debug, thiserror::Error)]
#[error(
    "to join {0}, give the token that `malloc-vr classroom` printed there, with --join-token or MALLOC_VR_JOIN_TOKEN"
)]
struct NoJoinToken(HostAddress);

/// The host asked for is to be reached by an encrypted link, and nothing says which certificate is its.
#[derive(Debug, thiserror::Error)]
#[error(
    "to join {0}, say by what it is known: --join-fingerprint with what `malloc-vr classroom --tls` printed there, or \
     --join-ca with a PEM file of who vouches for its certificate"
)]
struct NotKnown(HostAddress);

/// Starts to dial the classroom host, where one is named.
fn join(
    args: &PlayArgs,
    lesson: &Loaded,
    learner: Option<&Learner>,
    age: Age,
) -> Result<Option<ToJoin>, Box<dyn Error>> {
    let mut hosts = args.join.clone().into_iter();
    let (Some(mut host), Some(learner)) = (hosts.next(), learner) else {
        return Ok(None);
    };
    let mut others: Vec<HostAddress> = hosts.collect();
    let Some(token) = args.join_token.clone() else {
        return Err(NoJoinToken(host).into());
    };
    let learning = Learning {
        learner: learner.id,
        session: learner.session,
        lesson: lesson.lesson.id.clone(),
        age: age.0,
    };
    let trust = match (args.join_fingerprint, &args.join_ca) {
        (Some(fingerprint), _) => Some(Trust::Fingerprint(fingerprint)),
        (None, Some(file)) => Some(Trust::Authorities(file.clone())),
        (None, None) => None,
    };
    trust.as_ref().map_or(Ok(()), Trust::check)?;
    for host in std::iter::once(&mut host).chain(&mut others) {
        host.encrypted |= trust.is_some();
        if host.encrypted && trust.is_none() {
            return Err(NotKnown(host.clone()).into());
        }
    }
    let tokens = args.data.data_dir.join("hosts.json");
    let config = JoinConfig {
        others,
        trust,
        ..JoinConfig::new(host, token, learning, tokens)
    };
    Ok(Some(ToJoin(config)))
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

fn tls(door: &DoorArgs) -> Option<TlsConfig> {
    match (&door.tls_cert, &door.tls_key) {
        (Some(cert), Some(key)) => Some(TlsConfig::Files {
            cert: cert.clone(),
            key: key.clone(),
        }),
        _ => door.tls.then_some(TlsConfig::SelfSigned),
    }
}

/// The bridge that the command line asks for, its own files beside the records.
pub(super) fn door(door: &DoorArgs, data_dir: &Path, limits: Limits) -> BridgeConfig {
    BridgeConfig {
        listen: door.listen,
        token: door.token.clone(),
        allow_plaintext: door.allow_plaintext,
        tls: tls(door),
        folder: Some(data_dir.to_owned()),
        names: door.hosts.clone(),
        limits,
    }
}

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

/// Tells the person at the keyboard what runs and who may come in.
fn introduce(
    lesson: &Loaded,
    view: View,
    joining: &Joining,
    bridge: &Bridge,
    code: &PairingCode,
    fresh: bool,
) {
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
        "instructor: {} (token {})",
        bridge.url(),
        bridge.token()
    );
    #[cfg(target_os = "android")]
    super::android::tell_instructor(bridge);
    #[cfg(not(target_os = "android"))]
    text.push_str(&in_words(code));
    #[cfg(target_os = "android")]
    let _ = code;
    text.push_str(&reviews(joining));
    print!("{text}");
    // A pipe would otherwise keep this back until it is full.
    let _ = std::io::Write::flush(&mut std::io::stdout());
}

/// A pairing code for whoever reads the terminal.
pub(super) fn in_words(code: &PairingCode) -> String {
    let fingerprint = code.fingerprint.as_ref();
    let certificate =
        fingerprint.map_or_else(String::new, |it| format!("  certificate (SHA-256): {it}\n"));
    format!(
        "pairing: {} at {}, for five minutes\n{certificate}",
        code.code, code.address
    )
}

/// Whether an instructor will see this learner, and what to do where not.
fn say_what_leaves(agreements: &Agreements, joining: &Joining, age: Age) {
    let standing = agreements.standing(joining.learner, age, &joining.state, unix_ms());
    match gate::opens(&standing) {
        Ok(_) => println!("records: an instructor may see this learner"),
        Err(why) => println!(
            "records: nothing leaves this device, and the lesson goes on all the same ({why}){}",
            if age.0 == AgeBand::Unknown {
                "\n         how old the learner is nobody said: a grown-up who plays starts with --age-band adult"
            } else {
                ""
            }
        ),
    }
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

pub(super) fn stop_on_signals() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            // Asked twice: do not wait for the frame.
            std::process::exit(130);
        }
    })
}

pub(super) fn exit_when_asked(mut exit: MessageWriter<AppExit>) {
    if STOP.load(Ordering::Relaxed) {
        exit.write(AppExit::Success);
    }
}

pub(super) fn log_plugin() -> LogPlugin {
    LogPlugin {
        filter: "warn,malloc_vr=info,wgpu=error,naga=warn".to_owned(),
        custom_layer: quiet::layer,
        ..default()
    }
}

/// The engine under the rooms, for this lesson.
pub(super) fn engine(view: View, lesson: &Loaded) -> App {
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

pub(super) fn add_rooms(app: &mut App, lesson: &Loaded, view: View) {
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
