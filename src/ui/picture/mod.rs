//! Pictures of what the learner sees, for whoever may look: the eye's own image made smaller on the graphics card, read
//! back without waiting, and compressed on a thread of its own. While nobody asks there is nothing.
//! In: [`PictureAsked`]. Out: [`PictureTaken`], [`Watched`]. Never: a second drawing of the scene, a picture kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bevy::camera::{NormalizedRenderTarget, RenderTarget};
use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use bevy::render::gpu_readback::{Readback, ReadbackComplete};
use bevy::render::render_resource::{TextureFormat, TextureUsages};
use bevy::window::PrimaryWindow;
use bevy_mod_xr::camera::XrCamera;

use super::UiSystems;
use crate::governor::actuators::Level;
use crate::governor::plugin::CurrentLevel;
use crate::protocol::picture::NoPicture;
use crate::session::Learner;
use crate::session::device::MemoryHealth;
use crate::session::picture::{PictureAsked, PictureTaken};
use crate::session::stream::mirror::Mirror;
use copy::CopyInto;
use encode::{Encoder, Pixels};

mod copy;
mod encode;

/// Longest edge of a picture, pixels: enough to read a panel that fills a good part of it.
const LONGEST: u32 = 640;
/// A picture takes five frames or so; a headset that draws none in this time shows nothing.
const WITHIN: Duration = Duration::from_secs(5);
/// How long the sign stays after the last picture.
const SIGN: Duration = Duration::from_secs(5);
/// After this long without a question the small texture is given back.
const KEPT: Duration = Duration::from_secs(10);

const SHORT_OF_MEMORY: &str = "the headset is short of memory, and the lesson comes first";

/// Until when the learner is shown that somebody looks, on `Time<Real>`.
#[derive(Resource, Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Watched(Option<Duration>);

impl Watched {
    /// Whether somebody looks.
    pub(super) fn is_on(self) -> bool {
        self.0.is_some()
    }
}

/// Says no where nothing is drawn.
pub(super) struct NoPicturesPlugin;

impl Plugin for NoPicturesPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(Update, refuse.in_set(UiSystems));
    }
}

fn refuse(
    mut asked: MessageReader<PictureAsked>,
    learners: Query<(&Learner, Has<Mirror>)>,
    mut taken: MessageWriter<PictureTaken>,
) {
    for PictureAsked { learner, ticket } in asked.read() {
        let here = learners.iter().any(|(it, far)| it.id == *learner && !far);
        let why = if here {
            NoPicture::NothingDrawn
        } else {
            NoPicture::Elsewhere
        };
        taken.write(PictureTaken {
            ticket: *ticket,
            picture: Err(why),
        });
    }
}

/// Takes pictures. Where there is a renderer.
pub(super) struct PicturePlugin;

impl Plugin for PicturePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Studio>()
            .add_plugins(copy::CopyPlugin)
            .add_systems(
                Update,
                (
                    begin.run_if(on_message::<PictureAsked>),
                    go_on.run_if(|studio: Res<Studio>| studio.work.is_some()),
                    tidy_up.run_if(|studio: Res<Studio>| studio.asked.is_some()),
                )
                    .chain()
                    .before(super::view::describe_panels)
                    .in_set(UiSystems),
            );
    }
}

/// What is needed to take a picture, and the one being taken.
#[derive(Resource, Default)]
struct Studio {
    image: Option<(UVec2, Handle<Image>)>,
    /// Gets the pixels that come back.
    reader: Option<Entity>,
    encoder: Option<Encoder>,
    work: Option<Work>,
    /// When somebody asked last, on `Time<Real>`; `None`: nothing is kept.
    asked: Option<Duration>,
}

/// A picture under way.
struct Work {
    tickets: Vec<u64>,
    since: Duration,
    size: UVec2,
    stage: Stage,
}

/// How far it is.
enum Stage {
    /// The camera copies what it draws, made smaller, into the texture.
    Copying {
        camera: Entity,
        done: Arc<AtomicBool>,
    },
    /// The texture has been handed to the graphics card to be read; `asked`: in the frame before.
    Reading { asked: bool },
    /// The pixels are there.
    Encoding,
}

/// The camera that the learner looks through.
#[derive(SystemParam)]
struct Eye<'w, 's> {
    cameras: Query<
        'w,
        's,
        (
            Entity,
            &'static Camera,
            &'static RenderTarget,
            Option<&'static XrCamera>,
        ),
    >,
    window: Query<'w, 's, Entity, With<PrimaryWindow>>,
}

impl Eye<'_, '_> {
    /// The left eye, or the camera into the window, with its size in pixels; `None`: nothing is shown.
    fn find(&self) -> Option<(Entity, UVec2)> {
        let window = self.window.single().ok();
        let into_window = |target: &RenderTarget| {
            let target = target.normalize(window);
            window.is_some_and(|window| {
                matches!(target, Some(NormalizedRenderTarget::Window(it)) if it.entity() == window)
            })
        };
        let (entity, camera, ..) = self
            .cameras
            .iter()
            .filter(|(_, camera, ..)| camera.is_active)
            .filter(|(_, _, target, eye)| match eye {
                Some(eye) => eye.0 == 0,
                None => into_window(target),
            })
            // Where there are eyes, a window beside them is not what the learner sees.
            .max_by_key(|(_, camera, _, eye)| (eye.is_some(), camera.order))?;
        let size = camera.physical_viewport_size()?;
        (size.min_element() > 0).then_some((entity, size))
    }
}

/// The size of the picture of a view: the same shape, the longer edge at most [`LONGEST`].
fn smaller(view: UVec2) -> UVec2 {
    let longest = view.max_element();
    if longest <= LONGEST {
        return view;
    }
    let scaled = |edge: u32| {
        (u64::from(edge) * u64::from(LONGEST) / u64::from(longest))
            .try_into()
            .unwrap_or(1)
            .max(1)
    };
    UVec2::new(scaled(view.x), scaled(view.y))
}

fn begin(
    mut commands: Commands,
    time: Res<Time<Real>>,
    level: Option<Res<CurrentLevel>>,
    memory: Option<Res<MemoryHealth>>,
    eye: Eye,
    learners: Query<(&Learner, Has<Mirror>)>,
    mut images: ResMut<Assets<Image>>,
    mut studio: ResMut<Studio>,
    mut watched: ResMut<Watched>,
    mut asked: MessageReader<PictureAsked>,
    mut taken: MessageWriter<PictureTaken>,
) {
    let now = time.elapsed();
    for PictureAsked { learner, ticket } in asked.read() {
        let mut refuse = |why| {
            taken.write(PictureTaken {
                ticket: *ticket,
                picture: Err(why),
            });
        };
        if !learners.iter().any(|(it, far)| it.id == *learner && !far) {
            refuse(NoPicture::Elsewhere);
            continue;
        }
        if level.as_ref().is_some_and(|it| it.0 == Level::Emergency) {
            refuse(NoPicture::Emergency);
            continue;
        }
        if memory.as_ref().is_some_and(|it| it.is_low()) {
            refuse(NoPicture::Failed(SHORT_OF_MEMORY.to_owned()));
            continue;
        }
        if let Some(work) = &mut studio.work {
            work.tickets.push(*ticket);
            continue;
        }
        let Some((camera, view)) = eye.find() else {
            refuse(NoPicture::Asleep);
            continue;
        };
        let size = smaller(view);
        let image = match &studio.image {
            Some((of, image)) if *of == size => image.clone(),
            _ => images.add(texture(size)),
        };
        let done = Arc::new(AtomicBool::new(false));
        commands.entity(camera).insert(CopyInto {
            image: image.clone(),
            done: done.clone(),
        });
        watched.0 = Some(now + SIGN);
        studio.asked = Some(now);
        studio.image = Some((size, image));
        studio.work = Some(Work {
            tickets: vec![*ticket],
            since: now,
            size,
            stage: Stage::Copying { camera, done },
        });
    }
}

fn texture(size: UVec2) -> Image {
    let mut image = Image::new_target_texture(size.x, size.y, TextureFormat::Rgba8UnormSrgb, None);
    image.texture_descriptor.usage |= TextureUsages::COPY_SRC;
    image
}

/// From stage to stage; each takes a frame or a few.
fn go_on(
    mut commands: Commands,
    time: Res<Time<Real>>,
    mut studio: ResMut<Studio>,
    mut taken: MessageWriter<PictureTaken>,
) {
    let studio = &mut *studio;
    let (Some(work), Some((_, image))) = (&mut studio.work, &studio.image) else {
        return;
    };
    let mut came = None;
    match &mut work.stage {
        Stage::Copying { camera, done } if done.load(Ordering::Acquire) => {
            if let Ok(mut camera) = commands.get_entity(*camera) {
                camera.try_remove::<CopyInto>();
            }
            let reader = *studio.reader.get_or_insert_with(|| {
                commands
                    .spawn(Name::new("picture reader"))
                    .observe(take_pixels)
                    .id()
            });
            commands
                .entity(reader)
                .insert(Readback::texture(image.clone()));
            work.stage = Stage::Reading { asked: false };
        }
        Stage::Reading { asked } if !*asked => {
            // Read once, not in each frame until it has come.
            *asked = true;
            if let Some(reader) = studio.reader {
                commands.entity(reader).try_remove::<Readback>();
            }
        }
        Stage::Encoding => came = studio.encoder.as_ref().and_then(Encoder::finished),
        Stage::Copying { .. } | Stage::Reading { .. } => {}
    }
    let picture = match came {
        Some(picture) => picture.map_err(NoPicture::Failed),
        None if time.elapsed() < work.since + WITHIN => return,
        None => Err(give_up(
            &mut commands,
            work,
            &mut studio.reader,
            &mut studio.encoder,
        )),
    };
    for ticket in work.tickets.drain(..) {
        taken.write(PictureTaken {
            ticket,
            picture: picture.clone(),
        });
    }
    studio.work = None;
}

/// Takes nothing of this one any more: what comes of it later must not be taken for the next.
fn give_up(
    commands: &mut Commands,
    work: &Work,
    reader: &mut Option<Entity>,
    encoder: &mut Option<Encoder>,
) -> NoPicture {
    if let Some(reader) = reader.take() {
        commands.entity(reader).try_despawn();
    }
    *encoder = None;
    match &work.stage {
        Stage::Copying { camera, .. } => {
            if let Ok(mut camera) = commands.get_entity(*camera) {
                camera.try_remove::<CopyInto>();
            }
            NoPicture::Asleep
        }
        Stage::Reading { .. } | Stage::Encoding => {
            NoPicture::Failed(format!("it takes longer than {} s", WITHIN.as_secs()))
        }
    }
}

/// The pixels are back from the graphics card.
fn take_pixels(mut read: On<ReadbackComplete>, mut studio: ResMut<Studio>) {
    let studio = &mut *studio;
    let Some(work) = &mut studio.work else { return };
    if !matches!(work.stage, Stage::Reading { .. }) {
        return;
    }
    let pixels = Pixels {
        data: std::mem::take(&mut read.data),
        size: work.size,
    };
    if studio.encoder.is_none() {
        studio.encoder = Encoder::start();
    }
    // Where it cannot start, whoever asked is told in the end that nothing came.
    if studio.encoder.as_ref().is_some_and(|it| it.give(pixels)) {
        work.stage = Stage::Encoding;
    }
}

/// The sign goes out, and a while later the texture and the thread are given back.
fn tidy_up(
    mut commands: Commands,
    time: Res<Time<Real>>,
    memory: Option<Res<MemoryHealth>>,
    mut studio: ResMut<Studio>,
    mut watched: ResMut<Watched>,
) {
    let now = time.elapsed();
    if watched.0.is_some_and(|until| now > until) {
        watched.0 = None;
    }
    // Where memory is short, as soon as the sign is out.
    let short = watched.0.is_none() && memory.is_some_and(|it| it.is_low());
    let over = short || studio.asked.is_some_and(|asked| now > asked + KEPT);
    if over && studio.work.is_none() {
        if let Some(reader) = studio.reader.take() {
            commands.entity(reader).try_despawn();
        }
        *studio = Studio::default();
    }
}

#[cfg(test)]
mod tests;
