//! Acting on detail and draw distance: scenery that has become too small to the eye, or is too far away, isn't drawn.
//! In: [`CurrentQuality`], [`Scenery`], the head. Out: [`Visibility`] of scenery. Never: anything that
//! [`MustStayLegible`] hidden.

use bevy::camera::primitives::Aabb;
use bevy::prelude::*;

use super::legible::MustStayLegible;
use crate::governor::plugin::CurrentQuality;
use crate::xr::rig::Head;

/// Only seen, never used: may be given up where it is small to the eye.
#[derive(Component, Debug, Clone, Copy, Default)]
pub struct Scenery;

/// What is smaller to the eye than this is given up where all detail is, degrees `[E]`. With half of the detail, half.
const LARGEST: f32 = 8.0;
/// Where detail is given up, scenery further away than this share of it is not drawn, metres `[E]`.
const FURTHEST: f32 = 60.0;
/// What is given up comes back only when it is larger by this factor: a head that sways makes nothing flicker.
const AGAIN: f32 = 1.25;
/// Frames between two looks: nobody walks far in them.
const EVERY: u32 = 9;

pub(super) struct DetailPlugin;

impl Plugin for DetailPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(PostUpdate, give_up_the_small);
    }
}

/// Scenery that the governor hides, and how visible it was.
#[derive(Component)]
struct GivenUp(Visibility);

fn give_up_the_small(
    mut commands: Commands,
    quality: Res<CurrentQuality>,
    heads: Query<&GlobalTransform, With<Head>>,
    mut scenery: Query<
        (
            Entity,
            &GlobalTransform,
            &Aabb,
            &mut Visibility,
            Option<&GivenUp>,
            Has<MustStayLegible>,
        ),
        With<Scenery>,
    >,
    mut look_again: Local<u32>,
    mut detail: Local<f32>,
) {
    let now = quality.0.detail.clamp(0.0, 1.0) as f32;
    let changed = (now - std::mem::replace(&mut *detail, now)).abs() > 1e-4;
    *look_again = look_again.saturating_sub(1);
    if !changed && *look_again > 0 {
        return;
    }
    *look_again = EVERY;
    let Some(head) = heads.iter().next() else {
        return;
    };
    let smallest = (LARGEST * (1.0 - now)).to_radians();
    let furthest = if now < 1.0 {
        FURTHEST * now
    } else {
        f32::INFINITY
    };
    for (entity, at, bounds, mut seen, given_up, needed) in &mut scenery {
        let radius = bounds.half_extents.length() * at.scale().max_element();
        let middle = at.transform_point(bounds.center.into());
        let away = middle.distance(head.translation()).max(0.01);
        let angle = 2.0 * (radius / away).atan();
        let (least, most) = if given_up.is_some() {
            (smallest * AGAIN, furthest / AGAIN)
        } else {
            (smallest, furthest)
        };
        let goes = !needed && (angle < least || away - radius > most);
        match given_up {
            Some(GivenUp(before)) if !goes => {
                *seen = *before;
                commands.entity(entity).remove::<GivenUp>();
            }
            None if goes && *seen != Visibility::Hidden => {
                commands.entity(entity).insert(GivenUp(*seen));
                *seen = Visibility::Hidden;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::governor::acting::tests::{app, set};

    #[test]
    fn small_scenery_goes_first_and_what_is_learnt_from_never() {
        let mut app = app(DetailPlugin);
        app.world_mut().spawn((Head, GlobalTransform::IDENTITY));
        let at = |z: f32| GlobalTransform::from_translation(Vec3::NEG_Z * z);
        let ball = |radius: f32| Aabb::from_min_max(Vec3::splat(-radius), Vec3::splat(radius));
        let mut put = |radius, away, bundle: Option<MustStayLegible>| {
            let mut thing =
                app.world_mut()
                    .spawn((Scenery, at(away), ball(radius), Visibility::default()));
            if let Some(bundle) = bundle {
                thing.insert(bundle);
            }
            thing.id()
        };
        let (wall, vase, far, needed) = (
            put(2.0, 3.0, None),
            put(0.05, 1.5, None),
            put(0.05, 6.0, None),
            put(0.05, 6.0, Some(MustStayLegible::default())),
        );
        let mountain = put(30.0, 130.0, None);
        let seen =
            |app: &App| *app.world().get::<Visibility>(mountain).unwrap() != Visibility::Hidden;
        let drawn = |app: &App| {
            [wall, vase, far, needed]
                .map(|it| *app.world().get::<Visibility>(it).unwrap() != Visibility::Hidden)
        };
        app.update();
        assert_eq!(drawn(&app), [true; 4]);
        assert!(seen(&app));
        set(&mut app, |quality| quality.detail = 0.75);
        assert_eq!(drawn(&app), [true, true, false, true]);
        assert!(!seen(&app), "large, but too far");
        set(&mut app, |quality| quality.detail = 0.0);
        assert_eq!(drawn(&app), [true, false, false, true]);
        set(&mut app, |quality| quality.detail = 1.0);
        assert_eq!(drawn(&app), [true; 4]);
        assert!(seen(&app));
    }
}
