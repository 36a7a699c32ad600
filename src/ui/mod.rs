//! Panels in the world: the guide with goal, caption, hint and notices; texts; questions; the menu.
//! In: session, lesson and adaptation state, [`PointerAt`]. Out: the panels' pictures, pictures of what the learner sees
//! for whoever may look, `PanelAnswered`, the learner's own commands. Never: a judgement of what an answer is worth.

use bevy::prelude::*;

use crate::session::pairing::PairingAsked;
use crate::session::picture::{PictureAsked, PictureTaken};
use crate::session::standing::Agreements;
use crate::session::{CommandRequested, Folded, PanelAnswered};
use crate::xr::pointer::PointerAt;
use crate::xr::rig::{Recenter, SeatedOffset};

mod choose;
mod feedback;
pub mod layout;
mod let_in;
mod menu;
mod overlay;
mod paint;
mod picture;
mod screens;
mod surface;
pub mod view;

pub use feedback::Feedback;
pub use menu::{ReadingSettings, menu_place};
pub use overlay::ShowFrames;
pub use screens::PanelPace;

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
            .add_message::<PairingAsked>()
            .add_message::<Folded>()
            .init_resource::<SeatedOffset>()
            .init_resource::<ReadingSettings>()
            .init_resource::<PanelPace>()
            .init_resource::<Agreements>()
            .init_resource::<feedback::Latest>()
            .init_resource::<picture::Watched>()
            .add_message::<PictureAsked>()
            .add_message::<PictureTaken>()
            .add_systems(
                Update,
                (
                    menu::follow_preferences,
                    menu::toggle_menu,
                    feedback::remember_how_it_went,
                    view::describe_panels,
                    choose::choose,
                )
                    .chain()
                    .in_set(UiSystems),
            );
        if app.is_plugin_added::<bevy::render::RenderPlugin>() {
            app.add_plugins((
                (screens::ScreensPlugin, surface::SurfacePlugin),
                overlay::OverlayPlugin,
                picture::PicturePlugin,
            ));
        } else {
            app.add_plugins(picture::NoPicturesPlugin);
        }
    }
}
