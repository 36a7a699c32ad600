//! What happens in a frame, and in which order.

use bevy::ecs::schedule::SingleThreadedExecutor;
use bevy::prelude::*;

use crate::adaptation::AdaptationSystems;
use crate::bridge::BridgeSystems;
use crate::interaction::InteractionSystems;
use crate::session::SessionSystems;
use crate::task::TaskSystems;
use crate::ui::UiSystems;

/// Orders the rooms' sets, once, for every role.
///
/// They run on one thread: most of them have a few entities to look at, and handing each to another thread costs more than
/// it does (`learning_ms_per_frame` of `cargo xtask measure sessions`). Drawing has its own thread beside it.
pub(crate) fn order_the_frame(app: &mut App) {
    app.edit_schedule(Update, |update| {
        update.set_executor(SingleThreadedExecutor::new());
    });
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
