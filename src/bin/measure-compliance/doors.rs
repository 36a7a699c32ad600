//! The command line's doors to a record: each is opened by a process of its own, and has to leave its trace.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use malloc_vr::protocol::ids::LearnerId;
use malloc_vr::record::{Action, Keys, Store};

/// What went through the doors.
#[derive(Debug, Default)]
pub(super) struct Doors {
    /// Reads that succeeded.
    pub reads: u64,
    /// Entries that they left in the audit.
    pub audited: u64,
    /// Everything that was printed or exported on the way.
    pub said: Vec<u8>,
}

/// Runs this program as `malloc-vr` with these arguments; gives what it printed on success.
pub(super) fn malloc_vr(
    data: &Path,
    arguments: &[&str],
    input: &str,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(arguments)
        .env("MALLOC_VR_DATA_DIR", data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`malloc-vr {}`: {why}", arguments.join(" ")).into());
    }
    let mut said = output.stdout;
    said.extend(output.stderr);
    Ok(said)
}

/// Reads a learner's record in every way the command line has.
pub(super) fn read(data: &Path, learner: LearnerId) -> Result<Doors, Box<dyn Error>> {
    let before = accounted(data)?;
    let learner = learner.to_string();
    let copy = data.join("copy");
    let copied = copy.display().to_string();
    let store = data.display().to_string();
    let reads: [&[&str]; 6] = [
        &["records", "list"],
        &["records", "show", &learner],
        &["records", "standing", &learner],
        &["records", "export", &learner, "--output", &copied],
        &["learning", "explain", &store, "--learner", &learner],
        &["learning", "effect"],
    ];
    let mut doors = Doors::default();
    for arguments in reads {
        doors.said.extend(malloc_vr(data, arguments, "")?);
        doors.reads += 1;
    }
    for file in std::fs::read_dir(&copy)? {
        doors.said.extend(std::fs::read(file?.path())?);
    }
    std::fs::remove_dir_all(&copy)?;
    doors.audited = accounted(data)? - before;
    Ok(doors)
}

/// Reads and exports in the audit log.
fn accounted(data: &Path) -> Result<u64, Box<dyn Error>> {
    let file = data.join("records.redb");
    let log = Store::open(&file, &Keys::beside(&file)?)?.audit_log()?;
    let read = |action: &Action| matches!(action, Action::Accessed | Action::Exported);
    Ok(log.iter().filter(|(_, entry)| read(&entry.action)).count() as u64)
}
