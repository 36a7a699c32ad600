//! `malloc-vr classroom`: a host without a view. Headsets join it as learners, instructors come to its door; it folds
//! the same events to the same state and keeps them in its own sealed store.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use bevy::app::{PluginsState, ScheduleRunnerPlugin};
use bevy::prelude::*;
use crossbeam_channel::Receiver;

use super::cli::ClassroomArgs;
use super::frame::order_the_frame;
use super::play::{door, exit_when_asked, in_words, log_plugin, stop_on_signals};
use super::sweep::{self, SweepPlugin};
use super::{law, records};
use crate::bridge::access::Offer;
use crate::bridge::host::{Classroom, HostPlugin};
use crate::bridge::{Bridge, BridgePlugin, Limits};
use crate::lesson::{self, LessonPlugin};
use crate::record::Recorder;
use crate::session::resume::TokenKey;
use crate::session::{SessionPlugin, WordScreen};

/// What the store's master key is used for here.
const TOKENS: &str = "malloc-vr 2026-11-21 classroom resume tokens";
/// Without anything coming in, the host looks this often whether the disk has written and the time has come for
/// something.
const IDLE: Duration = Duration::from_millis(20);
/// What comes within this time is taken in together: a large class sends thousands of messages a second.
const TOGETHER: Duration = Duration::from_micros(500);

/// Hosts until Ctrl-C, or SIGTERM.
pub(super) fn classroom(args: &ClassroomArgs) -> Result<ExitCode, Box<dyn Error>> {
    let lesson = args.lesson.as_deref().map(lesson::load).transpose()?;
    let store = records::open_file(&records::file(&args.data.data_dir))?;
    // Before anybody joins: who comes back after their record's time is over begins anew.
    sweep::today(&store, &args.data.data_dir);
    let screen = law::screen(&law::roster(&args.data.data_dir, store.keys())?);
    let key = TokenKey::derive(&*store.secret_for(TOKENS));
    let recorder = Recorder::start(store)?;
    let bridge = Bridge::start(door(&args.door, &args.data.data_dir, Limits::CLASSROOM))?;
    let code = bridge.open_pairing(Offer::default())?;
    stop_on_signals()?;
    let id = lesson.as_ref().map(|lesson| lesson.lesson.id.clone());
    let known_by = bridge
        .fingerprint()
        .map_or_else(String::new, |it| format!(" --join-fingerprint {it}"));
    println!(
        "classroom: {}\ninstructor: {} (token {})\n\
         headsets: malloc-vr play --join {}{} --join-token TOKEN; a token for each: \
         malloc-vr tokens issue NAME --role learner --learner PSEUDONYM",
        id.as_ref().map_or("any lesson", |id| id.as_str()),
        bridge.url(),
        bridge.token(),
        bridge.reached(),
        known_by,
    );
    print!("{}", in_words(&code));
    // A pipe would otherwise keep this back until it is full.
    let _ = std::io::stdout().flush();
    let bell = bridge.bell();
    let mut app = App::new();
    app.add_plugins((
        MinimalPlugins.build().disable::<ScheduleRunnerPlugin>(),
        log_plugin(),
        SessionPlugin,
        BridgePlugin,
        HostPlugin,
        SweepPlugin {
            data_dir: args.data.data_dir.clone(),
        },
    ))
    .insert_resource(recorder)
    .insert_resource(bridge)
    .insert_resource(Classroom::new(key, id))
    .insert_resource(WordScreen(screen))
    .add_systems(First, exit_when_asked)
    .set_runner(move |app| run_when_called(app, &bell));
    if let Some(lesson) = lesson {
        app.add_plugins(LessonPlugin { lesson });
    }
    order_the_frame(&mut app);
    match app.run() {
        AppExit::Success => Ok(ExitCode::SUCCESS),
        AppExit::Error(code) => Ok(ExitCode::from(code.get())),
    }
}

/// A host has no display to keep in time: it runs when something comes, and now and then.
fn run_when_called(mut app: App, bell: &Receiver<()>) -> AppExit {
    while app.plugins_state() == PluginsState::Adding {
        bevy::tasks::tick_global_task_pools_on_main_thread();
    }
    app.finish();
    app.cleanup();
    loop {
        app.update();
        if let Some(exit) = app.should_exit() {
            return exit;
        }
        if bell.recv_timeout(IDLE).is_ok() {
            std::thread::sleep(TOGETHER);
        }
    }
}
