//! A lesson that runs, with its door open, for guests who misbehave.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};
use bevy::app::ScheduleRunnerPlugin;
use bevy::prelude::*;
use bevy::transform::TransformPlugin;
use malloc_vr::adaptation::AdaptationPlugin;
use malloc_vr::app::frame::order_the_frame;
use malloc_vr::bridge::{Bridge, BridgeConfig, BridgePlugin, TlsConfig};
use malloc_vr::lesson::{self, LessonPlugin};
use malloc_vr::session::SessionPlugin;
use malloc_vr::session::join::Joining;
use malloc_vr::session::pairing::{Pairing, PairingAsked};
use malloc_vr::task::TaskPlugin;

/// The token that opens the door.
pub(crate) const TOKEN: &str = "a-token-for-guests-who-misbehave";

/// Opens it on a thread of its own; it ends with the process.
pub(crate) fn open(folder: &Path, encrypted: bool) -> Result<SocketAddr> {
    let bridge = Bridge::start(BridgeConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        token: Some(TOKEN.to_owned()),
        tls: encrypted.then_some(TlsConfig::SelfSigned),
        folder: Some(folder.to_owned()),
        ..BridgeConfig::default()
    })?;
    let address = bridge.address();
    let loaded = lesson::load("first-steps").map_err(|error| anyhow!("{error}"))?;
    std::thread::spawn(move || {
        let joining = Joining::newcomer();
        let mut app = App::new();
        app.add_plugins((
            MinimalPlugins.set(ScheduleRunnerPlugin::run_loop(Duration::from_millis(10))),
            TransformPlugin,
            LessonPlugin {
                lesson: loaded.clone(),
            },
            TaskPlugin,
            SessionPlugin,
            AdaptationPlugin,
            BridgePlugin,
        ))
        .insert_resource(bridge)
        .add_systems(Last, always_a_code);
        order_the_frame(&mut app);
        joining.enter(app.world_mut(), &loaded.lesson, &loaded.digest, true);
        app.run();
    });
    Ok(address)
}

/// Whoever guesses has something to guess at.
fn always_a_code(pairing: Res<Pairing>, mut asked: MessageWriter<PairingAsked>) {
    if pairing.0.is_none() {
        asked.write(PairingAsked);
    }
}
