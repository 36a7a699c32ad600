//! `malloc-vr play`: one learner, one lesson, whatever this machine can show it with.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use bevy::prelude::*;

use super::cli::{DoorArgs, PlayArgs};
use super::flight::{Flight, FlightPlugin, FlightRules};
use super::frame_alarm::FrameAlarmPlugin;
use super::frame_stats::FrameStatsFilePlugin;
use super::governing::GoverningPlugin;
use super::law;
use super::policy;
use super::records;
use super::replay::play::play_again;
use super::sweep::{self, SweepPlugin};
use super::terms;
use super::view::{self, View};
use crate::bridge::access::Offer;
use crate::bridge::{Bridge, BridgeConfig, Limits, TlsConfig};
use crate::governor::plugin::GovernorPlugin;
use crate::lesson;
use crate::record::Recorder;
use crate::session::WordScreen;
use crate::session::clock::SessionRules;
use crate::session::join::Joining;
use crate::session::life::LifeRules;
use crate::session::standing::{Age, Agreements};
use crate::task::HeadSigns;
use crate::ui::ShowFrames;
use crate::xr;
use introduce::{introduce, say_what_leaves};
use joining::join;

mod engine;
mod introduce;
mod joining;

pub(super) use engine::{add_rooms, engine, exit_when_asked, log_plugin, stop_on_signals};
pub(super) use introduce::in_words;

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
    let terms = terms::in_force(&args.data.data_dir)?;
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
        .insert_resource(FlightRules::of(&agreements.0, age.0, &terms))
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

/// Exit code of the frame loop that asks for a new process in its place.
const START_ANEW: u8 = 75;

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
