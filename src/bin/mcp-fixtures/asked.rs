//! Fixtures that ask the client in the middle of a call, as the revisions before 2026-07-28 do.
#![allow(deprecated)] // So is asking like this, and sampling.

use malloc_vr::bridge::mcp::call::Call;
use malloc_vr::bridge::mcp::catalogue::Catalogue;
use rmcp::ErrorData;
use rmcp::model::{
    ClientCapabilities, CreateMessageRequestParams, ElicitRequestParams, ElicitationSchema,
    SamplingMessage,
};
use serde_json::{Value, json};

use crate::contents::{Answer, plain, said, tool};

pub(crate) fn offer(catalogue: &mut Catalogue) {
    let prompt = json!({
        "type": "object",
        "properties": { "prompt": { "type": "string", "description": "The prompt to send" } },
        "required": ["prompt"]
    });
    tool(catalogue, "test_sampling", prompt, |call| async move {
        let prompt = call.text("prompt").unwrap_or("Hello");
        let message = SamplingMessage::user_text(prompt);
        let params = CreateMessageRequestParams::new(vec![message], 100);
        let made = call.context().peer.create_message(params).await;
        let made = made.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        let text = made
            .message
            .content
            .first()
            .and_then(|it| it.as_text())
            .map(|it| it.text.clone());
        said(format!("LLM response: {}", text.unwrap_or_default()))
    });
    let message = json!({
        "type": "object",
        "properties": { "message": { "type": "string", "description": "The message to show" } },
        "required": ["message"]
    });
    tool(catalogue, "test_elicitation", message, |call| async move {
        let schema = json!({
            "type": "object",
            "properties": {
                "username": { "type": "string", "description": "User's response" },
                "email": { "type": "string", "description": "User's email address" }
            },
            "required": ["username", "email"]
        });
        let message = call.text("message").unwrap_or("Who are you?").to_owned();
        ask(&call, &message, schema).await
    });
    tool(
        catalogue,
        "test_elicitation_sep1034_defaults",
        plain(),
        |call| async move {
            let schema = json!({
                "type": "object",
                "properties": {
                    "name": { "type": "string", "description": "User's name", "default": "John Doe" },
                    "age": { "type": "integer", "description": "User's age", "default": 30 },
                    "score": { "type": "number", "description": "User's score", "default": 95.5 },
                    "status": {
                        "type": "string", "description": "User's status",
                        "enum": ["active", "inactive", "pending"], "default": "active"
                    },
                    "verified": { "type": "boolean", "description": "Whether verified", "default": true }
                }
            });
            ask(&call, "Please provide values (all have defaults)", schema).await
        },
    );
    tool(
        catalogue,
        "test_elicitation_sep1330_enums",
        plain(),
        |call| async move {
            let titled = |key: &str| {
                json!({ key: [
                { "const": "value1", "title": "First Option" },
                { "const": "value2", "title": "Second Option" },
                { "const": "value3", "title": "Third Option" }
            ] })
            };
            let mut single = titled("oneOf");
            single["type"] = json!("string");
            let schema = json!({
                "type": "object",
                "properties": {
                    "untitledSingle": { "type": "string", "enum": ["option1", "option2", "option3"] },
                    "titledSingle": single,
                    "legacyEnum": {
                        "type": "string", "enum": ["opt1", "opt2", "opt3"],
                        "enumNames": ["Option One", "Option Two", "Option Three"]
                    },
                    "untitledMulti": {
                        "type": "array", "items": { "type": "string", "enum": ["option1", "option2", "option3"] }
                    },
                    "titledMulti": { "type": "array", "items": titled("anyOf") }
                }
            });
            ask(&call, "Test enum schema improvements", schema).await
        },
    );
    tool(
        catalogue,
        "test_missing_capability",
        plain(),
        |call| async move {
            let capabilities = call.meta().client_capabilities().unwrap_or_default();
            if capabilities.sampling.is_none() {
                let required = ClientCapabilities::builder().enable_sampling().build();
                return Err(ErrorData::missing_required_client_capability(required));
            }
            said("Required capability declared")
        },
    );
}

async fn ask(call: &Call, message: &str, schema: Value) -> Answer {
    let requested_schema: ElicitationSchema = serde_json::from_value(schema)
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    let asked = call
        .context()
        .peer
        .create_elicitation(ElicitRequestParams::FormElicitationParams {
            meta: None,
            message: message.to_owned(),
            requested_schema,
        })
        .await
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    let action = serde_json::to_value(&asked.action).unwrap_or_default();
    let content = asked.content.unwrap_or_default();
    said(format!(
        "Elicitation completed: action={}, content={content}",
        action.as_str().unwrap_or("unknown")
    ))
}
