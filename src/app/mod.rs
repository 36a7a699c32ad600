//! The roles put together as plugin groups, and the commands of the one binary.
//! In: the command line. Out: a running app, or a message that says what is missing and how to mend it.
//! Never: anything that a room should do itself.

use std::error::Error;
use std::process::ExitCode;

use cli::{Command, LearningCommand, LessonCommand, RecordsCommand};

mod activity;
#[cfg(target_os = "android")]
mod android;
#[cfg(any(target_os = "android", test))]
mod arguments;
pub mod cli;
mod doctor;
mod duties;
mod frame;
pub mod frame_stats;
mod learning;
mod lessons;
mod play;
mod policy;
mod records;
pub mod view;

/// Does what the command line asks.
///
/// # Errors
/// Whatever keeps it from being done, each in words for the person at the keyboard.
pub fn run(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Play(args) => play::play(&args),
        Command::Lesson(LessonCommand::Check { file }) => Ok(lessons::check(&file)),
        Command::Lesson(LessonCommand::Schema) => Ok(lessons::schema()),
        Command::Lesson(LessonCommand::New { name }) => lessons::new(&name),
        Command::Records(RecordsCommand::List { data }) => records::list(&data.data_dir),
        Command::Records(RecordsCommand::Show { learner, data }) => {
            records::show(learner, &data.data_dir)
        }
        Command::Records(RecordsCommand::Verify { data }) => records::verify(&data.data_dir),
        Command::Records(RecordsCommand::Export {
            learner,
            output,
            home,
            data,
        }) => duties::export(learner, &output, &home, &data.data_dir),
        Command::Records(RecordsCommand::Erase { learner, yes, data }) => {
            duties::erase(learner, yes, &data.data_dir)
        }
        Command::Records(RecordsCommand::Sweep { dry_run, data }) => {
            duties::sweep(dry_run, &data.data_dir)
        }
        Command::Records(RecordsCommand::RotateKey { data }) => duties::rotate_key(&data.data_dir),
        Command::Records(RecordsCommand::Audit { data }) => duties::audit(&data.data_dir),
        Command::Records(RecordsCommand::Purposes) => Ok(duties::purposes()),
        Command::Learning(LearningCommand::Fit(args)) => learning::fit(&args),
        Command::Learning(LearningCommand::Eval(args)) => learning::eval(&args),
        Command::Learning(LearningCommand::Explain(args)) => learning::explain(&args),
        Command::Doctor(args) => Ok(doctor::report(&args)),
    }
}

/// An error with all its causes, outermost first.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        // Errors that already quote their cause would say it twice.
        if !text.contains(&inner_text) {
            text.push_str("\n  because: ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}
