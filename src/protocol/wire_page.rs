//! The messages of `protocol::wire` for other programs' authors: AsyncAPI 3.0, made from the types.

use schemars::{JsonSchema, schema_for};
use serde_json::{Map, Value, json};

use super::wire::{FromClient, FromHost, JSON, MESSAGE_PACK, WIRE_VERSION};

/// The description of `/ws`, as it lies in `docs/protocol.json`.
#[must_use]
pub fn asyncapi() -> Value {
    let mut schemas = Map::new();
    let from_client = messages::<FromClient>(&mut schemas);
    let from_host = messages::<FromHost<'static>>(&mut schemas);
    let all: Map<String, Value> = of("from_client", &from_client)
        .chain(of("from_host", &from_host))
        .map(|(key, message)| (key, message.clone()))
        .collect();
    let reference = |prefix: &str, messages: &[(String, Value)]| -> Vec<Value> {
        of(prefix, messages)
            .map(|(key, _)| json!({ "$ref": format!("#/channels/ws/messages/{key}") }))
            .collect()
    };
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Malloc VR: a class over WebSocket",
            "version": WIRE_VERSION.to_string(),
            "description": format!(
                "Subprotocols: {JSON} (JSON text) and {MESSAGE_PACK} (MessagePack, structs as maps, ids as 16 bytes). \
                 Every message is an object with one key, its kind. docs/protocol.md shows a conversation."
            ),
        },
        "channels": {
            "ws": {
                "address": "/ws",
                "messages": all,
                "bindings": { "ws": { "bindingVersion": "0.1.0", "method": "GET" } },
            },
        },
        "operations": {
            "from_client": {
                "action": "receive",
                "channel": { "$ref": "#/channels/ws" },
                "messages": reference("from_client", &from_client),
            },
            "from_host": {
                "action": "send",
                "channel": { "$ref": "#/channels/ws" },
                "messages": reference("from_host", &from_host),
            },
        },
        "components": { "schemas": schemas },
    })
}

fn of<'a>(
    prefix: &'a str,
    messages: &'a [(String, Value)],
) -> impl Iterator<Item = (String, &'a Value)> {
    messages
        .iter()
        .map(move |(name, message)| (format!("{prefix}_{name}"), message))
}

/// One message for each kind of `T`, by name; what they share goes to `schemas`.
fn messages<T: JsonSchema>(schemas: &mut Map<String, Value>) -> Vec<(String, Value)> {
    let mut schema = schema_for!(T).to_value();
    point_to_components(&mut schema);
    if let Some(Value::Object(shared)) = schema.get_mut("$defs").map(Value::take) {
        schemas.extend(shared);
    }
    let kinds = schema.get("oneOf").and_then(Value::as_array);
    let named = kinds.into_iter().flatten().filter_map(|kind| {
        let name = kind.pointer("/required/0")?.as_str()?;
        let message = json!({
            "name": name,
            "summary": kind.get("description"),
            "payload": kind,
        });
        Some((name.to_owned(), message))
    });
    named.collect()
}

fn point_to_components(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get_mut("$ref")
                && let Some(name) = reference.strip_prefix("#/$defs/")
            {
                *reference = format!("#/components/schemas/{name}");
            }
            map.values_mut().for_each(point_to_components);
        }
        Value::Array(items) => items.iter_mut().for_each(point_to_components),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &str) -> Vec<String> {
        let page = asyncapi();
        let messages = page.pointer(&format!("/operations/{of}/messages"));
        let references = messages.and_then(Value::as_array).unwrap();
        let name = |it: &Value| it["$ref"].as_str()?.rsplit('/').next().map(str::to_owned);
        references.iter().filter_map(name).collect()
    }

    #[test]
    fn every_kind_of_message_is_described() {
        let client = names("from_client");
        assert_eq!(client.len(), 8, "{client:?}");
        assert!(client.contains(&"from_client_parcel".to_owned()));
        let host = names("from_host");
        assert_eq!(host.len(), 17, "{host:?}");
    }

    #[test]
    fn no_reference_leads_nowhere() {
        fn check(page: &Value, value: &Value) {
            if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
                let place = reference.strip_prefix('#').unwrap();
                assert!(page.pointer(place).is_some(), "{reference}");
            }
            match value {
                Value::Object(map) => map.values().for_each(|it| check(page, it)),
                Value::Array(items) => items.iter().for_each(|it| check(page, it)),
                _ => {}
            }
        }
        let page = asyncapi();
        check(&page, &page);
    }
}
