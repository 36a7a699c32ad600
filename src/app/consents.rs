//! `malloc-vr records consent | amend | restrict | standing`: what a learner, their family or the school agreed to, and
//! what may be done with the record because of it. What the desk writes goes the way of what the headset writes: the
//! same decision, one event of the log.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde::de::DeserializeOwned;

use super::cli::DataArgs;
use super::duties::by;
use super::law::{self, AgeArgs, LawArgs};
use super::records::{choose, open_file};
use crate::bridge::gate;
use crate::protocol::command::{Command, CommandBody, Principal};
use crate::protocol::consent::{
    Consent, ConsentActor, ConsentEvidence, ConsentMethod, ConsentScope, OUTSIDE_SESSIONS,
    Withdrawal,
};
use crate::protocol::event::{Event, EventBody};
use crate::protocol::ids::{CommandId, LearnerId};
use crate::protocol::privacy::{Amendment, RestrictionGround};
use crate::record::ages::AgeBand;
use crate::record::boundary::screen_words;
use crate::record::consent::Basis;
use crate::record::{Action, Roster, Store};
use crate::session::standing::{Age, Agreements, decide, in_words, who};
use crate::session::state::LearnerState;
use crate::session::unix_ms;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ActorName {
    /// The learner.
    Learner,
    /// A parent or legal guardian.
    Guardian,
    /// The school, for its own teaching only.
    School,
}

impl From<ActorName> for ConsentActor {
    fn from(name: ActorName) -> Self {
        match name {
            ActorName::Learner => Self::Learner,
            ActorName::Guardian => Self::Guardian,
            ActorName::School => Self::School,
        }
    }
}

/// A name as the log writes it, with `-` or `_` between its words.
fn named<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    let name = name.trim().replace('-', "_").to_lowercase();
    serde_json::from_value(serde_json::Value::String(name)).map_err(|error| {
        // As serde words it: "unknown variant `x`, expected one of `a`, `b`".
        error.to_string()
    })
}

/// Whose, and under which law.
#[derive(Debug, Clone, Args)]
pub struct WhoArgs {
    /// The learner's pseudonym; left out: the only one there is.
    pub learner: Option<LearnerId>,
    #[command(flatten)]
    /// How old they are.
    pub age: AgeArgs,
    #[command(flatten)]
    /// Which law holds.
    pub law: LawArgs,
    #[command(flatten)]
    /// Where the records are.
    pub data: DataArgs,
}

/// Options of `records consent`.
#[derive(Debug, Clone, Args)]
pub struct ConsentArgs {
    #[command(flatten)]
    /// Whose.
    pub who: WhoArgs,
    /// What is agreed to, for example leave-headset; several with commas, or given several times.
    #[arg(long, required = true, value_name = "SCOPE", value_delimiter = ',', value_parser = named::<ConsentScope>)]
    pub scope: Vec<ConsentScope>,
    /// Who says it.
    #[arg(long, value_name = "WHO")]
    pub by: ActorName,
    /// They do not agree, or no longer.
    #[arg(long)]
    pub withdraw: bool,
    /// How it was given, for example signed-form or in-person: what shows whose word it is.
    #[arg(long, value_name = "METHOD", required_unless_present = "withdraw", value_parser = named::<ConsentMethod>)]
    pub method: Option<ConsentMethod>,
    /// Where the proof lies in the school's files, for example a form's number. Never a name.
    #[arg(long, value_name = "WORDS")]
    pub reference: Option<String>,
    /// Version of the text that they read; left out: the one in force.
    #[arg(long, value_name = "VERSION")]
    pub text: Option<String>,
    /// For how many days; left out: until it is withdrawn.
    #[arg(long, value_name = "DAYS")]
    pub days: Option<u32>,
}

/// Options of `records restrict`.
#[derive(Debug, Clone, Args)]
pub struct RestrictArgs {
    #[command(flatten)]
    /// Whose.
    pub who: WhoArgs,
    /// Who asks for it.
    #[arg(long, value_name = "WHO", default_value = "learner")]
    pub by: ActorName,
    /// On which ground (GDPR Art. 18(1)): accuracy-disputed, unlawful, needed-for-claim or objection.
    #[arg(long, value_name = "GROUND", default_value = "objection", value_parser = named::<RestrictionGround>)]
    pub ground: RestrictionGround,
    /// The same no longer asks for it.
    #[arg(long)]
    pub lift: bool,
}

/// Options of `records amend`.
#[derive(Debug, Clone, Args)]
pub struct AmendArgs {
    #[command(flatten)]
    /// Whose.
    pub who: WhoArgs,
    /// Number of the event that the note is about.
    #[arg(long, value_name = "SEQ")]
    pub event: u64,
    /// What is to be known with it.
    #[arg(long, value_name = "WORDS")]
    pub note: String,
    /// Who says so.
    #[arg(long, value_name = "WHO", default_value = "learner")]
    pub by: ActorName,
}

/// One learner at the desk.
struct Desk {
    store: Store,
    roster: Roster,
    agreements: Agreements,
    learner: LearnerId,
    band: AgeBand,
    state: LearnerState,
}

impl Desk {
    fn open(who: &WhoArgs) -> Result<Self, Box<dyn Error>> {
        let agreements = Agreements(who.law.policy()?);
        let (store, roster) = store_and_roster(&who.data.data_dir)?;
        let learner = choose(&store, who.learner)?;
        let log = store.events(learner)?;
        if log.is_empty() && roster.whose(learner).is_none() {
            return Err(format!(
                "nobody in these records or the roster has the pseudonym {learner}; `records list` and `records roster list` name them"
            )
            .into());
        }
        let state = LearnerState::of(&log)?;
        let band = law::band(learner, &roster, &who.age, &agreements.0);
        Ok(Self {
            store,
            roster,
            agreements,
            learner,
            band,
            state,
        })
    }

    /// Decides as the running program would, has it stored, and says what it means.
    fn write(
        &self,
        body: CommandBody,
        action: Action,
        purpose: &str,
    ) -> Result<ExitCode, Box<dyn Error>> {
        let command = Command {
            id: CommandId::fresh(),
            learner: self.learner,
            principal: Principal::Instructor,
            purpose: purpose.to_owned(),
            body,
            asker: None,
            trace: None,
        };
        let now = unix_ms();
        let standing = self
            .agreements
            .standing(self.learner, Age(self.band), &self.state, now);
        let decided = decide(&command, &standing, self.state.seq).ok_or("it changes no right")?;
        let (mut body, words) = decided?;
        screen_words(&mut body, &law::screen(&self.roster));
        self.store.audit(&by(purpose), Some(self.learner), action)?;
        append(&self.store, self.learner, self.state.seq, body)?;
        println!("{words}");
        Ok(ExitCode::SUCCESS)
    }
}

/// The store, which must be there, and the roster beside it.
pub(super) fn store_and_roster(data_dir: &Path) -> Result<(Store, Roster), Box<dyn Error>> {
    let file = super::records::file(data_dir);
    let has_roster = law::roster_file(data_dir).exists();
    // A class can be entered, and agreed for, before anybody has played.
    let store = if has_roster {
        open_file(&file)?
    } else {
        super::records::open(data_dir)?
    };
    let roster = law::roster(data_dir, store.keys())?;
    Ok((store, roster))
}

/// One event more in a learner's log, outside all sessions.
pub(super) fn append(
    store: &Store,
    learner: LearnerId,
    events: u64,
    body: EventBody,
) -> Result<(), Box<dyn Error>> {
    let event = Event {
        seq: events + 1,
        at_unix_ms: unix_ms(),
        learner,
        session: OUTSIDE_SESSIONS,
        body,
    };
    Ok(store.append(std::slice::from_ref(&event))?)
}

/// `records consent`.
pub(super) fn consent(args: &ConsentArgs) -> Result<ExitCode, Box<dyn Error>> {
    let desk = Desk::open(&args.who)?;
    let scopes: BTreeSet<ConsentScope> = args.scope.iter().copied().collect();
    let actor = args.by.into();
    let body = match args.method {
        Some(method) if !args.withdraw => {
            let texts = &desk.agreements.0.texts;
            let text = args.text.clone().or_else(|| texts.last().cloned());
            let end = |days| unix_ms().saturating_add(u64::from(days) * 86_400_000);
            CommandBody::GiveConsent(Consent {
                scopes,
                text_version: text.unwrap_or_default(),
                actor,
                evidence: ConsentEvidence {
                    method,
                    reference: args.reference.clone(),
                },
                until_unix_ms: args.days.map(end),
            })
        }
        _ => CommandBody::WithdrawConsent(Withdrawal { scopes, actor }),
    };
    let given = !args.withdraw;
    desk.write(body, Action::Consented { given }, "consent at the desk")
}

/// `records restrict`.
pub(super) fn restrict(args: &RestrictArgs) -> Result<ExitCode, Box<dyn Error>> {
    let actor = args.by.into();
    let body = if args.lift {
        CommandBody::LiftRestriction { actor }
    } else {
        CommandBody::Restrict {
            actor,
            ground: args.ground,
        }
    };
    let on = !args.lift;
    Desk::open(&args.who)?.write(body, Action::Restricted { on }, "the right to restriction")
}

/// `records amend`.
pub(super) fn amend(args: &AmendArgs) -> Result<ExitCode, Box<dyn Error>> {
    let body = CommandBody::NoteAmendment(Amendment {
        about_seq: args.event,
        note: args.note.clone(),
        actor: args.by.into(),
    });
    Desk::open(&args.who)?.write(body, Action::Amended, "the right to amendment")
}

/// `records standing`: what may be done with a learner's record now, and why.
pub(super) fn standing(args: &WhoArgs) -> Result<ExitCode, Box<dyn Error>> {
    let desk = Desk::open(args)?;
    let purpose = "where a record stands, at the command line";
    desk.store
        .audit(&by(purpose), Some(desk.learner), Action::Accessed)?;
    let policy = &desk.agreements.0;
    let now = unix_ms();
    let standing = desk
        .agreements
        .standing(desk.learner, Age(desk.band), &desk.state, now);
    println!(
        "{}: age {:?}, law of {}",
        desk.learner, desk.band, policy.ages.country
    );
    match gate::opens(&standing) {
        Ok(_) => println!("an instructor at the bridge sees this learner"),
        Err(why) => println!("nothing leaves this device: {why}"),
    }
    for scope in ConsentScope::ALL {
        let words = match policy.decide(scope, desk.band, &desk.state.consents, now) {
            Ok(Basis::NotAsked) => "allowed: nobody has to be asked, anybody may object".to_owned(),
            Ok(Basis::Consent { by, seq }) => {
                let until = desk
                    .state
                    .consents
                    .given(scope, by)
                    .and_then(|(consent, _)| consent.until_unix_ms)
                    .map(|end| {
                        format!(", for {} more day(s)", end.saturating_sub(now) / 86_400_000)
                    })
                    .unwrap_or_default();
                format!("allowed: {} agreed (event {seq}){until}", who(by))
            }
            Err(why) => format!("not allowed: {why}"),
        };
        println!("  {:<40} {words}", in_words(scope));
    }
    let rights = &desk.state.rights;
    match rights.restricted_by() {
        Some((by, ground)) => println!("restricted by {} ({ground:?})", who(by)),
        None => println!("not restricted"),
    }
    println!(
        "{} note(s), {} disclosure(s)",
        rights.amendments.len(),
        rights.disclosures.len()
    );
    Ok(ExitCode::SUCCESS)
}
