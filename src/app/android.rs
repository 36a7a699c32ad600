//! The way in on a headset: Android starts a `NativeActivity`, which calls `android_main` on a thread of its own.
//!
//! In: the activity's life, and `play.args`, a command line in the application's folder. Out: a running lesson;
//! `doctor.txt` and `instructor.txt` beside the arguments, for whoever has the headset at a cable. Never: waits while
//! Android wants an answer; after five seconds of silence it ends an application.
//!
//! Logs go to logcat: `tracing` through bevy's layer, standard output through android-activity.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command as Process, ExitCode};
use std::time::Duration;

use bevy::android::ANDROID_APP;
use bevy::android::android_activity::{AndroidApp, InputStatus, MainEvent, PollEvent};
use bevy::ecs::system::NonSendMarker;
use bevy::prelude::*;
use clap::Parser;

use super::activity::{Activity, Sign};
use super::arguments::words;
use super::cable::Way;
use super::cli::{Cli, Command, DataArgs, DoctorArgs};
use super::{doctor, with_causes};
use crate::bridge::Bridge;
use crate::session::device::{MemoryIsLow, resident_mib};
use crate::xr::XrPhase;

/// A command line for the headset; none: `play`.
const ARGUMENTS: &str = "play.args";
/// What the headset offers and lacks, written at every start, to be sent to whoever helps.
const REPORT: &str = "doctor.txt";
/// Where an instructor at the cable connects, and with what.
const INSTRUCTOR: &str = "instructor.txt";

/// Between looks for something to do while nobody sees the application.
const REST: Duration = Duration::from_millis(250);
/// How long the process lives on after its activity. See [`android_main`].
const AFTER_FINISH: Duration = Duration::from_secs(1);

/// What Android calls. When it returns, the activity is finished.
///
/// The process ends soon after: bevy keeps the first activity for as long as the process lives, and a second one in it
/// would talk to a dead one.
// SAFETY: android-activity declares exactly this function and calls it once for each activity; no other one has the name.
#[unsafe(no_mangle)]
fn android_main(app: AndroidApp) {
    if ANDROID_APP.set(app.clone()).is_err() {
        eprintln!("this process had an activity before; it ends, start the application again");
        std::process::exit(1);
    }
    let code = match run(&app) {
        Ok(code) => code,
        Err(error) => {
            let text = format!("error: {}\n", with_causes(error.as_ref()));
            eprint!("{text}");
            append(REPORT, &text);
            ExitCode::FAILURE
        }
    };
    let status = i32::from(code != ExitCode::SUCCESS);
    let last = std::thread::Builder::new()
        .name("after-finish".to_owned())
        .spawn(move || {
            std::thread::sleep(AFTER_FINISH);
            std::process::exit(status);
        });
    if last.is_err() {
        std::process::exit(status);
    }
}

fn run(app: &AndroidApp) -> Result<ExitCode, Box<dyn Error>> {
    // `play knots.ron` means the file that was put beside `play.args`.
    if let Some(folder) = shared_folder()
        && let Err(error) = std::env::set_current_dir(&folder)
    {
        // The delivered lesson needs no folder.
        eprintln!("{} cannot be entered: {error}", folder.display());
    }
    let command = command()?;
    if let Command::Play(play) = &command {
        report(app, &play.data);
    }
    super::run(command)
}

/// What the file asks for.
fn command() -> Result<Command, Box<dyn Error>> {
    let file = shared_folder().map(|folder| folder.join(ARGUMENTS));
    let text = match file.as_ref().map(std::fs::read_to_string) {
        None => String::new(),
        Some(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Some(read) => read?,
    };
    let mut words = words(&text).map_err(|why| format!("{ARGUMENTS}, {why}"))?;
    if words.is_empty() {
        words.push("play".to_owned());
    }
    words.insert(0, "malloc-vr".to_owned());
    let cli = Cli::try_parse_from(words).map_err(|error| format!("{ARGUMENTS}: {error}"))?;
    Ok(cli.command)
}

/// Writes [`REPORT`], on another thread: the runtime is asked who it is, and may think about it.
fn report(app: &AndroidApp, data: &DataArgs) {
    let arguments = DoctorArgs {
        data: data.clone(),
        policy: None,
    };
    let Ok(asked) = std::thread::Builder::new()
        .name("doctor".to_owned())
        .spawn(move || doctor::look(&arguments))
    else {
        return;
    };
    let mut activity = Activity::default();
    while !asked.is_finished() && activity != Activity::Destroyed {
        activity = follow(app, Duration::from_millis(20), activity).activity;
    }
    let Ok((findings, _)) = asked.join() else {
        return;
    };
    let mut text = format!("Malloc VR {}\n", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(
        text,
        "device  {}, Android {} (API {}), {}",
        property("ro.product.model"),
        property("ro.build.version.release"),
        AndroidApp::sdk_version(),
        property("ro.build.display.id")
    );
    text.push_str(&findings);
    // Whoever watches the log sees it, too.
    print!("{text}");
    write(REPORT, &text);
}

/// A property of the system; `?` where it does not tell.
fn property(name: &str) -> String {
    Process::new("/system/bin/getprop")
        .arg(name)
        .output()
        .ok()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .filter(|value| !value.is_empty())
        .unwrap_or_else(|| "?".to_owned())
}

/// The application's private folder.
pub(super) fn private_storage() -> Option<PathBuf> {
    ANDROID_APP.get()?.internal_data_path()
}

/// The folder that the owner of the headset reaches through a cable, and no other application does.
fn shared_folder() -> Option<PathBuf> {
    ANDROID_APP.get()?.external_data_path()
}

/// Writes where an instructor connects, and with what: into a file at the cable, not into the log, which people send on.
pub(super) fn tell_instructor(bridge: &Bridge) {
    let way = Way {
        address: &bridge.url(),
        port: bridge.address().port(),
        fingerprint: bridge.fingerprint(),
        token: bridge.token(),
    };
    write(INSTRUCTOR, &way.to_string());
}

fn write(name: &str, text: &str) {
    let Some(folder) = shared_folder() else {
        return;
    };
    if let Err(error) = std::fs::write(folder.join(name), text) {
        eprintln!("{name} is not written: {error}");
    }
}

fn append(name: &str, text: &str) {
    let before = shared_folder()
        .and_then(|folder| std::fs::read_to_string(folder.join(name)).ok())
        .unwrap_or_default();
    write(name, &(before + text));
}

/// Follows the activity's life while frames are made. Without it Android would wait for an answer and end us.
pub(super) struct ActivityPlugin;

impl Plugin for ActivityPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(First, follow_activity);
    }
}

/// On the thread that `android_main` runs on: events come to it alone.
fn follow_activity(
    _here: NonSendMarker,
    phase: Res<XrPhase>,
    mut activity: ResMut<Activity>,
    mut low: MessageWriter<MemoryIsLow>,
    mut exit: MessageWriter<AppExit>,
) {
    let Some(app) = ANDROID_APP.get() else {
        return;
    };
    // While nobody sees it and the runtime wants no frames, a headset in a bag should not be warm.
    let unseen = matches!(*phase, XrPhase::Absent | XrPhase::Waiting | XrPhase::Lost);
    let patience = if *activity == Activity::Stopped && unseen {
        REST
    } else {
        Duration::ZERO
    };
    let News {
        activity: now,
        memory_is_low,
    } = follow(app, patience, *activity);
    if memory_is_low {
        low.write(MemoryIsLow {
            held_mib: resident_mib(),
        });
        give_memory_back();
    }
    if activity.set_if_neq(now) {
        info!("activity: {now:?}");
        if now == Activity::Destroyed {
            exit.write(AppExit::Success);
        }
    }
}

/// What Android had to say.
struct News {
    /// Where the activity stands now.
    activity: Activity,
    /// Whether it said that memory is short.
    memory_is_low: bool,
}

/// Takes everything that Android has to say; waits for the first word as long as `patience`.
fn follow(app: &AndroidApp, patience: Duration, activity: Activity) -> News {
    let mut news = News {
        activity,
        memory_is_low: false,
    };
    let mut patience = patience;
    loop {
        let mut more = true;
        let mut input = false;
        app.poll_events(Some(patience), |event| match event {
            PollEvent::Main(event) => {
                let sign = match event {
                    MainEvent::Start => Some(Sign::Start),
                    MainEvent::Resume { .. } => Some(Sign::Resume),
                    MainEvent::Pause => Some(Sign::Pause),
                    MainEvent::Stop => Some(Sign::Stop),
                    MainEvent::Destroy => Some(Sign::Destroy),
                    MainEvent::LowMemory => {
                        news.memory_is_low = true;
                        None
                    }
                    MainEvent::InputAvailable => {
                        input = true;
                        None
                    }
                    // SaveState: the log on the disk is the state. The window is not drawn on; the runtime has its own.
                    _ => None,
                };
                if let Some(sign) = sign {
                    news.activity = news.activity.after(sign);
                }
            }
            PollEvent::Wake => {}
            _ => more = false,
        });
        if input {
            pass_input_on(app);
        }
        if !more || news.activity == Activity::Destroyed {
            return news;
        }
        patience = Duration::ZERO;
    }
}

/// Keys and touches belong to the system (volume, back); left lying, Android takes us for hung.
fn pass_input_on(app: &AndroidApp) {
    if let Ok(mut events) = app.input_events_iter() {
        while events.next(|_| InputStatus::Unhandled) {}
    }
}

/// What the allocator keeps for later goes back to the system.
fn give_memory_back() {
    // M_PURGE of bionic's malloc.h, since API 28.
    const PURGE: i32 = -101;
    unsafe extern "C" {
        fn mallopt(option: i32, value: i32) -> i32;
    }
    // SAFETY: declared as in bionic's malloc.h; purging takes nothing that is in use, from whichever thread it is called.
    if unsafe { mallopt(PURGE, 0) } == 0 {
        debug!("the allocator gives no memory back");
    }
}
