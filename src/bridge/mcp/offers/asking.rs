//! What is asked of the machine itself: each becomes one ask with who, why and an id, and answers with what came of it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::super::call::{Call, Fault};
use super::super::catalogue::{Act, Catalogue, Effects, ToolRow, describe, structured};
use super::super::look::Look;
use super::carry::{read_rest, take_wish};
use super::write::{Words, ask_back, input, wishes};
use crate::bridge::access::caller::PURPOSE;
use crate::bridge::machine::{Ask, Came, What};
use crate::protocol::ids::{CommandId, LearnerId};

/// What takes the disk takes its time.
const WITHIN: Duration = Duration::from_secs(15);

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Asked {
    /// The id: sent again, it is not carried out again.
    pub command_id: CommandId,
    /// Whether it was carried out.
    pub done: bool,
    /// Whether it was only tried out.
    pub dry_run: bool,
    /// What happened; of a dry run, what would; of a refusal, why, and what to do instead.
    pub effect: String,
    /// Files of a copy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
}

/// One file.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct File {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// An act upon the machine. `about` makes of the arguments, and of the learner named if it is about one, what is asked.
pub(super) fn offer<A>(
    catalogue: &mut Catalogue,
    (name, title, says): Words,
    (needs, effects): (Act, Effects),
    about: fn(A, Option<LearnerId>) -> Result<What, String>,
) where
    A: DeserializeOwned + JsonSchema + Send + 'static,
{
    let mut of_all = wishes();
    let about_one = needs.reach() == crate::bridge::access::act::Reach::Learner;
    if let Some(wishes) = of_all.as_object_mut() {
        wishes.remove("group");
        if about_one {
            wishes.insert(
                "learner".to_owned(),
                json!({
                    "type": ["string", "null"],
                    "description": "The learner's pseudonym; may be left out where only one is here. It may be somebody who is \
                                    not in a lesson now, or of whom nothing is shown."
                }),
            );
        } else {
            wishes.remove("learner");
        }
    }
    let input = input::<A>(&of_all, effects);
    catalogue.tool(ToolRow {
        tool: describe::<Asked>(name, title, says, effects, input),
        needs,
        says: true,
        run: Box::new(move |call| {
            Box::pin(async move {
                let done = async {
                    let (wish, rest) = take_wish(&call)?;
                    let arguments: A = read_rest(&call, rest)?;
                    let learner = about_one
                        .then(|| named(&call, wish.learner.as_deref(), needs))
                        .transpose()?;
                    if wish.group.is_some() || wish.learner.is_some() && !about_one {
                        return Err(Fault::from("this takes neither learner nor group"));
                    }
                    let what = about(arguments, learner)?;
                    let of = learner.map_or_else(
                        || "this machine".to_owned(),
                        |learner| format!("learner {learner}"),
                    );
                    ask_back(&call, &wish, (title, says, effects), &of).await?;
                    let id = wish.id()?.unwrap_or_else(CommandId::fresh);
                    ask(&call, needs, id, &wish.purpose, wish.dry_run, what).await
                };
                match done.await {
                    Ok(asked) => {
                        let is_error = !asked.done && !asked.dry_run;
                        structured(&asked, is_error)
                    }
                    Err(fault) => fault.answer(),
                }
            })
        }),
    });
}

/// The learner meant, who need not be here.
fn named(call: &Call, learner: Option<&str>, needs: Act) -> Result<LearnerId, String> {
    let id = match learner {
        None => call.find(None)?.learner,
        Some(text) => text.parse().map_err(|_| {
            format!("`{text}` is no learner id; class.list_learners and the roster give them")
        })?,
    };
    call.may_with(needs, id)?;
    Ok(id)
}

async fn ask(
    call: &Call,
    act: Act,
    id: CommandId,
    purpose: &str,
    dry_run: bool,
    what: What,
) -> Result<Asked, Fault> {
    let caller = call.caller()?;
    caller.may(act).map_err(|why| why.to_string())?;
    let (by, purpose) = (caller.asker(), purpose.chars().take(PURPOSE).collect());
    let came = call
        .look_within(WITHIN, |answer| {
            Look::Machine(Box::new(Ask {
                id,
                by,
                purpose,
                act,
                dry_run,
                what,
                answer,
            }))
        })
        .await?;
    let (done, Came { effect, export }) = match came {
        Ok(came) => (!dry_run, came),
        Err(effect) if dry_run => return Err(Fault::Told(effect)),
        Err(effect) => (
            false,
            Came {
                effect,
                export: None,
            },
        ),
    };
    let files = export.map(|export| export.files).unwrap_or_default();
    Ok(Asked {
        command_id: id,
        done,
        dry_run,
        effect,
        files: files
            .into_iter()
            .map(|(name, text)| File {
                name: name.to_owned(),
                text,
            })
            .collect(),
    })
}
