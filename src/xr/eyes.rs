//! The eyes: one camera each, placed where the runtime says the eyes will be when the frame is shown.

use bevy::camera::{ManualTextureViewHandle, RenderTarget};
use bevy::core_pipeline::tonemapping::Tonemapping;
use bevy::prelude::*;
use bevy::render::RenderApp;
use bevy::render::extract_resource::ExtractResourcePlugin;
use bevy::render::renderer::RenderAdapterInfo;
use bevy::render::texture::ManualTextureViews;
use bevy::render::view::NoIndirectDrawing;
use bevy::transform::TransformSystems;
use bevy_mod_openxr::helper_traits::ToTransform;
use bevy_mod_openxr::render::{XR_TEXTURE_INDEX, add_texture_view};
use bevy_mod_openxr::resources::{
    OxrCurrentSessionConfig, OxrFrameState, OxrSwapchainImages, OxrViews,
};
use bevy_mod_openxr::session::OxrSession;
use bevy_mod_xr::camera::{Fov, XrCamera, XrProjection, XrViewInit, calculate_projection};
use bevy_mod_xr::session::{XrFirst, XrHandleEvents, XrPreDestroySession, XrSessionCreated};
use bevy_mod_xr::spaces::XrPrimaryReferenceSpace;
use openxr::{ViewConfigurationType, ViewStateFlags};

use super::session::Link;

/// Things may come this close to an eye, metres: a hand before the face must not be cut open.
const NEAR: f32 = 0.03;

pub(super) struct EyesPlugin;

impl Plugin for EyesPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<OxrViews>()
            .add_plugins((
                ExtractResourcePlugin::<OxrCurrentSessionConfig>::default(),
                ExtractResourcePlugin::<OxrSwapchainImages>::default(),
                ExtractResourcePlugin::<XrPrimaryReferenceSpace>::default(),
            ))
            .add_observer(dress_eye)
            .add_systems(XrSessionCreated, spawn_eyes.in_set(XrViewInit))
            .add_systems(XrPreDestroySession, despawn_eyes)
            .add_systems(
                XrFirst,
                open_or_shut_eyes
                    .after(super::frame::FrameWait)
                    .in_set(XrHandleEvents::FrameLoop),
            )
            .add_systems(
                PostUpdate,
                (
                    locate_eyes.run_if(resource_exists::<OxrFrameState>),
                    place_eyes,
                )
                    .chain()
                    .run_if(|link: Res<Link>| link.runs())
                    .before(TransformSystems::Propagate),
            );
        // The render world locates the eyes for itself, later and so better: a copy each frame would be thrown away.
        if let Some(render) = app.get_sub_app_mut(RenderApp) {
            render.init_resource::<OxrViews>();
        }
    }
}

/// How an eye draws. `draw_indexed_indirect` silently fails on Quest 2 and 3 (gfx-rs/wgpu#8801), seen as flicker between
/// the eyes; the tone curve is one that needs no lookup table, which would cost a megabyte in the package.
pub fn dress_eye(
    added: On<Add, XrCamera>,
    adapter: Option<Res<RenderAdapterInfo>>,
    mut commands: Commands,
) {
    commands.entity(added.entity).insert((
        NoIndirectDrawing,
        Tonemapping::SomewhatBoringDisplayTransform,
        samples(adapter.as_deref()),
    ));
}

/// Four samples where a graphics card pays for them. On a tiler (Android) Bevy resolves through memory,
/// which costs more than it brings (bevy#16907), and on a CPU every sample is paid in full.
fn samples(adapter: Option<&RenderAdapterInfo>) -> Msaa {
    let on_cpu = adapter.is_some_and(|it| format!("{:?}", it.device_type) == "Cpu");
    if on_cpu || cfg!(target_os = "android") {
        Msaa::Off
    } else {
        Msaa::Sample4
    }
}

fn spawn_eyes(
    config: Option<Res<OxrCurrentSessionConfig>>,
    images: Option<Res<OxrSwapchainImages>>,
    mut views: ResMut<ManualTextureViews>,
    mut commands: Commands,
) {
    let (Some(config), Some(images)) = (config, images) else {
        return;
    };
    let Some(image) = images.first() else { return };
    for eye in 0..2 {
        let handle = add_texture_view(&mut views, image, &config, eye);
        commands.spawn((
            Name::new(if eye == 0 { "left eye" } else { "right eye" }),
            XrCamera(eye),
            Camera {
                is_active: false,
                ..default()
            },
            RenderTarget::TextureView(handle),
            Projection::custom(XrProjection {
                near: NEAR,
                ..default()
            }),
        ));
    }
}

fn despawn_eyes(
    mut commands: Commands,
    eyes: Query<Entity, With<XrCamera>>,
    mut views: ResMut<ManualTextureViews>,
) {
    for eye in &eyes {
        commands.entity(eye).despawn();
    }
    forget_texture_views(&mut views);
}

/// The eyes' images are gone: nobody may draw on them any more.
pub(super) fn forget_texture_views(views: &mut ManualTextureViews) {
    for eye in 0..2 {
        views.remove(&ManualTextureViewHandle(XR_TEXTURE_INDEX + eye));
    }
}

/// Nothing is drawn for frames that nobody will see.
fn open_or_shut_eyes(
    link: Res<Link>,
    waited: Res<super::frame::Waited>,
    mut eyes: Query<&mut Camera, With<XrCamera>>,
) {
    let open = link.runs() && waited.0.is_some_and(|frame| frame.should_render);
    for mut eye in &mut eyes {
        if eye.is_active != open {
            eye.is_active = open;
        }
    }
}

/// Runs in both worlds: in the main world for culling, in the render world as late as possible for drawing.
/// An error is not reported here: the frame loop meets the same one.
pub(super) fn locate_eyes(
    session: Option<Res<OxrSession>>,
    space: Option<Res<XrPrimaryReferenceSpace>>,
    frame: Res<OxrFrameState>,
    mut views: ResMut<OxrViews>,
) {
    let (Some(session), Some(space)) = (session, space) else {
        return;
    };
    let Ok((flags, located)) = session.locate_views(
        ViewConfigurationType::PRIMARY_STEREO,
        frame.predicted_display_time,
        &space,
    ) else {
        return;
    };
    // Until both parts of the pose are known, the last ones are the best guess.
    if flags.contains(ViewStateFlags::ORIENTATION_VALID | ViewStateFlags::POSITION_VALID) {
        *views = OxrViews(located);
    }
}

fn place_eyes(views: Res<OxrViews>, mut eyes: Query<(&mut Transform, &mut Projection, &XrCamera)>) {
    for (mut transform, mut projection, eye) in &mut eyes {
        let Some(view) = views.get(eye.0 as usize) else {
            continue;
        };
        *transform = view.pose.to_transform();
        if let Projection::Custom(custom) = &mut *projection
            && let Some(projection) = custom.get_mut::<XrProjection>()
        {
            projection.projection_matrix = calculate_projection(
                projection.near,
                Fov {
                    angle_left: view.fov.angle_left,
                    angle_right: view.fov.angle_right,
                    angle_down: view.fov.angle_down,
                    angle_up: view.fov.angle_up,
                },
            );
        }
    }
}
