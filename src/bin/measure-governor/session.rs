//! The same policies in a real OpenXR session: a scene with a dial goes through each script under each policy, one after
//! the other in one process. The dial is set in periods of the display, by what the scene and a sheet of glass were
//! measured to cost here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use bevy::app::{ScheduleRunnerPlugin, TerminalCtrlCHandlerPlugin};
use bevy::prelude::*;
use bevy::render::renderer::RenderAdapterInfo;
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;
use malloc_vr::app::frame::order_the_frame;
use malloc_vr::governor::actuators::{Level, Quality};
use malloc_vr::governor::mode::Mode;
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

use super::calibrate::{Calibration, Found, Scale};
use super::processors::{DISTURBED, Processors};
use super::stress::{Dial, StressPlugin};
use super::{Args, compared, plot, policy};

/// Seconds between two policies.
const PAUSE: f64 = 2.0;
/// Frames in which what lower levels draw with is made, so that no policy waits for it.
const PREPARE: u32 = 40;
/// A disturbed run is played again, so many times at most; the least disturbed is kept, whatever came of it.
const AGAIN: u32 = 3;
/// Policies, in order.
const POLICIES: [&str; 4] = ["off", "ours", "valve", "unreal"];
/// What came of it.
#[derive(Debug, Default)]
struct Outcome {
    /// Device, driver and display rate.
    device: String,
    /// Parts of the period that a frame takes of the CPU and the GPU with nothing on the dial.
    base: [f64; 2],
    /// What the light and what stands in it add, in periods.
    lit: f64,
    /// The load that the levers can absorb, in periods.
    most: f64,
    /// Runs of one script under one policy, as they end; with the part of the processors' time that other guests of the
    /// host took meanwhile.
    runs: Vec<(String, String, Report, f64)>,
    failed: Option<String>,
}

/// Where the measurement is.
enum At {
    /// Showing everything at the lowest level for so many more frames.
    Preparing(u32),
    /// Finding out what the dial does here.
    Calibrating(Calibration),
    /// Until this time, before the run of this number.
    Pausing { run: usize, until: f64 },
    /// A run of this number, begun at this time.
    Running {
        run: usize,
        begun: f64,
        playing: Playing<'static>,
        tally: Box<Tally>,
        processors: Processors,
    },
}

#[derive(Resource)]
struct Conductor {
    at: At,
    scripts: Vec<(String, &'static Script)>,
    rules: Rules,
    seconds: f64,
    pace: f64,
    /// What the dial does here, once it is known.
    scale: Option<Scale>,
    frames: u64,
    skipped: u64,
    last: f64,
    /// What was in force in the frame before, its level and its index.
    before: (CurrentLevel, f64),
    stepped: bool,
    /// How often the run in hand was played, and the least disturbed of these.
    played: u32,
    least: Option<(Report, f64)>,
    outcome: Arc<Mutex<Outcome>>,
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
    let outcome = Arc::new(Mutex::new(Outcome::default()));
    let conductor = Conductor {
        at: At::Preparing(PREPARE),
        scripts,
        seconds: args.seconds,
        pace: args.pace,
        scale: None,
        frames: 0,
        skipped: 0,
        last: 0.0,
        before: (CurrentLevel(Level::Conservative), 1.0),
        stepped: false,
        played: 0,
        least: None,
        outcome: outcome.clone(),
        rules: rules.clone(),
    };
    let mut app = App::new();
    app.add_plugins(xr_plugins(
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
    .insert_resource(Mode::Held(Level::Emergency))
    .add_systems(First, conduct.after(GovernorSystems));
    order_the_frame(&mut app);
    app.run();
    let mut outcome = outcome
        .lock()
        .map_err(|_| anyhow!("the measurement broke off"))?;
    if let Some(why) = outcome.failed.take() {
        bail!(why);
    }
    write(args, file, &outcome)
}

/// A figure that was measured once.
fn once(value: f64) -> serde_json::Value {
    json!({ "value": value, "n": 1, "spread": [value, value] })
}

fn write(args: &Args, file: &Path, outcome: &Outcome) -> Result<()> {
    let mut figures = BTreeMap::new();
    let [cpu, gpu] = outcome.base;
    for (name, value) in [
        ("base_cpu_ratio_session", cpu),
        ("base_gpu_ratio_session", gpu),
        ("lit_load_ratio_session", outcome.lit),
        ("absorbable_load_ratio_session", outcome.most),
    ] {
        figures.insert(name.to_owned(), once(value));
    }
    let mut scripts: BTreeMap<&str, Vec<(&str, Report)>> = BTreeMap::new();
    for (script, name, report, stolen) in &outcome.runs {
        let named = format!("{name}_{script}_session");
        figures.insert(format!("stolen_time_ratio_{named}"), once(*stolen));
        figures.extend(compared(&named, std::slice::from_ref(report)));
        let runs = scripts.entry(script).or_default();
        runs.push((name, report.clone()));
    }
    let folder = args.plots.clone().unwrap_or_else(|| PathBuf::from("."));
    for (script, runs) in &scripts {
        let title = format!(
            "{script}, in an OpenXR session ({}): frame time, level, render scale",
            outcome.device
        );
        let png = folder.join(format!("governor-session-{script}.png"));
        plot::draw(&png, &title, tallest(runs), runs)?;
    }
    let told = json!({ "device": outcome.device, "figures": figures });
    std::fs::write(file, told.to_string())
        .with_context(|| format!("cannot write {}", file.display()))
}

/// Once for each frame of the headset: counts the last one, sets the dial for this one.
fn conduct(
    time: Res<Time<Real>>,
    phase: Res<XrPhase>,
    stats: Res<FrameStats>,
    (drawn, adapter): (Option<Res<DrawnCorner>>, Res<RenderAdapterInfo>),
    mut governor: ResMut<Governor>,
    (quality, level): (Res<CurrentQuality>, Res<CurrentLevel>),
    mut surroundings: ResMut<Surroundings>,
    mut conductor: ResMut<Conductor>,
    (mut dial, mut mode): (ResMut<Dial>, ResMut<Mode>),
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
        At::Preparing(frames) => {
            dial.set_if_neq(Dial {
                sheets: 1,
                layers: 1,
                lit: true,
                cpu: 0.0,
            });
            *frames = frames.saturating_sub(u32::from(!told.warming));
            if *frames == 0 {
                *mode = Mode::On;
                conductor.at = At::Calibrating(Calibration::default());
            }
        }
        At::Calibrating(calibration) => {
            // What is still being made says nothing of the scene.
            let Some(sample) = sample.filter(|_| !told.warming) else {
                return;
            };
            match calibration.frame(&sample) {
                Found::Going { dial: next, lowest } => {
                    dial.set_if_neq(next);
                    *mode = if lowest {
                        Mode::Held(Level::Emergency)
                    } else {
                        Mode::On
                    };
                }
                Found::Nothing(why) => {
                    fail(conductor, &format!("the dial can't be set: {why}"));
                    exit.write(AppExit::error());
                }
                Found::Scale(scale) => {
                    let device = format!(
                        "{}, {} {}; {:.0} Hz",
                        adapter.name,
                        adapter.driver,
                        adapter.driver_info,
                        1.0 / stats.period
                    );
                    info!("{device}; {scale:?}; drawn {drawn:?}");
                    *mode = Mode::On;
                    note(conductor, device, scale, stats.period);
                    conductor.at = At::Pausing {
                        run: 0,
                        until: now + PAUSE,
                    };
                }
            }
        }
        At::Pausing { run, until } => {
            dial.sheets = 0;
            dial.lit = false;
            dial.cpu = 0.0;
            if now < *until || told.warming {
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
                processors: Processors::now(),
            };
        }
        At::Running {
            run,
            begun,
            playing,
            tally,
            processors,
        } => {
            let since = now - *begun;
            let index = quality.0.index(&conductor.rules);
            let cost = sample.map_or(0.0, |it| {
                let rendered = it.cpu.before_end() + it.cpu.end;
                it.cpu.total().max(rendered).max(gpu.unwrap_or_default())
            });
            let point = point(since, interval, cost, *level, &quality.0);
            let missed = u32::try_from(skipped).unwrap_or(u32::MAX);
            tally.frame(point, conductor.stepped, missed, false, conductor.before.1);
            tally.decided(
                since,
                conductor.before.0 != *level,
                index - conductor.before.1,
            );
            conductor.before = (*level, index);
            let (demand, stepped) = playing.at(since * conductor.pace);
            conductor.stepped = stepped;
            if let Some(scale) = &conductor.scale {
                dial.set_if_neq(scale.dial(&demand, stats.period));
            }
            if since < conductor.seconds {
                return;
            }
            let stolen = Processors::now().stolen_since(*processors);
            let (mut run, tally) = (*run, std::mem::take(tally));
            conductor.played += 1;
            let least = conductor.least.take();
            let (report, stolen) = least
                .filter(|(_, least)| *least <= stolen)
                .unwrap_or_else(|| (tally.end(since), stolen));
            if stolen > DISTURBED && conductor.played <= AGAIN {
                conductor.least = Some((report, stolen));
            } else {
                let (name, _) = &conductor.scripts[run / POLICIES.len()];
                let policy = POLICIES[run % POLICIES.len()].to_owned();
                if let Ok(mut outcome) = conductor.outcome.lock() {
                    outcome.runs.push((name.clone(), policy, report, stolen));
                }
                run += 1;
                conductor.played = 0;
            }
            governor.begin_anew(Policy::Off);
            conductor.at = At::Pausing {
                run,
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
    if let Ok(mut outcome) = conductor.outcome.lock() {
        outcome.failed = Some(why.to_owned());
    }
}

fn note(conductor: &mut Conductor, device: String, scale: Scale, period: f64) {
    conductor.scale = Some(scale);
    if let Ok(mut outcome) = conductor.outcome.lock() {
        outcome.device = device;
        outcome.base = [scale.base.cpu, scale.base.gpu].map(|it| it / period);
        outcome.lit = scale.lit / period;
        outcome.most = scale.most;
    }
}

/// Frame times are cut here, milliseconds: all but the longest hundredth are seen.
fn tallest(runs: &[(&str, Report)]) -> f64 {
    let points = runs.iter().flat_map(|(_, report)| &report.trace);
    let mut intervals: Vec<f64> = points.map(|it| it.interval).collect();
    intervals.sort_by(f64::total_cmp);
    let most = intervals.get(intervals.len() * 99 / 100).copied();
    most.map_or(100.0, |it| 1.2 * it)
}
