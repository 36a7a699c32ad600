//! Moving through the room. One mediator owns the rig's `Transform`: nothing else writes it, and it never moves without
//! somebody's wish. Teleport by an arc, turning in steps, walking on a desktop; each with the eyes' comfort in mind.

use std::f32::consts::FRAC_PI_6;

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use super::hands::{Grasp, Person};
use super::things::{Solid, TeleportFloor, TeleportSpot, Weight};
use super::{InputMode, Interacted, Interaction};
use crate::physics::Physics;
use crate::xr::rig::{Hand, Head, Rig, Side};

/// A turn of one flick: 30 degrees, large enough that nobody feels motion.
pub(super) const SNAP: f32 = FRAC_PI_6;
/// The stick is out from here …
const OUT: f32 = 0.7;
/// … and back from here.
const BACK: f32 = 0.35;
/// Speed at which the arc leaves the hand, m/s, and what pulls it down, m/s²: about 5 m at most.
const ARC_SPEED: f32 = 7.0;
const ARC_GRAVITY: f32 = 9.81;
/// Points of the arc that are tried and drawn.
pub(super) const ARC_POINTS: usize = 28;
/// Time between two of them, seconds.
const ARC_STEP: f32 = 0.05;
/// How fast the vignette opens again, per second.
const VIGNETTE_OPENS: f32 = 2.5;
/// Half the breadth of a person, metres.
const SHOULDERS: f32 = 0.15;
/// Where there is no stick, a trigger pulled (or fingers pinched) in empty air for this long aims, too, seconds; then
/// only at marked spots, because people also pull triggers for nothing.
const AIMED: f32 = 0.2;
/// A trigger is pulled from here …
const PULLED: f32 = 0.7;
/// … and let go from here.
const LET_GO: f32 = 0.3;
/// Walking speed on a desktop, metres per second.
const WALK: f32 = 1.6;

/// How far the view is narrowed while the person is moved: 0 open, 1 narrowest.
#[derive(Resource, Debug, Default, Clone, Copy, PartialEq)]
pub struct Vignette(pub f32);

/// How the person likes to be moved.
#[derive(Resource, Debug, Clone, Copy, PartialEq)]
pub struct MovedGently {
    /// A turn of one flick, radians.
    pub turn: f32,
    /// How far the view is narrowed at most, 0..1.
    pub vignette: f32,
}

impl Default for MovedGently {
    fn default() -> Self {
        Self {
            turn: SNAP,
            vignette: 1.0,
        }
    }
}

/// A wish to be moved. Whoever wants the rig elsewhere writes this; the mediator decides.
#[derive(Message, Debug, Clone, Copy, PartialEq)]
pub(super) enum Move {
    /// Walk this way for this frame: x to the right, y forward, each -1..1, as the head looks.
    Walk(Vec2),
    /// Turn about the head, radians, left is positive.
    Turn(f32),
    /// Stand with the head over this point of the floor.
    Teleport(Vec3),
}

/// Which hand aims where.
#[derive(Resource, Debug, Default)]
pub(super) struct Aiming {
    side: Option<Side>,
    /// With the trigger or a pinch instead of the stick, for so many seconds.
    pinched: Option<f32>,
    triggers: [bool; 2],
    turned: [bool; 2],
    /// Points of the arc, and where it lands.
    pub(super) points: Vec<Vec3>,
    pub(super) landing: Option<Landing>,
}

/// Where a teleport would lead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Landing {
    pub at: Vec3,
    spot: Option<Entity>,
}

/// Spots and floors to stand on, and what stands on them already.
#[derive(SystemParam)]
pub(super) struct Ground<'w, 's> {
    floors: Query<'w, 's, (&'static TeleportFloor, &'static GlobalTransform)>,
    spots: Query<'w, 's, (Entity, &'static TeleportSpot, &'static GlobalTransform)>,
    physics: Option<Res<'w, Physics>>,
    solids: Query<'w, 's, &'static Solid>,
}

impl Ground<'_, '_> {
    /// Where one stands who goes to `at`: in the middle of a marked spot, or on the floor; `None`: nowhere.
    fn land(&self, at: Vec3) -> Option<Landing> {
        let at = at.with_y(0.0);
        self.spot(at).or_else(|| {
            (at.is_finite() && self.on_floor(at) && !self.occupied(at))
                .then_some(Landing { at, spot: None })
        })
    }

    fn spot(&self, at: Vec3) -> Option<Landing> {
        self.spots
            .iter()
            .map(|(entity, spot, place)| (entity, spot.radius, place.translation().with_y(0.0)))
            .filter(|(_, radius, middle)| middle.distance(at.with_y(0.0)) <= *radius)
            .min_by(|(.., a), (.., b)| a.distance_squared(at).total_cmp(&b.distance_squared(at)))
            .map(|(entity, _, middle)| Landing {
                at: middle,
                spot: Some(entity),
            })
    }

    fn on_floor(&self, at: Vec3) -> bool {
        self.floors.iter().any(|(floor, place)| {
            let local = at - place.translation();
            local.x.abs() <= floor.half.x && local.z.abs() <= floor.half.y
        })
    }

    /// Whether furniture stands where a body would.
    fn occupied(&self, at: Vec3) -> bool {
        let Some(physics) = &self.physics else {
            return false;
        };
        let mut occupied = false;
        for height in [0.4, 0.8, 1.2] {
            physics.overlapping(at.with_y(height), SHOULDERS, |entity| {
                occupied |= self
                    .solids
                    .get(entity)
                    .is_ok_and(|solid| solid.weight == Weight::Fixed);
            });
        }
        occupied
    }
}

/// The direction in which a hand at `from` must point for its arc to land on `to`; `None`: too far.
#[must_use]
pub fn teleport_aim(from: Vec3, to: Vec3) -> Option<Vec3> {
    let level = (to - from).with_y(0.0);
    let (x, y) = (level.length(), to.y - from.y);
    let v2 = ARC_SPEED * ARC_SPEED;
    // The flatter of the two angles of a ballistic arc through a point.
    let root = v2 * v2 - ARC_GRAVITY * (ARC_GRAVITY * x * x + 2.0 * y * v2);
    if root < 0.0 {
        return None;
    }
    if x < 1e-4 {
        return Some(Vec3::NEG_Y);
    }
    let slope = (v2 - root.sqrt()) / (ARC_GRAVITY * x);
    Some((level / x + Vec3::Y * slope).normalize())
}

pub(super) fn mediate(
    mut commands: Commands,
    time: Res<Time>,
    mode: Res<InputMode>,
    aiming: Option<ResMut<Aiming>>,
    (mut vignette, gently): (ResMut<Vignette>, Res<MovedGently>),
    ground: Ground,
    grasps: Query<&Grasp>,
    mut wishes: MessageReader<Move>,
    mut movers: ParamSet<(
        Person,
        Query<&mut Transform, (With<Rig>, Without<Head>, Without<Hand>)>,
    )>,
    mut interacted: MessageWriter<Interacted>,
) {
    let Some(mut aiming) = aiming else {
        commands.init_resource::<Aiming>();
        return;
    };
    let (mut rig, head, asked) = {
        let person = movers.p0();
        let Some(head) = person.head() else { return };
        let pinches = *mode != InputMode::Desktop;
        let asked = aim(
            &person,
            &mut aiming,
            &ground,
            &grasps,
            pinches.then(|| time.delta_secs()),
            gently.turn,
        );
        (person.rig(), head, asked)
    };
    let before = rig;
    let mut moved = asked.turn.is_some();
    if let Some(angle) = asked.turn {
        turn(&mut rig, head.translation, angle);
        interacted.write(Interacted {
            side: None,
            what: Interaction::Turned { angle },
        });
    }
    let mut landing = asked.landing;
    for wish in wishes.read() {
        match *wish {
            Move::Turn(angle) => turn(&mut rig, head.translation, angle),
            Move::Walk(way) if *mode == InputMode::Desktop => {
                let flat = Quat::from_rotation_y(head.rotation.to_euler(EulerRot::YXZ).0);
                let step = flat
                    * Vec3::new(way.x, 0.0, -way.y).clamp_length_max(1.0)
                    * WALK
                    * time.delta_secs();
                let there = head.translation + step;
                // Walls are where the floor ends.
                let free = ground.on_floor(there)
                    && (!ground.occupied(there) || ground.occupied(head.translation));
                if ground.floors.is_empty() || free {
                    rig.translation += step;
                }
            }
            Move::Walk(_) => {}
            Move::Teleport(to) => landing = ground.land(to),
        }
    }
    if let Some(landing) = landing {
        // Turning moved the head's place only about itself, so its point on the floor is still right.
        rig.translation += (landing.at - head.translation).with_y(landing.at.y - rig.translation.y);
        moved = true;
        interacted.write(Interacted {
            side: None,
            what: Interaction::Teleported {
                to: landing.at,
                spot: landing.spot,
            },
        });
    }
    let opened = (vignette.0 - VIGNETTE_OPENS * time.delta_secs()).max(0.0);
    vignette.set_if_neq(Vignette(if moved { gently.vignette } else { opened }));
    if rig != before
        && rig.is_finite()
        && let Ok(mut transform) = movers.p1().single_mut()
    {
        *transform = rig;
    }
}

/// What the sticks ask for in this frame.
#[derive(Default)]
struct Asked {
    turn: Option<f32>,
    landing: Option<Landing>,
}

/// `dt`: seconds of this frame, where triggers aim, too. `step`: a turn of one flick, radians.
fn aim(
    person: &Person,
    aiming: &mut Aiming,
    ground: &Ground,
    grasps: &Query<&Grasp>,
    dt: Option<f32>,
    step: f32,
) -> Asked {
    let mut asked = Asked::default();
    let mut seen = None;
    for hand in person.hands() {
        let side = hand.side as usize;
        let stick = hand.input.stick;
        let turned = &mut aiming.turned[side];
        if aiming.side != Some(hand.side) {
            let sideways = stick.x.abs() > OUT && stick.x.abs() > stick.y.abs();
            if sideways && !*turned {
                asked.turn = Some(-step * stick.x.signum());
            }
            *turned = if *turned {
                stick.x.abs() > BACK
            } else {
                sideways
            };
        }
        let pulled = hand.input.trigger
            > if aiming.triggers[side] {
                LET_GO
            } else {
                PULLED
            };
        let pulls = !std::mem::replace(&mut aiming.triggers[side], pulled) && pulled;
        if aiming.side.is_none() {
            let empty = grasps
                .get(hand.entity)
                .is_ok_and(|grasp| grasp.held.is_none() && grasp.near.is_none() && !grasp.pointing);
            if stick.y > OUT && stick.y > stick.x.abs() {
                (aiming.side, aiming.pinched) = (Some(hand.side), None);
            } else if pulls && empty && dt.is_some() {
                (aiming.side, aiming.pinched) = (Some(hand.side), Some(0.0));
            }
        }
        if aiming.side == Some(hand.side) {
            seen = Some(hand);
        }
    }
    let Some(hand) = seen else {
        // The hand is gone from sight: no arc, no move.
        aiming.side = None;
        aiming.points.clear();
        aiming.landing = None;
        return asked;
    };
    let done = match aiming.pinched {
        Some(_) => !aiming.triggers[hand.side as usize],
        None => hand.input.stick.y < BACK,
    };
    if done {
        aiming.side = None;
        aiming.points.clear();
        asked.landing = aiming.landing.take();
        return asked;
    }
    trace(&hand.aim, aiming, ground);
    if let Some(time) = &mut aiming.pinched {
        *time += dt.unwrap_or_default();
        let at_spot = aiming.landing.is_some_and(|landing| landing.spot.is_some());
        if *time < AIMED || !at_spot {
            aiming.points.clear();
            aiming.landing = None;
        }
    }
    asked
}

/// Follows the arc to the floor.
fn trace(aim: &Transform, aiming: &mut Aiming, ground: &Ground) {
    aiming.points.clear();
    aiming.landing = None;
    let mut at = aim.translation;
    let mut velocity = *aim.forward() * ARC_SPEED;
    for _ in 0..ARC_POINTS {
        aiming.points.push(at);
        // Exact for a constant pull, so the arc lands where `teleport_aim` says.
        let next = at + velocity * ARC_STEP - Vec3::Y * (0.5 * ARC_GRAVITY * ARC_STEP * ARC_STEP);
        velocity.y -= ARC_GRAVITY * ARC_STEP;
        if next.y <= 0.0 && at.y > 0.0 {
            let met = at.lerp(next, at.y / (at.y - next.y)).with_y(0.0);
            aiming.points.push(met);
            aiming.landing = ground.land(met);
            return;
        }
        at = next;
    }
}

fn turn(rig: &mut Transform, about: Vec3, angle: f32) {
    rig.rotate_around(about, Quat::from_rotation_y(angle));
}
