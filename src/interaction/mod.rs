//! What a person does with their hands, by controller, tracked hand or mouse.
//! In: `xr` rig and physics. Out: [`Interacted`]: *what happened*, not what it means.

use bevy::prelude::*;

use crate::xr::rig::Side;

pub mod things;

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
