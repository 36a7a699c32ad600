//! A learner's story, told from their log: what is believed of each skill and why, and what was decided.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use crate::learning::assessment::Credit;
use crate::learning::few::Few;
use crate::learning::five::Five;
use crate::learning::five::observation::Observation;
use crate::learning::five::params::{Params, SkillParams};
use crate::learning::skill::SkillId;
use crate::protocol::command::{Command, CommandBody, Principal};
use crate::protocol::event::{Attempt, Event, EventBody, Evidence};
use crate::protocol::ids::LearnerId;
use crate::record::Store;

/// Milliseconds of a day.
const DAY: f64 = 86_400_000.0;
/// Observations named for each skill.
const NAMED: usize = 3;

/// How an estimate went over the attempts that moved it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    /// The skill's name.
    pub skill: String,
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
        let store = Store::open(&store)?;
        let learner = crate::app::records::choose(&store, learner)?;
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

/// Tells the story.
pub(super) fn tell(events: &[Event]) -> Story {
    let mut teller = Teller::default();
    for event in events {
        teller.hear(event);
    }
    teller.finish(events)
}

#[derive(Default)]
struct Teller {
    skills: Vec<SkillId>,
    params: Params,
    five: Option<Five>,
    curves: Vec<Curve>,
    attempts: BTreeMap<u64, String>,
    right: u32,
    sessions: u32,
    decisions: String,
    last_ms: u64,
}

impl Teller {
    fn hear(&mut self, event: &Event) {
        match &event.body {
            EventBody::SessionStarted { skills, .. } => {
                self.sessions += 1;
                // Skills of a later lesson come behind those already known.
                for (id, bkt) in skills {
                    if !self.skills.contains(id) {
                        self.skills.push(id.clone());
                        self.params.skills.push(SkillParams {
                            bkt: *bkt,
                            ..SkillParams::default()
                        });
                    }
                }
                let days = (event.at_unix_ms.saturating_sub(self.last_ms)) as f64 / DAY;
                match &mut self.five {
                    Some(five) if five.skills().len() == self.skills.len() => {
                        five.away(days, &self.params);
                    }
                    // The skills are numbered anew with the first session of a further lesson.
                    _ => self.five = Some(Five::new(self.skills.len(), &self.params)),
                }
            }
            EventBody::Attempted(attempt) => self.attempted(event.seq, attempt),
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
            _ => {}
        }
        self.last_ms = event.at_unix_ms;
    }

    fn attempted(&mut self, seq: u64, attempt: &Attempt) {
        let Some(five) = &mut self.five else { return };
        let mut skills = Few::default();
        for id in &attempt.skills {
            let number = self.skills.iter().position(|known| known == id);
            if let Some(number) = number.and_then(|number| u32::try_from(number).ok()) {
                skills.push(number);
            }
        }
        let seen = Observation {
            id: seq,
            skills,
            correct: attempt.correct,
            credit: Credit {
                total: Some(f64::from(attempt.credit)),
                ..Credit::default()
            },
            seconds: Some(attempt.latency.as_secs_f64()),
            hints: u32::from(attempt.hints_used),
            quality: attempt.quality,
            ..Observation::default()
        };
        let known = |five: &Five, number: u32| {
            let known = five.skills().get(number as usize).map(|skill| skill.known);
            known.map(|known| [known.lower, known.mean, known.upper])
        };
        let before: Vec<_> = skills.iter().map(|number| known(five, *number)).collect();
        five.observe(&seen, &self.params);
        for (number, before) in skills.iter().zip(before) {
            let (Some(id), Some(before), Some(after)) = (
                self.skills.get(*number as usize),
                before,
                known(five, *number),
            ) else {
                continue;
            };
            let place = self
                .curves
                .iter()
                .position(|curve| curve.skill == id.as_str());
            let place = place.unwrap_or_else(|| {
                self.curves.push(Curve {
                    skill: id.to_string(),
                    known: vec![before],
                });
                self.curves.len() - 1
            });
            if let Some(curve) = self.curves.get_mut(place) {
                curve.known.push(after);
            }
        }
        self.right += u32::from(attempt.correct);
        self.attempts.insert(seq, in_words(attempt));
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
            let number = self.skills.iter().position(|id| id.as_str() == curve.skill);
            let skill = number.and_then(|number| self.five.as_ref()?.skills().get(number));
            let Some(skill) = skill else { continue };
            let (known, tries) = (skill.known, curve.known.len() - 1);
            let _ = writeln!(
                text,
                "  {:<20} known {:.2} ({:.2} to {:.2}), ability {:+.2} ± {:.2} logits, {tries} attempt(s)",
                curve.skill,
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
