//! What was agreed to: shown, recorded, and what is not.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::call::{Call, Fault};
use super::super::catalogue::{Act, Catalogue, Effects, ToolRow};
use super::super::look::Look;
use super::super::person::Agreed;
use super::write::offer as act;
use crate::protocol::command::CommandBody;
use crate::protocol::consent::{
    Consent, ConsentActor, ConsentEvidence, ConsentMethod, ConsentScope, Withdrawal,
};
use crate::protocol::ids::LearnerId;

/// Whose consent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Who {
    /// The learner's id; may be left out where only one is here. It may be one of whom nothing is shown.
    #[serde(default)]
    learner: Option<String>,
}

/// Who does not agree to what.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Refuse {
    /// What is not agreed to.
    scopes: BTreeSet<ConsentScope>,
    /// Who says so.
    actor: ConsentActor,
}

/// What was agreed to, and how that is known.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Give {
    /// What is agreed to.
    scopes: BTreeSet<ConsentScope>,
    /// Who agreed.
    actor: ConsentActor,
    /// How it was given.
    method: ConsentMethod,
    /// Where the evidence lies, for example a file number. No names.
    #[serde(default)]
    reference: Option<String>,
    /// Edition of the text that was agreed to.
    #[serde(default = "first")]
    text_version: String,
    /// Until when it holds, milliseconds since the Unix epoch; left out: until it is withdrawn.
    #[serde(default)]
    until_unix_ms: Option<u64>,
}

fn first() -> String {
    "1".to_owned()
}

pub(super) fn offer(catalogue: &mut Catalogue) {
    use Effects::{Reads, Sets};
    catalogue.tool(ToolRow::typed(
        (
            "consent.show",
            "Show consents",
            "What was agreed to for a learner, who may agree to what, and whether an instructor may see them now.",
        ),
        (Act::ReadConsent, Reads),
        show,
    ));
    act(
        catalogue,
        (
            "consent.withdraw",
            "Record refusal",
            "Records that somebody does not agree, or no longer. It holds at once, and only the same can agree again.",
        ),
        (Act::WithdrawConsent, Sets),
        |it: Refuse| {
            Ok(CommandBody::WithdrawConsent(Withdrawal {
                scopes: it.scopes,
                actor: it.actor,
            }))
        },
    );
    act(
        catalogue,
        (
            "consent.record",
            "Record consent",
            "Records what a learner, a guardian or the school agreed to elsewhere, and how that is known. Only an operator \
             with a token of their own may: the one that a program prints when it starts does not say who attests.",
        ),
        (Act::Consent, Sets),
        |it: Give| {
            Ok(CommandBody::GiveConsent(Consent {
                scopes: it.scopes,
                text_version: it.text_version,
                actor: it.actor,
                evidence: ConsentEvidence {
                    method: it.method,
                    reference: it.reference,
                },
                until_unix_ms: it.until_unix_ms,
            }))
        },
    );
}

async fn show(call: Call, who: Who) -> Result<Agreed, Fault> {
    let named = who.learner.as_deref();
    let learner = match named.and_then(|text| text.parse::<LearnerId>().ok()) {
        Some(id) => id,
        None => call.find(named)?.learner,
    };
    call.may_with(Act::ReadConsent, learner)?;
    Ok(call.look(|answer| Look::Agreed(learner, answer)).await??)
}
