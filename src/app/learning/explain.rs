//! A learner's story, told from their log: what is believed of each skill and why, and what was decided.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use crate::learning::event::Place;
use crate::learning::skill::SkillId;
use crate::protocol::command::{Command, CommandBody, Principal};
use crate::protocol::event::{Attempt, Event, EventBody, Evidence};
use crate::protocol::ids::{LearnerId, LessonId};
use crate::session::state::{FoldError, LearnerState};

/// Observations named for each skill.
const NAMED: usize = 3;

/// How an estimate went over the attempts that moved it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    /// The lesson the skill belongs to.
    pub lesson: LessonId,
    /// The skill's name.
    pub skill: SkillId,
    /// P(known) with its interval, [lower, mean, upper]: at the beginning and after each attempt.
    pub known: Vec<[f64; 3]>,
}

/// A learner's log and what the models make of it.
#[derive(Debug)]
pub(super) struct Story {
    /// In words.
    pub text: String,
    /// One for each skill that was tried.
    pub curves: Vec<Curve>,
}

/// Events from a file of JSON lines (as `records show` prints them), from a store, or from the folder of one.
///
/// # Errors
/// Names the file, and the line where there is one.
pub(super) fn read(log: &Path, learner: Option<LearnerId>) -> Result<Vec<Event>, Box<dyn Error>> {
    let cannot = |error: &dyn std::fmt::Display| format!("cannot read {}: {error}", log.display());
    let store = if log.is_dir() {
        crate::app::records::file(log)
    } else {
        log.to_owned()
    };
    if store.extension().is_some_and(|ending| ending == "redb") {
        if !store.exists() {
            return Err(cannot(&"there are no records in this folder").into());
        }
        let store = crate::app::records::open_file(&store)?;
        let learner = crate::app::records::choose(&store, learner)?;
        let by = crate::app::duties::by("explained at the command line");
        store.audit(&by, Some(learner), crate::record::Action::Accessed)?;
        return Ok(store.events(learner)?);
    }
    let text = std::fs::read_to_string(log).map_err(|error| cannot(&error))?;
    let mut events: Vec<Event> = Vec::new();
    for (number, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let event: Event = serde_json::from_str(line).map_err(|error| {
            format!(
                "{}:{}: not an event ({error}); `malloc-vr records show` prints them",
                log.display(),
                number + 1
            )
        })?;
        if learner.is_none_or(|learner| event.learner == learner) {
            events.push(event);
        }
    }
    match events.first().map(|first| first.learner) {
        None => Err(cannot(&"it holds no event of this learner").into()),
        Some(first) if events.iter().any(|event| event.learner != first) => {
            Err(cannot(&"it holds several learners; name one with --learner").into())
        }
        Some(_) => Ok(events),
    }
}

/// One decision of the adaptation rules: in words, then as data.
///
/// # Errors
/// Says how many decisions there are.
pub(super) fn decision(events: &[Event], number: u64) -> Result<String, Box<dyn Error>> {
    let mut decisions = 0;
    for event in events {
        if let EventBody::Decided(decision) = &event.body {
            if decision.number == number {
                let data = serde_json::to_string_pretty(decision)?;
                return Ok(format!("{}\n\n{data}\n", decision.in_words()));
            }
            decisions += 1;
        }
    }
    Err(format!("there is no decision {number}; this log has {decisions}, counted from 0").into())
}

/// Tells the story.
///
/// # Errors
/// Where the log has a gap or a repetition.
pub(super) fn tell(events: &[Event]) -> Result<Story, FoldError> {
    let mut teller = Teller::default();
    for event in events {
        teller.hear(event)?;
    }
    Ok(teller.finish(events))
}

#[derive(Default)]
struct Teller {
    state: LearnerState,
    curves: Vec<Curve>,
    attempts: BTreeMap<u64, String>,
    right: u32,
    sessions: u32,
    decisions: String,
    place: Option<Place>,
}

impl Teller {
    fn hear(&mut self, event: &Event) -> Result<(), FoldError> {
        let tried: Vec<(SkillId, Option<[f64; 3]>)> = match &event.body {
            EventBody::Attempted(attempt) => {
                let skills = attempt.skills.iter();
                skills.map(|id| (id.clone(), self.known(id))).collect()
            }
            _ => Vec::new(),
        };
        self.state.fold(event)?;
        match &event.body {
            EventBody::SessionStarted { .. } => self.sessions += 1,
            EventBody::Attempted(attempt) => {
                for (id, before) in tried {
                    self.extend_curve(&id, before);
                }
                self.right += u32::from(attempt.correct);
                self.attempts.insert(event.seq, in_words(attempt));
            }
            EventBody::Decided(decision) => {
                let words = decision.in_words();
                let _ = writeln!(self.decisions, "  #{:<4} {words}", event.seq);
            }
            EventBody::CommandApplied { command, .. } => self.decided(event, command, "done"),
            EventBody::CommandRefused { command, refusal } => {
                self.decided(event, command, &format!("not done: {refusal}"));
            }
            EventBody::StepCompleted {
                step,
                skipped: true,
            } => {
                let _ = writeln!(
                    self.decisions,
                    "  #{:<4} step `{step}` was passed over",
                    event.seq
                );
            }
            EventBody::Observed { .. } => self.moved_on(event.seq),
            _ => {}
        }
        Ok(())
    }

    /// P(known) of a skill of the running lesson: [lower, mean, upper].
    fn known(&self, id: &SkillId) -> Option<[f64; 3]> {
        let lesson = self.state.lesson.as_ref()?;
        let known = self.state.models.skill(lesson, id)?.known;
        Some([known.lower, known.mean, known.upper])
    }

    fn extend_curve(&mut self, id: &SkillId, before: Option<[f64; 3]>) {
        let (Some(before), Some(after), Some(lesson)) =
            (before, self.known(id), &self.state.lesson)
        else {
            return;
        };
        let is_its = |curve: &Curve| curve.lesson == *lesson && curve.skill == *id;
        let place = self.curves.iter().position(is_its).unwrap_or_else(|| {
            self.curves.push(Curve {
                lesson: lesson.clone(),
                skill: id.clone(),
                known: vec![before],
            });
            self.curves.len() - 1
        });
        if let Some(curve) = self.curves.get_mut(place) {
            curve.known.push(after);
        }
    }

    /// The learner stands somewhere else between onboarding and mastery than before.
    fn moved_on(&mut self, seq: u64) {
        let place = self.state.models.five().chart().place();
        if self.place == Some(place) {
            return;
        }
        if self.place.replace(place).is_some()
            && let Some(tick) = self.state.models.latest()
        {
            let guards: Vec<String> = tick
                .verdict
                .guards
                .iter()
                .map(ToString::to_string)
                .collect();
            let _ = writeln!(
                self.decisions,
                "  #{seq:<4} the models: {:?}, because {}",
                tick.verdict.decision,
                guards.join("; ")
            );
        }
    }

    fn decided(&mut self, event: &Event, command: &Command, what: &str) {
        let who = match command.principal {
            Principal::Safety => "safety",
            Principal::Learner => "the learner",
            Principal::Instructor => "the instructor",
            Principal::Governor => "the frame governor",
            Principal::Automatic => "the rules",
        };
        let asked = match &command.body {
            CommandBody::GiveHint { level: Some(level) } => format!("hint {level}"),
            CommandBody::GiveHint { level: None } => "the next hint".to_owned(),
            CommandBody::FadeHint => "no more hint".to_owned(),
            CommandBody::Pause => "a pause".to_owned(),
            CommandBody::Resume => "to go on".to_owned(),
            CommandBody::Message { text } => format!("the message “{text}”"),
            CommandBody::SetDifficulty { multiplier } => format!("difficulty ×{multiplier:.2}"),
            CommandBody::SetPace { multiplier } => format!("pace ×{multiplier:.2}"),
            CommandBody::AddSupport { level, .. } => format!("support of level {level}"),
            CommandBody::FadeSupport => "no more support".to_owned(),
            CommandBody::OfferBreak => "to offer a break".to_owned(),
            CommandBody::Rest => "a break".to_owned(),
            CommandBody::EndBreak => "the end of the break".to_owned(),
            CommandBody::Vary { .. } => "the same otherwise".to_owned(),
            CommandBody::ChangeApproach => "another way".to_owned(),
            CommandBody::MoveOn => "to move on".to_owned(),
            CommandBody::Review => "a review".to_owned(),
            CommandBody::TellInstructor => "to tell the instructor".to_owned(),
            CommandBody::Score { criterion, value } => {
                format!("a score of {value:.2} ({criterion:?})")
            }
            CommandBody::PointAt { object, .. } => format!("to point at {object}"),
            CommandBody::Spawn { object } => format!("{} to be put into the scene", object.id),
            CommandBody::Remove { object } => format!("{object} to be taken away"),
            CommandBody::EndSession => "the session to end".to_owned(),
            CommandBody::StartSession { lesson: None } => "the lesson to begin anew".to_owned(),
            CommandBody::StartSession { lesson: Some(id) } => format!("lesson {id} to begin"),
            CommandBody::SetPreferences { .. } => "to set how the learner likes it".to_owned(),
            CommandBody::OverrideStage { event: None, .. } => "the models' stage again".to_owned(),
            CommandBody::OverrideStage {
                event: Some(event), ..
            } => format!("the stage {event:?}"),
            CommandBody::SetCheckpoint { checkpoint } => format!("checkpoint {}", checkpoint.id),
            CommandBody::RemoveCheckpoint { checkpoint } => format!("no checkpoint {checkpoint}"),
            CommandBody::SetPolicy { .. } => "other adaptation rules".to_owned(),
            CommandBody::SetTelemetry { level } => format!("that {}", level.words()),
            CommandBody::Try { .. } => "to try something".to_owned(),
            CommandBody::GiveConsent(_) => "to record a consent".to_owned(),
            CommandBody::WithdrawConsent(_) => "to record a refusal".to_owned(),
            CommandBody::Restrict { .. } => "to restrict the record".to_owned(),
            CommandBody::LiftRestriction { .. } => "to lift a restriction".to_owned(),
            CommandBody::NoteAmendment(_) => "to note something beside the record".to_owned(),
        };
        let _ = writeln!(
            self.decisions,
            "  #{:<4} {who}: {asked} ({}): {what}",
            event.seq, command.purpose
        );
    }

    fn finish(self, events: &[Event]) -> Story {
        let mut text = String::new();
        if let Some(first) = events.first() {
            let _ = writeln!(text, "learner {}", first.learner);
        }
        let _ = writeln!(
            text,
            "{} session(s), {} attempts, {} of them right\n",
            self.sessions,
            self.attempts.len(),
            self.right
        );
        let _ = writeln!(
            text,
            "What they seem to know (inferred; with the interval of belief):"
        );
        for curve in &self.curves {
            let skill = self.state.models.skill(&curve.lesson, &curve.skill);
            let Some(skill) = skill else { continue };
            let (known, tries) = (skill.known, curve.known.len() - 1);
            let _ = writeln!(
                text,
                "  {:<20} known {:.2} ({:.2} to {:.2}), ability {:+.2} ± {:.2} logits, {tries} attempt(s)",
                curve.skill.as_str(),
                known.mean,
                known.lower,
                known.upper,
                skill.ability.mean,
                skill.ability.variance.max(0.0).sqrt()
            );
            for mover in skill.known_movers.largest().take(NAMED) {
                let what = self
                    .attempts
                    .get(&mover.observation)
                    .map_or("", String::as_str);
                let _ = writeln!(
                    text,
                    "      {:+.2} by #{} {what}",
                    mover.change, mover.observation
                );
            }
        }
        if self.curves.is_empty() {
            let _ = writeln!(text, "  nothing yet: no attempt is in the log");
        }
        let _ = writeln!(text, "\nWhat was decided, and why:");
        text.push_str(if self.decisions.is_empty() {
            "  nothing\n"
        } else {
            &self.decisions
        });
        Story {
            text,
            curves: self.curves,
        }
    }
}

fn in_words(attempt: &Attempt) -> String {
    let mut text = format!(
        "`{}`: {}",
        attempt.step,
        if attempt.correct { "right" } else { "wrong" }
    );
    if let Evidence::TimedOut = attempt.evidence {
        text.push_str(", out of time");
    }
    if attempt.hints_used > 0 {
        let _ = write!(text, ", with hint {}", attempt.hints_used);
    }
    let trust = attempt.quality.trust();
    if trust < 0.99 {
        let _ = write!(text, ", hardware trusted {:.0} %", trust * 100.0);
    }
    text
}
