//! What the runtime tells when a frame ends: whether it was handed over too late, and how large it would have the eyes'
//! pictures (`XR_META_recommended_layer_resolution`). Each behind its probe; asked in the render world, heard in the main.
//! Out: [`FrameStats::stale`], [`RecommendedScale`]. Never: waiting; an answer taken for more than advice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use bevy::prelude::*;
use bevy::render::RenderApp;
use bevy_mod_openxr::layer_builder::CompositionLayer;
use bevy_mod_openxr::resources::OxrCurrentSessionConfig;
use bevy_mod_openxr::session::OxrSession;
use bevy_mod_xr::session::{XrFirst, XrHandleEvents, XrPreDestroySession};
use openxr::{Extent2Di, sys};

use super::clock::FrameStats;
use super::frame::FrameWait;

/// Frames between two questions for the recommended size.
const ASK_EVERY: u64 = 36;
/// Smallest scale that is heeded: below it nothing can be read, whatever is recommended.
const LEAST: f64 = 0.5;

/// The largest scale of the eyes' pictures that the runtime recommends, 0.5..1; 1 where it recommends nothing.
#[derive(Resource, Debug, Clone, Copy, PartialEq)]
pub struct RecommendedScale(pub f64);

impl Default for RecommendedScale {
    fn default() -> Self {
        Self(1.0)
    }
}

/// The scale that a recommended size of the eyes' pictures means, where they were made so large.
fn scale_of(recommended: Extent2Di, full: UVec2) -> Option<f64> {
    let share = |part: i32, of: u32| (part > 0 && of > 0).then(|| f64::from(part) / f64::from(of));
    let (x, y) = (
        share(recommended.width, full.x)?,
        share(recommended.height, full.y)?,
    );
    Some(x.min(y).clamp(LEAST, 1.0))
}

/// In both worlds.
#[derive(Resource, Clone)]
pub(super) struct Told(Arc<Notes>);

struct Notes {
    ended: AtomicU64,
    late: AtomicU64,
    /// Recommended width and height, pixels; 0 where there is nothing recommended.
    width: AtomicU32,
    height: AtomicU32,
}

pub(super) struct ToldPlugin;

impl Plugin for ToldPlugin {
    fn build(&self, app: &mut App) {
        let told = Told(Arc::new(Notes {
            ended: AtomicU64::new(0),
            late: AtomicU64::new(0),
            width: AtomicU32::new(0),
            height: AtomicU32::new(0),
        }));
        app.init_resource::<RecommendedScale>()
            .insert_resource(told.clone())
            .add_systems(
                XrFirst,
                listen.after(FrameWait).in_set(XrHandleEvents::FrameLoop),
            )
            .add_systems(XrPreDestroySession, forget);
        if let Some(render) = app.get_sub_app_mut(RenderApp) {
            render.insert_resource(told);
        }
    }
}

fn listen(
    told: Res<Told>,
    config: Option<Res<OxrCurrentSessionConfig>>,
    mut stats: ResMut<FrameStats>,
    mut scale: ResMut<RecommendedScale>,
) {
    let notes = &told.0;
    let late = notes.late.load(Ordering::Relaxed);
    if stats.stale != late {
        stats.stale = late;
    }
    let Some(config) = config else { return };
    let side = |it: &AtomicU32| i32::try_from(it.load(Ordering::Relaxed)).unwrap_or(0);
    let recommended = Extent2Di {
        width: side(&notes.width),
        height: side(&notes.height),
    };
    let now = scale_of(recommended, config.resolution).unwrap_or(1.0);
    if scale.set_if_neq(RecommendedScale(now)) {
        info!("the runtime recommends a scale of {now:.2} at most");
    }
}

fn forget(told: Res<Told>, mut scale: ResMut<RecommendedScale>) {
    told.0.width.store(0, Ordering::Relaxed);
    told.0.height.store(0, Ordering::Relaxed);
    scale.set_if_neq(RecommendedScale::default());
}

impl Told {
    /// After a frame with pictures was handed over. `eyes`: the layer that the eyes see.
    pub fn note<'a>(
        &self,
        session: &OxrSession,
        shown_at: openxr::Time,
        eyes: Option<&dyn CompositionLayer<'a>>,
    ) {
        let notes = &self.0;
        if is_past(session, shown_at) {
            notes.late.fetch_add(1, Ordering::Relaxed);
        }
        let asks = notes
            .ended
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(ASK_EVERY);
        let asked = eyes.filter(|_| asks);
        if let Some(size) = asked.and_then(|eyes| recommended(session, shown_at, eyes)) {
            let pixels = |it: i32| u32::try_from(it).unwrap_or(0);
            notes.width.store(pixels(size.width), Ordering::Relaxed);
            notes.height.store(pixels(size.height), Ordering::Relaxed);
        }
    }
}

/// Whether it is later than that on the runtime's clock. Not where it can't be asked.
fn is_past(session: &OxrSession, time: openxr::Time) -> bool {
    let instance = session.instance();
    // The call would panic where the extension isn't loaded.
    #[cfg(not(windows))]
    let asked = instance.exts().khr_convert_timespec_time.is_some();
    #[cfg(windows)]
    let asked = false;
    asked
        && instance
            .now()
            .is_ok_and(|now| now.as_nanos() > time.as_nanos())
}

/// `None`: the extension is missing, or the question failed. A size of 0: nothing is recommended.
fn recommended<'a>(
    session: &OxrSession,
    shown_at: openxr::Time,
    eyes: &dyn CompositionLayer<'a>,
) -> Option<Extent2Di> {
    let ask = session
        .instance()
        .exts()
        .meta_recommended_layer_resolution?;
    let about = sys::RecommendedLayerResolutionGetInfoMETA {
        ty: sys::RecommendedLayerResolutionGetInfoMETA::TYPE,
        next: std::ptr::null(),
        layer: eyes.header(),
        predicted_display_time: shown_at,
    };
    let mut answer = sys::RecommendedLayerResolutionMETA {
        ty: sys::RecommendedLayerResolutionMETA::TYPE,
        next: std::ptr::null_mut(),
        recommended_image_dimensions: Extent2Di::default(),
        is_valid: false.into(),
    };
    // SAFETY: the function is this instance's, both structures are whole, and the layer lives as long as the call.
    let code = unsafe {
        (ask.get_recommended_layer_resolution)(session.as_raw(), &raw const about, &raw mut answer)
    };
    let valid = code == sys::Result::SUCCESS && bool::from(answer.is_valid);
    valid.then_some(answer.recommended_image_dimensions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recommended_size_is_a_scale_by_its_tighter_side_and_never_outside_of_what_can_be_drawn() {
        let full = UVec2::new(2000, 1000);
        let scale = |width, height| scale_of(Extent2Di { width, height }, full);
        assert_eq!(scale(1600, 900), Some(0.8));
        assert_eq!(scale(1800, 700), Some(0.7));
        assert_eq!(scale(3000, 3000), Some(1.0));
        assert_eq!(scale(10, 10), Some(LEAST));
        assert_eq!(scale(0, 900), None);
        assert_eq!(scale(-5, 900), None);
        assert_eq!(
            scale_of(
                Extent2Di {
                    width: 1,
                    height: 1
                },
                UVec2::ZERO
            ),
            None
        );
    }

    #[test]
    fn what_the_render_world_notes_is_heard_and_forgotten_with_the_session() {
        let mut app = App::new();
        app.add_plugins(ToldPlugin)
            .init_resource::<FrameStats>()
            .insert_resource(OxrCurrentSessionConfig {
                resolution: UVec2::new(1000, 1000),
                format: bevy::render::render_resource::TextureFormat::Rgba8UnormSrgb,
            });
        let told = app.world().resource::<Told>().clone();
        told.0.late.store(3, Ordering::Relaxed);
        told.0.width.store(700, Ordering::Relaxed);
        told.0.height.store(900, Ordering::Relaxed);
        let heard = |app: &mut App| {
            app.world_mut().run_schedule(XrFirst);
            let scale = app.world().resource::<RecommendedScale>().0;
            (app.world().resource::<FrameStats>().stale, scale)
        };
        assert_eq!(heard(&mut app), (3, 0.7));
        app.world_mut().run_schedule(XrPreDestroySession);
        let ceiling = app.world().resource::<RecommendedScale>().0;
        assert!((ceiling - 1.0).abs() < f64::EPSILON, "{ceiling}");
        assert_eq!(heard(&mut app), (3, 1.0));
    }
}
