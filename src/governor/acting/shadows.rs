//! Acting on shadows: the size of shadow maps, and whether there are any.
//! In: [`CurrentQuality`]. Out: Bevy's shadow map size and lights. Never: shadows where the scene had none.

use bevy::light::DirectionalLightShadowMap;
use bevy::prelude::*;

use crate::governor::plugin::CurrentQuality;

/// Smallest side of a shadow map before there is none, pixels.
const SMALLEST: usize = 256;

pub(super) struct ShadowsPlugin;

impl Plugin for ShadowsPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(
            PostUpdate,
            shadow_less.run_if(resource_changed::<CurrentQuality>),
        );
    }
}

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
    use super::*;

    #[test]
    fn sizes_are_the_next_lower_power_of_two() {
        assert_eq!(size(2048, 1.0), 2048);
        assert_eq!(size(2048, 0.9), 1024);
        assert_eq!(size(2048, 0.5), 1024);
        assert_eq!(size(2048, 0.0), 256);
        assert_eq!(size(128, 0.1), 128);
    }
}
