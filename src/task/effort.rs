//! How hands do the running task, for the estimate of load: what a [`Meter`] sees in each frame.
//!
//! In: hands, things, what was taken and let go. Out, every stretch: a [`LoadWindow`] of figures. Never: a place that
//! outlives the frame but in the meter, or how hands and head move unless the region's policy and a consent allow it.

use bevy::prelude::*;

use super::scene::Stage;
use super::stretch::{objects, running};
use crate::interaction::things::{Form, Grabbable, HeldBy, Solid};
use crate::interaction::{Interacted, Interaction, Person};
use crate::learning::load::meter::{FrameSeen, HandSeen, HeadSeen, Meter};
use crate::learning::load::window::LoadWindow;
use crate::lesson::ActiveLesson;
use crate::session::clock::LONGEST_FRAME;
use crate::session::standing::{Age, Agreements, allows_motion_of_load};
use crate::session::state::LearnerState;
use crate::session::{Learner, unix_ms};

/// A hand this near to a thing's surface lingers at it, metres: a hand's length less what the grip is off the palm.
const AT_IT: f32 = 0.12;

/// What is being watched of one learner.
#[derive(Component, Debug, Default)]
pub(super) struct Effort {
    meter: Meter,
    /// Whether it may be looked at how hands and head move; asked anew with each stretch and whenever the log grew.
    motion: Option<bool>,
}

impl Effort {
    /// What was seen of the stretch that ends; `None`: nothing.
    pub fn take(&mut self) -> Option<LoadWindow> {
        self.motion = None;
        let window = self.meter.take();
        (!window.is_empty()).then_some(window)
    }
}

pub(super) fn watch(
    time: Res<Time<Real>>,
    lesson: Option<Res<ActiveLesson>>,
    stage: Option<Res<Stage>>,
    agreements: Option<Res<Agreements>>,
    person: Person,
    takeable: Query<(Entity, &GlobalTransform, Option<&Solid>), With<Grabbable>>,
    held: Query<&HeldBy>,
    things: Query<&GlobalTransform>,
    mut interacted: MessageReader<Interacted>,
    mut learners: Query<(&Learner, Ref<LearnerState>, Option<&Age>, &mut Effort)>,
) {
    // Hands belong to the one learner who wears this headset.
    let Some((learner, state, age, mut effort)) = learners.iter_mut().next() else {
        interacted.clear();
        return;
    };
    let lesson = lesson.as_deref();
    let step = lesson.and_then(|lesson| running(lesson, &state));
    let (Some(step), Some(stage)) = (step, stage) else {
        interacted.clear();
        effort.meter.interrupted();
        return;
    };
    if effort.motion.is_none() || state.is_changed() {
        let allowed = agreements.is_some_and(|agreements| {
            let age = age.copied().unwrap_or_default();
            allows_motion_of_load(&agreements.standing(learner.id, age, &state, unix_ms()))
        });
        effort.motion = Some(allowed);
    }
    let motion = effort.motion.unwrap_or_default();
    // What was done ends a way that was seen up to the frame before.
    for deed in interacted.read() {
        tell(&mut effort.meter, deed);
    }
    let mut seen = FrameSeen {
        dt: time.delta().min(LONGEST_FRAME).as_secs_f64(),
        motion,
        ..FrameSeen::default()
    };
    for hand in person.hands() {
        let at = hand.grip.translation;
        let near = takeable.iter().any(|(thing, place, solid)| {
            let reach = AT_IT + solid.map_or(0.0, |solid| half_width(&solid.form));
            !held.contains(thing) && place.translation().distance(at) <= reach
        });
        if let Some(place) = seen.hands.get_mut(hand.side as usize) {
            *place = Some(HandSeen {
                at: at.to_array().map(f64::from),
                near,
                holds: held.iter().any(|by| by.0 == hand.entity),
            });
        }
    }
    seen.head = person.head().filter(|_| motion).map(|head| {
        let forward = head.forward();
        let places = objects(step).filter_map(|object| stage.objects.get(object));
        let angles = places
            .filter_map(|target| things.get(*target).ok())
            .map(|at| {
                let way = at.translation() - head.translation;
                f64::from(forward.angle_between(way))
            });
        HeadSeen {
            yaw: f64::from((-forward.x).atan2(-forward.z)),
            off: angles.min_by(f64::total_cmp),
        }
    });
    effort.meter.frame(&seen);
}

/// What a deed is to the meter, which counts hands as [left, right]. A touch on the way to a grasp is no deed of its own, and what a thrown thing strikes is
/// none of the hand's.
fn tell(meter: &mut Meter, Interacted { side, what }: &Interacted) {
    match (what, side.map(|side| side as usize)) {
        (Interaction::Grabbed { .. }, Some(hand)) => meter.took(hand),
        (Interaction::Released { .. } | Interaction::Thrown { .. }, Some(hand)) => {
            meter.let_go(hand);
        }
        (
            Interaction::Grabbed { .. }
            | Interaction::Released { .. }
            | Interaction::Thrown { .. }
            | Interaction::Pressed { .. }
            | Interaction::Teleported { .. },
            _,
        ) => meter.acted(),
        (
            Interaction::LookedAt { .. }
            | Interaction::Touched { .. }
            | Interaction::Struck { .. }
            | Interaction::Turned { .. },
            _,
        ) => {}
    }
}

/// From the middle of a thing to its surface, about.
fn half_width(form: &Form) -> f32 {
    match *form {
        Form::Box(edges) => 0.5 * edges.max_element(),
        Form::Ball { radius } => radius,
        Form::Cylinder { radius, height } | Form::Cone { radius, height } => {
            radius.max(0.5 * height)
        }
    }
}
