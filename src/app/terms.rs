//! For how long a school keeps records: its own terms in a file beside them, which every program that opens them goes by;
//! without one, the terms delivered.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::cli::DataArgs;
use super::duties::by;
use super::records;
use crate::protocol::privacy::DataClass;
use crate::record::purpose::RetentionPolicy;
use crate::record::{Action, replace};

/// What `records retention` is asked.
#[derive(Debug, Clone, Args)]
pub struct RetentionArgs {
    /// The learner's log and all that is inferred from it, days after they were last here.
    #[arg(long, value_name = "DAYS")]
    pub log_days: Option<u16>,
    /// Names in the roster, days after the learner was last here; no longer than the log.
    #[arg(long, value_name = "DAYS")]
    pub identity_days: Option<u16>,
    /// Recorded movements, days after they were recorded: of those recorded from now on.
    #[arg(long, value_name = "DAYS")]
    pub motion_days: Option<u16>,
    /// Who read what.
    #[arg(long, value_name = "DAYS")]
    pub audit_days: Option<u16>,
    #[command(flatten)]
    /// Where the records are.
    pub data: DataArgs,
}

/// The file with a school's own terms.
fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("retention.ron")
}

/// The terms that hold for the records of this folder.
///
/// # Errors
/// Names the file and what is wrong in it.
pub(super) fn in_force(data_dir: &Path) -> Result<RetentionPolicy, String> {
    let file = file(data_dir);
    let cannot = |why: &dyn std::fmt::Display| {
        format!(
            "for how long records are kept cannot be read from {} ({why}); mend it, or take it away for the terms delivered",
            file.display()
        )
    };
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(RetentionPolicy::default());
        }
        Err(error) => return Err(cannot(&error)),
    };
    let terms = ron::from_str(&text).map_err(|error| cannot(&error))?;
    check(&terms).map_err(|why| cannot(&why))?;
    Ok(terms)
}

/// Whether these terms can hold.
fn check(terms: &RetentionPolicy) -> Result<(), String> {
    terms.validate().map_err(|error| error.to_string())?;
    if terms.identity_days > terms.log_days {
        return Err(format!(
            "names would be kept {} days and the log {}; a name goes with the record at the latest",
            terms.identity_days, terms.log_days
        ));
    }
    Ok(())
}

/// Shows the terms; with an option, sets them.
pub(super) fn retention(args: &RetentionArgs) -> Result<ExitCode, Box<dyn Error>> {
    let data_dir = &args.data.data_dir;
    let before = in_force(data_dir)?;
    let or = |asked: Option<u16>, days: u16| asked.unwrap_or(days);
    let log_days = or(args.log_days, before.log_days);
    let terms = RetentionPolicy {
        log_days,
        // Who shortens the one means the other, too.
        identity_days: or(args.identity_days, before.identity_days.min(log_days)),
        motion_days: or(args.motion_days, before.motion_days),
        audit_days: or(args.audit_days, before.audit_days),
        ..before
    };
    if terms != before {
        check(&terms)?;
        // It makes the folder, and the audit log that the change belongs in.
        let store = records::open_file(&records::file(data_dir))?;
        let changed = Action::TermsSet {
            terms: terms.clone(),
        };
        store.audit(&by("for how long records are kept"), None, changed)?;
        write(&file(data_dir), &terms)?;
    }
    for (what, class, days) in [
        ("log", DataClass::Attempts, terms.log_days),
        ("names", DataClass::Identity, terms.identity_days),
        ("movements", DataClass::Motion, terms.motion_days),
        ("audit", DataClass::Audit, terms.audit_days),
    ] {
        let most = RetentionPolicy::most(class);
        println!("{what:<10} {days:>5} days (at most {most})");
    }
    Ok(ExitCode::SUCCESS)
}

fn write(file: &Path, terms: &RetentionPolicy) -> Result<(), Box<dyn Error>> {
    let terms = ron::ser::to_string_pretty(terms, ron::ser::PrettyConfig::default())?;
    let text = format!(
        "// For how long records are kept, in days; `malloc-vr records retention` says what each is.\n{terms}\n"
    );
    Ok(replace(file, text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(folder: &Path, log_days: u16) -> RetentionArgs {
        RetentionArgs {
            log_days: Some(log_days),
            identity_days: None,
            motion_days: None,
            audit_days: None,
            data: DataArgs {
                data_dir: folder.to_owned(),
            },
        }
    }

    #[test]
    fn a_schools_terms_are_kept_beside_the_records_and_in_their_audit_log() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("records");
        assert_eq!(in_force(&data_dir), Ok(RetentionPolicy::default()));
        retention(&asked(&data_dir, 30)).unwrap();
        let terms = in_force(&data_dir).unwrap();
        assert_eq!((terms.log_days, terms.identity_days), (30, 30));
        assert_eq!(terms.audit_days, RetentionPolicy::default().audit_days);
        let store = records::open_file(&records::file(&data_dir)).unwrap();
        let audit = store.audit_log().unwrap();
        assert!(audit.iter().any(|(_, entry)| matches!(
            &entry.action,
            Action::TermsSet { terms } if terms.log_days == 30
        )));
    }

    #[test]
    fn terms_that_cannot_hold_are_refused_and_nothing_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        for (text, why) in [
            ("(log_days: 0)", "1 to 2555"),
            ("(motion_days: 31)", "1 to 30"),
            ("(log_days: 10, identity_days: 11)", "at the latest"),
            ("(log_years: 2)", "log_years"),
        ] {
            fs::write(file(folder.path()), text).unwrap();
            let error = in_force(folder.path()).unwrap_err();
            for part in ["retention.ron", "take it away", why] {
                assert!(error.contains(part), "`{part}` is missing in: {error}");
            }
        }
        fs::remove_file(file(folder.path())).unwrap();
        assert!(retention(&asked(folder.path(), 9999)).is_err());
        assert!(!file(folder.path()).exists());
    }
}
