//! The end of the records' time, without anybody asking: when a lesson starts, and once a day while the program runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bevy::prelude::*;

use super::{law, terms};
use crate::record::{By, RecordError, Recorder, Retention, Store, Tombstone};
use crate::session::{LearnerErased, unix_ms};

/// How often the running program looks.
const A_DAY: Duration = Duration::from_secs(86_400);

/// Where the records lie that are looked through each day.
#[derive(Resource, Debug, Clone)]
struct SweptDaily(PathBuf);

/// Looks through the records of this folder once a day, and takes whoever is erased out of the roster beside them.
pub(super) struct SweepPlugin {
    pub data_dir: PathBuf,
}

impl Plugin for SweepPlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(SweptDaily(self.data_dir.clone()))
            .add_systems(
                Last,
                (each_day, forget_names).run_if(resource_exists::<Recorder>),
            );
    }
}

/// Erases whoever's time is over, names and all. Where it cannot, the lesson goes on: the next start tries again.
pub(super) fn today(store: &Store, data_dir: &Path) {
    if let Err(error) = sweep(store, data_dir) {
        warn!("records whose time is over are still here: {error}");
    }
}

fn sweep(store: &Store, data_dir: &Path) -> Result<(), RecordError> {
    let by = By {
        actor: "the program".to_owned(),
        purpose: "records are kept no longer than needed".to_owned(),
        at_unix_ms: unix_ms(),
    };
    let terms = match terms::in_force(data_dir) {
        Ok(terms) => terms,
        Err(why) => {
            error!("nobody is erased: {why}");
            return Ok(());
        }
    };
    let report = store.sweep(&Retention::from(&terms), &by, false)?;
    if !report.erased.is_empty() {
        info!(
            "{} record(s) erased: their time was over",
            report.erased.len()
        );
        let forgotten = law::forget(store, data_dir, &report.erased);
        if let Err(error) = forgotten {
            error!("names of erased learners are still in the roster: {error}");
        }
    }
    let names = law::forget_names(store, data_dir, &terms, &by, report.believed_unix_ms);
    match names {
        Ok(0) => {}
        Ok(names) => info!("{names} name(s) left the roster: their time was over"),
        Err(error) => error!("names whose time is over are still in the roster: {error}"),
    }
    Ok(())
}

/// Whoever was erased through the door leaves the roster, too.
fn forget_names(
    recorder: Res<Recorder>,
    swept: Res<SweptDaily>,
    mut erased: MessageReader<LearnerErased>,
    mut waiting: Local<Vec<Tombstone>>,
) {
    waiting.extend(erased.read().map(|it| it.0.clone()));
    if waiting.is_empty() {
        return;
    }
    let (gone, data_dir) = (waiting.clone(), swept.0.clone());
    let asked = recorder.ask(move |store| {
        if let Err(error) = law::forget(store, &data_dir, &gone) {
            error!("names of erased learners are still in the roster: {error}");
        }
        Ok(())
    });
    // Refused while the disk is busy: the next frame asks again.
    if asked.is_some() {
        waiting.clear();
    }
}

/// The same once a day, on the record thread.
fn each_day(
    time: Res<Time<Real>>,
    recorder: Res<Recorder>,
    swept: Res<SweptDaily>,
    mut last: Local<Option<Duration>>,
) {
    let now = time.elapsed();
    // The start was swept already.
    let before = *last.get_or_insert(now);
    if now < before + A_DAY {
        return;
    }
    let data_dir = swept.0.clone();
    // Refused while the disk is busy: the next frame asks again.
    if recorder.ask(move |store| sweep(store, &data_dir)).is_some() {
        *last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use bevy::time::TimeUpdateStrategy;

    use super::*;
    use crate::app::records::{file, open_file};
    use crate::protocol::event::{Event, EventBody};
    use crate::protocol::ids::SessionId;
    use crate::record::{Action, Person, RosterId};

    /// A store and a roster in which this pupil has a record, or none.
    fn pupil(folder: &Path, id: &str, came: bool) -> Store {
        let store = open_file(&file(folder)).unwrap();
        let mut names = law::roster(folder, store.keys()).unwrap();
        let pupil = RosterId::new(id);
        let learner = names.pseudonym(&pupil);
        let person = Person {
            name: "Mirabel Quince".to_owned(),
            birth_year: None,
            guardian: None,
            waits_since_unix_ms: None,
        };
        names.insert(pupil, person);
        names.save(store.keys()).unwrap();
        if came {
            let event = Event {
                seq: 1,
                at_unix_ms: 1,
                learner,
                session: SessionId::fresh(),
                body: EventBody::SessionResumed,
            };
            store.append(&[event]).unwrap();
        }
        store
    }

    /// As the start of an earlier day left it.
    fn days_ago(days: u64) -> By {
        By {
            actor: "the program".to_owned(),
            purpose: String::new(),
            at_unix_ms: unix_ms() - days * 86_400_000,
        }
    }

    /// Swept by the terms delivered on earlier days, all of them after the pupil came: two readings make a clock believed.
    fn swept_before(store: &Store) {
        for days in [100, 99, 98, 1] {
            let keep = Retention::default();
            store.sweep(&keep, &days_ago(days), false).unwrap();
        }
    }

    fn names(folder: &Path, store: &Store) -> usize {
        let names = law::roster(folder, store.keys()).unwrap();
        names.people().count()
    }

    #[test]
    fn names_go_at_their_own_time_and_those_of_whoever_never_came() {
        let folder = tempfile::tempdir().unwrap();
        let terms = "(log_days: 90, identity_days: 30)";
        std::fs::write(folder.path().join("retention.ron"), terms).unwrap();
        let terms = terms::in_force(folder.path()).unwrap();
        drop(pupil(folder.path(), "7b-12", true));
        let store = pupil(folder.path(), "7b-13", false);
        for days in [60, 59, 58, 1] {
            let by = days_ago(days);
            let report = store.sweep(&Retention::from(&terms), &by, false).unwrap();
            let believed = report.believed_unix_ms;
            law::forget_names(&store, folder.path(), &terms, &by, believed).unwrap();
            assert_eq!(names(folder.path(), &store), 2, "{days} days ago");
        }
        today(&store, folder.path());
        assert_eq!(store.learners().unwrap().len(), 1, "the record stays");
        assert_eq!(names(folder.path(), &store), 0);
    }

    #[test]
    fn where_the_terms_cannot_be_read_nobody_is_erased() {
        let folder = tempfile::tempdir().unwrap();
        let store = pupil(folder.path(), "7b-12", true);
        swept_before(&store);
        let terms = folder.path().join("retention.ron");
        std::fs::write(&terms, "(log_days: 0)").unwrap();
        today(&store, folder.path());
        assert_eq!(store.learners().unwrap().len(), 1);
        std::fs::remove_file(&terms).unwrap();
        today(&store, folder.path());
        assert_eq!(store.learners().unwrap().len(), 0);
    }

    #[test]
    fn whoever_was_away_too_long_is_gone_with_their_name() {
        let folder = tempfile::tempdir().unwrap();
        let store = pupil(folder.path(), "7b-12", true);
        swept_before(&store);
        assert_eq!(store.learners().unwrap().len(), 1);
        today(&store, folder.path());
        assert!(store.learners().unwrap().is_empty());
        assert_eq!(names(folder.path(), &store), 0);
    }

    #[test]
    fn a_program_that_runs_for_days_sweeps_each_day() {
        let folder = tempfile::tempdir().unwrap();
        let store = open_file(&file(folder.path())).unwrap();
        let keys = store.keys().clone();
        let mut app = App::new();
        app.add_plugins(MinimalPlugins)
            .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_secs(
                3600,
            )))
            .insert_resource(Recorder::start(store).unwrap())
            .insert_resource(SweptDaily(folder.path().to_owned()))
            .add_systems(Last, each_day);
        for _ in 0..60 {
            app.update();
        }
        drop(app);
        let store = Store::open(&file(folder.path()), &keys).unwrap();
        let log = store.audit_log().unwrap();
        let swept = log
            .iter()
            .filter(|(_, it)| matches!(it.action, Action::Swept { .. }));
        assert_eq!(swept.count(), 2);
    }
}
