//! Acting on lamps: the weakest go first, one always stays. Daylight is none of them.
//! In: [`CurrentQuality`]. Out: lamps' [`Visibility`]. Never: a lamp lit that the scene had put out.

use bevy::prelude::*;

use crate::governor::plugin::CurrentQuality;

pub(super) struct LightsPlugin;

impl Plugin for LightsPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(PostUpdate, put_out.run_if(is_due));
    }
}

/// A lamp that the governor put out, and how visible it was.
#[derive(Component)]
struct PutOut(Visibility);

type Lamp = Or<(With<PointLight>, With<SpotLight>)>;
type NewLamp = Or<(Added<PointLight>, Added<SpotLight>)>;

fn is_due(
    quality: Res<CurrentQuality>,
    added: Query<(), NewLamp>,
    mut share: Local<Option<f64>>,
) -> bool {
    let last = share.replace(quality.0.lights);
    last.is_none_or(|last| (last - quality.0.lights).abs() > 1e-9) || !added.is_empty()
}

fn put_out(
    mut commands: Commands,
    quality: Res<CurrentQuality>,
    mut lamps: Query<
        (
            Entity,
            Option<&PointLight>,
            Option<&SpotLight>,
            &mut Visibility,
            Option<&PutOut>,
        ),
        Lamp,
    >,
    mut order: Local<Vec<(f32, Entity)>>,
) {
    order.clear();
    order.extend(lamps.iter().filter_map(|(lamp, point, spot, seen, out)| {
        let lumens = point.map_or(0.0, |it| it.intensity) + spot.map_or(0.0, |it| it.intensity);
        // What the scene itself has put out doesn't count.
        (out.is_some() || *seen != Visibility::Hidden).then_some((lumens, lamp))
    }));
    order.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
    let stay = (order.len() as f64 * quality.0.lights.clamp(0.0, 1.0)).ceil();
    let stay = (stay as usize).max(1);
    for (rank, (_, lamp)) in order.iter().enumerate() {
        let Ok((_, _, _, mut seen, out)) = lamps.get_mut(*lamp) else {
            continue;
        };
        match out {
            Some(PutOut(before)) if rank < stay => {
                *seen = *before;
                commands.entity(*lamp).remove::<PutOut>();
            }
            None if rank >= stay => {
                commands.entity(*lamp).insert(PutOut(*seen));
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

    fn lit(app: &mut App) -> Vec<f32> {
        let mut lamps = app.world_mut().query::<(&PointLight, &Visibility)>();
        let seen = lamps
            .iter(app.world())
            .filter(|(_, seen)| **seen != Visibility::Hidden);
        let mut lumens: Vec<f32> = seen.map(|(lamp, _)| lamp.intensity).collect();
        lumens.sort_by(f32::total_cmp);
        lumens
    }

    #[test]
    fn fewer_lamps_burn_the_weakest_go_first_and_come_back() {
        let mut app = app(LightsPlugin);
        for intensity in [50.0, 400.0, 200.0, 100.0] {
            let lamp = PointLight {
                intensity,
                ..default()
            };
            app.world_mut().spawn((lamp, Visibility::default()));
        }
        let dark = PointLight {
            intensity: 9_000.0,
            ..default()
        };
        app.world_mut().spawn((dark, Visibility::Hidden));
        app.update();
        assert_eq!(lit(&mut app).len(), 4);
        set(&mut app, |quality| quality.lights = 0.5);
        assert_eq!(lit(&mut app), [200.0, 400.0]);
        set(&mut app, |quality| quality.lights = 0.0);
        assert_eq!(lit(&mut app), [400.0], "one always stays");
        set(&mut app, |quality| quality.lights = 1.0);
        assert_eq!(lit(&mut app), [50.0, 100.0, 200.0, 400.0]);
    }
}
