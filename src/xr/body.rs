//! What the learner sees of their own hands: a plain controller, or the joints of the bare hand.

use bevy::prelude::*;

use super::rig::{Hand, HandInput, HandJoints, HandKind, JOINTS, Rig, Side};

/// The model of a controller; child of its hand.
#[derive(Component)]
pub(super) struct ControllerModel;

/// One joint of a bare hand; child of the rig.
#[derive(Component)]
pub(super) struct JointModel {
    side: Side,
    joint: usize,
}

/// Gives the hands something to be seen by, where there is a renderer.
pub(super) fn dress_hands(
    mut commands: Commands,
    meshes: Option<ResMut<Assets<Mesh>>>,
    materials: Option<ResMut<Assets<StandardMaterial>>>,
    hands: Query<(Entity, &Hand)>,
    rigs: Query<Entity, With<Rig>>,
) {
    let (Some(mut meshes), Some(mut materials), Ok(rig)) = (meshes, materials, rigs.single())
    else {
        return;
    };
    let shell = materials.add(StandardMaterial {
        base_color: Color::srgb(0.18, 0.19, 0.22),
        perceptual_roughness: 0.55,
        ..default()
    });
    let skin = materials.add(StandardMaterial {
        base_color: Color::srgb(0.86, 0.82, 0.78),
        perceptual_roughness: 0.8,
        ..default()
    });
    // The tube of the closed fingers runs along z, the thumb's end is -z.
    let along_z = Quat::from_rotation_x(std::f32::consts::FRAC_PI_2);
    let handle = meshes.add(Capsule3d::new(0.016, 0.07));
    let face = meshes.add(Cylinder::new(0.024, 0.014));
    let ring = meshes.add(Torus {
        minor_radius: 0.004,
        major_radius: 0.027,
    });
    let trigger = meshes.add(Capsule3d::new(0.007, 0.012));
    let ball = meshes.add(Sphere::new(1.0).mesh().uv(12, 8));

    for (hand, Hand(side)) in &hands {
        let accent = materials.add(StandardMaterial {
            base_color: accent(*side),
            perceptual_roughness: 0.4,
            ..default()
        });
        commands.entity(hand).with_children(|hand| {
            hand.spawn((
                Name::new("controller"),
                ControllerModel,
                Transform::default(),
                Visibility::Hidden,
            ))
            .with_children(|model| {
                let tilt = Quat::from_rotation_x(0.6);
                let top = Vec3::new(0.0, 0.012, -0.045);
                model.spawn((
                    Mesh3d(handle.clone()),
                    MeshMaterial3d(shell.clone()),
                    Transform::from_xyz(0.0, 0.0, 0.015).with_rotation(along_z),
                ));
                model.spawn((
                    Mesh3d(face.clone()),
                    MeshMaterial3d(shell.clone()),
                    Transform::from_translation(top).with_rotation(tilt),
                ));
                model.spawn((
                    Mesh3d(ring.clone()),
                    MeshMaterial3d(accent.clone()),
                    Transform::from_translation(top).with_rotation(tilt),
                ));
                model.spawn((
                    Mesh3d(trigger.clone()),
                    MeshMaterial3d(accent.clone()),
                    Transform::from_xyz(0.0, -0.014, -0.042).with_rotation(along_z),
                ));
            });
        });
        commands.entity(rig).with_children(|rig| {
            for joint in 0..JOINTS {
                rig.spawn((
                    JointModel { side: *side, joint },
                    Mesh3d(ball.clone()),
                    MeshMaterial3d(skin.clone()),
                    Transform::default(),
                    Visibility::Hidden,
                ));
            }
        });
    }
}

/// Blue for left, amber for right: told apart by colour-blind people, too.
fn accent(side: Side) -> Color {
    match side {
        Side::Left => Color::srgb(0.25, 0.55, 0.95),
        Side::Right => Color::srgb(0.96, 0.66, 0.2),
    }
}

fn bare(kind: HandKind, joints: &HandJoints) -> bool {
    joints.tracked && kind != HandKind::Controller
}

/// A controller is shown for a hand that is tracked and not shown by its joints.
pub(super) fn show_controllers(
    hands: Query<(&HandInput, &HandKind, &HandJoints)>,
    mut models: Query<(&ChildOf, &mut Visibility), With<ControllerModel>>,
) {
    for (hand, mut visibility) in &mut models {
        let Ok((input, kind, joints)) = hands.get(hand.parent()) else {
            continue;
        };
        visibility.set_if_neq(if input.tracked && !bare(*kind, joints) {
            Visibility::Inherited
        } else {
            Visibility::Hidden
        });
    }
}

pub(super) fn show_joints(
    hands: Query<(&Hand, &HandKind, &HandJoints)>,
    mut models: Query<(&JointModel, &mut Transform, &mut Visibility)>,
) {
    for (model, mut transform, mut visibility) in &mut models {
        let Some((_, kind, joints)) = hands.iter().find(|(hand, ..)| hand.0 == model.side) else {
            continue;
        };
        if bare(*kind, joints) {
            *transform =
                joints.joints[model.joint].with_scale(Vec3::splat(joints.radii[model.joint]));
            visibility.set_if_neq(Visibility::Inherited);
        } else {
            visibility.set_if_neq(Visibility::Hidden);
        }
    }
}
