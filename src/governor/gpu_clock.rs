//! How long the GPU works on a frame, by timestamps before its first and after its last command. The first goes with the
//! frame's own commands: by itself it would be written while they are still being recorded.
//! In: the render graph. Out: [`GpuTimes`], a frame or more later. Never: a wait for the GPU; where the device has no
//! timestamps, or all buffers are still under way, a frame goes unmeasured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bevy::prelude::*;
use bevy::render::render_resource::{
    Buffer, BufferDescriptor, BufferUsages, CommandEncoderDescriptor, ComputePassDescriptor,
    MapMode, PipelineCache,
};
use bevy::render::renderer::{
    RenderContext, RenderDevice, RenderGraph, RenderGraphSystems, RenderQueue, WgpuWrapper,
};
use bevy::render::{ExtractSchedule, MainWorld, RenderApp};
use wgpu::{ComputePassTimestampWrites, Features, QuerySet, QuerySetDescriptor, QueryType};

use super::plugin::{GpuTimes, Surroundings};
use super::sense::GpuTime;
use crate::xr::FrameStats;

/// Measurements under way at once: two frames in flight, and two that wait to be read.
const UNDER_WAY: usize = 4;
/// Two timestamps.
const BYTES: u64 = 16;

pub(super) struct GpuClockPlugin;

impl Plugin for GpuClockPlugin {
    fn build(&self, app: &mut App) {
        let Some(render) = app.get_sub_app_mut(RenderApp) else {
            return;
        };
        render
            .init_resource::<Clock>()
            .add_systems(ExtractSchedule, hand_over)
            .add_systems(
                RenderGraph,
                (
                    begin.in_set(RenderGraphSystems::Begin),
                    finish.in_set(RenderGraphSystems::Finish),
                ),
            );
    }
}

/// Render world. `None` until the device is known, or where it has no timestamps.
#[derive(Resource, Default)]
struct Clock {
    probed: bool,
    /// The main world's frame that is drawn.
    frame: u64,
    running: bool,
    device: Option<Device>,
    newest: Arc<Newest>,
}

struct Device {
    queries: WgpuWrapper<QuerySet>,
    resolved: Buffer,
    slots: Vec<Slot>,
    /// Nanoseconds of a tick.
    tick: f64,
}

/// A buffer that the CPU reads, and what it is at.
struct Slot {
    buffer: Buffer,
    state: Arc<AtomicU64>,
    frame: u64,
}

const IDLE: u64 = 0;
const MAPPING: u64 = 1;
const MAPPED: u64 = 2;
const FAILED: u64 = 3;

/// The newest measurement: frame and nanoseconds, 0 for none.
#[derive(Default)]
struct Newest {
    frame: AtomicU64,
    nanos: AtomicU64,
}

/// Both worlds are in our hands here: the newest time goes to the main world, and whether pipelines are still being made;
/// its frame comes here.
fn hand_over(
    mut main: ResMut<MainWorld>,
    pipelines: Option<Res<PipelineCache>>,
    mut clock: ResMut<Clock>,
) {
    if let Some(mut told) = main.get_resource_mut::<Surroundings>() {
        let waits = pipelines.is_some_and(|it| it.waiting_pipelines().next().is_some());
        told.bypass_change_detection().0.warming = waits;
    }
    let now = main.get_resource::<FrameStats>().map_or(0, |it| it.frames);
    clock.frame = now;
    let nanos = clock.newest.nanos.swap(0, Ordering::Acquire);
    if nanos == 0 {
        return;
    }
    let frame = clock.newest.frame.load(Ordering::Relaxed);
    if let Some(mut times) = main.get_resource_mut::<GpuTimes>() {
        // The next sample is of the frame that the main world has just finished.
        let age = now.saturating_sub(frame).min(u64::from(u8::MAX));
        times.0 = Some(GpuTime {
            seconds: nanos as f64 * 1e-9,
            age: age as u8,
        });
    }
}

fn make(device: &RenderDevice, queue: &RenderQueue) -> Option<Device> {
    if !device.features().contains(Features::TIMESTAMP_QUERY) {
        info!("this graphics device has no timestamps: the governor goes by missed frames");
        return None;
    }
    let buffer = |usage| {
        device.create_buffer(&BufferDescriptor {
            label: Some("frame timestamps"),
            size: BYTES,
            usage,
            mapped_at_creation: false,
        })
    };
    let queries = device.wgpu_device().create_query_set(&QuerySetDescriptor {
        label: Some("frame timestamps"),
        ty: QueryType::Timestamp,
        count: 2,
    });
    let slot = || Slot {
        buffer: buffer(BufferUsages::COPY_DST | BufferUsages::MAP_READ),
        state: Arc::new(AtomicU64::new(IDLE)),
        frame: 0,
    };
    Some(Device {
        queries: WgpuWrapper::new(queries),
        resolved: buffer(BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC),
        slots: std::iter::repeat_with(slot).take(UNDER_WAY).collect(),
        tick: f64::from(queue.get_timestamp_period()),
    })
}

/// A timestamp by itself: an empty pass, because not every device writes one between passes.
fn stamp(encoder: &mut wgpu::CommandEncoder, queries: &QuerySet, which: u32) {
    drop(encoder.begin_compute_pass(&ComputePassDescriptor {
        label: Some("frame timestamp"),
        timestamp_writes: Some(ComputePassTimestampWrites {
            query_set: queries,
            beginning_of_pass_write_index: Some(which),
            end_of_pass_write_index: None,
        }),
    }));
}

fn begin(
    device: Res<RenderDevice>,
    queue: Res<RenderQueue>,
    mut clock: ResMut<Clock>,
    mut frame: RenderContext,
) {
    let clock = &mut *clock;
    if !clock.probed {
        clock.probed = true;
        clock.device = make(&device, &queue);
    }
    clock.running = false;
    let Some(made) = &mut clock.device else {
        return;
    };
    for slot in &mut made.slots {
        match slot.state.load(Ordering::Acquire) {
            MAPPED => {
                if let Some(nanos) = read(slot, made.tick)
                    && slot.frame >= clock.newest.frame.load(Ordering::Relaxed)
                {
                    clock.newest.frame.store(slot.frame, Ordering::Relaxed);
                    clock.newest.nanos.store(nanos.max(1), Ordering::Release);
                }
                slot.buffer.unmap();
                slot.state.store(IDLE, Ordering::Release);
            }
            FAILED => slot.state.store(IDLE, Ordering::Release),
            _ => {}
        }
    }
    let free = |slot: &Slot| slot.state.load(Ordering::Acquire) == IDLE;
    if !made.slots.iter().any(free) {
        return;
    }
    clock.running = true;
    stamp(frame.command_encoder(), &made.queries, 0);
}

fn read(slot: &Slot, tick: f64) -> Option<u64> {
    let view = slot.buffer.slice(..).get_mapped_range();
    let at = |from: usize| {
        let bytes = view.get(from..from + 8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    };
    let ticks = at(8)?.checked_sub(at(0)?)?;
    Some((ticks as f64 * tick) as u64)
}

fn finish(device: Res<RenderDevice>, queue: Res<RenderQueue>, mut clock: ResMut<Clock>) {
    let clock = &mut *clock;
    if !std::mem::take(&mut clock.running) {
        return;
    }
    let Some(made) = &mut clock.device else {
        return;
    };
    let free = |slot: &&mut Slot| slot.state.load(Ordering::Acquire) == IDLE;
    let Some(slot) = made.slots.iter_mut().find(free) else {
        return;
    };
    let mut encoder = device.create_command_encoder(&CommandEncoderDescriptor::default());
    stamp(&mut encoder, &made.queries, 1);
    encoder.resolve_query_set(&made.queries, 0..2, &made.resolved, 0);
    encoder.copy_buffer_to_buffer(&made.resolved, 0, &slot.buffer, 0, BYTES);
    queue.submit([encoder.finish()]);
    slot.frame = clock.frame;
    slot.state.store(MAPPING, Ordering::Release);
    let state = slot.state.clone();
    slot.buffer.slice(..).map_async(MapMode::Read, move |done| {
        let now = if done.is_ok() { MAPPED } else { FAILED };
        state.store(now, Ordering::Release);
    });
}
