//! Fixtures that return what they are asked for: texts, pictures, sounds, resources, prompts.

#![allow(deprecated)] // Logging to the client is, and the suite asks for it.

use malloc_vr::bridge::mcp::call::Call;
use malloc_vr::bridge::mcp::catalogue::{Act, Catalogue, PromptRow, ResourceRow, ToolRow};
use malloc_vr::bridge::mcp::follow::List;
use rmcp::ErrorData;
use rmcp::model::{
    AudioContent, CallToolResponse, CallToolResult, ContentBlock, GetPromptResponse,
    GetPromptResult, ImageContent, JsonObject, LoggingLevel, Prompt, PromptArgument, PromptMessage,
    ReadResourceResponse, ReadResourceResult, Resource, ResourceContents, ResourceTemplate, Role,
    Tool,
};
use serde_json::{Value, json};

/// One red pixel.
const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==";
/// No sound at all.
const SOUND: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";

pub(crate) type Answer = Result<CallToolResponse, ErrorData>;

pub(crate) fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}

pub(crate) fn tool<F>(
    catalogue: &mut Catalogue,
    name: &'static str,
    schema: Value,
    run: fn(Call) -> F,
) where
    F: Future<Output = Answer> + Send + 'static,
{
    let tool = Tool::new(name, "A fixture of the conformance suite", object(schema));
    catalogue.tool(ToolRow::new(tool, Act::ReadPolicy, run));
}

pub(crate) fn plain() -> Value {
    json!({ "type": "object", "properties": {} })
}

pub(crate) fn said(text: impl Into<String>) -> Answer {
    Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into())
}

pub(crate) fn offer(catalogue: &mut Catalogue) {
    tool(catalogue, "test_simple_text", plain(), |_| async {
        said("This is a simple text response for testing.")
    });
    tool(catalogue, "test_image_content", plain(), |_| async {
        Ok(CallToolResult::success(vec![ContentBlock::image(PICTURE, "image/png")]).into())
    });
    tool(catalogue, "test_audio_content", plain(), |_| async {
        let audio = ContentBlock::Audio(AudioContent::new(SOUND, "audio/wav"));
        Ok(CallToolResult::success(vec![audio]).into())
    });
    tool(catalogue, "test_embedded_resource", plain(), |_| async {
        let text = "This is an embedded resource content.";
        let contents =
            ResourceContents::text(text, "test://embedded-resource").with_mime_type("text/plain");
        Ok(CallToolResult::success(vec![ContentBlock::resource(contents)]).into())
    });
    tool(
        catalogue,
        "test_multiple_content_types",
        plain(),
        |_| async {
            let contents = ResourceContents::text(
                r#"{"test":"data","value":123}"#,
                "test://mixed-content-resource",
            )
            .with_mime_type("application/json");
            Ok(CallToolResult::success(vec![
                ContentBlock::text("Multiple content types test:"),
                ContentBlock::image(PICTURE, "image/png"),
                ContentBlock::resource(contents),
            ])
            .into())
        },
    );
    tool(catalogue, "test_error_handling", plain(), |_| async {
        let text = "This tool intentionally returns an error for testing";
        Ok(CallToolResult::error(vec![ContentBlock::text(text)]).into())
    });
    tool(catalogue, "test_tool_with_logging", plain(), with_logging);
    tool(catalogue, "test_logging_tool", plain(), with_logging);
    tool(
        catalogue,
        "test_tool_with_progress",
        plain(),
        |call| async move {
            for (done, words) in [(0.0, "Starting"), (50.0, "Halfway"), (100.0, "Complete")] {
                call.progress(done, 100.0, words).await;
            }
            said("Progress test completed")
        },
    );
    tool(catalogue, "test_reconnection", plain(), |_| async {
        said("Reconnection test completed")
    });
    let header = json!({
        "type": "object",
        "properties": { "value": { "type": "string", "x-mcp-header": "Value" } },
        "required": ["value"]
    });
    tool(catalogue, "test_custom_header", header, |call| async move {
        let value = call.text("value").map(str::to_owned);
        said(value.ok_or_else(|| ErrorData::invalid_params("value must be a string", None))?)
    });
    tool(
        catalogue,
        "json_schema_2020_12_tool",
        schema_2020_12(),
        |call| async move { said(format!("Hello, {}!", call.text("name").unwrap_or("world"))) },
    );
    tool(
        catalogue,
        "test_trigger_tool_change",
        plain(),
        |call| async move {
            call.list_changed(List::Tools);
            said("Tool list change triggered")
        },
    );
    tool(
        catalogue,
        "test_trigger_prompt_change",
        plain(),
        |call| async move {
            call.list_changed(List::Prompts);
            said("Prompt list change triggered")
        },
    );
    catalogue.completion("arg1", |_, _| vec!["paris".to_owned(), "park".to_owned()]);
    resources(catalogue);
    prompts(catalogue);
}

async fn with_logging(call: Call) -> Answer {
    for words in [
        "Tool execution started",
        "Tool processing data",
        "Tool execution completed",
    ] {
        call.log(LoggingLevel::Info, words).await;
    }
    said("Logging test completed")
}

fn schema_2020_12() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "address",
                "type": "object",
                "properties": { "street": { "type": "string" }, "city": { "type": "string" } }
            }
        },
        "properties": { "name": { "type": "string" }, "address": { "$ref": "#/$defs/address" } },
        "allOf": [{ "anyOf": [{ "required": ["name"] }, { "required": ["address"] }] }],
        "if": { "required": ["address"] },
        "then": { "properties": { "address": { "required": ["street"] } } },
        "else": { "required": ["name"] },
        "additionalProperties": false
    })
}

fn resources(catalogue: &mut Catalogue) {
    let row = ResourceRow::new(
        Act::ReadPolicy,
        |uri| {
            matches!(
                uri,
                "test://static-text" | "test://static-binary" | "test://watched-resource"
            ) || template_id(uri).is_some()
        },
        |_| {
            vec![
                Resource::new("test://static-text", "Static Text Resource")
                    .with_description("A static text resource for testing")
                    .with_mime_type("text/plain"),
                Resource::new("test://static-binary", "Static Binary Resource")
                    .with_description("A static binary resource for testing")
                    .with_mime_type("image/png"),
                Resource::new("test://watched-resource", "Watched Resource")
                    .with_description("A resource to subscribe to")
                    .with_mime_type("text/plain"),
            ]
        },
        read,
    );
    let template = ResourceTemplate::new("test://template/{id}/data", "Dynamic Resource")
        .with_description("A dynamic resource with parameter substitution")
        .with_mime_type("application/json");
    catalogue.resource(row.with_template(template));
    catalogue.completion("id", |_, _| ["1", "2", "3"].map(str::to_owned).to_vec());
}

fn template_id(uri: &str) -> Option<&str> {
    uri.strip_prefix("test://template/")?.strip_suffix("/data")
}

async fn read(_: Call, uri: String) -> Result<ReadResourceResponse, ErrorData> {
    let contents = match (uri.as_str(), template_id(&uri)) {
        ("test://static-binary", _) => {
            ResourceContents::blob(PICTURE, &*uri).with_mime_type("image/png")
        }
        (_, Some(id)) => {
            let text =
                json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
            ResourceContents::text(text.to_string(), &*uri).with_mime_type("application/json")
        }
        _ => {
            let text = "This is the content of the static text resource.";
            ResourceContents::text(text, &*uri).with_mime_type("text/plain")
        }
    };
    Ok(ReadResourceResult::new(vec![contents]).into())
}

fn prompts(catalogue: &mut Catalogue) {
    let simple = Prompt::new(
        "test_simple_prompt",
        Some("A simple test prompt without arguments"),
        None,
    );
    catalogue.prompt(PromptRow::new(simple, |_| async {
        filled(vec![PromptMessage::new_text(
            Role::User,
            "This is a simple test prompt.",
        )])
    }));
    let arguments = vec![
        PromptArgument::new("arg1")
            .with_description("First test argument")
            .with_required(true),
        PromptArgument::new("arg2")
            .with_description("Second test argument")
            .with_required(true),
    ];
    let with_arguments = Prompt::new(
        "test_prompt_with_arguments",
        Some("A test prompt with arguments"),
        Some(arguments),
    );
    catalogue.prompt(PromptRow::new(with_arguments, |call| async move {
        let [one, two] = ["arg1", "arg2"].map(|name| call.text(name).unwrap_or_default());
        let text = format!("Prompt with arguments: arg1='{one}', arg2='{two}'");
        filled(vec![PromptMessage::new_text(Role::User, text)])
    }));
    let embedding = Prompt::new(
        "test_prompt_with_embedded_resource",
        Some("A test prompt with an embedded resource"),
        Some(vec![
            PromptArgument::new("resourceUri")
                .with_description("Which")
                .with_required(true),
        ]),
    );
    catalogue.prompt(PromptRow::new(embedding, |call| async move {
        let uri = call
            .text("resourceUri")
            .unwrap_or("test://static-text")
            .to_owned();
        filled(vec![
            PromptMessage::new_resource(
                Role::User,
                uri,
                Some("text/plain".to_owned()),
                Some("Embedded resource content for testing.".to_owned()),
                None,
                None,
                None,
            ),
            PromptMessage::new_text(Role::User, "Please process the embedded resource above."),
        ])
    }));
    let picture = Prompt::new(
        "test_prompt_with_image",
        Some("A test prompt with a picture"),
        None,
    );
    catalogue.prompt(PromptRow::new(picture, |_| async {
        let image = ContentBlock::Image(ImageContent::new(PICTURE, "image/png"));
        filled(vec![
            PromptMessage::new(Role::User, image),
            PromptMessage::new_text(Role::User, "Please analyze the image above."),
        ])
    }));
}

fn filled(messages: Vec<PromptMessage>) -> Result<GetPromptResponse, ErrorData> {
    Ok(GetPromptResult::new(messages).into())
}
