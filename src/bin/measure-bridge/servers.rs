//! The two servers, each a process of its own, and how large they have become.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bevy::app::{PluginsState, ScheduleRunnerPlugin};
use bevy::prelude::*;
use bevy::transform::TransformPlugin;
use futures_util::{SinkExt, StreamExt};
use malloc_vr::adaptation::AdaptationPlugin;
use malloc_vr::app::frame::order_the_frame;
use malloc_vr::bridge::host::{Classroom, HostPlugin};
use malloc_vr::bridge::{Bridge, BridgeConfig, BridgePlugin, Limits, TlsConfig};
use malloc_vr::lesson::{self, LessonPlugin};
use malloc_vr::protocol::privacy::AgeBand;
use malloc_vr::record::{Keys, Recorder, Store};
use malloc_vr::session::SessionPlugin;
use malloc_vr::session::join::Joining;
use malloc_vr::session::resume::TokenKey;
use malloc_vr::session::standing::Age;
use malloc_vr::task::TaskPlugin;
use tokio_tungstenite::tungstenite::Message;

pub const TOKEN: &str = "a-token-for-measuring";

/// A server under load. Dropping it ends it.
pub struct Server {
    child: Child,
    pub address: String,
    /// SHA-256 of its certificate; empty: it does not encrypt.
    pub fingerprint: String,
}

impl Server {
    pub fn start(kind: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(kind)
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("the server says nothing")?;
        let mut address = String::new();
        BufReader::new(stdout).read_line(&mut address)?;
        let (address, fingerprint) = address
            .trim()
            .split_once(' ')
            .unwrap_or((address.trim(), ""));
        Ok(Self {
            child,
            address: address.to_owned(),
            fingerprint: fingerprint.to_owned(),
        })
    }

    /// Memory in use, KiB.
    pub fn resident_kib(&self) -> Result<f64, Box<dyn Error + Send + Sync>> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.ok_or("no VmRSS in /proc")?.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// As `malloc-vr classroom` runs, but that clients may send and come as they like.
pub fn host(encrypted: bool) -> Result<(), Box<dyn Error + Send + Sync>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("records.redb");
    let store = Store::open(&file, &Keys::beside(&file)?)?;
    let key = TokenKey::derive(&*store.secret_for("measure"));
    let limits = Limits {
        connections: usize::MAX,
        per_address: usize::MAX,
        per_token: usize::MAX,
        stream_rate: 1e9,
        stream_burst: 1e9,
        ..Limits::CLASSROOM
    };
    let bridge = Bridge::start(BridgeConfig {
        listen: "127.0.0.1:0".parse()?,
        token: Some(TOKEN.to_owned()),
        limits,
        folder: Some(folder.path().to_owned()),
        tls: encrypted.then_some(TlsConfig::SelfSigned),
        ..BridgeConfig::default()
    })?;
    let fingerprint = bridge.fingerprint().unwrap_or_default();
    println!("{} {fingerprint}", bridge.address());
    std::io::stdout().flush()?;
    let bell = bridge.bell();
    let mut app = App::new();
    app.add_plugins((
        MinimalPlugins.build().disable::<ScheduleRunnerPlugin>(),
        SessionPlugin,
        BridgePlugin,
        HostPlugin,
    ))
    .insert_resource(Recorder::start(store)?)
    .insert_resource(bridge)
    .insert_resource(Classroom::new(key, None));
    order_the_frame(&mut app);
    while app.plugins_state() == PluginsState::Adding {
        bevy::tasks::tick_global_task_pools_on_main_thread();
    }
    app.finish();
    app.cleanup();
    loop {
        app.update();
        if bell.recv_timeout(Duration::from_millis(20)).is_ok() {
            std::thread::sleep(Duration::from_micros(500));
        }
    }
}

/// As `malloc-vr play --headless` runs, at the 72 Hz of a headset: one learner in the middle of a lesson.
pub fn headset() -> Result<(), Box<dyn Error + Send + Sync>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("records.redb");
    let store = Store::open(&file, &Keys::beside(&file)?)?;
    let joining = Joining::latest(&store)?;
    let loaded = lesson::load("first-steps")?;
    let bridge = Bridge::start(BridgeConfig {
        listen: "127.0.0.1:0".parse()?,
        token: Some(TOKEN.to_owned()),
        limits: Limits {
            connections: usize::MAX,
            per_address: usize::MAX,
            per_token: usize::MAX,
            ..Limits::HEADSET
        },
        folder: Some(folder.path().to_owned()),
        ..BridgeConfig::default()
    })?;
    println!("{}", bridge.address());
    std::io::stdout().flush()?;
    let mut app = App::new();
    let frame = Duration::from_secs_f64(1.0 / 72.0);
    app.add_plugins((
        MinimalPlugins.set(ScheduleRunnerPlugin::run_loop(frame)),
        TransformPlugin,
        LessonPlugin {
            lesson: loaded.clone(),
        },
        TaskPlugin,
        SessionPlugin,
        AdaptationPlugin,
        BridgePlugin,
    ))
    .insert_resource(Recorder::start(store)?)
    .insert_resource(bridge);
    order_the_frame(&mut app);
    let learner = joining.enter(app.world_mut(), &loaded.lesson, &loaded.digest, false);
    app.world_mut()
        .entity_mut(learner)
        .insert(Age(AgeBand::Adult));
    app.run();
    Ok(())
}

/// Sends back what comes.
pub fn echo() -> Result<(), Box<dyn Error + Send + Sync>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(async move {
                let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else {
                    return;
                };
                while let Some(Ok(message)) = socket.next().await {
                    if matches!(message, Message::Binary(_)) && socket.send(message).await.is_err()
                    {
                        return;
                    }
                }
            });
        }
    })
}
