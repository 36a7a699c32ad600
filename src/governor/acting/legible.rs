//! What must stay legible bounds the render scale from below, by pixels for each degree of the eye.
//! In: [`MustStayLegible`], the head, the eyes' optics. Out: [`Limits::scale_floor`]. Never: a floor that follows each sway
//! of the head.
//!
//! [`Limits::scale_floor`]: crate::governor::actuators::Limits

use bevy::prelude::*;
use bevy_mod_openxr::resources::{OxrCurrentSessionConfig, OxrViews};

use crate::governor::actuators::legible_scale;
use crate::governor::plugin::Surroundings;
use crate::governor::state::Moment;
use crate::xr::QuadLayer;
use crate::xr::rig::Head;

/// Learning needs it: it is never hidden, and its letters keep pixels enough to be read.
#[derive(Component, Debug, Clone, Copy, Default, PartialEq)]
pub struct MustStayLegible {
    /// Height (em) of its smallest letters, metres; 0 where it has none.
    pub letters: f32,
}

/// Pixels that the em of a letter needs: capitals are 0.7 of it, and 7 pixels are the least that bitmap fonts do with.
const EM: f64 = 10.0;
/// Nobody reads from further away, metres: letters there bound nothing.
const FURTHEST: f32 = 4.0;
/// Nobody holds text nearer, metres.
const NEAREST: f32 = 0.4;
/// The floor goes in steps of this, seconds between two looks.
const STEP: f64 = 0.05;
const EVERY: f64 = 1.0;

pub(super) struct LegiblePlugin;

impl Plugin for LegiblePlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(PostUpdate, hold_the_floor);
    }
}

/// Pixels for each degree that letters of this height (metres) need at this distance (metres).
#[must_use]
fn needed(letters: f32, away: f32) -> f64 {
    let degrees = (f64::from(letters) / f64::from(away.max(NEAREST)))
        .atan()
        .to_degrees();
    if degrees > 0.0 { EM / degrees } else { 0.0 }
}

fn hold_the_floor(
    time: Res<Time<Real>>,
    mut looked: Local<Option<f64>>,
    views: Option<Res<OxrViews>>,
    config: Option<Res<OxrCurrentSessionConfig>>,
    heads: Query<&GlobalTransform, With<Head>>,
    letters: Query<(&GlobalTransform, &MustStayLegible, Option<&QuadLayer>)>,
    mut surroundings: ResMut<Surroundings>,
) {
    let now = time.elapsed_secs_f64();
    if looked.is_some_and(|last| now - last < EVERY) {
        return;
    }
    *looked = Some(now);
    let (Some(views), Some(config), Some(head)) = (views, config, heads.iter().next()) else {
        return;
    };
    let Some(view) = views.first() else { return };
    let most = letters
        .iter()
        // A layer of its own has all its pixels, whatever the eyes' pictures have.
        .filter(|(_, _, layer)| !layer.is_some_and(QuadLayer::is_shown))
        .map(|(at, it, _)| (it.letters, at.translation().distance(head.translation())))
        .filter(|(letters, away)| *letters > 0.0 && *away < FURTHEST)
        .map(|(letters, away)| needed(letters, away))
        .fold(0.0, f64::max);
    let (left, right) = (view.fov.angle_left, view.fov.angle_right);
    let floor = legible_scale(
        most,
        f64::from(config.resolution.x),
        f64::from(left),
        f64::from(right),
    );
    let floor = (floor / STEP).ceil() * STEP;
    let told = &mut surroundings.bypass_change_detection().0;
    // Up at once, because something can't be read; down where it isn't seen that text loses pixels.
    if floor > told.limits.scale_floor || told.moment != Moment::Protected {
        told.limits.scale_floor = floor;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bevy::render::render_resource::TextureFormat;
    use bevy::time::TimeUpdateStrategy;
    use proptest::prelude::*;

    use super::*;
    use crate::governor::acting::tests::app;
    use crate::governor::actuators::{Limits, Quality, Setting};
    use crate::governor::rules::Rules;

    fn quest() -> (OxrCurrentSessionConfig, OxrViews) {
        let config = OxrCurrentSessionConfig {
            resolution: UVec2::new(1680, 1760),
            format: TextureFormat::Rgba8UnormSrgb,
        };
        let view = openxr::View {
            pose: openxr::Posef::IDENTITY,
            fov: openxr::Fovf {
                angle_left: -0.94,
                angle_right: 0.70,
                angle_up: 0.75,
                angle_down: -0.94,
            },
        };
        (config, OxrViews(vec![view, view]))
    }

    fn floor_for(letters: f32, away: f32) -> f64 {
        let mut app = app(LegiblePlugin);
        let (config, views) = quest();
        app.insert_resource(config).insert_resource(views);
        app.world_mut().spawn((Head, GlobalTransform::IDENTITY));
        app.world_mut().spawn((
            MustStayLegible { letters },
            GlobalTransform::from_xyz(0.0, 0.0, -away),
        ));
        app.update();
        app.world().resource::<Surroundings>().0.limits.scale_floor
    }

    #[test]
    fn what_has_no_letters_or_is_out_of_reach_bounds_nothing() {
        assert!(floor_for(0.0, 1.0) <= 0.0);
        assert!(floor_for(0.04, 9.0) <= 0.0);
        assert!(floor_for(0.04, 1.5) > 0.0);
        assert!(floor_for(0.04, 2.5) > floor_for(0.04, 1.5));
    }

    #[test]
    fn letters_on_a_layer_of_their_own_bound_nothing_and_bound_again_without_it() {
        let mut app = app(LegiblePlugin);
        let (config, views) = quest();
        app.insert_resource(config).insert_resource(views);
        app.world_mut().spawn((Head, GlobalTransform::IDENTITY));
        let layer = QuadLayer::new(Handle::default(), Vec2::ONE);
        app.world_mut().spawn((
            MustStayLegible { letters: 0.04 },
            layer.clone(),
            GlobalTransform::from_xyz(0.0, 0.0, -1.5),
        ));
        let second = Duration::from_secs_f64(EVERY);
        app.insert_resource(TimeUpdateStrategy::ManualDuration(second));
        let mut floor = |shown| {
            layer.pretend_shown(shown);
            app.update();
            app.update();
            app.world().resource::<Surroundings>().0.limits.scale_floor
        };
        assert!(floor(false) > 0.0);
        assert!(floor(true) <= 0.0);
        assert!(floor(false) > 0.0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn however_much_is_given_up_letters_keep_their_pixels(
            letters in 0.005_f32..0.1, away in 0.5_f32..3.9, given in 0.0_f64..1.0,
        ) {
            let (config, views) = quest();
            let limits = Limits {
                scale_floor: floor_for(letters, away),
                ..Limits::default()
            };
            let setting = Setting { cpu: given, gpu: given };
            let scale = Quality::at(&setting, &Rules::default(), &limits).render_scale;
            let fov = views[0].fov;
            let across = f64::from(fov.angle_left.abs().tan() + fov.angle_right.abs().tan());
            let per_degree = scale * f64::from(config.resolution.x) / across * 1.0_f64.to_radians();
            let degrees = f64::from((letters / away).atan()).to_degrees();
            // Or all is drawn that the headset has.
            prop_assert!(per_degree * degrees >= EM - 1e-3 || scale >= 1.0 - 1e-9, "{} px", per_degree * degrees);
        }
    }
}
