//! Buttons that go in under a hand and come back.

use std::time::Duration;

use bevy::prelude::*;

use super::hands::Person;
use super::things::{Form, Pressable, Solid};
use super::{Interacted, Interaction};
use crate::xr::rig::{HapticPulse, Hand, Head, Rig};

/// How far a button goes in, metres.
const TRAVEL: f32 = 0.018;
/// Share of the way at which it clicks …
const CLICK: f32 = 0.7;
/// … and at which it can click again.
const REARM: f32 = 0.3;
/// The flesh of the hand around its grip, metres.
const HAND: f32 = 0.03;
/// A hand further to the side than this past the button's edge misses it, metres.
const MARGIN: f32 = 0.02;
/// How fast a button comes back, metres per second.
const RETURN: f32 = 0.15;

/// Where a button is on its way.
#[derive(Component, Debug)]
pub(super) struct Button {
    home: Transform,
    depth: f32,
    clicked: bool,
}

pub(super) fn press_buttons(
    mut commands: Commands,
    time: Res<Time>,
    person: Person,
    mut buttons: Query<
        (Entity, &Solid, &mut Transform, Option<&mut Button>),
        (With<Pressable>, Without<Hand>, Without<Head>, Without<Rig>),
    >,
    mut interacted: MessageWriter<Interacted>,
    mut haptics: MessageWriter<HapticPulse>,
) {
    for (entity, solid, mut at, button) in &mut buttons {
        let Some(mut button) = button else {
            commands.entity(entity).insert(Button {
                home: *at,
                depth: 0.0,
                clicked: false,
            });
            continue;
        };
        let (wide, high) = extents(solid.form);
        let mut depth = (button.depth - RETURN * time.delta_secs()).max(0.0);
        let mut by = None;
        for hand in person.hands() {
            let point = button.home.to_matrix().inverse().transform_point3(hand.grip.translation);
            let beside = Vec2::new(point.x, point.z).length() > wide + MARGIN;
            // From below the table nothing is pressed.
            if beside || point.y < -high - HAND {
                continue;
            }
            let pushed = (high + HAND - point.y).clamp(0.0, TRAVEL);
            if pushed > depth {
                depth = pushed;
                by = Some(hand.side);
            }
        }
        if !button.clicked && depth >= CLICK * TRAVEL {
            button.clicked = true;
            interacted.write(Interacted {
                side: by,
                what: Interaction::Pressed { target: entity },
            });
            if let Some(side) = by {
                haptics.write(HapticPulse {
                    side,
                    amplitude: 0.8,
                    duration: Duration::from_millis(40),
                });
            }
        } else if button.clicked && depth < REARM * TRAVEL {
            button.clicked = false;
        }
        if (depth - button.depth).abs() > 1e-6 {
            button.depth = depth;
            at.translation = button.home.translation - button.home.up() * depth;
        }
    }
}

/// Radius and half height of a button, metres.
fn extents(form: Form) -> (f32, f32) {
    match form {
        Form::Box(edges) => (edges.x.max(edges.z) / 2.0, edges.y / 2.0),
        Form::Ball { radius } => (radius, radius),
        Form::Cylinder { radius, height } | Form::Cone { radius, height } => (radius, height / 2.0),
    }
}
