//! What turns in an application when [`CurrentQuality`](super::plugin::CurrentQuality) changes, one file for each lever.
//! In: the quality in force; [`MustStayLegible`] and [`Scenery`] on what they are true of. Out: the engine's own
//! components and resources. Never: more than the scene had; anything that learning needs, before all else is given up.
//!
//! Rates of panels and of the stream belong to rooms that may not know the governor: `app` turns them.

use bevy::prelude::*;

mod animation;
mod detail;
mod legible;
mod lights;
mod lod;
mod picture;
mod refresh;
mod shadows;

pub use detail::Scenery;
pub use legible::MustStayLegible;
pub use refresh::{Refresh, refresh};

/// Adds all levers.
pub(super) struct ActingPlugin;

impl Plugin for ActingPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins((
            shadows::ShadowsPlugin,
            lights::LightsPlugin,
            (detail::DetailPlugin, lod::LodPlugin),
            animation::AnimationPlugin,
            picture::PicturePlugin,
            legible::LegiblePlugin,
            refresh::RefreshPlugin,
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::governor::actuators::{Limits, Quality, Setting};
    use crate::governor::plugin::{CurrentQuality, Surroundings};
    use crate::governor::rules::Rules;

    /// An application with full quality and one lever.
    pub fn app(lever: impl Plugin) -> App {
        let mut app = App::new();
        let full = Quality::at(&Setting::FULL, &Rules::default(), &Limits::default());
        app.add_plugins(MinimalPlugins)
            .insert_resource(CurrentQuality(full))
            .init_resource::<Surroundings>()
            .add_plugins(lever);
        app
    }

    /// Turns it.
    pub fn set(app: &mut App, turn: impl FnOnce(&mut Quality)) {
        turn(&mut app.world_mut().resource_mut::<CurrentQuality>().0);
        app.update();
    }
}
