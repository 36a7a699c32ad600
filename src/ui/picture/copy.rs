//! On the graphics card: what a camera has drawn, made smaller, into a texture of ours. One small pass in one frame.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bevy::asset::uuid_handle;
use bevy::core_pipeline::tonemapping::tonemapping;
use bevy::core_pipeline::{Core3d, Core3dSystems};
use bevy::prelude::*;
use bevy::render::camera::ExtractedCamera;
use bevy::render::extract_component::{ExtractComponent, ExtractComponentPlugin};
use bevy::render::render_asset::RenderAssets;
use bevy::render::render_resource::binding_types::{texture_2d, uniform_buffer_sized};
use bevy::render::render_resource::{
    BindGroupEntries, BindGroupLayoutDescriptor, BindGroupLayoutEntries, BufferInitDescriptor,
    BufferUsages, CachedRenderPipelineId, ColorTargetState, ColorWrites, FragmentState, LoadOp,
    Operations, PipelineCache, RenderPassColorAttachment, RenderPassDescriptor,
    RenderPipelineDescriptor, ShaderStages, StoreOp, TextureFormat, TextureSampleType, VertexState,
};
use bevy::render::renderer::{RenderContext, RenderDevice, ViewQuery};
use bevy::render::texture::GpuImage;
use bevy::render::view::ViewTarget;
use bevy::render::{RenderApp, RenderStartup};
use bevy::shader::Shader;

const SHADER: Handle<Shader> = uuid_handle!("5f0c3a1e-7a44-4a0a-9a5b-0d6b6a2f7c11");
/// Bytes of the shader's `Part`.
const PART: usize = 32;

/// On a camera: copy what is drawn in the next frame. Takes effect once; take it off when it is done.
#[derive(Component, ExtractComponent, Clone)]
pub(super) struct CopyInto {
    /// Where to: an `Rgba8UnormSrgb` texture of at least a sixteenth of the view's edges.
    pub(super) image: Handle<Image>,
    /// The frame that holds the copy has been handed to the graphics card.
    pub(super) done: Arc<AtomicBool>,
}

pub(super) struct CopyPlugin;

impl Plugin for CopyPlugin {
    fn build(&self, app: &mut App) {
        if let Some(mut shaders) = app.world_mut().get_resource_mut::<Assets<Shader>>() {
            let shader = Shader::from_wgsl(include_str!("smaller.wgsl"), "ui/picture/smaller.wgsl");
            if let Err(error) = shaders.insert(&SHADER, shader) {
                error!("no pictures can be taken: {error}");
            }
        }
        app.add_plugins(ExtractComponentPlugin::<CopyInto>::default());
        if let Some(render) = app.get_sub_app_mut(RenderApp) {
            render.add_systems(RenderStartup, prepare).add_systems(
                Core3d,
                copy.in_set(Core3dSystems::PostProcess).after(tonemapping),
            );
        }
    }
}

/// Made when the renderer starts: compiled when somebody asks, it would cost the learner frames.
#[derive(Resource)]
struct Smaller {
    layout: BindGroupLayoutDescriptor,
    pipeline: CachedRenderPipelineId,
}

fn prepare(mut commands: Commands, cache: Res<PipelineCache>) {
    let layout = BindGroupLayoutDescriptor::new(
        "picture",
        &BindGroupLayoutEntries::sequential(
            ShaderStages::FRAGMENT,
            (
                texture_2d(TextureSampleType::Float { filterable: false }),
                uniform_buffer_sized(false, std::num::NonZero::new(PART as u64)),
            ),
        ),
    );
    let pipeline = cache.queue_render_pipeline(RenderPipelineDescriptor {
        label: Some("picture".into()),
        layout: vec![layout.clone()],
        vertex: VertexState {
            shader: SHADER,
            entry_point: Some("vertex".into()),
            ..default()
        },
        fragment: Some(FragmentState {
            shader: SHADER,
            entry_point: Some("fragment".into()),
            targets: vec![Some(ColorTargetState {
                format: TextureFormat::Rgba8UnormSrgb,
                blend: None,
                write_mask: ColorWrites::ALL,
            })],
            ..default()
        }),
        ..default()
    });
    commands.insert_resource(Smaller { layout, pipeline });
}

fn copy(
    view: ViewQuery<(&ViewTarget, &ExtractedCamera, &CopyInto)>,
    smaller: Option<Res<Smaller>>,
    cache: Res<PipelineCache>,
    images: Res<RenderAssets<GpuImage>>,
    device: Res<RenderDevice>,
    mut context: RenderContext,
) {
    let (target, camera, into) = view.into_inner();
    if into.done.load(Ordering::Relaxed) {
        return;
    }
    let Some(smaller) = smaller else { return };
    // Neither is there in the first frame; the next one tries again.
    let (Some(pipeline), Some(image)) = (
        cache.get_render_pipeline(smaller.pipeline),
        images.get(&into.image),
    ) else {
        return;
    };
    let drawn = target.main_texture();
    let (corner, size) = match &camera.viewport {
        Some(part) => (part.physical_position, part.physical_size),
        None => (UVec2::ZERO, UVec2::new(drawn.width(), drawn.height())),
    };
    let small = image.texture_descriptor.size;
    let part: [u32; 8] = [
        corner.x,
        corner.y,
        size.x,
        size.y,
        small.width,
        small.height,
        0,
        0,
    ];
    let bytes: Vec<u8> = part
        .iter()
        .flat_map(|it| (*it as f32).to_le_bytes())
        .collect();
    let part = device.create_buffer_with_data(&BufferInitDescriptor {
        label: Some("picture"),
        contents: &bytes,
        usage: BufferUsages::UNIFORM,
    });
    let bindings = device.create_bind_group(
        "picture",
        &cache.get_bind_group_layout(&smaller.layout),
        &BindGroupEntries::sequential((target.main_texture_view(), part.as_entire_binding())),
    );
    let mut pass = context
        .command_encoder()
        .begin_render_pass(&RenderPassDescriptor {
            label: Some("picture"),
            color_attachments: &[Some(RenderPassColorAttachment {
                view: &image.texture_view,
                depth_slice: None,
                resolve_target: None,
                ops: Operations {
                    load: LoadOp::Clear(default()),
                    store: StoreOp::Store,
                },
            })],
            depth_stencil_attachment: None,
            timestamp_writes: None,
            occlusion_query_set: None,
            multiview_mask: None,
        });
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, &bindings, &[]);
    pass.draw(0..3, 0..1);
    into.done.store(true, Ordering::Release);
}
