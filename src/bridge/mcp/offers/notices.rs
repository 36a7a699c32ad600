//! What needs somebody, and who asked for what: alerts and the latest commands.

use serde_json::json;

use super::super::call::Call;
use super::class;
use crate::bridge::going::Going;
use crate::protocol::event::EventBody;

/// What needs somebody.
pub(super) async fn alerts(call: &Call) -> serde_json::Value {
    let mut alerts = Vec::new();
    let published = call.desk().published();
    let health = &published.health;
    if !health.records.good {
        alerts.push(json!({ "what": "records_not_written", "why": health.records.why }));
    }
    if health.commands.unanswered > 0 {
        alerts.push(json!({
            "what": "commands_unanswered",
            "why": format!("{} not answered within 2 s: a headset may be gone or standing still", health.commands.unanswered),
        }));
    }
    if call.going() != Going::No {
        let notice = call.going().notice();
        alerts.push(json!({ "what": notice.code, "why": notice.message }));
    }
    alerts.extend(
        published
            .alerts
            .iter()
            .map(|it| json!({ "what": it.kind, "at_unix_ms": it.at_unix_ms, "why": it.words })),
    );
    for it in call.learners().iter().filter(|it| !it.ended) {
        if let Some(notice) = &it.notice {
            alerts.push(json!({ "what": "notice", "learner": it.learner, "why": notice }));
        }
        if it.failures_on_step >= 5 {
            alerts.push(json!({
                "what": "many_failures", "learner": it.learner,
                "why": format!("{} wrong attempts on step {:?}", it.failures_on_step, it.step.as_ref().map(|step| step.as_str())),
            }));
        }
    }
    if let Ok(now) = class::stuck_now(call).await {
        let stuck = now.stuck.iter();
        alerts.extend(stuck.map(|it| {
            json!({ "what": "stuck", "learner": it.learner, "why": format!("far longer on step {} than the others", it.step) })
        }));
    }
    json!({ "alerts": alerts })
}

/// Commands of people, from the latest events of everybody here.
pub(super) fn audit(call: &Call) -> serde_json::Value {
    let mut entries = Vec::new();
    for it in call.learners() {
        for event in call.shared.journal.of(it.learner) {
            let (command, refused) = match &event.body {
                EventBody::CommandApplied { command, .. } => (command, None),
                EventBody::CommandRefused { command, refusal } => (command, Some(refusal)),
                _ => continue,
            };
            entries.push((event.at_unix_ms, json!({
                "at_unix_ms": event.at_unix_ms, "seq": event.seq, "command": command, "refused": refused,
            })));
        }
    }
    entries.sort_by_key(|(at, _)| *at);
    let entries: Vec<_> = entries.into_iter().map(|(_, entry)| entry).collect();
    json!({ "entries": entries })
}
