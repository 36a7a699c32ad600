//! The bridge with the fixture tools, prompts and resources that the official MCP conformance suite calls by name, in
//! front of a real lesson: `cargo xtask measure conformance`. They go through the very same bridge as an instructor's
//! tools, and never are in the product's list.
//!
//! The suite can send no token. A small proxy on this machine adds it, so that nothing of the door is left open for
//! the suite's sake. Prints the proxy's address and serves until it is killed.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::Context;
use bevy::app::ScheduleRunnerPlugin;
use bevy::prelude::*;
use bevy::transform::TransformPlugin;
use malloc_vr::adaptation::AdaptationPlugin;
use malloc_vr::app::frame::order_the_frame;
use malloc_vr::bridge::mcp::catalogue::Catalogue;
use malloc_vr::bridge::{Bridge, BridgeConfig, BridgePlugin};
use malloc_vr::lesson::{self, LessonPlugin};
use malloc_vr::record::ages::AgeBand;
use malloc_vr::session::SessionPlugin;
use malloc_vr::session::join::Joining;
use malloc_vr::session::standing::Age;
use malloc_vr::task::TaskPlugin;

mod asked;
mod contents;
mod rounds;

fn main() -> anyhow::Result<()> {
    let mut catalogue = Catalogue::product();
    contents::offer(&mut catalogue);
    asked::offer(&mut catalogue);
    rounds::offer(&mut catalogue);
    let bridge = Bridge::start_offering(
        BridgeConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            token: None,
            allow_plaintext: false,
            ..BridgeConfig::default()
        },
        catalogue,
    )?;
    let proxy = TcpListener::bind(("127.0.0.1", 0)).context("no port for the proxy")?;
    println!("http://{}/mcp", proxy.local_addr()?);
    let (behind, token) = (bridge.address(), bridge.token().to_owned());
    std::thread::spawn(move || {
        for client in proxy.incoming().flatten() {
            let token = token.clone();
            std::thread::spawn(move || {
                // A connection that breaks is the client's affair.
                let _ = pass_on(client, behind, &token);
            });
        }
    });
    run_lesson(bridge)
}

fn run_lesson(bridge: Bridge) -> anyhow::Result<()> {
    let loaded = lesson::load("first-steps")?;
    let mut app = App::new();
    app.add_plugins((
        MinimalPlugins.set(ScheduleRunnerPlugin::run_loop(Duration::from_millis(14))),
        TransformPlugin,
        LessonPlugin {
            lesson: loaded.clone(),
        },
        TaskPlugin,
        SessionPlugin,
        AdaptationPlugin,
        BridgePlugin,
    ))
    .insert_resource(bridge);
    order_the_frame(&mut app);
    let learner = Joining::newcomer().enter(app.world_mut(), &loaded.lesson, &loaded.digest, true);
    // A made-up learner, who may be shown.
    app.world_mut()
        .entity_mut(learner)
        .insert(Age(AgeBand::Adult));
    app.run();
    Ok(())
}

/// Longest head of a request that is passed on.
const HEAD: usize = 64 * 1024;

/// Passes one request on with the token, and everything that comes back. One request a connection: the next one needs
/// the token, too.
fn pass_on(mut client: TcpStream, behind: SocketAddr, token: &str) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    let end = loop {
        let read = client.read(&mut buffer)?;
        head.extend_from_slice(buffer.get(..read).unwrap_or_default());
        let end = head.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            break end;
        }
        if read == 0 || head.len() > HEAD {
            return Ok(());
        }
    };
    let (lines, rest) = head.split_at(end);
    let mut server = TcpStream::connect(behind)?;
    let text = String::from_utf8_lossy(lines);
    for line in text.split("\r\n") {
        let name = line.split(':').next().unwrap_or_default();
        if !name.eq_ignore_ascii_case("connection") {
            write!(server, "{line}\r\n")?;
        }
    }
    write!(server, "Connection: close\r\nAuthorization: Bearer {token}")?;
    server.write_all(rest)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Both);
    });
    let copied = std::io::copy(&mut server, &mut client);
    let _ = client.shutdown(Shutdown::Both);
    copied.map(drop)
}
