//! `malloc-vr doctor`: what this machine offers, what it lacks, and how to mend it.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use super::cli::DoctorArgs;
use super::view;
use crate::record::Keeping;
use crate::xr;

/// What one look found.
enum Finding {
    Good(String),
    /// Works without it, but less well.
    Missing(String),
    /// A lesson cannot be played or kept.
    Broken(String),
}

/// Prints a line for everything a lesson needs. Exit code 1 where a lesson could not be played at all.
pub(super) fn report(args: &DoctorArgs) -> ExitCode {
    let (text, broken) = look(args);
    print!("{text}");
    if broken {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// A line for everything a lesson needs, and whether something keeps a lesson from being played at all. Nothing in it
/// names a learner: people send it on.
pub(super) fn look(args: &DoctorArgs) -> (String, bool) {
    let data_dir = &args.data.data_dir;
    let openxr = openxr_runtime();
    // A headset has no other screen.
    let display = if cfg!(target_os = "android") {
        Finding::Good("the headset itself".to_owned())
    } else {
        display()
    };
    let can_show = matches!(openxr, Finding::Good(_)) || matches!(display, Finding::Good(_));
    let findings = [
        ("OpenXR runtime", openxr),
        ("display", display),
        ("graphics", graphics()),
        ("records", records(data_dir)),
        ("master key", master_key(data_dir)),
        ("port 7878", port()),
        ("adaptation", adaptation(args.policy.as_deref())),
        ("clock", clock()),
    ];
    let mut broken = false;
    let mut report = String::new();
    for (what, finding) in &findings {
        let (mark, text) = match finding {
            Finding::Good(text) => ("ok  ", text),
            Finding::Missing(text) => ("--  ", text),
            Finding::Broken(text) => {
                broken = true;
                ("FAIL", text)
            }
        };
        let text = text.replace('\n', "\n                      ");
        let _ = writeln!(report, "{mark}  {what:<15} {text}");
    }
    if !can_show {
        report.push_str(
            "\nNo headset and no display: `cargo xtask run --sim` plays in a simulated headset, \
             `malloc-vr play --headless` without any view.\n",
        );
    }
    (report, broken)
}

fn openxr_runtime() -> Finding {
    match xr::probe() {
        Ok(runtime) => {
            let mut text = format!(
                "{} {}, {} ({} extensions)",
                runtime.name,
                runtime.version,
                runtime.system,
                runtime.extensions.len()
            );
            // Whoever helps from afar cannot ask again.
            if cfg!(target_os = "android") {
                for extension in &runtime.extensions {
                    text.push('\n');
                    text.push_str(extension);
                }
            }
            Finding::Good(text)
        }
        Err(error) => Finding::Missing(error.to_string()),
    }
}

fn display() -> Finding {
    match view::display() {
        Ok(()) => Finding::Good("a window can be opened".to_owned()),
        Err(error) => Finding::Missing(error.to_string()),
    }
}

fn graphics() -> Finding {
    match view::adapters() {
        Ok(adapters) => Finding::Good(adapters.join("\n")),
        Err(error) => Finding::Missing(error.to_string()),
    }
}

fn records(data_dir: &Path) -> Finding {
    let file = super::records::file(data_dir);
    if !file.exists() {
        return Finding::Good(format!("none yet; they will be kept in {}", file.display()));
    }
    match super::records::open_file(&file) {
        Ok(_) => Finding::Good(file.display().to_string()),
        Err(error) => Finding::Broken(error.to_string()),
    }
}

/// How it lies, not what it is.
fn master_key(data_dir: &Path) -> Finding {
    let file = super::records::file(data_dir).with_file_name("master.key");
    match Keeping::of(&file) {
        Keeping::Wrapped => Finding::Good("wrapped by this device's key store".to_owned()),
        Keeping::Plain if cfg!(target_os = "android") => Finding::Missing(
            "the headset's key store does not keep it (the log says why); it lies in the application's private storage"
                .to_owned(),
        ),
        Keeping::Plain => Finding::Good(format!("{}, readable to its owner alone", file.display())),
        Keeping::Nothing => Finding::Good("none in a file (yet)".to_owned()),
    }
}

fn adaptation(policy: Option<&Path>) -> Finding {
    match super::policy::read(policy) {
        Ok(strategies) => {
            let table = strategies.table();
            Finding::Good(format!("{} rules, table {}", table.len(), table.edition()))
        }
        Err(error) => Finding::Broken(error.to_string()),
    }
}

fn port() -> Finding {
    match TcpListener::bind("127.0.0.1:7878") {
        Ok(_) => Finding::Good("free for the instructor's connection".to_owned()),
        Err(error) => Finding::Missing(format!(
            "{error}; if that is not a running lesson, choose another with `play --listen 127.0.0.1:PORT`"
        )),
    }
}

/// Records carry wall-clock times; a clock before this program was written is certainly wrong.
fn clock() -> Finding {
    const NOVEMBER_2026: Duration = Duration::from_secs(1_793_491_200);
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(now) if now >= NOVEMBER_2026 => Finding::Good("plausible".to_owned()),
        _ => Finding::Broken(
            "it shows a time before November 2026; set it, or the records will carry wrong dates"
                .to_owned(),
        ),
    }
}
