//! `malloc-vr records export | erase | sweep | rotate-key | audit | purposes`: the learner's rights and the
//! administrator's duties. What is done with a record is in the audit log before it is done.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use super::records::{choose, open};
use crate::protocol::ids::LearnerId;
use crate::protocol::privacy::{DataClass, Purpose, Role};
use crate::record::access::{Question, Relation, Standing, decide};
use crate::record::ages::AgeBand;
use crate::record::consent::{ConsentPolicy, Consents};
use crate::record::export::Export;
use crate::record::privacy_page::privacy_page;
use crate::record::purpose::RetentionPolicy;
use crate::record::rights::Rights;
use crate::record::xapi::Home;
use crate::record::{Action, By, Retention};
use crate::session::unix_ms;

/// Whoever may use this machine's account, and what for.
pub(super) fn by(purpose: &str) -> By {
    By {
        actor: "administrator at the command line".to_owned(),
        purpose: purpose.to_owned(),
        at_unix_ms: unix_ms(),
    }
}

/// What is kept, why, where it may go and how long.
pub(super) fn purposes() -> ExitCode {
    print!(
        "{}",
        privacy_page(&ConsentPolicy::default(), &RetentionPolicy::default())
    );
    ExitCode::SUCCESS
}

/// Who did what with which record.
pub(super) fn audit(data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    for (place, entry) in open(data_dir)?.audit_log()? {
        println!("{place} {}", serde_json::to_string(&entry)?);
    }
    Ok(ExitCode::SUCCESS)
}

/// A learner's record, for the learner or their family.
pub(super) fn export(
    learner: Option<LearnerId>,
    folder: &Path,
    home: &str,
    data_dir: &Path,
) -> Result<ExitCode, Box<dyn Error>> {
    let home = Home::new(home)?;
    let store = open(data_dir)?;
    let learner = choose(&store, learner)?;
    let log = store.events(learner)?;
    let (consents, rights) = (Consents::of(&log), Rights::of(&log));
    let policy = ConsentPolicy::default();
    let standing = Standing {
        learner,
        band: AgeBand::Unknown,
        consents: &consents,
        rights: &rights,
        policy: &policy,
        now_unix_ms: unix_ms(),
    };
    // What lies beside the log (roster, movements) is not in it.
    let data: BTreeSet<DataClass> = [
        DataClass::Keeping,
        DataClass::Progress,
        DataClass::Attempts,
        DataClass::Knowledge,
        DataClass::Support,
        DataClass::Messages,
        DataClass::Rights,
        DataClass::Comfort,
    ]
    .into();
    let question = Question {
        role: Role::Learner,
        relation: Relation::Self_,
        purpose: Purpose::Rights,
        data,
        party: String::new(),
    };
    let grant = decide(&question, &standing)?;
    let export = Export::of(&grant, &log, &home)?;
    store.audit(
        &by("the learner's right to a copy"),
        Some(learner),
        Action::Exported,
    )?;
    export.write(folder)?;
    println!("{} events in {}", log.len(), folder.display());
    let movements = super::flight::instead_of_movements(&store, learner, &log)?;
    if !movements.is_empty() {
        let file = folder.join("movements.jsonl");
        std::fs::write(&file, movements.join("\n") + "\n")
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        println!("what may leave of the movements in {}", file.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Erases a learner for good.
pub(super) fn erase(
    learner: LearnerId,
    sure: bool,
    data_dir: &Path,
) -> Result<ExitCode, Box<dyn Error>> {
    let store = open(data_dir)?;
    if !sure {
        let events = store.events(learner)?.len();
        return Err(format!(
            "this destroys the key to {events} events of {learner} for good; say so with --yes (`records export` makes a copy before)"
        )
        .into());
    }
    let proof = store.erase(learner, &by("the learner's right to be erased"))?;
    let Some(proof) = proof else {
        return Err(format!("nobody in these records has the pseudonym {learner}").into());
    };
    println!(
        "erased: {} events; {} copies of the key overwritten, {} left; {} events left in the file",
        proof.tombstone.events,
        proof.key_copies_overwritten,
        proof.key_copies_left,
        proof.events_left
    );
    println!(
        "the tombstone: {}",
        serde_json::to_string(&proof.tombstone)?
    );
    println!(
        "copies of the file and of its key made before today open the record still; destroy them, too"
    );
    Ok(ExitCode::SUCCESS)
}

/// Erases whoever has not been here for as long as records are kept.
pub(super) fn sweep(dry_run: bool, data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let keep = RetentionPolicy::default();
    let retention = Retention {
        teaching: u64::from(keep.log_days),
        audit: u64::from(keep.audit_days),
    };
    let store = open(data_dir)?;
    let report = store.sweep(
        &retention,
        &by("records are kept no longer than needed"),
        dry_run,
    )?;
    println!(
        "{}{} learner(s) after {} days without a visit, {} kept; {} audit entries after {} days",
        if dry_run { "would erase " } else { "erased " },
        report.erased.len(),
        retention.teaching,
        report.kept,
        report.audit_removed,
        retention.audit
    );
    let mut forgotten = report.motion_forgotten;
    if !dry_run {
        forgotten += super::flight::forget_without_consent(&store)?;
    }
    if forgotten > 0 {
        println!(
            "forgot {forgotten} recording(s) of movements whose time was over, or whose consent is gone"
        );
    }
    if report.believed_unix_ms == 0 {
        println!("the clock has not been seen twice yet, 12 hours apart; nobody is erased before");
    } else if report.clock_in_doubt {
        println!(
            "the clock is days off what it showed before; check it, nobody is erased by a clock in doubt"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// A new master key in the place of the old one.
pub(super) fn rotate_key(data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let mut store = open(data_dir)?;
    let next = store.keys().renewed()?;
    let keys = store.rotate(&next, &by("a new master key"))?;
    println!("{keys} data keys are wrapped with the new master key; destroy copies of the old one");
    Ok(ExitCode::SUCCESS)
}
