//! `malloc-vr records roster add | remove | list`: who is who, in a sealed file apart from the records.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use super::cli::DataArgs;
use super::consents::store_and_roster;
use super::duties::by;
use super::law::{self, LawArgs};
use super::records::{file, open_file};
use crate::record::{Action, Person, RosterId};
use crate::session::unix_ms;

/// The roster.
#[derive(Debug, Subcommand)]
pub enum RosterCommand {
    /// Put somebody in, or change what is known of them; prints the pseudonym that the records know them by.
    Add {
        /// How the school knows them: a number of its own, for example.
        id: String,
        /// As they want to be called; left out: the first line of standard input, which no list of processes shows.
        #[arg(long)]
        name: Option<String>,
        /// Year of birth; left out, they are treated as the youngest.
        #[arg(long, value_name = "YEAR")]
        birth_year: Option<u16>,
        /// How to reach a parent or guardian.
        #[arg(long, value_name = "WORDS")]
        guardian: Option<String>,
        #[command(flatten)]
        /// Where the records are.
        data: DataArgs,
    },
    /// Take somebody out. Their record stays, and nobody can tell any more whose it is.
    Remove {
        /// How the school knows them.
        id: String,
        #[command(flatten)]
        /// Where the records are.
        data: DataArgs,
    },
    /// Everybody: pseudonym, the school's id, name, age as far as it matters.
    List {
        #[command(flatten)]
        /// Which law holds.
        law: LawArgs,
        #[command(flatten)]
        /// Where the records are.
        data: DataArgs,
    },
}

/// Does what is asked.
pub(super) fn run(command: &RosterCommand) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        RosterCommand::Add {
            id,
            name,
            birth_year,
            guardian,
            data,
        } => {
            let name = match name {
                Some(name) => name.clone(),
                None => first_line()?,
            };
            let person = Person {
                name: name.trim().to_owned(),
                birth_year: *birth_year,
                guardian: guardian.clone(),
                waits_since_unix_ms: None,
            };
            add(id, person, &data.data_dir)
        }
        RosterCommand::Remove { id, data } => remove(id, &data.data_dir),
        RosterCommand::List { law, data } => list(law, &data.data_dir),
    }
}

fn first_line() -> Result<String, Box<dyn Error>> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line)
}

fn add(id: &str, person: Person, data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let id = RosterId::new(id);
    if id.as_str().is_empty() || person.name.is_empty() {
        return Err("an entry of the roster has an id and a name; neither may be empty".into());
    }
    if let Some(year) = person.birth_year
        && !(1900..=2100).contains(&year)
    {
        return Err(format!("`{year}` is no year of birth; it has four digits").into());
    }
    std::fs::create_dir_all(data_dir)?;
    // It makes the key that the roster is sealed with.
    let store = open_file(&file(data_dir))?;
    let mut roster = law::roster(data_dir, store.keys())?;
    let learner = roster.pseudonym(&id);
    store.audit(
        &by("entered in the roster"),
        Some(learner),
        Action::Identified { known: true },
    )?;
    roster.insert(id, person);
    roster.save(store.keys())?;
    println!("{learner}");
    Ok(ExitCode::SUCCESS)
}

fn remove(id: &str, data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let (store, mut roster) = store_and_roster(data_dir)?;
    let id = RosterId::new(id);
    let learner = roster.pseudonym(&id);
    if roster.remove(&id).is_none() {
        return Err("nobody in the roster has that id; `records roster list` names them".into());
    }
    store.audit(
        &by("taken out of the roster"),
        Some(learner),
        Action::Identified { known: false },
    )?;
    roster.save(store.keys())?;
    println!("{learner} is nobody's name any more");
    Ok(ExitCode::SUCCESS)
}

fn list(law: &LawArgs, data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let ages = law.policy()?.ages;
    let (store, roster) = store_and_roster(data_dir)?;
    store.audit(
        &by("the roster at the command line"),
        None,
        Action::Accessed,
    )?;
    for (id, person) in roster.people() {
        println!(
            "{}  {}  {}  {:?}",
            roster.pseudonym(id),
            id.as_str(),
            person.name,
            ages.band_of(person.birth_year, unix_ms())
        );
    }
    Ok(ExitCode::SUCCESS)
}
