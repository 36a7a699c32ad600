//! `malloc-vr lesson …`: authoring at the command line.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use super::lesson_cost;
use crate::lesson;

/// Checks a lesson and prints every mistake; exit code 1 where there is an error.
pub(super) fn check(file: &Path) -> ExitCode {
    let report = lesson::check_file(file);
    print!("{report}");
    if report.has_errors() {
        return ExitCode::FAILURE;
    }
    // The text is right; what it makes may still be too much for a headset.
    let loaded = file.to_str().map(lesson::load);
    let Some(Ok(loaded)) = loaded else {
        return ExitCode::SUCCESS;
    };
    let (cost, errors) = lesson_cost::cost(&loaded);
    println!("{cost}");
    for error in &errors {
        println!("{}: error: {error}", file.display());
    }
    if errors.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints the JSON Schema of the format.
pub(super) fn schema() -> ExitCode {
    println!("{}", lesson::schema_json());
    ExitCode::SUCCESS
}

/// Writes a starter lesson beside the caller, never over a file.
pub(super) fn new(name: &str) -> Result<ExitCode, Box<dyn Error>> {
    let text = lesson::starter(name)?;
    let file = Path::new(name).with_extension("ron");
    std::fs::File::create_new(&file)
        .and_then(|mut out| std::io::Write::write_all(&mut out, text.as_bytes()))
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                format!(
                    "{} exists and is left as it is; choose another name",
                    file.display()
                )
            }
            _ => format!("{} cannot be written: {error}", file.display()),
        })?;
    println!(
        "wrote {}; now: malloc-vr lesson check {0} && malloc-vr play {0}",
        file.display()
    );
    Ok(ExitCode::SUCCESS)
}
