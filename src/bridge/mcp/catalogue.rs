//! The list of what a client can call, read and be prompted with: rows of a name, a description and what it does.
//! It is made once; the handler, which is made for each request, only looks into it.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rmcp::ErrorData;
use rmcp::handler::server::common::{schema_for_output, schema_for_type};
use rmcp::model::{
    CallToolResponse, CallToolResult, ContentBlock, ExtensionCapabilities, GetPromptResponse,
    JsonObject, Prompt, ReadResourceResponse, Resource, ResourceTemplate, ServerCapabilities, Tool,
    ToolAnnotations,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::call::{Call, Fault};
use super::offers::app;
pub use crate::bridge::access::Act;

/// What comes of a call.
pub type Answering = BoxFuture<'static, Result<CallToolResponse, ErrorData>>;

/// How a prompt is filled in.
pub type Prompting = BoxFuture<'static, Result<GetPromptResponse, ErrorData>>;

/// Contents of a resource.
pub type Reading = BoxFuture<'static, Result<ReadResourceResponse, ErrorData>>;

/// How an act changes the world, for the tool's annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effects {
    /// Nothing changes.
    Reads,
    /// Something is added or set; done twice it is as done once.
    Sets,
    /// Each time something more happens.
    Adds,
    /// What was there is gone for good.
    Ends,
}

/// A tool.
pub struct ToolRow {
    pub(super) tool: Tool,
    pub(super) needs: Act,
    /// What comes of it is a line in the client's log.
    pub(super) says: bool,
    pub(super) run: Box<dyn Fn(Call) -> Answering + Send + Sync>,
}

impl ToolRow {
    /// A tool that reads its arguments and writes its result itself.
    #[must_use]
    pub fn new<F>(tool: Tool, needs: Act, run: fn(Call) -> F) -> Self
    where
        F: Future<Output = Result<CallToolResponse, ErrorData>> + Send + 'static,
    {
        Self {
            tool,
            needs,
            says: false,
            run: Box::new(move |call| Box::pin(run(call))),
        }
    }

    /// A tool with typed arguments and a typed result.
    pub(super) fn typed<A, O, F>(
        (name, title, says): (&'static str, &'static str, &'static str),
        (needs, effects): (Act, Effects),
        run: fn(Call, A) -> F,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema + Send + 'static,
        O: Serialize + JsonSchema + 'static,
        F: Future<Output = Result<O, Fault>> + Send + 'static,
    {
        let input = (*schema_for_type::<A>()).clone();
        Self {
            tool: describe::<O>(name, title, says, effects, input),
            needs,
            says: effects != Effects::Reads,
            run: Box::new(move |call| {
                let read = call.arguments::<A>();
                Box::pin(async move {
                    match read {
                        Ok(arguments) => match run(call, arguments).await {
                            Ok(result) => structured(&result, false),
                            Err(fault) => fault.answer(),
                        },
                        Err(why) => Ok(failed(why)),
                    }
                })
            }),
        }
    }
}

/// A tool's entry in the list.
pub(super) fn describe<O: JsonSchema + 'static>(
    name: &'static str,
    title: &'static str,
    says: &'static str,
    effects: Effects,
    mut input: JsonObject,
) -> Tool {
    input.entry("type").or_insert_with(|| json!("object"));
    input.entry("properties").or_insert_with(|| json!({}));
    plain(&mut input);
    let mut output = (*schema_for_output::<O>()).clone();
    plain(&mut output);
    let annotations = ToolAnnotations::from_raw(
        Some(title.to_owned()),
        Some(effects == Effects::Reads),
        Some(effects == Effects::Ends),
        Some(matches!(effects, Effects::Reads | Effects::Sets)),
        Some(false),
    );
    let mut tool = Tool::new(name, says, input)
        .with_annotations(annotations)
        .with_raw_output_schema(Arc::new(output));
    tool.title = Some(title.to_owned());
    tool
}

/// Takes out formats of numbers (`uint8`, `double` and the like) that schemars adds: JSON Schema knows none of them, and
/// strict clients complain of each.
fn plain(schema: &mut JsonObject) {
    let number = |format: &Value| {
        let format = format.as_str().unwrap_or_default();
        ["uint", "int", "float", "double"]
            .iter()
            .any(|known| format.starts_with(known))
    };
    // A property may itself be called `format`; its schema is no text.
    if schema.get("format").is_some_and(number) {
        schema.remove("format");
    }
    for inner in schema.values_mut() {
        let parts: &mut [Value] = match inner {
            Value::Array(all) => all,
            one => std::slice::from_mut(one),
        };
        for part in parts {
            if let Value::Object(object) = part {
                plain(object);
            }
        }
    }
}

/// A result with its structure, and the same as text for clients that know only text.
pub(super) fn structured<O: Serialize>(
    result: &O,
    is_error: bool,
) -> Result<CallToolResponse, ErrorData> {
    let value = serde_json::to_value(result)
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    let mut answer = if is_error {
        CallToolResult::structured_error(value)
    } else {
        CallToolResult::structured(value)
    };
    answer.is_error = Some(is_error);
    Ok(answer.into())
}

/// What went wrong, for whoever called to read.
pub(super) fn failed(why: impl Into<String>) -> CallToolResponse {
    CallToolResult::error(vec![ContentBlock::text(why)]).into()
}

/// A prompt.
pub struct PromptRow {
    pub(super) prompt: Prompt,
    pub(super) fill: Box<dyn Fn(Call) -> Prompting + Send + Sync>,
}

impl PromptRow {
    /// A prompt; its arguments are among the call's.
    #[must_use]
    pub fn new<F>(prompt: Prompt, fill: fn(Call) -> F) -> Self
    where
        F: Future<Output = Result<GetPromptResponse, ErrorData>> + Send + 'static,
    {
        Self {
            prompt,
            fill: Box::new(move |call| Box::pin(fill(call))),
        }
    }
}

/// A family of resources.
pub struct ResourceRow {
    pub(super) needs: Act,
    /// Those that are there now.
    pub(super) list: fn(&Call) -> Vec<Resource>,
    /// How their addresses are made.
    pub(super) template: Option<ResourceTemplate>,
    /// Whether an address belongs to the family.
    pub(super) is: fn(&str) -> bool,
    pub(super) read: Box<dyn Fn(Call, String) -> Reading + Send + Sync>,
}

impl ResourceRow {
    /// A family: whether an address belongs to it, which ones are there now, and how one is read.
    #[must_use]
    pub fn new<F>(
        needs: Act,
        is: fn(&str) -> bool,
        list: fn(&Call) -> Vec<Resource>,
        read: fn(Call, String) -> F,
    ) -> Self
    where
        F: Future<Output = Result<ReadResourceResponse, ErrorData>> + Send + 'static,
    {
        Self {
            needs,
            list,
            template: None,
            is,
            read: Box::new(move |call, uri| Box::pin(read(call, uri))),
        }
    }

    /// With a template for addresses.
    #[must_use]
    pub fn with_template(self, template: ResourceTemplate) -> Self {
        Self {
            template: Some(template),
            ..self
        }
    }
}

/// Words that complete what somebody began to type: for (what refers, name of the argument), given the call.
pub type Completing = fn(&Call, &str) -> Vec<String>;

/// Everything on offer.
#[derive(Default)]
pub struct Catalogue {
    pub(super) tools: BTreeMap<String, Arc<ToolRow>>,
    pub(super) prompts: BTreeMap<String, Arc<PromptRow>>,
    pub(super) resources: Vec<Arc<ResourceRow>>,
    pub(super) completions: BTreeMap<&'static str, Completing>,
}

impl Catalogue {
    /// What an instructor is offered.
    #[must_use]
    pub fn product() -> Self {
        let mut all = Self::default();
        super::offers::all(&mut all);
        all
    }

    /// One tool more; the latest of a name counts.
    pub fn tool(&mut self, row: ToolRow) {
        self.tools.insert(row.tool.name.to_string(), Arc::new(row));
    }

    /// Every tool's name, and what one must be allowed to do to call it.
    pub fn needs(&self) -> impl Iterator<Item = (&str, Act)> {
        let rows = self.tools.iter();
        rows.map(|(name, row)| (name.as_str(), row.needs))
    }

    /// One prompt more.
    pub fn prompt(&mut self, row: PromptRow) {
        self.prompts.insert(row.prompt.name.clone(), Arc::new(row));
    }

    /// One family of resources more; the first that an address belongs to counts.
    pub fn resource(&mut self, row: ResourceRow) {
        self.resources.push(Arc::new(row));
    }

    /// Words for an argument of this name, of prompts and templates.
    pub fn completion(&mut self, argument: &'static str, words: Completing) {
        self.completions.insert(argument, words);
    }

    /// The tool of this name. Clients whose models know no dots in names write `_` for them.
    pub(super) fn tool_named(&self, name: &str) -> Option<&Arc<ToolRow>> {
        self.tools.get(name).or_else(|| {
            self.tools
                .iter()
                .find(|(known, _)| known.contains('.') && known.replace('.', "_") == name)
                .map(|(_, row)| row)
        })
    }

    /// What the server can do.
    pub(super) fn capabilities() -> ServerCapabilities {
        // `logging` is deprecated by 2026-07-28 and expected by every client before it.
        let extensions =
            ExtensionCapabilities::from([(app::EXTENSION.to_owned(), app::extension())]);
        #[allow(deprecated)]
        ServerCapabilities::builder()
            .enable_extensions_with(extensions)
            .enable_completions()
            .enable_logging()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_list_changed()
            .enable_resources_subscribe()
            .enable_tools()
            .enable_tool_list_changed()
            .build()
    }
}

/// One page of a list, and where the next begins.
///
/// # Errors
/// A cursor that we did not give.
pub(super) fn page<T>(
    all: Vec<T>,
    cursor: Option<&str>,
) -> Result<(Vec<T>, Option<String>), ErrorData> {
    /// Long enough that no ordinary class needs a second page, short enough for a message.
    const PAGE: usize = 100;
    let from = match cursor {
        None => 0,
        Some(cursor) => cursor
            .parse()
            .ok()
            .filter(|from| *from <= all.len())
            .ok_or_else(|| {
                ErrorData::invalid_params(
                    format!("`{cursor}` is no cursor of this list; begin again without one"),
                    None,
                )
            })?,
    };
    let end = from + PAGE;
    let next = (end < all.len()).then(|| end.to_string());
    Ok((all.into_iter().skip(from).take(PAGE).collect(), next))
}

/// Puts properties of `more` into the schema of an object.
pub(super) fn with_properties(mut schema: JsonObject, more: &Value) -> JsonObject {
    let properties = schema
        .entry("properties")
        .or_insert_with(|| Value::Object(Map::new()));
    if let (Some(properties), Some(more)) = (properties.as_object_mut(), more.as_object()) {
        for (name, property) in more {
            properties.insert(name.clone(), property.clone());
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hang_together() {
        let all: Vec<usize> = (0..250).collect();
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let (page, next) = page(all.clone(), cursor.as_deref()).unwrap();
            seen.extend(page);
            match next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, all);
        assert!(page(all.clone(), Some("251")).is_err());
        assert!(page(all, Some("-1")).is_err());
    }
}
