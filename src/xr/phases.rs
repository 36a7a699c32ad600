//! Where a frame's CPU time goes: main world, taking over, preparing, submitting. Main and render world run beside each
//! other, so times of the render world are of the frame before; what is waited for belongs to no phase.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bevy::app::MainScheduleOrder;
use bevy::ecs::schedule::ScheduleLabel;
use bevy::prelude::*;
use bevy::render::pipelined_rendering::PipelinedRenderingPlugin;
use bevy::render::{Render, RenderApp, RenderSystems};
use bevy_mod_xr::session::XrRenderSystems;

use super::clock::Phases;
use super::frame;

/// Runs after `Last`: the main world's work is done.
#[derive(ScheduleLabel, Debug, Clone, PartialEq, Eq, Hash)]
struct AfterLast;

/// What the render world measured last; in both worlds.
#[derive(Resource, Clone)]
struct RenderTimes(Arc<Shared>);

struct Shared {
    base: Instant,
    /// Nanoseconds.
    prepare: AtomicU64,
    submit: AtomicU64,
    end: AtomicU64,
    /// When the render world was done, nanoseconds after `base`.
    ended: AtomicU64,
}

/// Render world: how the frame in hand goes.
#[derive(Resource)]
pub(super) struct Lap {
    since: Instant,
    prepared: Instant,
    blocked: Duration,
    end: Duration,
}

impl Lap {
    fn begun(now: Instant) -> Self {
        Self {
            since: now,
            prepared: now,
            blocked: Duration::ZERO,
            end: Duration::ZERO,
        }
    }

    /// Ending the frame took so long.
    pub fn ended(&mut self, took: Duration) {
        self.end += took;
    }

    /// Does what may be blocked by the runtime; the time is nobody's work.
    pub fn blocked<T>(&mut self, wait: impl FnOnce() -> T) -> T {
        let since = Instant::now();
        let out = wait();
        self.blocked += since.elapsed();
        out
    }
}

/// Main world: between which moments it worked.
#[derive(Resource, Default)]
pub(super) struct MainLap {
    since: Option<Instant>,
    ended: Option<Instant>,
    overlapped: bool,
    times: Option<RenderTimes>,
}

impl MainLap {
    /// The frame that ends with the wait that begins now. `None` before the first.
    pub fn take(&mut self, now: Instant) -> Option<Phases> {
        let (since, ended, times) = (self.since.take()?, self.ended.take()?, &self.times);
        let times = &times.as_ref()?.0;
        let rendered = times.base + Duration::from_nanos(times.ended.load(Ordering::Acquire));
        let seconds = |nanos: &AtomicU64| nanos.load(Ordering::Relaxed) as f64 * 1e-9;
        Some(Phases {
            simulation: ended.saturating_duration_since(since).as_secs_f64(),
            // Before it the main world waits for the render world's frame.
            extract: now
                .saturating_duration_since(ended.max(rendered))
                .as_secs_f64(),
            prepare: seconds(&times.prepare),
            submit: seconds(&times.submit),
            end: seconds(&times.end),
            overlapped: self.overlapped,
        })
    }

    /// The wait is over: the main world works.
    pub fn begin(&mut self, now: Instant) {
        (self.since, self.ended) = (Some(now), None);
    }
}

pub(super) struct PhasesPlugin;

impl Plugin for PhasesPlugin {
    fn build(&self, app: &mut App) {
        let now = Instant::now();
        let overlapped = app.is_plugin_added::<PipelinedRenderingPlugin>();
        let times = RenderTimes(Arc::new(Shared {
            base: now,
            prepare: AtomicU64::new(0),
            submit: AtomicU64::new(0),
            end: AtomicU64::new(0),
            ended: AtomicU64::new(0),
        }));
        app.init_schedule(AfterLast)
            .insert_resource(MainLap {
                overlapped,
                times: Some(times.clone()),
                ..default()
            })
            .add_systems(AfterLast, |mut lap: ResMut<MainLap>| {
                lap.ended = Some(Instant::now());
            });
        app.world_mut()
            .resource_mut::<MainScheduleOrder>()
            .insert_after(Last, AfterLast);
        let Some(render) = app.get_sub_app_mut(RenderApp) else {
            return;
        };
        render
            .insert_resource(times)
            .insert_resource(Lap::begun(now))
            .add_systems(
                Render,
                (
                    start.before(RenderSystems::ExtractCommands),
                    prepared
                        .after(RenderSystems::PrepareBindGroups)
                        .before(RenderSystems::Render),
                    done.in_set(XrRenderSystems::PostRender)
                        .after(frame::end_frame),
                ),
            );
    }
}

fn start(mut lap: ResMut<Lap>) {
    *lap = Lap::begun(Instant::now());
}

fn prepared(mut lap: ResMut<Lap>, times: Res<RenderTimes>) {
    let now = Instant::now();
    let worked = now
        .saturating_duration_since(lap.since)
        .saturating_sub(lap.blocked);
    times
        .0
        .prepare
        .store(worked.as_nanos() as u64, Ordering::Relaxed);
    (lap.prepared, lap.blocked) = (now, Duration::ZERO);
}

fn done(lap: Res<Lap>, times: Res<RenderTimes>) {
    let now = Instant::now();
    let worked = now
        .saturating_duration_since(lap.prepared)
        .saturating_sub(lap.blocked + lap.end);
    let since_base = now.saturating_duration_since(times.0.base);
    (times.0.submit).store(worked.as_nanos() as u64, Ordering::Relaxed);
    (times.0.end).store(lap.end.as_nanos() as u64, Ordering::Relaxed);
    (times.0.ended).store(since_base.as_nanos() as u64, Ordering::Release);
}
