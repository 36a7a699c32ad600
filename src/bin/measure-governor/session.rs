//! The same policies in a real OpenXR session: a scene with a dial goes through each script under each policy, one after
//! the other in one process. The dial is set in periods of the display, by what a sheet of glass was measured to cost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use bevy::app::{ScheduleRunnerPlugin, TerminalCtrlCHandlerPlugin};
use bevy::prelude::*;
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;
use malloc_vr::governor::actuators::Quality;
use malloc_vr::governor::plant::run::{Point, Report, Tally};
use malloc_vr::governor::plant::script::{Playing, Script};
use malloc_vr::governor::plugin::{
    CurrentLevel, CurrentQuality, Governor, GovernorPlugin, GovernorSystems, Surroundings,
};
use malloc_vr::governor::policies::Policy;
use malloc_vr::governor::rules::Rules;
use malloc_vr::governor::state::Moment;
use malloc_vr::xr::rig::RigPlugin;
use malloc_vr::xr::{DrawnCorner, FrameStats, XrPhase, xr_plugins};
use serde_json::json;

use super::stress::{Dial, SHEETS, StressPlugin};
use super::{Args, compared, plot, policy};

/// Frames of each stretch of the calibration, and those left out at its begin.
const STRETCH: u32 = 40;
const SETTLE: u32 = 20;
/// Sheets in its second stretch.
const SOME: u32 = 16;
/// The period that scripts are written in, seconds.
const WRITTEN_IN: f64 = 1.0 / 72.0;
/// Part of the CPU's load that the busy loop makes; the engine's own work is the rest.
const CPU: f64 = 0.3;
/// Seconds between two policies.
const PAUSE: f64 = 2.0;
/// Policies, in order.
const POLICIES: [&str; 4] = ["off", "ours", "valve", "unreal"];
/// Sheets of glass are worth at least this, seconds, or the dial can't be set.
const LEAST: f64 = 5e-6;

/// Runs of one script under one policy, as they end.
type Done = Arc<Mutex<Vec<(String, String, Report)>>>;

/// Where the measurement is.
enum At {
    /// GPU times without sheets, then with some.
    Calibrating { frames: u32, times: [Vec<f64>; 2] },
    /// Until this time, before the run of this number.
    Pausing { run: usize, until: f64 },
    /// A run of this number, begun at this time.
    Running {
        run: usize,
        begun: f64,
        playing: Playing<'static>,
        tally: Box<Tally>,
    },
}

#[derive(Resource)]
struct Conductor {
    at: At,
    scripts: Vec<(String, &'static Script)>,
    rules: Rules,
    seconds: f64,
    pace: f64,
    /// GPU seconds without sheets, and of each sheet.
    base: f64,
    sheet: f64,
    frames: u64,
    skipped: u64,
    last: f64,
    /// What was in force in the frame before, its level and its index.
    before: (CurrentLevel, f64),
    stepped: bool,
    done: Done,
    failed: Arc<Mutex<Option<String>>>,
}

/// Measures, and writes the figures to `file`, plots beside others.
///
/// # Errors
/// Where no session comes up, the device has no timestamps, or a file can't be written.
pub(crate) fn measure(args: &Args, file: &Path, rules: Rules) -> Result<()> {
    let scripts = args
        .scripts
        .iter()
        .map(|name| {
            let known = Script::COMPARED
                .into_iter()
                .find(|(known, _)| known == name);
            let (name, script) = known
                .with_context(|| format!("there is no script `{name}`; see Script::COMPARED"))?;
            // Lives as long as the process, which ends after the measurement.
            Ok((name.to_owned(), &*Box::leak(Box::new(script))))
        })
        .collect::<Result<Vec<_>>>()?;
    let (done, failed) = (Done::default(), Arc::new(Mutex::new(None)));
    let conductor = Conductor {
        at: At::Calibrating {
            frames: 0,
            times: Default::default(),
        },
        scripts,
        seconds: args.seconds,
        pace: args.pace,
        base: 0.0,
        sheet: 0.0,
        frames: 0,
        skipped: 0,
        last: 0.0,
        before: (
            CurrentLevel(malloc_vr::governor::actuators::Level::Conservative),
            1.0,
        ),
        stepped: false,
        done: done.clone(),
        failed: failed.clone(),
        rules: rules.clone(),
    };
    App::new()
        .add_plugins(xr_plugins(
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
            RigPlugin,
            StressPlugin { things: 12 },
            GovernorPlugin {
                policy: Policy::Off,
                rules,
            },
        ))
        .insert_resource(conductor)
        .add_systems(First, conduct.after(GovernorSystems))
        .run();
    if let Some(why) = failed.lock().ok().and_then(|mut it| it.take()) {
        bail!(why);
    }
    let done = done
        .lock()
        .map_err(|_| anyhow!("the measurement broke off"))?;
    write(args, file, &done)
}

fn write(args: &Args, file: &Path, done: &[(String, String, Report)]) -> Result<()> {
    let mut figures = BTreeMap::new();
    let mut scripts: BTreeMap<&str, Vec<(&str, Report)>> = BTreeMap::new();
    for (script, name, report) in done {
        let named = format!("{name}_{script}_session");
        figures.extend(compared(&named, std::slice::from_ref(report)));
        let runs = scripts.entry(script).or_default();
        runs.push((name, report.clone()));
    }
    let folder = args.plots.clone().unwrap_or_else(|| PathBuf::from("."));
    for (script, runs) in &scripts {
        let title = format!(
            "{script}, in an OpenXR session (Monado, lavapipe): frame time, level, render scale"
        );
        let png = folder.join(format!("governor-session-{script}.png"));
        plot::draw(&png, &title, 250.0, runs)?;
    }
    std::fs::write(file, json!(figures).to_string())
        .with_context(|| format!("cannot write {}", file.display()))
}

/// Once for each frame of the headset: counts the last one, sets the dial for this one.
fn conduct(
    time: Res<Time<Real>>,
    phase: Res<XrPhase>,
    stats: Res<FrameStats>,
    drawn: Option<Res<DrawnCorner>>,
    mut governor: ResMut<Governor>,
    (quality, level): (Res<CurrentQuality>, Res<CurrentLevel>),
    mut surroundings: ResMut<Surroundings>,
    mut conductor: ResMut<Conductor>,
    mut dial: ResMut<Dial>,
    mut exit: MessageWriter<AppExit>,
) {
    let conductor = &mut *conductor;
    if *phase != XrPhase::Focused || stats.frames == conductor.frames {
        return;
    }
    conductor.frames = stats.frames;
    let skipped = stats.skipped.saturating_sub(conductor.skipped);
    conductor.skipped = stats.skipped;
    let now = time.elapsed_secs_f64();
    let interval = now - std::mem::replace(&mut conductor.last, now);
    // No foveation in these swapchains; a seam now and then, as lessons have.
    let told = &mut surroundings.0;
    told.limits.foveation = false;
    told.moment = if now % 8.0 < 0.4 {
        Moment::Seam
    } else {
        Moment::Free
    };
    let sample = governor.newest().copied();
    let gpu = sample.and_then(|it| it.gpu).map(|it| it.seconds);
    let last = conductor.scripts.len() * POLICIES.len();
    match &mut conductor.at {
        At::Calibrating { frames, times } => {
            *frames += 1;
            let second = *frames > STRETCH;
            dial.sheets = if second { SOME } else { 0 };
            if *frames % STRETCH > SETTLE
                && let Some(gpu) = gpu
            {
                times[usize::from(second)].push(gpu);
            }
            if *frames < 2 * STRETCH {
                return;
            }
            let [none, some] = [0, 1].map(|stretch| median(&mut times[stretch]));
            conductor.base = none;
            conductor.sheet = (some - none) / f64::from(SOME);
            info!(
                "GPU: {:.2} ms without sheets, {:.3} ms a sheet; period {:.1} ms; drawn {drawn:?}",
                none * 1e3,
                conductor.sheet * 1e3,
                stats.period * 1e3
            );
            if conductor.sheet.is_nan() || conductor.sheet < LEAST {
                fail(
                    conductor,
                    "a sheet of glass costs nothing that timestamps would show: the dial can't be set",
                );
                exit.write(AppExit::error());
                return;
            }
            conductor.at = At::Pausing {
                run: 0,
                until: now + PAUSE,
            };
        }
        At::Pausing { run, until } => {
            dial.sheets = 0;
            dial.cpu = 0.0;
            if now < *until {
                return;
            }
            let run = *run;
            if run >= last {
                exit.write(AppExit::Success);
                return;
            }
            governor.begin_anew(policy(POLICIES[run % POLICIES.len()], &conductor.rules));
            let (name, script) = &conductor.scripts[run / POLICIES.len()];
            info!("{name}, {}", POLICIES[run % POLICIES.len()]);
            conductor.before = (*level, quality.0.index(&conductor.rules));
            conductor.stepped = false;
            conductor.at = At::Running {
                run,
                begun: now,
                playing: Playing::new(script, 1),
                tally: Box::new(Tally::new(true)),
            };
        }
        At::Running {
            run,
            begun,
            playing,
            tally,
        } => {
            let since = now - *begun;
            let index = quality.0.index(&conductor.rules);
            let cost = sample.map_or(0.0, |it| it.cpu.total().max(gpu.unwrap_or_default()));
            let point = point(since, interval, cost, *level, &quality.0);
            let missed = u32::try_from(skipped).unwrap_or(u32::MAX);
            tally.frame(point, conductor.stepped, missed, conductor.before.1);
            tally.decided(
                since,
                conductor.before.0 != *level,
                index - conductor.before.1,
            );
            conductor.before = (*level, index);
            let (demand, stepped) = playing.at(since * conductor.pace);
            conductor.stepped = stepped;
            let periods = |seconds: f64| seconds / WRITTEN_IN * stats.period;
            let sheets = (periods(demand.gpu) - conductor.base).max(0.0) / conductor.sheet;
            dial.sheets = (sheets.round() as u32).min(SHEETS);
            dial.cpu = CPU * periods(demand.cpu);
            if since < conductor.seconds {
                return;
            }
            let (run, tally) = (*run, std::mem::take(tally));
            let (name, _) = &conductor.scripts[run / POLICIES.len()];
            let named = (
                name.clone(),
                POLICIES[run % POLICIES.len()].to_owned(),
                tally.end(since),
            );
            if let Ok(mut done) = conductor.done.lock() {
                done.push(named);
            }
            governor.begin_anew(Policy::Off);
            conductor.at = At::Pausing {
                run: run + 1,
                until: now + PAUSE,
            };
        }
    }
}

fn point(time: f64, interval: f64, cost: f64, level: CurrentLevel, quality: &Quality) -> Point {
    Point {
        time,
        interval: interval * 1e3,
        cost: cost * 1e3,
        level: level.0 as u8,
        scale: quality.render_scale,
    }
}

fn fail(conductor: &Conductor, why: &str) {
    if let Ok(mut failed) = conductor.failed.lock() {
        *failed = Some(why.to_owned());
    }
}

/// NaN of none.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
