//! What never stands in a log, whatever level somebody asks for: the words that come through the door. The libraries
//! that carry them write whole messages into their finest levels; those stay shut, so that `RUST_LOG=trace` shows no name.

use bevy::app::App;
use bevy::log::BoxedLayer;
use bevy::log::tracing_subscriber::Layer;
use bevy::log::tracing_subscriber::layer::Context;
use tracing::{Level, Metadata, Subscriber};

/// Crates that carry messages of people, by how their targets begin.
const CARRIERS: [&str; 7] = [
    "tungstenite",
    "tokio_tungstenite",
    "axum",
    "hyper",
    "h2",
    "rmcp",
    "tower",
];

/// For `LogPlugin::custom_layer`.
pub(super) fn layer(_: &mut App) -> Option<BoxedLayer> {
    Some(Box::new(Quiet))
}

struct Quiet;

impl<S: Subscriber> Layer<S> for Quiet {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let carrier = metadata.target().split("::").next().unwrap_or_default();
        *metadata.level() <= Level::INFO || !CARRIERS.contains(&carrier)
    }
}
