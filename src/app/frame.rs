//! What happens in a frame, and in which order.

use bevy::prelude::*;

use crate::adaptation::AdaptationSystems;
use crate::bridge::BridgeSystems;
use crate::interaction::InteractionSystems;
use crate::session::SessionSystems;
use crate::task::TaskSystems;
use crate::ui::UiSystems;

/// Orders the rooms' sets, once, for every role.
pub(crate) fn order_the_frame(app: &mut App) {
    app.configure_sets(
        Update,
        (
            BridgeSystems::Receive,
            InteractionSystems,
            TaskSystems,
            SessionSystems,
            AdaptationSystems,
            UiSystems,
            BridgeSystems::Publish,
        )
            .chain(),
    );
}
