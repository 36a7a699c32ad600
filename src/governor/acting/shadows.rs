//! Acting on shadows: the size of shadow maps, how many cascades there are, and whether there are any.
//! In: [`CurrentQuality`]. Out: Bevy's shadow map size and lights. Never: shadows where the scene had none.

use bevy::light::{CascadeShadowConfig, DirectionalLightShadowMap};
use bevy::prelude::*;

use crate::governor::plugin::CurrentQuality;

/// Smallest side of a shadow map before there is none, pixels.
const SMALLEST: usize = 256;

pub(super) struct ShadowsPlugin;

impl Plugin for ShadowsPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(
            PostUpdate,
            (shadow_less, fewer_cascades).run_if(resource_changed::<CurrentQuality>),
        );
    }
}

/// The far ends of a light's cascades, as the scene had them.
#[derive(Component)]
struct AllCascades(Vec<f32>);

/// A light whose shadows the governor took.
#[derive(Component)]
struct ShadowsTaken;

fn shadow_less(
    mut commands: Commands,
    quality: Res<CurrentQuality>,
    map: Option<ResMut<DirectionalLightShadowMap>>,
    mut full: Local<Option<usize>>,
    mut lights: Query<(Entity, &mut DirectionalLight, Has<ShadowsTaken>)>,
) {
    let share = quality.0.shadows;
    if let Some(mut map) = map {
        let full = *full.get_or_insert(map.size);
        let size = size(full, share);
        if map.size != size {
            map.size = size;
        }
    }
    for (entity, mut light, taken) in &mut lights {
        if share <= 0.0 && light.shadow_maps_enabled {
            light.shadow_maps_enabled = false;
            commands.entity(entity).insert(ShadowsTaken);
        } else if share > 0.0 && taken {
            light.shadow_maps_enabled = true;
            commands.entity(entity).remove::<ShadowsTaken>();
        }
    }
}

/// Each cascade is drawn again for both eyes. The nearest go first: what is left reaches as far as before, more coarsely.
fn fewer_cascades(
    mut commands: Commands,
    quality: Res<CurrentQuality>,
    mut lights: Query<(Entity, &mut CascadeShadowConfig, Option<&AllCascades>)>,
) {
    for (light, mut config, all) in &mut lights {
        let Some(AllCascades(all)) = all else {
            if config.bounds.len() > 1 {
                let all = AllCascades(config.bounds.clone());
                keep(&mut config, &all.0, quality.0.shadows);
                commands.entity(light).insert(all);
            }
            continue;
        };
        keep(&mut config, all, quality.0.shadows);
    }
}

fn keep(config: &mut Mut<CascadeShadowConfig>, all: &[f32], share: f64) {
    let wanted = (all.len() as f64 * share.clamp(0.0, 1.0)).ceil() as usize;
    let left = all.get(all.len() - wanted.clamp(1, all.len())..);
    if let Some(left) = left.filter(|left| config.bounds.len() != left.len()) {
        config.bounds = left.to_vec();
    }
}

/// The side of a shadow map: a power of two, since others make cascades swim.
fn size(full: usize, share: f64) -> usize {
    let wanted = full as f64 * share.clamp(0.0, 1.0);
    let mut size = full;
    while size > SMALLEST && size as f64 > wanted {
        size /= 2;
    }
    size
}

#[cfg(test)]
mod tests {
    use bevy::light::CascadeShadowConfigBuilder;

    use super::*;
    use crate::governor::acting::tests::{app, set};

    #[test]
    fn fewer_cascades_are_drawn_the_furthest_stays_and_all_come_back() {
        let mut app = app(ShadowsPlugin);
        let config = CascadeShadowConfigBuilder {
            num_cascades: 4,
            maximum_distance: 20.0,
            ..default()
        };
        let light = app.world_mut().spawn(config.build()).id();
        let drawn = |app: &App| {
            let config = app.world().get::<CascadeShadowConfig>(light).unwrap();
            (config.bounds.len(), *config.bounds.last().unwrap())
        };
        app.update();
        assert_eq!(drawn(&app), (4, 20.0));
        for (share, cascades) in [(0.6, 3), (0.5, 2), (0.0, 1), (1.0, 4)] {
            set(&mut app, |quality| quality.shadows = share);
            assert_eq!(drawn(&app), (cascades, 20.0), "{share}");
        }
    }

    #[test]
    fn sizes_are_the_next_lower_power_of_two() {
        assert_eq!(size(2048, 1.0), 2048);
        assert_eq!(size(2048, 0.9), 1024);
        assert_eq!(size(2048, 0.5), 1024);
        assert_eq!(size(2048, 0.0), 256);
        assert_eq!(size(128, 0.1), 128);
    }
}
