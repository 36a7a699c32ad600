//! Panels in the world: the guide with goal, caption, hint and notices; texts; questions; the menu.
//! In: session, lesson and adaptation state, [`PointerAt`](crate::xr::pointer::PointerAt). Out: pictures, `PanelAnswered`, the
//! learner's own commands. Never: a judgement of what an answer is worth.

use bevy::prelude::*;

use crate::session::{CommandRequested, PanelAnswered};
use crate::xr::pointer::PointerAt;
use crate::xr::rig::{Recenter, SeatedOffset};

mod choose;
pub mod layout;
mod menu;
mod paint;
mod screens;
pub mod view;

/// Everything that `ui` does in a frame.
#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
pub struct UiSystems;

/// Panels and menu. Draws where there is a renderer; chooses and answers without one, too.
pub struct UiPlugin;

impl Plugin for UiPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<PanelAnswered>()
            .add_message::<PointerAt>()
            .add_message::<CommandRequested>()
            .add_message::<Recenter>()
            .init_resource::<SeatedOffset>()
            .add_systems(
                Update,
                (
                    menu::toggle_menu,
                    view::describe_panels,
                    choose::choose,
                )
                    .chain()
                    .in_set(UiSystems),
            );
        if app.is_plugin_added::<bevy::render::RenderPlugin>() {
            app.add_plugins(screens::ScreensPlugin);
        }
    }
}
