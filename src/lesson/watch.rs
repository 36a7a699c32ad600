//! The running lesson, and its file while it plays: a good edit is taken over, a broken one is shown and left.

use std::path::PathBuf;
use std::time::Duration;

use bevy::prelude::*;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use notify::{RecursiveMode, Watcher};
use tracing::{info, warn};

use super::format::Step;
use super::load::{Loaded, load_file};
use super::shelf::Shelf;
use crate::protocol::ids::StepId;

/// The lesson that is played.
#[derive(Resource, Debug, Clone, Deref)]
pub struct ActiveLesson(pub Loaded);

impl ActiveLesson {
    /// The step of that name.
    #[must_use]
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.0.step(id)
    }
}

/// The lesson's file changed and is good: [`ActiveLesson`] is the new edition.
#[derive(Message, Debug, Clone, Copy)]
pub struct LessonReloaded;

/// The lesson's file changed and is broken: what is wrong. The running edition stays. `None`: all is well.
#[derive(Resource, Debug, Clone, Default, PartialEq, Eq)]
pub struct LessonFault(pub Option<String>);

/// Holds the lesson and follows its file.
pub struct LessonPlugin {
    /// The lesson to begin with.
    pub lesson: Loaded,
}

/// Editions from the watching thread.
#[derive(Resource)]
struct Editions(Receiver<Result<Loaded, String>>);

/// Editors write a file in several goes; this long after the last one it is read.
const SETTLE: Duration = Duration::from_millis(150);

impl Plugin for LessonPlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(ActiveLesson(self.lesson.clone()))
            .init_resource::<LessonFault>()
            .init_resource::<Shelf>()
            .add_message::<LessonReloaded>()
            .add_systems(First, take_over_edition.run_if(resource_exists::<Editions>));
        if let Some(file) = &self.lesson.path {
            // One edition may wait; the thread holds back a further one until it is taken.
            let (sender, receiver) = bounded(1);
            let file = file.clone();
            let spawned = std::thread::Builder::new()
                .name("lesson-watch".to_owned())
                .spawn(move || {
                    if let Err(error) = watch(&file, &sender) {
                        warn!("{} is not watched for edits: {error}", file.display());
                    }
                });
            match spawned {
                Ok(_) => {
                    app.insert_resource(Editions(receiver));
                }
                Err(error) => warn!("the lesson is not watched for edits: {error}"),
            }
        }
    }
}

fn watch(file: &PathBuf, editions: &Sender<Result<Loaded, String>>) -> Result<(), notify::Error> {
    let file = std::path::absolute(file).map_err(notify::Error::io)?;
    let (changes, changed) = bounded(16);
    let watched = file.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let ours = event.is_ok_and(|event| {
            // Reading the file is an event too.
            !event.kind.is_access() && event.paths.contains(&watched)
        });
        if ours {
            // A full channel already says that something changed.
            let _ = changes.try_send(());
        }
    })?;
    // The folder, because editors replace the file rather than write into it.
    let folder = file.parent().unwrap_or(&file);
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    while changed.recv().is_ok() {
        loop {
            match changed.recv_timeout(SETTLE) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
        if !file.exists() {
            continue;
        }
        let edition = load_file(&file).map_err(|error| error.to_string());
        if editions.send(edition).is_err() {
            // The app is gone.
            return Ok(());
        }
    }
    Ok(())
}

fn take_over_edition(
    editions: Res<Editions>,
    mut lesson: ResMut<ActiveLesson>,
    mut fault: ResMut<LessonFault>,
    mut reloaded: MessageWriter<LessonReloaded>,
) {
    let Ok(edition) = editions.0.try_recv() else {
        return;
    };
    match edition {
        Ok(edition) if edition.lesson.id != lesson.lesson.id => {
            fault.0 = Some(format!(
                "the file now holds the lesson `{}`; `{}` goes on until it is started anew",
                edition.lesson.id, lesson.lesson.id
            ));
        }
        Ok(edition) => {
            fault.0 = None;
            if edition.digest != lesson.digest {
                info!("the lesson was edited and is taken over");
                lesson.0 = edition;
                reloaded.write(LessonReloaded);
            }
        }
        Err(mistakes) => {
            warn!("the edited lesson is broken, the running one stays:\n{mistakes}");
            fault.0 = Some(mistakes);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::lesson::starter;

    /// Ticks until `done`, or fails.
    fn tick_until(app: &mut App, done: impl Fn(&App) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !done(app) {
            assert!(Instant::now() < deadline, "it did not happen");
            app.update();
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_good_edit_is_taken_over_and_a_broken_one_left() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("edited.ron");
        let text = starter("edited").unwrap();
        std::fs::write(&file, &text).unwrap();
        let mut app = App::new();
        app.add_plugins(LessonPlugin {
            lesson: load_file(&file).unwrap(),
        });
        let title = |app: &App| app.world().resource::<ActiveLesson>().lesson.title.clone();
        let fault = |app: &App| app.world().resource::<LessonFault>().0.clone();
        // The watcher starts on its own thread: write until it has seen one.
        let deadline = Instant::now() + Duration::from_secs(20);
        while fault(&app).is_none() {
            assert!(Instant::now() < deadline, "the broken edit was not noticed");
            std::fs::write(&file, text.replace("version: 1", "version: one")).unwrap();
            let next = Instant::now() + Duration::from_secs(1);
            while fault(&app).is_none() && Instant::now() < next {
                app.update();
                std::thread::yield_now();
            }
        }
        assert_eq!(title(&app), "My first lesson");
        std::fs::write(&file, text.replace("My first lesson", "My second lesson")).unwrap();
        tick_until(&mut app, |app| title(app) == "My second lesson");
        assert_eq!(fault(&app), None);
    }
}
