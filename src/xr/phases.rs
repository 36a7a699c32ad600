//! Where a frame's CPU time goes: main world, taking over, preparing, recording, handing over. Main and render world run
//! beside each other, so times of the render world are of the frame before; what is waited for belongs to no phase.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bevy::app::MainScheduleOrder;
use bevy::ecs::schedule::{ScheduleLabel, SingleThreadedExecutor};
use bevy::prelude::*;
use bevy::render::pipelined_rendering::PipelinedRenderingPlugin;
use bevy::render::renderer::{RenderGraph, RenderGraphSystems};
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
    record: AtomicU64,
    end: AtomicU64,
    /// When the render world was done, nanoseconds after `base`.
    ended: AtomicU64,
}

/// Render world: how the frame in hand goes.
#[derive(Resource)]
pub(super) struct Lap {
    /// When the part in hand began.
    since: Instant,
    /// Of it, so long was nobody's work.
    blocked: Duration,
}

impl Lap {
    fn begun(now: Instant) -> Self {
        Self {
            since: now,
            blocked: Duration::ZERO,
        }
    }

    /// The part ends, and the next begins: nanoseconds of work.
    fn next(&mut self) -> u64 {
        let part = std::mem::replace(self, Self::begun(Instant::now()));
        let took = self.since.saturating_duration_since(part.since);
        took.saturating_sub(part.blocked).as_nanos() as u64
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
            record: seconds(&times.record),
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
            record: AtomicU64::new(0),
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
            // Its parts follow each other anyway. As a task of the pool, the wait of a driver could be run by the main
            // thread, which helps out there whenever it waits for tasks of its own.
            .edit_schedule(RenderGraph, |graph| {
                graph.set_executor(SingleThreadedExecutor::new());
            })
            .add_systems(
                RenderGraph,
                recorded
                    .after(RenderGraphSystems::Render)
                    .before(RenderGraphSystems::Submit),
            )
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
    times.0.prepare.store(lap.next(), Ordering::Relaxed);
}

fn recorded(mut lap: ResMut<Lap>, times: Res<RenderTimes>) {
    times.0.record.store(lap.next(), Ordering::Relaxed);
}

fn done(mut lap: ResMut<Lap>, times: Res<RenderTimes>) {
    times.0.end.store(lap.next(), Ordering::Relaxed);
    let ended = lap.since.saturating_duration_since(times.0.base);
    (times.0.ended).store(ended.as_nanos() as u64, Ordering::Release);
}
