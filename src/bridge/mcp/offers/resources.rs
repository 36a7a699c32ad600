//! Resources: what can be read and followed under an address.

use std::path::Path;

use rmcp::ErrorData;
use rmcp::model::{
    CacheScope, ReadResourceResponse, ReadResourceResult, Resource, ResourceContents,
    ResourceTemplate,
};
use serde::Serialize;
use serde_json::json;

use super::super::call::{Call, Fault};
use super::super::catalogue::{Act, Catalogue, ResourceRow};
use super::super::look::Look;
use super::{class, notices, ops, read};
use crate::lesson::format::Lesson;
use crate::lesson::{check_text, load};
use crate::protocol::ids::LearnerId;
use crate::record::consent::ConsentPolicy;
use crate::record::privacy_page::privacy_page;
use crate::record::purpose::RetentionPolicy;

const LEARNER: &str = "learner://";
const LESSON: &str = "lesson://";
/// What there is of a learner: the address' last part, and in words.
const PARTS: [(&str, &str); 5] = [
    ("state", "where they are and how they do, live"),
    ("timeline", "what happened lately"),
    ("skills", "what they know, skill by skill, with intervals"),
    ("session", "where the session is in its life"),
    (
        "governor",
        "how their frames fare, what is given up for them, and why",
    ),
];
/// Resources that are always there: address, name, what it says, who may read it.
const FIXED: [(&str, &str, &str, Act); 10] = [
    (
        "class://roster",
        "roster",
        "Who is here, and where each one stands",
        Act::ReadRoster,
    ),
    (
        "class://dashboard",
        "dashboard",
        "The class as a whole, without identities",
        Act::ReadRoster,
    ),
    (
        "class://stuck",
        "stuck",
        "Who has been on the same step longer than the others by two standard deviations",
        Act::ReadRoster,
    ),
    (
        "ops://health",
        "health",
        "Whether the process is well",
        Act::ReadHealth,
    ),
    (
        "ops://alerts",
        "alerts",
        "What needs somebody: records that fail, learners who are stuck or not well",
        Act::ReadHealth,
    ),
    (
        "ops://metrics",
        "metrics",
        "What the process counts: learners, connections, queues, frames, the stream; as JSON and as OpenMetrics text",
        Act::ReadHealth,
    ),
    (
        "ops://frames",
        "frames",
        "How many frames a second, and how long they take",
        Act::ReadHealth,
    ),
    (
        "ops://audit",
        "audit",
        "Who asked for what lately, why, and what became of it",
        Act::ReadAudit,
    ),
    (
        "policy://privacy",
        "privacy policy",
        "What is kept of a learner, why, where it may go and for how long",
        Act::ReadPolicy,
    ),
    (
        "policy://adaptation",
        "adaptation policy",
        "The adaptation rules in force",
        Act::ReadPolicy,
    ),
];

/// Which learner's address it is, of whatever part.
pub(in crate::bridge::mcp) fn learner_of(uri: &str) -> Option<LearnerId> {
    let rest = uri.strip_prefix(LEARNER)?;
    let (id, part) = rest.split_once('/').unwrap_or((rest, "state"));
    PARTS
        .iter()
        .any(|(known, _)| *known == part)
        .then(|| id.parse().ok())?
}

fn lesson_of(uri: &str) -> Option<(&str, &str)> {
    let (id, part) = uri.strip_prefix(LESSON)?.split_once('/')?;
    matches!(part, "graph" | "content_readiness").then_some((id, part))
}

/// One family for each thing that one must be allowed to do: a row's functions carry nothing with them.
macro_rules! offer_fixed {
    ($catalogue:ident, $($act:ident),*) => {
        $($catalogue.resource(ResourceRow::new(
            Act::$act,
            |uri| is_fixed(uri, Act::$act),
            |_| listed(Act::$act),
            fixed_one,
        ));)*
    };
}

pub(super) fn offer(catalogue: &mut Catalogue) {
    offer_fixed!(catalogue, ReadRoster, ReadHealth, ReadAudit, ReadPolicy);
    for (at, (part, says)) in PARTS.iter().enumerate() {
        let template = ResourceTemplate::new(
            format!("{LEARNER}{{learner}}/{part}"),
            format!("learner {part}"),
        )
        .with_description(format!("A learner, by pseudonym: {says}"))
        .with_mime_type("application/json");
        // The first row reads all parts; the others only name their template.
        let row = if at == 0 {
            ResourceRow::new(
                Act::ReadState,
                |uri| learner_of(uri).is_some(),
                learners,
                learner,
            )
        } else {
            ResourceRow::new(Act::ReadState, |_| false, |_| Vec::new(), learner)
        };
        catalogue.resource(row.with_template(template));
    }
    for (at, (part, says)) in [
        (
            "graph",
            "its steps, what each asks and shows, and the way through them",
        ),
        (
            "content_readiness",
            "whether it can be played, and what is wrong",
        ),
    ]
    .iter()
    .enumerate()
    {
        let template = ResourceTemplate::new(
            format!("{LESSON}{{lesson}}/{part}"),
            format!("lesson {part}"),
        )
        .with_description(format!("A lesson: {says}"))
        .with_mime_type("application/json");
        let row = if at == 0 {
            ResourceRow::new(
                Act::ReadLesson,
                |uri| lesson_of(uri).is_some(),
                |_| Vec::new(),
                lesson,
            )
        } else {
            ResourceRow::new(Act::ReadLesson, |_| false, |_| Vec::new(), lesson)
        };
        catalogue.resource(row.with_template(template));
    }
}

fn is_fixed(uri: &str, needs: Act) -> bool {
    FIXED
        .iter()
        .any(|(known, _, _, who)| *known == uri && *who == needs)
}

fn listed(needs: Act) -> Vec<Resource> {
    FIXED
        .iter()
        .filter(|(.., who)| *who == needs)
        .map(|(uri, name, says, _)| {
            Resource::new(*uri, *name)
                .with_description(*says)
                .with_mime_type(mime(uri))
        })
        .collect()
}

fn mime(uri: &str) -> &'static str {
    match uri {
        "policy://privacy" => "text/markdown",
        _ => "application/json",
    }
}

fn learners(call: &Call) -> Vec<Resource> {
    call.learners()
        .iter()
        .flat_map(|it| {
            PARTS.iter().map(|(part, says)| {
                let id = it.learner;
                Resource::new(
                    format!("{LEARNER}{id}/{part}"),
                    format!("learner {id}: {part}"),
                )
                .with_description(format!("A learner: {says}"))
                .with_mime_type("application/json")
            })
        })
        .collect()
}

async fn fixed_one(call: Call, uri: String) -> Result<ReadResourceResponse, ErrorData> {
    match uri.as_str() {
        "class://roster" => text(&uri, &class::roster(&call)),
        "class://dashboard" => text(&uri, &class::dashboard(&call)),
        "class://stuck" => text(&uri, &class::stuck_now(&call).await.map_err(unread)?),
        "ops://health" => text(&uri, &ops::health(&call)),
        "ops://alerts" => text(&uri, &notices::alerts(&call).await),
        "ops://metrics" => ops::metrics(&call, &uri).await,
        "ops://frames" => {
            let world = call.look(Look::Figures).await;
            text(&uri, &world.map_err(|why| unread(why.into()))?.frames)
        }
        "ops://audit" => text(&uri, &notices::audit(&call)),
        "policy://adaptation" => {
            let strategies = call
                .look(Look::Policy)
                .await
                .map_err(|why| unread(why.into()))?;
            text(&uri, strategies.table().table())
        }
        _ => {
            let page = privacy_page(&ConsentPolicy::default(), &RetentionPolicy::default());
            let contents = ResourceContents::text(page, uri.clone()).with_mime_type(mime(&uri));
            Ok(ReadResourceResult::new(vec![contents])
                .with_ttl_ms(60_000)
                .with_cache_scope(CacheScope::Private)
                .into())
        }
    }
}

async fn learner(call: Call, uri: String) -> Result<ReadResourceResponse, ErrorData> {
    let part = uri
        .strip_prefix(LEARNER)
        .and_then(|rest| rest.split_once('/'));
    let id = learner_of(&uri).map(|id| id.to_string());
    let gone = |why: String| ErrorData::resource_not_found(why, Some(json!({ "uri": uri })));
    let found = call.find(id.as_deref()).map_err(gone)?;
    call.may_with(Act::ReadState, found.learner)
        .map_err(|why| ErrorData::invalid_request(why, None))?;
    match part.map_or("state", |(_, part)| part) {
        "timeline" => text(&uri, &read::latest(&call, found.learner, 0, 200)),
        "governor" => text(&uri, &ops::governor(&call, &found)),
        "skills" => text(&uri, &found.skills),
        "session" => text(
            &uri,
            &json!({
                "learner": found.learner,
                "session": found.session,
                "lesson": found.lesson,
                "life": found.life,
                "paused_by": found.paused_by,
                "ended": found.ended,
                "seq": found.seq,
                "acknowledged_seq": found.acknowledged_seq,
            }),
        ),
        _ => text(&uri, &*found),
    }
}

async fn lesson(call: Call, uri: String) -> Result<ReadResourceResponse, ErrorData> {
    let Some((id, part)) = lesson_of(&uri) else {
        return Err(ErrorData::resource_not_found(
            format!("`{uri}` names no lesson"),
            None,
        ));
    };
    let running = call
        .look(Look::Lesson)
        .await
        .map_err(|why| unread(why.into()))?;
    let running = running.filter(|it| it.lesson.id.as_str() == id);
    let bundled = || {
        let known = crate::lesson::bundled().any(|name| name == id);
        // Only what is inside the program: nobody reads files through here.
        known.then(|| load(id).ok()).flatten()
    };
    let Some(loaded) = running.or_else(bundled) else {
        return Err(ErrorData::resource_not_found(
            format!("no lesson `{id}` runs or comes with the program"),
            Some(json!({ "uri": uri })),
        ));
    };
    if part == "graph" {
        return text(&uri, &graph(&loaded.lesson));
    }
    // A lesson that runs was checked; what is asked here is what the checker would still mention.
    let written = ron::to_string(&*loaded.lesson)
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    let (_, report) = check_text(Path::new("lesson.ron"), &written, Some(&loaded.folder()));
    let remarks: Vec<String> = report
        .mistakes
        .iter()
        .map(|it| format!("{}; {}", it.what, it.mend))
        .collect();
    text(
        &uri,
        &json!({ "lesson": id, "digest": loaded.digest, "playable": !report.has_errors(), "remarks": remarks }),
    )
}

fn graph(lesson: &Lesson) -> serde_json::Value {
    let steps: Vec<_> = lesson
        .steps
        .iter()
        .map(|step| {
            json!({
                "id": step.id, "event": step.event, "goal": step.goal, "action": step.action,
                "time_limit": step.time_limit, "evidence_for": step.evidence_for, "hints": step.hints.len(),
            })
        })
        .collect();
    json!({
        "lesson": lesson.id, "title": lesson.title, "summary": lesson.summary, "language": lesson.language,
        "skills": lesson.skills, "steps": steps, "flow": lesson.flow,
    })
}

pub(super) fn unread(why: Fault) -> ErrorData {
    let words = match why {
        Fault::Told(why) => why,
        _ => "it cannot be read now".to_owned(),
    };
    ErrorData::internal_error(words, None)
}

pub(super) fn text<T: Serialize>(uri: &str, value: &T) -> Result<ReadResourceResponse, ErrorData> {
    let text = serde_json::to_string(value)
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    let contents = ResourceContents::text(text, uri).with_mime_type("application/json");
    Ok(ReadResourceResult::new(vec![contents])
        .with_ttl_ms(0)
        .with_cache_scope(CacheScope::Private)
        .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_learners_and_lessons_and_nothing_else() {
        let id = LearnerId::fresh();
        assert_eq!(learner_of(&format!("learner://{id}")), Some(id));
        assert_eq!(learner_of(&format!("learner://{id}/skills")), Some(id));
        assert_eq!(learner_of(&format!("learner://{id}/secrets")), None);
        assert_eq!(learner_of("learner://somebody/state"), None);
        assert_eq!(
            lesson_of("lesson://first-steps/graph"),
            Some(("first-steps", "graph"))
        );
        assert_eq!(lesson_of("lesson://../../etc/passwd"), None);
    }
}
