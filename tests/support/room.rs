//! A lesson with its door open, in the test's own process and on a thread of its own: what instructors and their clients
//! meet.

// Helpers of tests may panic as tests do. Each test program uses what it needs of it.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use bevy::app::ScheduleRunnerPlugin;
use bevy::prelude::*;
use bevy::transform::TransformPlugin;
use malloc_vr::adaptation::AdaptationPlugin;
use malloc_vr::app::frame::order_the_frame;
use malloc_vr::bridge::{Bridge, BridgePlugin};
use malloc_vr::lesson::{self, LessonPlugin};
use malloc_vr::protocol::privacy::AgeBand;
use malloc_vr::record::{AuditEntry, Keys, Store};
use malloc_vr::session::SessionPlugin;
use malloc_vr::session::join::Joining;
use malloc_vr::session::standing::Age;
use malloc_vr::task::TaskPlugin;

/// The running lesson; ends when it is dropped.
pub struct RunningLesson {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Resource)]
struct Stop(Arc<AtomicBool>);

impl RunningLesson {
    /// Behind this door, for these learners, all of them of one age: of whom nothing is known nothing leaves. What else
    /// there is in this world, such as records, is added by `also` before anybody comes.
    pub fn start(
        bridge: Bridge,
        joining: Vec<Joining>,
        age: AgeBand,
        also: impl FnOnce(&mut App) + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Stop(stop.clone());
        let thread = std::thread::spawn(move || {
            let loaded = lesson::load("first-steps").unwrap();
            let mut app = App::new();
            app.add_plugins((
                MinimalPlugins.set(ScheduleRunnerPlugin::run_loop(Duration::from_millis(5))),
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
            .insert_resource(asked)
            .add_systems(First, end_when_asked);
            also(&mut app);
            order_the_frame(&mut app);
            for one in joining {
                let entity = one.enter(app.world_mut(), &loaded.lesson, &loaded.digest, true);
                app.world_mut().entity_mut(entity).insert(Age(age));
            }
            app.run();
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }

    /// Whether it ended, by itself or because it was asked to.
    pub fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Ends it, and with it what it keeps on the disk.
    pub fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || ended.is_none_or(|ended| ended.is_ok()));
    }

    /// Ends it and gives the audit log of its records.
    pub fn audit(mut self, folder: &Path) -> Vec<AuditEntry> {
        self.end();
        let log = store(folder).audit_log().unwrap();
        log.into_iter().map(|(_, entry)| entry).collect()
    }
}

impl Drop for RunningLesson {
    fn drop(&mut self) {
        self.end();
    }
}

fn end_when_asked(stop: Res<Stop>, mut exit: MessageWriter<AppExit>) {
    if stop.0.load(Ordering::Relaxed) {
        exit.write(AppExit::Success);
    }
}

/// The records in this folder.
pub fn store(folder: &Path) -> Store {
    let file = folder.join("records.redb");
    Store::open(&file, &Keys::beside(&file).unwrap()).unwrap()
}
