//! Pictures shown as layers of their own (quads), under the eyes' pictures: as sharp as they were drawn, however small the
//! eyes' pictures become. In: [`QuadLayer`]. Out: composition layers, and [`QuadLayer::is_shown`].
//! The eyes' pictures keep showing the same thing, with an alpha of 0 where the layer is to be seen through them: so hands
//! before a panel hide it, and where there is no layer nothing is missing. A layer's image is copied only when it changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bevy::prelude::*;
use bevy::render::render_asset::RenderAssets;
use bevy::render::render_resource::{
    CommandEncoderDescriptor, Extent3d, LoadOp, Operations, RenderPassColorAttachment,
    RenderPassDescriptor, StoreOp, TextureFormat, TextureUsages,
};
use bevy::render::renderer::{RenderDevice, RenderQueue};
use bevy::render::texture::GpuImage;
use bevy::render::{Extract, ExtractSchedule, RenderApp};
use bevy_mod_openxr::graphics::GraphicsWrap;
use bevy_mod_openxr::helper_traits::ToPosef;
use bevy_mod_openxr::layer_builder::CompositionLayer;
use bevy_mod_openxr::resources::{OxrSwapchain, OxrSwapchainImages};
use bevy_mod_openxr::session::OxrSession;
use bevy_mod_openxr::spaces::OxrSpaceExt;
use bevy_mod_openxr::types::{SwapchainCreateFlags, SwapchainCreateInfo, SwapchainUsageFlags};
use bevy_mod_xr::spaces::XrPrimaryReferenceSpace;
use openxr::sys;
use tracing::{debug, info, warn};

use super::frame::IMAGE_PATIENCE;
use super::phases::Lap;
use super::rig::Rig;

/// Layers at most: every runtime takes 16 together with the eyes' own.
const MOST: usize = 8;
/// What all images of layers are made of; panels are drawn in it, too, so that a copy needs no pass.
const FORMAT: TextureFormat = TextureFormat::Rgba8UnormSrgb;

/// Shows an image as a layer where the runtime can: a rectangle in the entity's own x-y plane, seen from +z.
#[derive(Component, Debug, Clone)]
pub struct QuadLayer {
    /// The image: `Rgba8UnormSrgb`, with `COPY_SRC` among its usages.
    pub image: Handle<Image>,
    /// Width and height before the entity's scale, metres.
    pub size: Vec2,
    /// Counts drawings of the image; at 0 there is nothing to show yet.
    pub drawn: u32,
    shown: Arc<AtomicBool>,
}

impl QuadLayer {
    /// A layer that shows nothing yet.
    #[must_use]
    pub fn new(image: Handle<Image>, size: Vec2) -> Self {
        Self {
            image,
            size,
            drawn: 0,
            shown: Arc::default(),
        }
    }

    /// Whether the runtime has the picture: then the eyes' pictures may let it through.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.shown.load(Ordering::Acquire)
    }

    /// As if the runtime had it.
    #[cfg(test)]
    pub(crate) fn pretend_shown(&self, shown: bool) {
        self.shown.store(shown, Ordering::Release);
    }
}

/// Where a layer is to be in this frame.
struct Wanted {
    entity: Entity,
    image: AssetId<Image>,
    drawn: u32,
    size: Vec2,
    /// In the stage.
    pose: Transform,
    shown: Arc<AtomicBool>,
}

/// Render world: this frame's layers. Empty where there is no session.
#[derive(Resource, Default)]
pub(super) struct WantedQuads(Vec<Wanted>);

/// A layer's images at the runtime. Kept as long as the session: whoever comes with the same size takes it over.
struct Slot {
    owner: Option<Entity>,
    pixels: UVec2,
    swapchain: OxrSwapchain,
    images: OxrSwapchainImages,
    copied: u32,
    shown: Arc<AtomicBool>,
}

/// Render world: the images of all layers.
#[derive(Resource, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    /// The runtime refused: nothing more is tried in this session.
    refused: bool,
}

impl Slots {
    /// Lets go of all images; what they showed is the eyes' own again.
    pub fn clear(&mut self) {
        for slot in &self.slots {
            slot.shown.store(false, Ordering::Release);
        }
        *self = Self::default();
    }
}

pub(super) struct QuadsPlugin;

impl Plugin for QuadsPlugin {
    fn build(&self, app: &mut App) {
        if let Some(render) = app.get_sub_app_mut(RenderApp) {
            render
                .init_resource::<WantedQuads>()
                .init_resource::<Slots>()
                .add_systems(ExtractSchedule, take_over);
        }
    }
}

fn take_over(
    mut wanted: ResMut<WantedQuads>,
    session: Option<Res<OxrSession>>,
    rigs: Extract<Query<&GlobalTransform, With<Rig>>>,
    quads: Extract<Query<(Entity, &QuadLayer, &GlobalTransform, &InheritedVisibility)>>,
) {
    wanted.0.clear();
    let (Some(_), Some(rig)) = (session, rigs.iter().next()) else {
        return;
    };
    let seen = quads
        .iter()
        .filter(|(_, quad, _, seen)| seen.get() && quad.drawn > 0);
    wanted
        .0
        .extend(seen.take(MOST).map(|(entity, quad, at, _)| {
            let pose = at.reparented_to(rig);
            Wanted {
                entity,
                image: quad.image.id(),
                drawn: quad.drawn,
                size: quad.size * pose.scale.truncate().abs(),
                pose,
                shown: quad.shown.clone(),
            }
        }));
}

/// Copies what changed into the runtime's images. After the panels were drawn, before the frame ends.
pub(super) fn bring_up_to_date(
    wanted: Res<WantedQuads>,
    mut slots: ResMut<Slots>,
    session: Option<Res<OxrSession>>,
    images: Res<RenderAssets<GpuImage>>,
    device: Res<RenderDevice>,
    queue: Res<RenderQueue>,
    mut lap: ResMut<Lap>,
) {
    let Some(session) = session.filter(|_| !slots.refused) else {
        return;
    };
    for slot in &mut slots.slots {
        let kept = |it: &Wanted| Some(it.entity) == slot.owner;
        if slot.owner.is_some() && !wanted.0.iter().any(kept) {
            slot.owner = None;
            slot.shown.store(false, Ordering::Release);
        }
    }
    for quad in &wanted.0 {
        let Some(image) = images.get(quad.image) else {
            continue;
        };
        match bring(&mut slots, quad, image, &session, &device, &queue, &mut lap) {
            Ok(()) => {}
            Err(why) => {
                warn!("panels stay part of the eyes' pictures: {why}");
                slots.clear();
                slots.refused = true;
                return;
            }
        }
    }
}

fn bring(
    slots: &mut Slots,
    quad: &Wanted,
    image: &GpuImage,
    session: &OxrSession,
    device: &RenderDevice,
    queue: &RenderQueue,
    lap: &mut Lap,
) -> Result<(), String> {
    let size = image.texture_descriptor.size;
    let usable = image.texture_descriptor.format == FORMAT
        && (image.texture_descriptor.usage).contains(TextureUsages::COPY_SRC);
    if !usable {
        return Err("their pictures cannot be copied".to_owned());
    }
    let pixels = UVec2::new(size.width, size.height);
    let of = |slots: &[Slot], owner| {
        (slots.iter()).position(|it| it.owner == owner && it.pixels == pixels)
    };
    let at = match of(&slots.slots, Some(quad.entity)).or_else(|| of(&slots.slots, None)) {
        Some(at) => at,
        None if slots.slots.len() < MOST => {
            slots.slots.push(new_slot(pixels, session, device, quad)?);
            debug!("a layer of {} x {}", pixels.x, pixels.y);
            slots.slots.len() - 1
        }
        // Shown by the eyes' pictures alone.
        None => return Ok(()),
    };
    let Some(slot) = slots.slots.get_mut(at) else {
        return Ok(());
    };
    if slot.owner != Some(quad.entity) {
        slot.owner = Some(quad.entity);
        slot.copied = 0;
        slot.shown = quad.shown.clone();
    }
    if slot.copied == quad.drawn {
        return Ok(());
    }
    let taken = lap.blocked(|| {
        let index = slot.swapchain.acquire_image()?;
        slot.swapchain
            .wait_image(openxr::Duration::from_nanos(IMAGE_PATIENCE))?;
        Ok(index)
    });
    let index = taken.map_err(|why: bevy_mod_openxr::error::OxrError| why.to_string())?;
    if let Some(into) = slot.images.get(index as usize) {
        copy(image, into, size, device, queue);
    }
    (slot.swapchain.release_image()).map_err(|why| why.to_string())?;
    slot.copied = quad.drawn;
    if !slot.shown.swap(true, Ordering::AcqRel) {
        info!("a panel is a layer of its own");
    }
    Ok(())
}

fn new_slot(
    pixels: UVec2,
    session: &OxrSession,
    device: &RenderDevice,
    quad: &Wanted,
) -> Result<Slot, String> {
    let offered = session
        .enumerate_swapchain_formats()
        .map_err(|why| why.to_string())?;
    if !offered.contains(&FORMAT) {
        return Err(format!("the runtime offers no {FORMAT:?}"));
    }
    let swapchain = session
        .create_swapchain(SwapchainCreateInfo {
            create_flags: SwapchainCreateFlags::EMPTY,
            usage_flags: SwapchainUsageFlags::COLOR_ATTACHMENT
                | SwapchainUsageFlags::SAMPLED
                | SwapchainUsageFlags::TRANSFER_DST,
            format: FORMAT,
            sample_count: 1,
            width: pixels.x,
            height: pixels.y,
            face_count: 1,
            // `enumerate_images` takes every image for one of two eyes; only the first is used.
            array_size: 2,
            mip_count: 1,
        })
        .map_err(|why| format!("making a layer's images: {why}"))?;
    let images = swapchain
        .enumerate_images(device.wgpu_device(), FORMAT, pixels)
        .map_err(|why| format!("taking a layer's images: {why}"))?;
    Ok(Slot {
        owner: Some(quad.entity),
        pixels,
        swapchain,
        images,
        copied: 0,
        shown: quad.shown.clone(),
    })
}

/// The runtime wants its image back as a colour attachment: the empty pass after the copy leaves it as one.
fn copy(
    from: &GpuImage,
    into: &wgpu::Texture,
    size: Extent3d,
    device: &RenderDevice,
    queue: &RenderQueue,
) {
    let mut encoder = device.create_command_encoder(&CommandEncoderDescriptor {
        label: Some("layer"),
    });
    encoder.copy_texture_to_texture(
        from.texture.as_image_copy(),
        into.as_image_copy(),
        Extent3d {
            depth_or_array_layers: 1,
            ..size
        },
    );
    let view = into.create_view(&wgpu::TextureViewDescriptor {
        dimension: Some(wgpu::TextureViewDimension::D2),
        array_layer_count: Some(1),
        ..default()
    });
    drop(encoder.begin_render_pass(&RenderPassDescriptor {
        label: Some("layer"),
        color_attachments: &[Some(RenderPassColorAttachment {
            view: &view,
            depth_slice: None,
            resolve_target: None,
            ops: Operations {
                load: LoadOp::Load,
                store: StoreOp::Store,
            },
        })],
        depth_stencil_attachment: None,
        timestamp_writes: None,
        occlusion_query_set: None,
        multiview_mask: None,
    }));
    queue.submit([encoder.finish()]);
}

/// One layer of the frame.
pub(super) struct Quad<'a> {
    inner: sys::CompositionLayerQuad,
    swapchain: &'a OxrSwapchain,
}

// SAFETY: the header is that of a quad layer, whose structure is `repr(C)` and lives as long as `self`.
unsafe impl<'a> CompositionLayer<'a> for Quad<'a> {
    fn swapchain(&self) -> Option<&'a OxrSwapchain> {
        Some(self.swapchain)
    }

    fn header(&self) -> &sys::CompositionLayerBaseHeader {
        // SAFETY: every layer structure begins with the base header.
        unsafe { &*(&raw const self.inner).cast() }
    }
}

/// The layers whose images the runtime has, in this frame's places.
pub(super) fn layers(world: &World) -> impl Iterator<Item = Quad<'_>> {
    let space = world.get_resource::<XrPrimaryReferenceSpace>();
    let slots = world.get_resource::<Slots>();
    let wanted = world.get_resource::<WantedQuads>();
    let all = wanted.zip(slots).zip(space);
    all.into_iter().flat_map(|((wanted, slots), space)| {
        wanted.0.iter().filter_map(|quad| {
            let mine = |it: &&Slot| it.owner == Some(quad.entity) && it.copied > 0;
            let slot = slots.slots.iter().find(mine)?;
            let GraphicsWrap::Vulkan(swapchain) = &slot.swapchain.0;
            let inner = sys::CompositionLayerQuad {
                ty: sys::CompositionLayerQuad::TYPE,
                next: std::ptr::null(),
                layer_flags: openxr::CompositionLayerFlags::EMPTY,
                space: space.as_raw_openxr_space(),
                eye_visibility: openxr::EyeVisibility::BOTH,
                sub_image: sys::SwapchainSubImage {
                    swapchain: swapchain.as_raw(),
                    image_rect: openxr::Rect2Di {
                        offset: openxr::Offset2Di { x: 0, y: 0 },
                        extent: openxr::Extent2Di {
                            width: i32::try_from(slot.pixels.x).ok()?,
                            height: i32::try_from(slot.pixels.y).ok()?,
                        },
                    },
                    image_array_index: 0,
                },
                pose: quad.pose.to_posef(),
                size: openxr::Extent2Df {
                    width: quad.size.x,
                    height: quad.size.y,
                },
            };
            Some(Quad {
                inner,
                swapchain: &slot.swapchain,
            })
        })
    })
}
