//! `malloc-vr records …`: what is kept of a learner.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::protocol::ids::LearnerId;
use crate::record::{Action, Keys, RecordError, Store};

/// The store in a data folder.
pub(super) fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("records.redb")
}

/// Opens the store in this file with the key that belongs to it, making both where they are missing.
pub(super) fn open_file(file: &Path) -> Result<Store, RecordError> {
    let keys = Keys::beside(file).map_err(|cause| RecordError::Key {
        file: file.to_owned(),
        cause,
    })?;
    Store::open(file, &keys)
}

/// Opens a store that must be there: looking must not make one.
pub(super) fn open(data_dir: &Path) -> Result<Store, Box<dyn Error>> {
    let file = file(data_dir);
    if !file.exists() {
        return Err(format!(
            "there are no records in {}; name their folder with --data-dir",
            data_dir.display()
        )
        .into());
    }
    Ok(open_file(&file)?)
}

pub(super) fn list(data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let store = open(data_dir)?;
    store.audit(
        &super::duties::by("listed at the command line"),
        None,
        Action::Accessed,
    )?;
    for entry in store.learners()? {
        println!("{}  {} events", entry.learner, entry.events);
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn show(
    learner: Option<LearnerId>,
    data_dir: &Path,
) -> Result<ExitCode, Box<dyn Error>> {
    let store = open(data_dir)?;
    let learner = choose(&store, learner)?;
    store.audit(
        &super::duties::by("shown at the command line"),
        Some(learner),
        Action::Accessed,
    )?;
    for event in store.events(learner)? {
        println!("{}", serde_json::to_string(&event)?);
    }
    Ok(ExitCode::SUCCESS)
}

/// The learner named, or the only one there is.
pub(super) fn choose(
    store: &Store,
    learner: Option<LearnerId>,
) -> Result<LearnerId, Box<dyn Error>> {
    if let Some(learner) = learner {
        return Ok(learner);
    }
    match store.learners()?.as_slice() {
        [only] => Ok(only.learner),
        [] => Err("nobody is in the records yet".into()),
        several => {
            let ids: Vec<String> = several.iter().map(|it| it.learner.to_string()).collect();
            Err(format!(
                "several learners are in the records; name one: {}",
                ids.join(", ")
            )
            .into())
        }
    }
}

pub(super) fn verify(data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let check = open(data_dir)?.check()?;
    for problem in &check.problems {
        println!("{problem}");
    }
    println!(
        "{} events, {} audit entries, {} problem(s); fingerprint {}",
        check.events,
        check.audit,
        check.problems.len(),
        check.fingerprint
    );
    if check.motion > 0 {
        println!("{} blocks of recorded movements", check.motion);
    }
    Ok(if check.problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
