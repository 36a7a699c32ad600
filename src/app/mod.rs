//! The roles put together as plugin groups, and the commands of the one binary.
//! In: the command line. Out: a running app, or a message that says what is missing and how to mend it.
//! Never: anything that a room should do itself.

use std::error::Error;
use std::process::ExitCode;

use consents::WhoArgs;
use duties::Receiver;

use cli::{Command, LearningCommand, LessonCommand, RecordsCommand, TokensCommand};

// First: what it defines is used by all that follow.
#[macro_use]
mod say;

mod activity;
#[cfg(target_os = "android")]
mod android;
#[cfg(any(target_os = "android", test))]
mod arguments;
#[cfg(any(target_os = "android", test))]
mod cable;
mod class;
mod classroom;
pub mod cli;
pub mod consents;
#[cfg(not(target_os = "android"))]
pub mod desk;
mod doctor;
mod duties;
#[cfg(test)]
mod effort_tests;
pub mod flight;
pub mod frame;
mod frame_alarm;
pub mod frame_cost;
pub mod frame_stats;
pub mod governing;
pub mod law;
mod learning;
pub mod lesson_cost;
mod lessons;
mod play;
mod policy;
mod quiet;
mod records;
pub mod replay;
pub mod roster;
mod stdio;
mod sweep;
pub mod terms;
mod tokens;
pub mod view;

/// Does what the command line asks.
///
/// # Errors
/// Whatever keeps it from being done, each in words for the person at the keyboard.
pub fn run(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Play(args) => play::play(&args),
        Command::Classroom(args) => classroom::classroom(&args),
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
            for_study,
            for_company,
            age,
            law,
            data,
        }) => {
            let who = WhoArgs {
                learner,
                age,
                law,
                data,
            };
            let receiver = Receiver::of(for_study, for_company);
            duties::export(&who, &output, &home, &receiver)
        }
        Command::Records(RecordsCommand::Erase { learner, yes, data }) => {
            duties::erase(learner, yes, &data.data_dir)
        }
        Command::Records(RecordsCommand::Sweep { dry_run, data }) => {
            duties::sweep(dry_run, &data.data_dir)
        }
        Command::Records(RecordsCommand::Class { epsilon, data }) => {
            class::figures(epsilon, &data.data_dir)
        }
        Command::Records(RecordsCommand::RotateKey { data }) => duties::rotate_key(&data.data_dir),
        Command::Records(RecordsCommand::Audit { data }) => duties::audit(&data.data_dir),
        Command::Records(RecordsCommand::Replay(args)) => replay::replay(&args),
        Command::Records(RecordsCommand::Retention(args)) => terms::retention(&args),
        Command::Records(RecordsCommand::Purposes { law, data }) => {
            duties::purposes(&law, &data.data_dir)
        }
        Command::Records(RecordsCommand::Consent(args)) => consents::consent(&args),
        Command::Records(RecordsCommand::Amend(args)) => consents::amend(&args),
        Command::Records(RecordsCommand::Restrict(args)) => consents::restrict(&args),
        Command::Records(RecordsCommand::Standing(args)) => consents::standing(&args),
        Command::Records(RecordsCommand::Roster(command)) => roster::run(&command),
        Command::Tokens(TokensCommand::List { all, data }) => tokens::list(all, &data.data_dir),
        Command::Tokens(TokensCommand::Issue(args)) => tokens::issue(args),
        Command::Tokens(TokensCommand::Revoke { id, data }) => tokens::revoke(id, &data.data_dir),
        Command::Tokens(TokensCommand::Rotate { id, data }) => tokens::rotate(id, &data.data_dir),
        Command::Learning(LearningCommand::Fit(args)) => learning::fit(&args),
        Command::Learning(LearningCommand::Eval(args)) => learning::eval(&args),
        Command::Learning(LearningCommand::Explain(args)) => learning::explain(&args),
        Command::Mcp(args) => {
            stdio::serve(&args.url, args.token)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Learning(LearningCommand::Effect { data, json }) => {
            learning::effect(&data.data_dir, json)
        }
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
