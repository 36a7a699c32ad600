//! A learner's log as xAPI 1.0.3 statements, for systems that keep learning records.
//! In: events, the address under which the school names things. Out: statements with the pseudonym as the account.
//! Never: a name, a mail address, what belongs to the family's rights rather than to learning.
//!
//! Rules: adlnet/xAPI-Spec, `xAPI-Data.md` (version 1.0.3). Verbs and activity types: ADL's vocabulary.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::rights::Rights;
use super::time::{iso8601, rfc3339};
use crate::protocol::event::{Attempt, EndReason, Event, EventBody, Evidence};
use crate::protocol::ids::{LearnerId, LessonId, SessionId, StepId};

/// The address under which the school's accounts and activities are named. It need not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(String);

/// Why an address cannot name anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address to name accounts by; give one like https://school.example")]
pub struct BadHome(String);

impl Home {
    /// An `https://` or `http://` address without query or fragment.
    ///
    /// # Errors
    /// [`BadHome`].
    pub fn new(address: &str) -> Result<Self, BadHome> {
        let bad = || BadHome(address.to_owned());
        let rest = address
            .strip_prefix("https://")
            .or_else(|| address.strip_prefix("http://"))
            .ok_or_else(bad)?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/:".contains(&b);
        if !rest.starts_with(|c: char| c.is_ascii_alphanumeric()) || !rest.bytes().all(plain) {
            return Err(bad());
        }
        Ok(Self(address.trim_end_matches('/').to_owned()))
    }

    fn iri(&self, parts: &[&str]) -> String {
        let mut iri = self.0.clone();
        for part in parts {
            iri.push('/');
            for byte in part.bytes() {
                // RFC 3986 §2.3: unreserved.
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    iri.push(char::from(byte));
                } else {
                    iri.push_str(&format!("%{byte:02X}"));
                }
            }
        }
        iri
    }
}

impl Default for Home {
    /// An address that can belong to nobody (RFC 2606 §2).
    fn default() -> Self {
        Self("https://malloc-vr.invalid".to_owned())
    }
}

/// A statement: who did what to which activity, with what result. Serialises to xAPI 1.0.3.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statement {
    id: Uuid,
    actor: Value,
    verb: Value,
    object: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    context: Value,
    timestamp: String,
}

/// The statements of a log, in its order. Consents, notes, commands and hints are no learning experiences and give
/// none; the hints shown are with each attempt. The same event gives the same statement id every time, so that a
/// record store takes a second export as the first.
#[must_use]
pub fn statements(events: &[Event], home: &Home) -> Vec<Statement> {
    let rights = Rights::of(events);
    let mut lessons = BTreeMap::<SessionId, Lesson>::new();
    events
        .iter()
        .filter_map(|event| {
            if let EventBody::SessionStarted {
                lesson,
                lesson_digest,
                ..
            } = &event.body
            {
                let lesson = Lesson {
                    id: lesson.clone(),
                    digest: lesson_digest.clone(),
                    began_unix_ms: event.at_unix_ms,
                };
                lessons.insert(event.session, lesson);
            }
            statement(event, lessons.get(&event.session)?, &rights, home)
        })
        .collect()
}

struct Lesson {
    id: LessonId,
    digest: String,
    began_unix_ms: u64,
}

fn statement(event: &Event, lesson: &Lesson, rights: &Rights, home: &Home) -> Option<Statement> {
    let whole = || home.lesson(&lesson.id);
    let part = |step: &StepId| home.step(&lesson.id, step);
    let (verb, object, result) = match &event.body {
        EventBody::SessionStarted { .. } => (ADL.verb("initialized"), whole(), None),
        EventBody::SessionResumed | EventBody::Resumed { .. } => {
            (ADL.verb("resumed"), whole(), None)
        }
        EventBody::Paused { .. } => (ADL.verb("suspended"), whole(), None),
        EventBody::SessionEnded { reason } => {
            let took = event.at_unix_ms.saturating_sub(lesson.began_unix_ms);
            let done = *reason == EndReason::LessonCompleted;
            let verb = if done { "completed" } else { "terminated" };
            let result = json!({
                "completion": done,
                "duration": iso8601(std::time::Duration::from_millis(took)),
            });
            (ADL.verb(verb), whole(), Some(result))
        }
        EventBody::StepCompleted { step, skipped } => {
            let verb = if *skipped {
                TINCAN.verb("skipped")
            } else {
                ADL.verb("completed")
            };
            (verb, part(step), Some(json!({ "completion": !skipped })))
        }
        EventBody::Attempted(attempt) => {
            let verb = match attempt.evidence {
                Evidence::Answered { .. } => "answered",
                _ => "attempted",
            };
            (
                ADL.verb(verb),
                part(&attempt.step),
                Some(result_of(attempt, home)),
            )
        }
        _ => return None,
    };
    let mut activities = json!({ "parent": [home.lesson(&lesson.id)] });
    if let EventBody::Attempted(attempt) = &event.body
        && !attempt.skills.is_empty()
    {
        activities["other"] = attempt
            .skills
            .iter()
            .map(|skill| {
                let name = skill.to_string();
                home.activity(&["skills", &name], &name, "objective")
            })
            .collect();
    }
    let mut context = json!({
        "registration": event.session.0,
        "platform": "Malloc VR",
        "revision": lesson.digest,
        "contextActivities": activities,
    });
    // A note goes wherever the disputed record goes (34 CFR §99.21(c)(2)).
    let notes: Vec<Value> = rights
        .notes_to(event.seq)
        .map(|noted| json!({ "by": noted.what.actor, "note": noted.what.note }))
        .collect();
    if !notes.is_empty() {
        context["extensions"] = json!({ home.iri(&["xapi", "extensions", "notes"]): notes });
    }
    Some(Statement {
        id: statement_id(event.learner, event.seq),
        actor: home.actor(event.learner),
        verb,
        object,
        result,
        context,
        timestamp: rfc3339(event.at_unix_ms),
    })
}

fn result_of(attempt: &Attempt, home: &Home) -> Value {
    let extension = |name| home.iri(&["xapi", "extensions", name]);
    let mut extensions = serde_json::Map::new();
    extensions.insert(extension("hints"), json!(attempt.hints_used));
    for (name, error) in [
        ("position-error-m", attempt.position_error),
        ("rotation-error-rad", attempt.rotation_error),
    ] {
        if let Some(error) = error.filter(|error| error.is_finite()) {
            extensions.insert(extension(name), json!(error));
        }
    }
    extensions.insert(extension("evidence"), json!(attempt.evidence));
    let mut result = json!({
        "success": attempt.correct,
        "duration": iso8601(attempt.latency),
        "extensions": extensions,
    });
    if attempt.credit.is_finite() {
        result["score"] = json!({ "scaled": attempt.credit.clamp(0.0, 1.0) });
    }
    if let Evidence::Answered { choice, .. } = &attempt.evidence {
        result["response"] = json!(choice.to_string());
    }
    result
}

struct Vocabulary(&'static str);

/// ADL's verbs, <https://registry.tincanapi.com> lists them.
const ADL: Vocabulary = Vocabulary("http://adlnet.gov/expapi/verbs/");
/// The Tin Can registry's own.
const TINCAN: Vocabulary = Vocabulary("http://id.tincanapi.com/verb/");

impl Vocabulary {
    fn verb(&self, name: &str) -> Value {
        json!({ "id": format!("{}{name}", self.0), "display": { "en-US": name } })
    }
}

impl Home {
    fn actor(&self, learner: LearnerId) -> Value {
        json!({
            "objectType": "Agent",
            "account": { "homePage": self.0, "name": learner.to_string() },
        })
    }

    fn lesson(&self, lesson: &LessonId) -> Value {
        self.activity(&["lessons", lesson.as_str()], lesson.as_str(), "lesson")
    }

    fn step(&self, lesson: &LessonId, step: &StepId) -> Value {
        let path = ["lessons", lesson.as_str(), "steps", step.as_str()];
        self.activity(&path, step.as_str(), "performance")
    }

    /// `und`: names are the author's, in a language that nobody said (RFC 5646 §4.1).
    fn activity(&self, path: &[&str], name: &str, kind: &str) -> Value {
        json!({
            "objectType": "Activity",
            "id": self.iri(path),
            "definition": {
                "name": { "und": name },
                "type": format!("http://adlnet.gov/expapi/activities/{kind}"),
            },
        })
    }
}

/// A UUID made of the event's place, in the form of version 4 (RFC 4122 §4.4): its bits mean nothing.
fn statement_id(learner: LearnerId, seq: u64) -> Uuid {
    let mut digest = Sha256::new();
    digest.update(b"malloc-vr xapi statement\0");
    digest.update(learner.0.as_bytes());
    digest.update(seq.to_le_bytes());
    let mut bytes = [0; 16];
    for (byte, from) in bytes.iter_mut().zip(digest.finalize()) {
        *byte = from;
    }
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
#[path = "xapi_tests.rs"]
mod tests;
