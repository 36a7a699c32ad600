//! Things that a hand is near shine a little; things that a hint points at pulse, and a marker hovers over them.

use bevy::light::NotShadowCaster;
use bevy::prelude::*;

use super::live;
use super::look::{self, Look};
use super::scene::{PartOfScene, Stage};
use super::stretch::objects;
use crate::interaction::things::Near;
use crate::learning::strategy::action::{Modality, SupportKind};
use crate::lesson::ActiveLesson;
use crate::lesson::format::{Object, Shape};
use crate::lesson::placed::LessonObject;
use crate::protocol::ids::ObjectId;
use crate::session::PointedOut;
use crate::session::state::LearnerState;

/// Share of its own colour by which a thing in reach of a hand shines.
const NEAR: f32 = 0.22;
/// The same for what a hint points at, at the top of its pulse.
const HINTED: f32 = 0.55;
/// Pulses per second: calm, and far below what could trouble anybody (three per second).
const PULSE: f32 = 0.6;

/// A hint points at it.
#[derive(Component, Debug, Clone, Copy)]
#[component(storage = "SparseSet")]
pub(super) struct Hinted;

/// By how much a thing's light must change before its material is written again: each writing is work for the renderer.
#[derive(Resource, Debug, Clone, Copy, PartialEq)]
pub struct PulseStep(pub f32);

impl Default for PulseStep {
    fn default() -> Self {
        Self(0.01)
    }
}

impl PulseStep {
    /// The step for a share of the full rate of animations: at a tenth the pulse is six steps up and six down.
    #[must_use]
    pub fn at(share: f32) -> Self {
        Self(Self::default().0 / share.clamp(0.1, 1.0))
    }
}

/// Hovers over what a hint points at.
#[derive(Component, Debug, Clone, Copy)]
pub(super) struct Marker {
    over: Entity,
    /// Metres above the object's centre.
    rise: f32,
}

/// Follows the log: what the shown rung highlights is hinted, nothing else.
pub(super) fn follow_hints(
    mut commands: Commands,
    mut look: Look,
    lesson: Option<Res<ActiveLesson>>,
    stage: Option<Res<Stage>>,
    learners: Query<(Ref<LearnerState>, Option<Ref<PointedOut>>)>,
    mut pointed_no_more: RemovedComponents<PointedOut>,
    hinted: Query<(Entity, &LessonObject), With<Hinted>>,
    markers: Query<(Entity, &Marker)>,
) {
    let (Some(lesson), Some(stage), Some((state, pointed))) =
        (lesson, stage, learners.iter().next())
    else {
        return;
    };
    let pointed_anew = pointed.as_ref().is_some_and(|pointed| pointed.is_changed())
        || pointed_no_more.read().count() > 0;
    if !state.is_changed() && !stage.is_changed() && !pointed_anew {
        return;
    }
    let step = state.step.as_ref().and_then(|step| lesson.step(step));
    let rung = usize::from(state.hint_level);
    let hint = rung.checked_sub(1).and_then(|index| step?.hints.get(index));
    // Guidance by highlights shows what the step is about, whatever hint is shown.
    let pointed_out = match state.adapted.support {
        Some((SupportKind::Guidance, _, Modality::Highlight)) => step.map(objects),
        _ => None,
    };
    let hinted_at = hint.map_or(&[][..], |hint| &hint.highlight);
    let wanted: Vec<&ObjectId> = hinted_at
        .iter()
        .chain(pointed_out.into_iter().flatten())
        .chain(pointed.iter().map(|pointed| &pointed.object))
        .collect();
    for (entity, object) in &hinted {
        if !wanted.contains(&&object.0) {
            commands.entity(entity).try_remove::<Hinted>();
        }
    }
    for (marker, place) in &markers {
        let over = hinted
            .get(place.over)
            .is_ok_and(|(_, object)| wanted.contains(&&object.0));
        if !over {
            commands.entity(marker).try_despawn();
        }
    }
    let added: Vec<Object> = state.adapted.added.iter().map(live::object).collect();
    let standing = lesson.lesson.objects.iter().chain(&added);
    for object in standing.filter(|object| wanted.contains(&&object.id)) {
        let entity = stage.objects.get(&object.id);
        if let Some(entity) = entity.or_else(|| stage.added.get(&object.id))
            && !hinted.contains(*entity)
        {
            commands.entity(*entity).try_insert(Hinted);
            put_marker(&mut commands, &mut look, *entity, object);
        }
    }
}

fn put_marker(commands: &mut Commands, look: &mut Look, over: Entity, object: &Object) {
    const HEIGHT: f32 = 0.05;
    let Some(skin) = look.skin(
        || {
            let tip_down = Quat::from_rotation_x(std::f32::consts::PI);
            Cone::new(0.022, HEIGHT)
                .mesh()
                .resolution(32)
                .build()
                .rotated_by(tip_down)
        },
        look::glowing(Color::srgb(1.0, 0.72, 0.2), 0.8),
    ) else {
        return;
    };
    let rise = half_height(&object.shape) + 0.05 + HEIGHT / 2.0;
    commands.spawn((
        PartOfScene,
        Name::new("hint marker"),
        Marker { over, rise },
        NotShadowCaster,
        skin,
        Transform::from_xyz(0.0, -10.0, 0.0),
    ));
}

fn half_height(shape: &Shape) -> f32 {
    match shape {
        Shape::Box([_, y, _])
        | Shape::Gltf {
            bounds: [_, y, _], ..
        } => y / 2.0,
        Shape::Sphere { radius } => *radius,
        Shape::Cylinder { height, .. } | Shape::Cone { height, .. } => height / 2.0,
    }
}

/// Between 0 and 1, gently.
fn pulse(seconds: f32) -> f32 {
    0.5 - 0.5 * (seconds * PULSE * std::f32::consts::TAU).cos()
}

pub(super) fn hover_markers(
    time: Res<Time>,
    objects: Query<&Transform, Without<Marker>>,
    mut markers: Query<(&Marker, &mut Transform)>,
) {
    let bob = 0.015 * pulse(time.elapsed_secs_wrapped());
    for (marker, mut at) in &mut markers {
        if let Ok(object) = objects.get(marker.over) {
            at.translation = object.translation + Vec3::Y * (marker.rise + bob);
        }
    }
}

/// Writes a material only when its light changes: an untouched one costs nothing.
pub(super) fn shine(
    time: Res<Time>,
    step: Res<PulseStep>,
    materials: Option<ResMut<Assets<StandardMaterial>>>,
    objects: Query<
        (
            &MeshMaterial3d<StandardMaterial>,
            Has<Near>,
            Has<Hinted>,
            &mut Shine,
        ),
        With<LessonObject>,
    >,
) {
    let Some(mut materials) = materials else {
        return;
    };
    let pulse = pulse(time.elapsed_secs_wrapped());
    for (material, near, hinted, mut shine) in objects {
        let light = match (near, hinted) {
            (_, true) => NEAR.max(HINTED * pulse),
            (true, false) => NEAR,
            (false, false) => 0.0,
        };
        // What ends, ends at once.
        let step = if light > 0.0 { step.0 } else { 0.01 };
        if (light - shine.now).abs() < step {
            continue;
        }
        shine.now = light;
        if let Some(mut material) = materials.get_mut(&material.0) {
            material.emissive = material.base_color.to_linear() * (shine.own + light);
        }
    }
}

/// How much of its own colour a thing shines.
#[derive(Component, Debug, Clone, Copy, Default)]
pub(super) struct Shine {
    /// Always.
    pub own: f32,
    /// Beyond that, now.
    pub now: f32,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bevy::time::TimeUpdateStrategy;

    use super::*;

    /// Materials written while a hint pulses for two seconds.
    fn writings(step: PulseStep) -> usize {
        #[derive(Resource, Default)]
        struct Written(usize);
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, AssetPlugin::default()))
            .init_asset::<StandardMaterial>()
            .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(
                14,
            )))
            .insert_resource(step)
            .init_resource::<Written>()
            .add_systems(Update, shine)
            .add_systems(
                Last,
                |mut events: MessageReader<AssetEvent<StandardMaterial>>,
                 mut written: ResMut<Written>| {
                    let changed = |it: &&AssetEvent<_>| matches!(it, AssetEvent::Modified { .. });
                    written.0 += events.read().filter(changed).count();
                },
            );
        let mut materials = app.world_mut().resource_mut::<Assets<StandardMaterial>>();
        let material = materials.add(StandardMaterial::default());
        app.world_mut().spawn((
            LessonObject(ObjectId::new("cube")),
            MeshMaterial3d(material),
            Hinted,
            Shine::default(),
        ));
        for _ in 0..140 {
            app.update();
        }
        app.world().resource::<Written>().0
    }

    #[test]
    fn a_pulse_at_a_lower_rate_of_animations_writes_fewer_materials() {
        let [full, half, least] = [1.0, 0.5, 0.1].map(|share| writings(PulseStep::at(share)));
        assert!(
            half < full && least < half && least > 4,
            "{full} {half} {least}"
        );
    }
}
