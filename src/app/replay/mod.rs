//! `malloc-vr records replay`: a learner's sessions gone through again, as they were or as they could have been.
//!
//! As they were: the real systems of task, session and adaptation on what the log says was done, in the same frames.
//! What they make of it is compared with the log to the bit. As they could have been: see `what_if`.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use super::cli::ReplayArgs;
use super::{policy, records};
use crate::adaptation::Strategies;
use crate::learning::strategy::table::Table;
use crate::lesson::{self, Loaded};
use crate::protocol::event::{Event, EventBody};
use crate::protocol::ids::{LearnerId, LessonId, SessionId};
use crate::record::Action;
use differ::Compared;
use script::Stretch;

mod again;
pub(super) mod differ;
pub mod play;
mod point;
mod reel;
mod script;
mod what_if;

/// What a replay found.
#[derive(Debug, Serialize)]
struct Report {
    learner: LearnerId,
    /// Whether everything that could be replayed came out the same.
    same: bool,
    /// Name and checksum of the table now.
    table: String,
    /// Of the tables that the log's decisions were made with.
    tables_then: BTreeSet<String>,
    /// The models now.
    models: Vec<String>,
    /// Of the log's decisions.
    models_then: BTreeSet<String>,
    stretches: Vec<Told>,
}

/// One run of the program.
#[derive(Debug, Serialize)]
struct Told {
    session: SessionId,
    lesson: LessonId,
    /// The lesson's edition then, where it is another one now.
    edition_then: Option<String>,
    /// First and last event.
    from: u64,
    to: u64,
    /// Events without the time of their frame: they cannot be replayed.
    untimed: Vec<u64>,
    #[serde(flatten)]
    compared: Compared,
}

/// `malloc-vr records replay`.
pub(super) fn replay(args: &ReplayArgs) -> Result<ExitCode, Box<dyn Error>> {
    let store = records::open(&args.data.data_dir)?;
    let learner = records::choose(&store, args.learner)?;
    store.audit(
        &super::duties::by("replayed at the command line"),
        Some(learner),
        Action::Accessed,
    )?;
    let log = store.events(learner)?;
    if log.is_empty() {
        return Err(format!("nobody in these records has the pseudonym {learner}").into());
    }
    let strategies = policy::read(args.table.as_deref())?;
    if args.policy.is_some() || args.shift_hint.is_some() {
        let told = what_if::what_if(args, learner, &log, &strategies)?;
        if args.json {
            println!("{}", serde_json::to_string_pretty(&told)?);
        } else {
            print!("{}", told.in_words());
        }
        return Ok(ExitCode::SUCCESS);
    }
    if args.at.is_some() || args.at_time.is_some() {
        return Err(
            "--at and --at-time say where to continue otherwise; add --policy or --shift-hint"
                .into(),
        );
    }
    let report = as_it_was(args, learner, &log, &strategies)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.in_words());
    }
    Ok(if report.same {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The lesson that a session played, from the file named or the program.
fn edition(args: &ReplayArgs, id: &LessonId) -> Result<Loaded, Box<dyn Error>> {
    let loaded = match &args.lesson {
        Some(file) => lesson::load_file(file)?,
        None => lesson::load(id.as_str()).map_err(|error| {
            format!("{error}\nthe session played the lesson `{id}`; name its file with --lesson")
        })?,
    };
    if loaded.lesson.id != *id {
        return Err(format!(
            "the session played the lesson `{id}`, and the file is of `{}`; name the right one with --lesson, or one session with --session",
            loaded.lesson.id
        )
        .into());
    }
    Ok(loaded)
}

/// The runs of the program that are asked for.
fn chosen<'a>(
    log: &'a [Event],
    session: Option<SessionId>,
) -> Result<Vec<Stretch<'a>>, Box<dyn Error>> {
    let wanted = |stretch: &Stretch| session.is_none_or(|wanted| stretch.session == wanted);
    let stretches: Vec<Stretch> = script::cut(log).into_iter().filter(wanted).collect();
    if stretches.is_empty() {
        return Err(match session {
            Some(session) => format!(
                "the learner has no session {session}; `malloc-vr records show` lists the events with theirs"
            ),
            None => "the learner has no session yet".to_owned(),
        }
        .into());
    }
    Ok(stretches)
}

/// The tables by which a run may have been led where none is named: the one that its decisions name, if it is an earlier
/// edition of the delivered one; any of them, where it came to no decision; else the present one.
fn in_force(stretch: &Stretch, present: &Strategies) -> Vec<Strategies> {
    let events = stretch.frames.iter().flat_map(|frame| frame.events);
    let mut named = events.filter_map(|event| match &event.body {
        EventBody::Decided(decision) => Some(&decision.table),
        _ => None,
    });
    let mut earlier = Table::EARLIER
        .iter()
        .filter_map(|text| Strategies::read(text).ok());
    // By name: what was changed while it ran has another checksum.
    let is = |it: &Strategies, named: &str| {
        let name = &it.table().table().name;
        named
            .strip_prefix(name.as_str())
            .is_some_and(|rest| rest.starts_with(" ("))
    };
    match named.next() {
        Some(named) => earlier
            .find(|it| is(it, named))
            .map_or_else(|| vec![present.clone()], |it| vec![it]),
        None => [present.clone()].into_iter().chain(earlier).collect(),
    }
}

fn as_it_was(
    args: &ReplayArgs,
    learner: LearnerId,
    log: &[Event],
    strategies: &Strategies,
) -> Result<Report, Box<dyn Error>> {
    let mut report = Report {
        learner,
        same: true,
        table: strategies.table().edition(),
        tables_then: BTreeSet::new(),
        models: crate::adaptation::models().to_vec(),
        models_then: BTreeSet::new(),
        stretches: Vec::new(),
    };
    for stretch in chosen(log, args.session)? {
        let lesson = edition(args, stretch.lesson)?;
        let tables = match &args.table {
            Some(_) => vec![strategies.clone()],
            None => in_force(&stretch, strategies),
        };
        let mut found = None;
        for table in &tables {
            let again = again::again(&stretch, learner, &lesson, table)?;
            let compared = differ::compare(log, &stretch, &again)?;
            let same = compared.same();
            // Where none gives the same, it is the first one that is told of.
            if same || found.is_none() {
                found = Some((compared, table.table().edition()));
            }
            if same {
                break;
            }
        }
        let Some((compared, table)) = found else {
            continue;
        };
        report.table = table;
        for event in stretch.frames.iter().flat_map(|frame| frame.events) {
            if let EventBody::Decided(decision) = &event.body {
                report.tables_then.insert(decision.table.clone());
                report.models_then.extend(decision.models.iter().cloned());
            }
        }
        let first = stretch.before.last().map_or(1, |event| event.seq + 1);
        report.same &= compared.same();
        report.stretches.push(Told {
            session: stretch.session,
            lesson: stretch.lesson.clone(),
            edition_then: (lesson.digest != stretch.digest).then(|| stretch.digest.to_owned()),
            from: first,
            to: stretch.frames.last().map_or(first, |frame| frame.timed.seq),
            untimed: stretch.untimed,
            compared,
        });
    }
    // Of a run that was killed at once nothing is left to be replayed; of all of them something must be.
    report.same &= report.stretches.iter().any(|it| it.compared.frames > 0);
    Ok(report)
}

impl Report {
    fn in_words(&self) -> String {
        let mut text = String::new();
        for told in &self.stretches {
            let it = &told.compared;
            let _ = writeln!(
                text,
                "session {}, lesson {}, events {} to {}: {} frames, {} attempts, {} decisions: {}",
                told.session,
                told.lesson,
                told.from,
                told.to,
                it.frames,
                it.attempts,
                it.decisions,
                verdict(it)
            );
            if let Some(edition) = &told.edition_then {
                let _ = writeln!(
                    text,
                    "  the lesson has been edited since (its edition was {edition}): name the file it was with --lesson"
                );
            }
            if let (Some(first), Some(last)) = (told.untimed.first(), told.untimed.last()) {
                let _ = writeln!(
                    text,
                    "  {} event(s), from {first} to {last}, have no frame time (written by an earlier edition, or as the program was killed): not replayed",
                    told.untimed.len()
                );
            }
            for difference in &it.differences {
                let field = if difference.field.is_empty() {
                    String::new()
                } else {
                    format!(", {}", difference.field)
                };
                let _ = writeln!(
                    text,
                    "  event {} ({}{field}): then {}, now {}",
                    difference.seq,
                    difference.event,
                    short(&difference.then),
                    short(&difference.now)
                );
            }
            if it.differing > it.differences.len() {
                let more = it.differing - it.differences.len();
                let _ = writeln!(text, "  and {more} more, most of them consequences");
            }
            if !it.beliefs_same {
                text.push_str("  the models believe otherwise in the end\n");
            }
        }
        if !self.same {
            self.why(&mut text);
        }
        text
    }

    /// What may have changed since.
    fn why(&self, text: &mut String) {
        let list = |names: &BTreeSet<String>| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            names.join(", ")
        };
        let (tables, models) = (list(&self.tables_then), list(&self.models_then));
        if !tables.is_empty() && tables != self.table {
            let _ = writeln!(
                text,
                "the table was {tables} and is {}: name the one that was in force with --table",
                self.table
            );
        }
        let now = self.models.join(", ");
        if !models.is_empty() && models != now {
            let _ = writeln!(text, "the models were {models} and are {now}");
        }
    }
}

/// A value in a line; the whole is in the JSON.
fn short(value: &serde_json::Value) -> String {
    const MOST: usize = 120;
    let text = value.to_string();
    if text.chars().count() <= MOST {
        return text;
    }
    text.chars().take(MOST).chain(['…']).collect()
}

fn verdict(compared: &Compared) -> &'static str {
    if compared.frames == 0 {
        "nothing to replay"
    } else if compared.same() {
        "the same to the bit"
    } else {
        "NOT the same"
    }
}

#[cfg(test)]
mod edition_tests;
#[cfg(test)]
pub(super) mod tests;
