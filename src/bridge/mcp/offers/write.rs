//! Tools that act: each becomes one typed command with who, why and an id, and answers with what came of it.

use rmcp::handler::server::common::schema_for_type;
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::call::{Call, Fault};
use super::super::catalogue::{
    Act, Catalogue, Effects, ToolRow, describe, structured, with_properties,
};
use super::super::confirm::confirmed;
use super::carry::{
    DoneForAll, Whom, answer, carry_out, for_all, for_group, read_rest, take_wish, whom,
};
use crate::protocol::command::{CommandBody, Refusal};
use crate::protocol::ids::{CommandId, LearnerId};

/// What every act takes besides what it is about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wish {
    pub learner: Option<String>,
    pub group: Option<String>,
    pub purpose: String,
    pub command_id: Option<String>,
    pub dry_run: bool,
}

impl Wish {
    /// The id that the client gave; `None`: it gave none.
    pub fn id(&self) -> Result<Option<CommandId>, String> {
        let read = |text: &String| {
            text.parse()
                .map_err(|_| format!("`{text}` is no UUID; leave command_id out to have one made"))
        };
        self.command_id.as_ref().map(read).transpose()
    }
}

/// What a command did in the learner's world.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Done {
    /// The command's id: sent again, it is not carried out again.
    pub command_id: CommandId,
    /// For whom; left out where a group was meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learner: Option<LearnerId>,
    /// For which group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether it was carried out; for a group, for at least one of it.
    pub done: bool,
    /// Whether it was only tried out.
    pub dry_run: bool,
    /// What the learner now sees or hears; of a dry run, what they would; of a refusal, why, and what to do instead.
    pub effect: String,
    /// Why it was not carried out, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
    /// The trace that command, log and this answer belong to.
    pub trace: String,
    /// Of a group, learner by learner.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<One>,
}

/// What a command did in the world of one learner of a group.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct One {
    /// For whom.
    pub learner: LearnerId,
    /// Whether it was carried out.
    pub done: bool,
    /// What the learner now sees or hears, or why not.
    pub effect: String,
    /// Why it was not carried out, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
}

/// The properties of [`Wish`], for the schema.
pub(super) fn wishes() -> Value {
    json!({
        "learner": {
            "type": ["string", "null"],
            "description": "The learner's id from class.list_learners; may be left out where only one is here."
        },
        "group": {
            "type": ["string", "null"],
            "description": "Instead of a learner: everybody of this group (group.list names them)."
        },
        "purpose": {
            "type": "string",
            "description": "Why, in a few words; kept in the learner's record. No names.",
            "maxLength": 200
        },
        "command_id": {
            "type": ["string", "null"],
            "format": "uuid",
            "description": "A UUID of your own: sending the same one twice carries the command out once."
        },
        "dry_run": {
            "type": "boolean",
            "description": "Only say what would happen; nothing is done or recorded.",
            "default": false
        }
    })
}

/// Where an act that cannot be undone asks back by a token.
fn confirmation() -> Value {
    json!({
        "confirm": {
            "type": "string",
            "description": "Only for clients that cannot ask their person by elicitation: the token from the first, unconfirmed call."
        }
    })
}

/// What an act takes: its own arguments, its wishes, and the token of an act that asks back.
pub(super) fn input<A: JsonSchema + 'static>(wishes: &Value, effects: Effects) -> JsonObject {
    let input = with_properties((*schema_for_type::<A>()).clone(), wishes);
    match effects {
        Effects::Ends => with_properties(input, &confirmation()),
        _ => input,
    }
}

/// Asks back before what cannot be undone, and is not only tried.
pub(super) async fn ask_back(
    call: &Call,
    wish: &Wish,
    (title, says, effects): (&str, &str, Effects),
    of: &str,
) -> Result<(), Fault> {
    if effects != Effects::Ends || wish.dry_run {
        return Ok(());
    }
    confirmed(call, &format!("{title}: {says} This is for {of}.")).await
}

/// How a tool is named and described.
pub(super) type Words = (&'static str, &'static str, &'static str);

/// An act upon one learner.
pub(super) fn offer<A>(
    catalogue: &mut Catalogue,
    (name, title, says): Words,
    (needs, effects): (Act, Effects),
    body: fn(A) -> Result<CommandBody, String>,
) where
    A: DeserializeOwned + JsonSchema + Send + 'static,
{
    let input = input::<A>(&wishes(), effects);
    catalogue.tool(ToolRow {
        tool: describe::<Done>(name, title, says, effects, input),
        needs,
        says: true,
        run: Box::new(move |call| {
            Box::pin(async move {
                let done = async {
                    let (wish, rest) = take_wish(&call)?;
                    let arguments: A = read_rest(&call, rest)?;
                    let body = body(arguments)?;
                    let whom = whom(&call, &wish, needs, body.is_open_to_all()).await?;
                    ask_back(&call, &wish, (title, says, effects), &whom.words()).await?;
                    match whom {
                        Whom::One(learner) => Ok(carry_out(&call, learner, &wish, body).await?),
                        Whom::Group(name, members) => {
                            Ok(for_group(&call, name, &members, &wish, &body).await?)
                        }
                    }
                };
                answer(done.await)
            })
        }),
    });
}

/// An act upon everybody whom the caller may reach.
pub(super) fn offer_for_all<A>(
    catalogue: &mut Catalogue,
    (name, title, says): Words,
    (needs, effects): (Act, Effects),
    body: fn(A) -> Result<CommandBody, String>,
) where
    A: DeserializeOwned + JsonSchema + Send + 'static,
{
    let mut wishes = wishes();
    if let Some(wishes) = wishes.as_object_mut() {
        wishes.remove("learner");
    }
    let input = input::<A>(&wishes, effects);
    catalogue.tool(ToolRow {
        tool: describe::<DoneForAll>(name, title, says, effects, input),
        needs,
        says: true,
        run: Box::new(move |call| {
            Box::pin(async move {
                let done = async {
                    let (wish, rest) = take_wish(&call)?;
                    let body = body(read_rest::<A>(&call, rest)?)?;
                    if wish.learner.is_some() {
                        return Err(Fault::from(
                            "this is for everybody, or for a group: it takes no learner",
                        ));
                    }
                    let of = wish.group.as_ref();
                    let of =
                        of.map_or_else(|| "everybody".to_owned(), |name| format!("group {name}"));
                    ask_back(&call, &wish, (title, says, effects), &of).await?;
                    Ok(for_all(&call, needs, &wish, &body).await?)
                };
                match done.await {
                    Ok(done) => structured(&done, false),
                    Err(fault) => fault.answer(),
                }
            })
        }),
    });
}
