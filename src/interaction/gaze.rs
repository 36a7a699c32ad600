//! Where the head is turned. No eyes are tracked: this is head gaze.

use bevy::prelude::*;

use super::hands::Person;
use super::things::Gazeable;
use super::{Interacted, Interaction};

/// Half the cone in which something counts as looked at, radians (12 degrees): people point with their eyes
/// well before their head has come round.
const CONE: f32 = 0.21;
/// A glance away shorter than this does not begin the count anew, seconds.
const GLANCE: f32 = 0.25;

/// How long something has been looked at.
#[derive(Component, Debug, Default)]
pub(super) struct Looked {
    held: f32,
    away: f32,
}

pub(super) fn notice_gaze(
    mut commands: Commands,
    time: Res<Time>,
    person: Person,
    mut targets: Query<(Entity, &GlobalTransform, Option<&mut Looked>), With<Gazeable>>,
    mut interacted: MessageWriter<Interacted>,
) {
    let Some(head) = person.head() else { return };
    for (target, at, looked) in &mut targets {
        let Some(mut looked) = looked else {
            commands.entity(target).insert(Looked::default());
            continue;
        };
        let way = at.translation() - head.translation;
        let towards = way.length_squared() > 1e-6 && head.forward().angle_between(way) <= CONE;
        if towards {
            looked.held += time.delta_secs();
            looked.away = 0.0;
            interacted.write(Interacted {
                side: None,
                what: Interaction::LookedAt {
                    target,
                    held: looked.held,
                },
            });
        } else if looked.held > 0.0 {
            looked.away += time.delta_secs();
            if looked.away > GLANCE {
                *looked = Looked::default();
            }
        }
    }
}
