//! Buttons that go in under a hand and come back.

use std::time::Duration;

use bevy::prelude::*;

use super::hands::Person;
use super::things::{Form, Pressable, Solid};
use super::{Interacted, Interaction};
use crate::xr::rig::{Hand, HapticPulse, Head, Rig};

/// How far a button goes in, metres.
const TRAVEL: f32 = 0.018;
/// Share of the way at which it clicks …
const CLICK: f32 = 0.7;
/// … and at which it can click again.
const REARM: f32 = 0.3;
/// The flesh of the hand around its grip, metres.
pub(super) const HAND: f32 = 0.03;
/// A fingertip's own thickness, metres.
const TIP: f32 = 0.008;
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
    /// Of each hand its palm and its fingertip.
    probes: [[Probe; 2]; 2],
}

/// What a palm or a fingertip is to a button. Only what comes from above presses: a hand that reaches past a button
/// from the side, or up from under the table, does not.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Probe {
    /// Not seen yet, or beside the button and lower than its top.
    #[default]
    Below,
    /// Higher than the button's top, beside it or over it.
    Above,
    /// Came from above and is over the button or on it.
    On,
}

impl Probe {
    /// How deep it pushes the button, metres; `low`: its lowest point over the top of the button that is out.
    fn follow(&mut self, low: f32, beside: bool) -> Option<f32> {
        let may_press = *self != Self::Below;
        *self = match (low >= 0.0, beside) {
            (true, _) => Self::Above,
            (false, false) if may_press => Self::On,
            (false, _) => Self::Below,
        };
        (*self == Self::On).then_some(-low)
    }
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
                probes: default(),
            });
            continue;
        };
        let (wide, high) = extents(solid.form);
        let into_button = button.home.to_matrix().inverse();
        let mut depth = (button.depth - RETURN * time.delta_secs()).max(0.0);
        let mut by = None;
        for hand in person.hands() {
            for (probe, (point, flesh)) in [(Some(hand.grip.translation), HAND), (hand.tip, TIP)]
                .into_iter()
                .enumerate()
            {
                let Some(point) = point.map(|point| into_button.transform_point3(point)) else {
                    continue;
                };
                let beside = Vec2::new(point.x, point.z).length() > wide + MARGIN;
                let pushed =
                    button.probes[hand.side as usize][probe].follow(point.y - flesh - high, beside);
                if let Some(pushed) = pushed.map(|pushed| pushed.min(TRAVEL))
                    && pushed > depth
                {
                    depth = pushed;
                    by = Some(hand.side);
                }
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
pub(super) fn extents(form: Form) -> (f32, f32) {
    match form {
        Form::Box(edges) => (edges.x.max(edges.z) / 2.0, edges.y / 2.0),
        Form::Ball { radius } => (radius, radius),
        Form::Cylinder { radius, height } | Form::Cone { radius, height } => (radius, height / 2.0),
    }
}
