//! Acting on the eyes' pictures: how many pixels are drawn, and how many samples each has.
//! In: [`CurrentQuality`]. Out: [`EyeScale`], [`Msaa`] of both eyes. Never: more samples than the eyes began with.

use bevy::prelude::*;
use bevy_mod_xr::camera::XrCamera;

use crate::governor::plugin::CurrentQuality;
use crate::xr::EyeScale;

/// Below this share of the effects edges are drawn with one sample. Far down, because other samples are other pipelines,
/// which take a moment to make.
const ONE_SAMPLE: f64 = 0.5;

pub(super) struct PicturePlugin;

impl Plugin for PicturePlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(
            PreUpdate,
            (
                scale.run_if(resource_changed::<CurrentQuality>),
                take_samples,
            ),
        );
    }
}

/// The samples that an eye began with.
#[derive(Component)]
struct Full(Msaa);

fn scale(quality: Res<CurrentQuality>, scale: Option<ResMut<EyeScale>>) {
    if let Some(mut scale) = scale {
        scale.set_if_neq(EyeScale(quality.0.render_scale));
    }
}

fn take_samples(
    mut commands: Commands,
    quality: Res<CurrentQuality>,
    mut eyes: Query<(Entity, &mut Msaa, Option<&Full>), With<XrCamera>>,
) {
    for (eye, mut samples, full) in &mut eyes {
        let Some(Full(full)) = full else {
            commands.entity(eye).insert(Full(*samples));
            continue;
        };
        let wanted = if quality.0.effects < ONE_SAMPLE {
            Msaa::Off
        } else {
            *full
        };
        samples.set_if_neq(wanted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::governor::acting::tests::{app, set};

    #[test]
    fn fewer_pixels_and_samples_are_drawn_and_all_of_them_come_back() {
        let mut app = app(PicturePlugin);
        app.init_resource::<EyeScale>();
        let eye = app.world_mut().spawn((XrCamera(0), Msaa::Sample4)).id();
        let now = |app: &App| {
            let samples = *app.world().get::<Msaa>(eye).unwrap();
            (app.world().resource::<EyeScale>().0, samples.samples())
        };
        app.update();
        set(&mut app, |quality| quality.render_scale = 0.9);
        assert_eq!(now(&app), (0.9, 4));
        set(&mut app, |quality| {
            (quality.render_scale, quality.effects) = (0.7, 0.3);
        });
        assert_eq!(now(&app), (0.7, 1));
        set(&mut app, |quality| {
            (quality.render_scale, quality.effects) = (1.0, 1.0);
        });
        assert_eq!(now(&app), (1.0, 4));
    }
}
