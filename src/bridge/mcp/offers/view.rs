//! A picture of what a learner sees.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rmcp::ErrorData;
use rmcp::handler::server::common::schema_for_type;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::call::Call;
use super::super::catalogue::{Act, Catalogue, Effects, ToolRow, describe, failed};
use super::super::look::Look;
use crate::bridge::pictures::{PICTURE_WITHIN, PictureWish};
use crate::protocol::ids::LearnerId;
use crate::session::picture::Picture;

/// Whose.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Whose {
    /// The learner's id from class.list_learners; may be left out where only one is here.
    #[serde(default)]
    learner: Option<String>,
}

/// What the image beside this is.
#[derive(Debug, Serialize, JsonSchema)]
struct Seen {
    /// Whose view.
    learner: LearnerId,
    /// Pixels across.
    width: u32,
    /// Pixels down.
    height: u32,
    /// Size of the PNG file.
    bytes: usize,
}

pub(super) fn offer(catalogue: &mut Catalogue) {
    let tool = describe::<Seen>(
        "view.capture",
        "Look through the learner's eyes",
        "A picture (PNG) of what the learner sees now: the left eye, or the window on a desktop. At most one a second. \
         Needs the learner's consent to view_picture, which nobody has given by default; the learner is shown that \
         somebody looks. Nothing is kept. view.scene says the same in words and needs no such consent.",
        Effects::Reads,
        (*schema_for_type::<Whose>()).clone(),
    );
    catalogue.tool(ToolRow::new(tool, Act::View, capture));
}

async fn capture(call: Call) -> Result<CallToolResponse, ErrorData> {
    let taken = match call.arguments::<Whose>() {
        Ok(whose) => picture(&call, whose.learner.as_deref()).await,
        Err(why) => Err(why),
    };
    Ok(match taken {
        Ok((learner, picture)) => shown(learner, &picture),
        Err(why) => failed(why),
    })
}

async fn picture(call: &Call, learner: Option<&str>) -> Result<(LearnerId, Picture), String> {
    let learner = call.find(learner)?.learner;
    if let Err(why) = call.may_with(Act::View, learner) {
        call.tell_refused(Act::View);
        return Err(why);
    }
    let asker = call.caller()?.asker();
    let wish = |answer| {
        Look::Picture(PictureWish {
            learner,
            asker,
            answer,
            at_the_host: false,
        })
    };
    let taken = call.look_within(PICTURE_WITHIN, wish).await?;
    Ok((learner, taken.map_err(|why| why.to_string())?))
}

fn shown(learner: LearnerId, picture: &Picture) -> CallToolResponse {
    let seen = json!(Seen {
        learner,
        width: picture.width,
        height: picture.height,
        bytes: picture.png.len(),
    });
    let mut answer = CallToolResult::structured(seen);
    let image = ContentBlock::image(BASE64_STANDARD.encode(&picture.png), "image/png");
    answer.content.insert(0, image);
    answer.into()
}
