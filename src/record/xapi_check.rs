//! The published rules of xAPI 1.0.3 for a statement, as far as JSON can show them (adlnet/xAPI-Spec, xAPI-Data.md).
//! For tests: written from the specification, not from what we send.

use serde_json::{Map, Value};

type Rule = Result<(), String>;

/// Whether a value is a valid statement, else the first rule it breaks.
pub(super) fn check(statement: &Value) -> Rule {
    let statement = object(statement, "statement")?;
    // 2.2: no other properties; 2.4: actor, verb and object are required.
    only(
        statement,
        &[
            "id",
            "actor",
            "verb",
            "object",
            "result",
            "context",
            "timestamp",
            "stored",
            "authority",
            "version",
            "attachments",
        ],
        "statement",
    )?;
    for (key, value) in statement {
        // 2.2.s4.b1: no null but inside extensions.
        no_null(value, key)?;
    }
    if let Some(id) = statement.get("id") {
        uuid(id)?;
    }
    agent(required(statement, "actor")?)?;
    verb(required(statement, "verb")?)?;
    let activity_object = activity_or_ref(required(statement, "object")?)?;
    if let Some(result) = statement.get("result") {
        check_result(result)?;
    }
    if let Some(context) = statement.get("context") {
        check_context(context, activity_object)?;
    }
    if let Some(timestamp) = statement.get("timestamp") {
        check_timestamp(text(timestamp, "timestamp")?)?;
    }
    if let Some(version) = statement.get("version") {
        let version = text(version, "version")?;
        ensure(
            version == "1.0" || version.starts_with("1.0."),
            "version has to be 1.0.x",
        )?;
    }
    Ok(())
}

fn ensure(holds: bool, rule: &str) -> Rule {
    if holds { Ok(()) } else { Err(rule.to_owned()) }
}

fn object<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>, String> {
    value
        .as_object()
        .ok_or_else(|| format!("{what} has to be an object"))
}

fn text<'a>(value: &'a Value, what: &str) -> Result<&'a str, String> {
    value
        .as_str()
        .ok_or_else(|| format!("{what} has to be a string"))
}

fn required<'a>(object: &'a Map<String, Value>, key: &str) -> Result<&'a Value, String> {
    object
        .get(key)
        .ok_or_else(|| format!("`{key}` is required"))
}

fn only(object: &Map<String, Value>, allowed: &[&str], what: &str) -> Rule {
    match object.keys().find(|key| !allowed.contains(&key.as_str())) {
        Some(key) => Err(format!("{what} has no property `{key}`")),
        None => Ok(()),
    }
}

fn no_null(value: &Value, at: &str) -> Rule {
    match value {
        Value::Null => Err(format!("`{at}` is null")),
        Value::Array(items) => items.iter().try_for_each(|item| no_null(item, at)),
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| *key != "extensions")
            .try_for_each(|(key, value)| no_null(value, key)),
        _ => Ok(()),
    }
}

/// 4.1: standard string form, variant 2 of RFC 4122.
fn uuid(value: &Value) -> Rule {
    let text = text(value, "UUID")?;
    let parsed = uuid::Uuid::try_parse(text).map_err(|error| error.to_string())?;
    ensure(
        parsed.hyphenated().to_string() == text.to_lowercase(),
        "UUID not in standard form",
    )?;
    ensure(
        parsed.get_variant() == uuid::Variant::RFC4122,
        "UUID of another variant",
    )
}

/// IRIs and IRLs: at least a scheme (2.2.s4.b1.b8), no white space or what RFC 3987 excludes.
fn iri(value: &Value) -> Rule {
    let text = text(value, "IRI")?;
    let (scheme, rest) = text
        .split_once(':')
        .ok_or_else(|| format!("IRI without scheme: {text}"))?;
    ensure(
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
            && !rest.is_empty()
            && !rest.contains(|c: char| {
                c.is_whitespace() || c.is_control() || "<>\"{}|\\^`".contains(c)
            }),
        "malformed IRI",
    )?;
    for (at, _) in rest.match_indices('%') {
        let hex = rest.get(at + 1..at + 3).unwrap_or_default();
        ensure(
            hex.len() == 2 && hex.bytes().all(|b| b.is_ascii_hexdigit()),
            "malformed percent-encoding in IRI",
        )?;
    }
    Ok(())
}

/// 4.2: keys are language tags of RFC 5646 (lengths of their parts), values strings.
fn language_map(value: &Value) -> Rule {
    for (tag, words) in object(value, "language map")? {
        let mut parts = tag.split('-');
        let primary = parts.next().unwrap_or_default();
        ensure(
            (2..=8).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_alphabetic()),
            "language tag without language",
        )?;
        ensure(
            parts.all(|part| {
                (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
            }),
            "malformed language tag",
        )?;
        text(words, "words of a language map")?;
    }
    Ok(())
}

/// 4.1.11: keys of extensions are IRIs.
fn extensions(value: &Value) -> Rule {
    object(value, "extensions")?
        .keys()
        .try_for_each(|key| iri(&Value::String(key.clone())))
}

/// 2.4.2.1, 2.4.2.3: exactly one inverse functional identifier.
fn agent(value: &Value) -> Rule {
    let agent = object(value, "actor")?;
    only(
        agent,
        &[
            "objectType",
            "name",
            "mbox",
            "mbox_sha1sum",
            "openid",
            "account",
        ],
        "agent",
    )?;
    if let Some(kind) = agent.get("objectType") {
        ensure(kind == "Agent", "objectType of an agent is `Agent`")?;
    }
    let ids = ["mbox", "mbox_sha1sum", "openid", "account"];
    let given = ids.iter().filter(|id| agent.contains_key(**id)).count();
    ensure(
        given == 1,
        "an agent has exactly one inverse functional identifier",
    )?;
    if let Some(account) = agent.get("account") {
        let account = object(account, "account")?;
        only(account, &["homePage", "name"], "account")?;
        iri(required(account, "homePage")?)?;
        ensure(
            !text(required(account, "name")?, "account name")?.is_empty(),
            "account name is empty",
        )?;
    }
    if let Some(mbox) = agent.get("mbox") {
        ensure(
            text(mbox, "mbox")?.starts_with("mailto:"),
            "mbox is a mailto IRI",
        )?;
    }
    Ok(())
}

/// 2.4.3.
fn verb(value: &Value) -> Rule {
    let verb = object(value, "verb")?;
    only(verb, &["id", "display"], "verb")?;
    iri(required(verb, "id")?)?;
    verb.get("display").map_or(Ok(()), language_map)
}

/// 2.4.4; true for an activity.
fn activity_or_ref(value: &Value) -> Result<bool, String> {
    let map = object(value, "object")?;
    match map.get("objectType").and_then(Value::as_str) {
        None | Some("Activity") => activity(value).map(|()| true),
        Some("StatementRef") => uuid(required(map, "id")?).map(|()| false),
        Some(other) => Err(format!("objectType `{other}` is not looked at here")),
    }
}

fn activity(value: &Value) -> Rule {
    let activity = object(value, "activity")?;
    only(activity, &["objectType", "id", "definition"], "activity")?;
    if let Some(kind) = activity.get("objectType") {
        ensure(
            kind == "Activity",
            "objectType of an activity is `Activity`",
        )?;
    }
    iri(required(activity, "id")?)?;
    let Some(definition) = activity.get("definition") else {
        return Ok(());
    };
    let definition = object(definition, "definition")?;
    only(
        definition,
        &[
            "name",
            "description",
            "type",
            "moreInfo",
            "extensions",
            "interactionType",
            "correctResponsesPattern",
            "choices",
            "scale",
            "source",
            "target",
            "steps",
        ],
        "definition",
    )?;
    for key in ["name", "description"] {
        definition.get(key).map_or(Ok(()), language_map)?;
    }
    for key in ["type", "moreInfo"] {
        definition.get(key).map_or(Ok(()), iri)?;
    }
    definition.get("extensions").map_or(Ok(()), extensions)
}

/// 2.4.5.
fn check_result(value: &Value) -> Rule {
    let result = object(value, "result")?;
    only(
        result,
        &[
            "score",
            "success",
            "completion",
            "response",
            "duration",
            "extensions",
        ],
        "result",
    )?;
    for key in ["success", "completion"] {
        if let Some(value) = result.get(key) {
            ensure(value.is_boolean(), "success and completion are booleans")?;
        }
    }
    if let Some(response) = result.get("response") {
        text(response, "response")?;
    }
    if let Some(duration) = result.get("duration") {
        check_duration(text(duration, "duration")?)?;
    }
    if let Some(score) = result.get("score") {
        let score = object(score, "score")?;
        only(score, &["scaled", "raw", "min", "max"], "score")?;
        let number = |key: &str| match score.get(key) {
            None => Ok(None),
            Some(value) => value
                .as_f64()
                .map(Some)
                .ok_or(format!("score.{key} is a number")),
        };
        let (scaled, raw) = (number("scaled")?, number("raw")?);
        let (min, max) = (number("min")?, number("max")?);
        ensure(
            scaled.is_none_or(|s| (-1.0..=1.0).contains(&s)),
            "scaled is between -1 and 1",
        )?;
        ensure(
            min.zip(max).is_none_or(|(min, max)| min < max),
            "min is below max",
        )?;
        ensure(
            raw.zip(min).is_none_or(|(raw, min)| raw >= min),
            "raw is not below min",
        )?;
        ensure(
            raw.zip(max).is_none_or(|(raw, max)| raw <= max),
            "raw is not above max",
        )?;
    }
    result.get("extensions").map_or(Ok(()), extensions)
}

/// 2.4.6.
fn check_context(value: &Value, of_activity: bool) -> Rule {
    let context = object(value, "context")?;
    only(
        context,
        &[
            "registration",
            "instructor",
            "team",
            "contextActivities",
            "revision",
            "platform",
            "language",
            "statement",
            "extensions",
        ],
        "context",
    )?;
    context.get("registration").map_or(Ok(()), uuid)?;
    for key in ["revision", "platform"] {
        if let Some(value) = context.get(key) {
            text(value, key)?;
            ensure(of_activity, "revision and platform are for activities only")?;
        }
    }
    if let Some(activities) = context.get("contextActivities") {
        let activities = object(activities, "contextActivities")?;
        only(
            activities,
            &["parent", "grouping", "category", "other"],
            "contextActivities",
        )?;
        for value in activities.values() {
            match value {
                Value::Array(items) => items.iter().try_for_each(activity)?,
                one => activity(one)?,
            }
        }
    }
    context.get("extensions").map_or(Ok(()), extensions)
}

/// 4.5: ISO 8601 / RFC 3339, with a zone, which is not -00:00.
fn check_timestamp(text: &str) -> Rule {
    let digits = |range: std::ops::Range<usize>| {
        text.get(range)
            .filter(|part| part.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|part| part.parse::<u32>().ok())
    };
    let fields = (
        digits(0..4),
        digits(5..7),
        digits(8..10),
        digits(11..13),
        digits(14..16),
        digits(17..19),
    );
    let (Some(_), Some(month), Some(day), Some(hour), Some(minute), Some(second)) = fields else {
        return Err(format!("malformed timestamp {text}"));
    };
    let separators = [(4, '-'), (7, '-'), (10, 'T'), (13, ':'), (16, ':')];
    ensure(
        separators
            .iter()
            .all(|(at, c)| text.chars().nth(*at) == Some(*c)),
        "malformed timestamp",
    )?;
    ensure(
        (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60,
        "timestamp out of range",
    )?;
    let rest = text.get(19..).unwrap_or_default();
    let zone = rest.strip_prefix('.').map_or(rest, |rest| {
        rest.trim_start_matches(|c: char| c.is_ascii_digit())
    });
    let offset = zone.len() == 6 && zone.starts_with(['+', '-']) && zone.get(3..4) == Some(":");
    ensure(
        zone == "Z" || (offset && zone != "-00:00"),
        "timestamp without zone",
    )
}

/// 4.6: ISO 8601 durations, the form with designators; a fraction only in the last part.
fn check_duration(text: &str) -> Rule {
    let rest = text.strip_prefix('P').ok_or("a duration begins with P")?;
    let (date, time) = rest
        .split_once('T')
        .map_or((rest, None), |(date, time)| (date, Some(time)));
    ensure(time != Some(""), "nothing after T")?;
    let mut parts = 0;
    let mut fraction = false;
    for (part, designators) in [(date, "YMWD"), (time.unwrap_or_default(), "HMS")] {
        let mut number = String::new();
        let mut order = 0;
        for c in part.chars() {
            if c.is_ascii_digit() || c == '.' {
                number.push(c);
                continue;
            }
            let at = designators
                .find(c)
                .ok_or(format!("`{c}` is no designator"))?;
            ensure(!number.is_empty() && at + 1 > order, "malformed duration")?;
            ensure(
                !fraction && number.parse::<f64>().is_ok(),
                "malformed number in duration",
            )?;
            fraction = number.contains('.');
            order = at + 1;
            parts += 1;
            number.clear();
        }
        ensure(number.is_empty(), "a number without designator")?;
    }
    ensure(parts > 0, "an empty duration")
}
