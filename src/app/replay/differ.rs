//! What came out otherwise than it is in the log: by event and field, ids drawn at random aside.

use serde::Serialize;
use serde_json::Value;

use super::again::Again;
use super::script::Stretch;
use crate::protocol::event::{Event, EventBody};
use crate::session::state::{FoldError, LearnerState};

/// Differences named for one session; what follows the first is mostly its consequence.
const NAMED: usize = 20;

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::app) struct Difference {
    /// Place in the log, of the event it is about or the one before it.
    pub seq: u64,
    /// Kind of event.
    pub event: String,
    /// Which field; empty: the whole event.
    pub field: String,
    /// What the log says; `null`: no such event.
    pub then: Value,
    /// What came out now; `null`: no such event.
    pub now: Value,
}

/// A stretch compared.
#[derive(Debug, Clone, Serialize)]
pub(in crate::app) struct Compared {
    pub frames: usize,
    pub attempts: usize,
    pub decisions: usize,
    /// How many events or fields differ.
    pub differing: usize,
    /// The first of them.
    pub differences: Vec<Difference>,
    /// Whether the models believe the same in the end.
    pub beliefs_same: bool,
}

impl Compared {
    /// Nothing differs.
    pub fn same(&self) -> bool {
        self.differing == 0 && self.beliefs_same
    }
}

/// Compares what came out with the log.
///
/// # Errors
/// The log cannot be followed.
pub(super) fn compare(
    log: &[Event],
    stretch: &Stretch,
    again: &Again,
) -> Result<Compared, FoldError> {
    let mut all = Vec::new();
    let count = |wanted: fn(&EventBody) -> bool| {
        let events = stretch.frames.iter().flat_map(|frame| frame.events);
        events.filter(|event| wanted(&event.body)).count()
    };
    for (frame, came) in stretch.frames.iter().zip(&again.frames) {
        let then: Vec<&Event> = frame.events.iter().chain([frame.timed]).collect();
        for place in 0..then.len().max(came.len()) {
            let event = then.get(place);
            // What is there too much stands behind the last one.
            let seq = event.map_or(frame.timed.seq, |event| event.seq);
            differ(seq, event.map(|it| &it.body), came.get(place), &mut all);
        }
    }
    let last = |at: u64| {
        let passed = |frame: &&super::script::Frame| frame.time.at_ns <= at;
        let frame = stretch.frames.iter().rfind(passed);
        frame.map_or(0, |frame| frame.timed.seq)
    };
    for (at, body) in &again.elsewhere {
        let at = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
        differ(last(at), None, Some(body), &mut all);
    }
    all.sort_by_key(|difference| difference.seq);
    let end = stretch.frames.last().map_or(0, |frame| frame.timed.seq);
    let state = LearnerState::of(log.iter().take_while(|event| event.seq <= end))?;
    let same =
        serde_json::to_value(&state.models).ok() == serde_json::to_value(&again.state.models).ok();
    let differing = all.len();
    all.truncate(NAMED);
    Ok(Compared {
        frames: stretch.frames.len(),
        attempts: count(|body| matches!(body, EventBody::Attempted(_))),
        decisions: count(|body| matches!(body, EventBody::Decided(_))),
        differing,
        differences: all,
        beliefs_same: same,
    })
}

fn differ(seq: u64, then: Option<&EventBody>, now: Option<&EventBody>, all: &mut Vec<Difference>) {
    let kind = |value: &Value| {
        let kind = value.get("type").and_then(Value::as_str);
        kind.unwrap_or("event").to_owned()
    };
    let (then, now) = (plain(then), plain(now));
    let event = kind(if then.is_null() { &now } else { &then });
    if then.get("type") == now.get("type") {
        fields(&then, &now, &mut String::new(), &mut |field, then, now| {
            all.push(Difference {
                seq,
                event: event.clone(),
                field: field.to_owned(),
                then: then.clone(),
                now: now.clone(),
            });
        });
        return;
    }
    let field = String::new();
    all.push(Difference {
        seq,
        event,
        field,
        then,
        now,
    });
}

/// An event as data, without the ids that are drawn at random each time.
fn plain(body: Option<&EventBody>) -> Value {
    let Some(mut value) = body.and_then(|body| serde_json::to_value(body).ok()) else {
        return Value::Null;
    };
    let drawn = match body {
        Some(EventBody::Attempted(_)) => Some(&mut value),
        Some(EventBody::CommandApplied { .. } | EventBody::CommandRefused { .. }) => {
            value.get_mut("command")
        }
        _ => None,
    };
    if let Some(id) = drawn.and_then(|drawn| drawn.get_mut("id")) {
        *id = Value::Null;
    }
    value
}

/// Calls `found` for every leaf that differs, with the way to it.
fn fields(
    then: &Value,
    now: &Value,
    way: &mut String,
    found: &mut impl FnMut(&str, &Value, &Value),
) {
    if then == now {
        return;
    }
    let mut step = |name: &str, a: &Value, b: &Value| {
        let length = way.len();
        if !way.is_empty() {
            way.push('.');
        }
        way.push_str(name);
        fields(a, b, way, found);
        way.truncate(length);
    };
    match (then, now) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let at = |map: &serde_json::Map<String, Value>| map.get(name).cloned();
                let (x, y) = (at(a).unwrap_or_default(), at(b).unwrap_or_default());
                step(name, &x, &y);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (place, (x, y)) in a.iter().zip(b).enumerate() {
                step(&place.to_string(), x, y);
            }
        }
        _ => found(way, then, now),
    }
}
