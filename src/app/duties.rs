//! `malloc-vr records export | erase | sweep | rotate-key | audit | purposes`: the learner's rights and the
//! administrator's duties. What is done with a record is in the audit log before it is done.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use super::consents::{WhoArgs, append};
use super::flight::FlightRules;
use super::law::{self, LawArgs};
use super::records::{choose, open};
use super::terms;
use crate::protocol::ids::LearnerId;
use crate::protocol::privacy::{DataClass, Purpose, Role};
use crate::record::access::{Question, Relation, Standing, decide};
use crate::record::consent::Consents;
use crate::record::export::{Export, for_the_family};
use crate::record::privacy_page::privacy_page;
use crate::record::rights::Rights;
use crate::record::xapi::Home;
use crate::record::{Action, By, ClassLedger, Keys, Retention};
use crate::session::unix_ms;

/// Whoever may use this machine's account, and what for.
pub(super) fn by(purpose: &str) -> By {
    By {
        actor: "administrator at the command line".to_owned(),
        purpose: purpose.to_owned(),
        at_unix_ms: unix_ms(),
    }
}

/// What is kept, why, where it may go and how long: by what holds here.
pub(super) fn purposes(law: &LawArgs, data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let (policy, terms) = (law.policy()?, terms::in_force(data_dir)?);
    print!("{}", privacy_page(&policy, &terms));
    Ok(ExitCode::SUCCESS)
}

/// Who did what with which record.
pub(super) fn audit(data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    for (place, entry) in open(data_dir)?.audit_log()? {
        println!("{place} {}", serde_json::to_string(&entry)?);
    }
    Ok(ExitCode::SUCCESS)
}

/// Who gets a copy.
pub(super) enum Receiver {
    /// The learner, or their family.
    Family,
    /// A study.
    Study(String),
    /// A company outside the school.
    Company(String),
}

impl Receiver {
    /// As the command line names them.
    pub(super) fn of(study: Option<String>, company: Option<String>) -> Self {
        match (study, company) {
            (Some(study), _) => Self::Study(study),
            (None, Some(company)) => Self::Company(company),
            (None, None) => Self::Family,
        }
    }

    /// What they ask for: no more than their purpose needs.
    fn question(&self) -> Question {
        let to_learn_by = [DataClass::Keeping, DataClass::Progress, DataClass::Attempts];
        let (role, relation, purpose, data, party) = match self {
            Self::Family => return for_the_family(),
            Self::Study(party) => (
                Role::Researcher,
                Relation::Agreement,
                Purpose::Research,
                vec![
                    DataClass::Keeping,
                    DataClass::Progress,
                    DataClass::Attempts,
                    DataClass::Knowledge,
                    DataClass::Support,
                ],
                party.clone(),
            ),
            Self::Company(party) => (
                Role::ThirdParty,
                Relation::Agreement,
                Purpose::Instruction,
                to_learn_by.to_vec(),
                party.clone(),
            ),
        };
        Question {
            role,
            relation,
            purpose,
            data: data.into_iter().collect(),
            party,
        }
    }
}

/// A copy of a learner's record: for the learner or their family, or a disclosure, which stands in the record first.
pub(super) fn export(
    who: &WhoArgs,
    folder: &Path,
    home: &str,
    receiver: &Receiver,
) -> Result<ExitCode, Box<dyn Error>> {
    let home = Home::new(home)?;
    let policy = who.law.policy()?;
    let store = open(&who.data.data_dir)?;
    let roster = law::roster(&who.data.data_dir, store.keys())?;
    let learner = choose(&store, who.learner)?;
    let mut log = store.events(learner)?;
    let (consents, rights) = (Consents::of(&log), Rights::of(&log));
    let band = law::band(learner, &roster, &who.age, &policy);
    let standing = Standing {
        learner,
        band,
        consents: &consents,
        rights: &rights,
        policy: &policy,
        now_unix_ms: unix_ms(),
    };
    let mut question = receiver.question();
    question.party = law::screen(&roster).mask(&question.party).into_owned();
    let grant = decide(&question, &standing)?;
    let (purpose, action) = if grant.to_record().is_some() {
        let to = question.party.clone();
        ("a disclosure that was agreed to", Action::Disclosed { to })
    } else {
        ("the learner's right to a copy", Action::Exported)
    };
    store.audit(&by(purpose), Some(learner), action)?;
    if let Some(disclosed) = grant.to_record() {
        append(&store, learner, log.len() as u64, disclosed)?;
        log = store.events(learner)?;
    }
    let export = Export::of(&grant, &log, &home)?;
    export.write(folder)?;
    println!("{} events in {}", log.len(), folder.display());
    let terms = terms::in_force(&who.data.data_dir)?;
    let rules = FlightRules::of(&policy, band, &terms);
    let movements = super::flight::instead_of_movements(&store, learner, &log, &rules)?;
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
    let names = law::forget(&store, data_dir, std::slice::from_ref(&proof.tombstone))?;
    println!(
        "erased: {} events, {names} name(s) in the roster; {} copies of the key overwritten, {} left; {} events left in the file",
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
    let terms = terms::in_force(data_dir)?;
    let retention = Retention::from(&terms);
    let store = open(data_dir)?;
    let by = by("records are kept no longer than needed");
    let report = store.sweep(&retention, &by, dry_run)?;
    if !dry_run {
        law::forget(&store, data_dir, &report.erased)?;
        let names = law::forget_names(&store, data_dir, &terms, &by, report.believed_unix_ms)?;
        if names > 0 {
            println!(
                "forgot {names} name(s) after {} days without a visit; their records stay",
                terms.identity_days
            );
        }
    }
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
        forgotten +=
            super::flight::forget_without_consent(&store, &law::roster(data_dir, store.keys())?)?;
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

/// A new master key in the place of the old one. The roster follows: until it is saved again, either key opens it.
pub(super) fn rotate_key(data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let mut store = open(data_dir)?;
    let next = store.keys().renewed()?;
    let roster = law::roster_file(data_dir)
        .exists()
        .then(|| law::roster(data_dir, store.keys()))
        .transpose()?;
    let ledger = law::ledger_file(data_dir);
    let ledger = ledger
        .exists()
        .then(|| ClassLedger::open(&ledger, store.keys()))
        .transpose()?;
    let save = |keys: &Keys| {
        roster.as_ref().map_or(Ok(()), |it| it.save(keys))?;
        ledger.as_ref().map_or(Ok(()), |it| it.save(keys))
    };
    save(&next)?;
    let keys = store.rotate(&next, &by("a new master key"))?;
    save(store.keys())?;
    println!("{keys} data keys are wrapped with the new master key; destroy copies of the old one");
    Ok(ExitCode::SUCCESS)
}
