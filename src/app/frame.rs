//! What happens in a frame, and in which order.

use bevy::ecs::schedule::{ScheduleLabel, SingleThreadedExecutor};
use bevy::prelude::*;

use crate::adaptation::AdaptationSystems;
use crate::bridge::BridgeSystems;
use crate::interaction::InteractionSystems;
use crate::session::SessionSystems;
use crate::task::TaskSystems;
use crate::ui::UiSystems;

/// Orders the rooms' sets, once, for every role. Without it the plugins find no order among themselves: what is published
/// of a learner may then be older than the event beside it.
///
/// All systems of a frame run on one thread: most of them have a few entities to look at, and handing each to another thread
/// costs more than it does (`learning_ms_per_frame` of `cargo xtask measure sessions`; for a frame in a headset
/// "Cost of the frame" in `docs/governor.md`). Drawing has its own thread beside it, and what is worth
/// it inside of a system (places of many things) takes further threads still.
pub fn order_the_frame(app: &mut App) {
    let parts = [
        First.intern(),
        PreUpdate.intern(),
        Update.intern(),
        SpawnScene.intern(),
        PostUpdate.intern(),
        Last.intern(),
    ];
    for part in parts {
        app.edit_schedule(part, |part| {
            part.set_executor(SingleThreadedExecutor::new());
        });
    }
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
