//! What a person does with their hands, by controller, tracked hand or mouse.
//! In: `xr` rig and physics. Out: [`Interacted`]: *what happened*, not what it means.

use bevy::prelude::*;

use crate::physics::PhysicsSystems;
use crate::xr::pointer::PointerAt;
use crate::xr::rig::{Hand, HapticPulse, Side};

mod bodies;
mod circumstances;
mod desktop;
mod gaze;
mod grasp;
mod hands;
mod locomotion;
mod point;
mod press;
mod signs;
mod sockets;
pub mod things;
mod touch;

#[cfg(test)]
mod tests;

/// The learner's head, for whoever asks where it is.
pub use crate::xr::rig::Head;
pub use circumstances::Circumstances;
pub use desktop::CONTROLS;
pub use grasp::Snapped;
pub use hands::{HandNow, Person};
pub use locomotion::{MovedGently, Vignette, teleport_aim};

/// Everything that `interaction` does in a frame's `Update`.
#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
pub struct InteractionSystems;

/// Who drives head and hands.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InputMode {
    /// An OpenXR runtime.
    Xr,
    /// Mouse and keyboard.
    Desktop,
    /// Nobody, or a test.
    #[default]
    Headless,
}

/// Reach, grasp, throw, press, point, look, move.
pub struct InteractionPlugin;

impl Plugin for InteractionPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<InputMode>()
            .init_resource::<Vignette>()
            .init_resource::<locomotion::MovedGently>()
            .init_resource::<Circumstances>()
            .register_required_components::<Hand, circumstances::Seen>()
            .add_message::<Interacted>()
            .add_message::<PointerAt>()
            .add_message::<HapticPulse>()
            .add_message::<Snapped>()
            .add_message::<locomotion::Move>()
            .add_systems(
                Update,
                (
                    circumstances::follow_circumstances,
                    hands::equip,
                    bodies::build_bodies,
                    desktop::drive.run_if(resource_equals(InputMode::Desktop)),
                    locomotion::mediate,
                    touch::notice_near,
                    touch::notice_touch,
                    // Before anything new is thrown: contacts that it had in the hand strike nothing.
                    grasp::follow_flight,
                    grasp::forget_lost_hands,
                    grasp::grasp_and_release,
                    grasp::carry,
                    (sockets::hold, sockets::settle).chain(),
                    press::press_buttons,
                    gaze::notice_gaze,
                    point::point,
                )
                    .chain()
                    .in_set(InteractionSystems),
            )
            .add_systems(PostUpdate, point::show_beams.before(PhysicsSystems));
        if app.is_plugin_added::<bevy::render::RenderPlugin>() {
            app.add_systems(Startup, (point::make_beams, signs::make_signs))
                .add_systems(
                    PostUpdate,
                    (signs::show_arc, signs::show_vignette).before(TransformSystems::Propagate),
                );
        }
    }
}

/// Something was done.
#[derive(Message, Debug, Clone, PartialEq)]
pub struct Interacted {
    /// With which hand; `None`: with head or feet.
    pub side: Option<Side>,
    /// What.
    pub what: Interaction,
}

/// What was done. Entities carry the components of [`things`].
#[derive(Debug, Clone, PartialEq)]
pub enum Interaction {
    /// The head has been turned to it for this long (seconds); written each frame while it lasts.
    LookedAt { target: Entity, held: f32 },
    /// A hand came to touch it.
    Touched { target: Entity },
    /// A hand took it.
    Grabbed { target: Entity },
    /// A hand let it go without throwing it.
    Released {
        target: Entity,
        /// The nearest socket within its reach, whether it accepts the object or not.
        fit: Option<SocketFit>,
    },
    /// A hand let it go with speed (m/s).
    Thrown { target: Entity, speed: f32 },
    /// A thrown thing struck something for the first time since it left the hand.
    Struck { target: Entity, hit: Entity },
    /// A button was pressed in.
    Pressed { target: Entity },
    /// The learner turned the picture by this angle (radians, left is positive) in one step.
    Turned { angle: f32 },
    /// The learner stands elsewhere now; `spot`: on this marked spot.
    Teleported { to: Vec3, spot: Option<Entity> },
}

/// How an object let go lies to a socket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SocketFit {
    /// The socket.
    pub socket: Entity,
    /// Whether it takes this object (which then snapped in).
    pub accepted: bool,
    /// Metres between the centres when let go.
    pub position_error: f32,
    /// Radians between the rotations when let go.
    pub rotation_error: f32,
}
