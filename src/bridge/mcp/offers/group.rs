//! Groups: a named set of learners, as a target of the acts, of the class tools and of a resource.

use std::collections::{BTreeMap, BTreeSet};

use rmcp::ErrorData;
use rmcp::model::{ReadResourceResponse, ResourceTemplate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::call::Call;
use super::super::catalogue::{Act, Catalogue, Effects, ResourceRow, ToolRow};
use super::super::look::Look;
use super::asking::offer as ask;
use super::class::{self, NoArguments};
use super::resources::text;
use crate::bridge::access::percent_decoded;
use crate::bridge::machine::What;
use crate::protocol::ids::LearnerId;

const GROUP: &str = "group://";
const DASHBOARD: &str = "/dashboard";

/// A new group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Create {
    /// Its name: 1 to 40 letters, digits, spaces, `-` and `_`. One of that name is replaced.
    name: String,
    /// What it is for.
    #[serde(default)]
    mode: Mode,
    /// Who is in it, by id.
    members: Vec<LearnerId>,
}

/// What a group is for.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// Learners beside each other.
    #[default]
    Peer,
    /// Some help others.
    Mentor,
    /// They work on one thing.
    Project,
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Mentor => "mentor",
            Self::Project => "project",
        }
    }
}

/// Who comes and goes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Assign {
    /// The group's name.
    name: String,
    /// Who is in it, too.
    #[serde(default)]
    add: Vec<LearnerId>,
    /// Who is in it no more.
    #[serde(default)]
    remove: Vec<LearnerId>,
}

/// Which group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    /// The group's name.
    name: String,
}

/// The groups.
#[derive(Debug, Serialize, JsonSchema)]
struct Groups {
    /// By name, those of whom you may see somebody.
    groups: BTreeMap<String, OneGroup>,
}

/// One of them.
#[derive(Debug, Serialize, JsonSchema)]
struct OneGroup {
    /// What it is for: peer, mentor or project.
    mode: String,
    /// Who is in it, of those you may see.
    members: Vec<LearnerId>,
}

pub(super) fn offer(catalogue: &mut Catalogue) {
    use Effects::{Reads, Sets};
    let form = (Act::Group, Sets);
    ask(
        catalogue,
        (
            "group.create",
            "Create group",
            "Forms a named group of learners who are here; other tools take it as `group`. It lasts as long as the program.",
        ),
        form,
        |it: Create, _| {
            Ok(What::Form {
                name: it.name,
                mode: Some(it.mode.name().to_owned()),
                members: Some(it.members.into_iter().collect()),
                also: BTreeSet::new(),
                without: BTreeSet::new(),
            })
        },
    );
    ask(
        catalogue,
        (
            "group.assign",
            "Assign to group",
            "Puts learners into a group, or takes them out of it.",
        ),
        form,
        |it: Assign, _| {
            Ok(What::Form {
                name: it.name,
                mode: None,
                members: None,
                also: it.add.into_iter().collect(),
                without: it.remove.into_iter().collect(),
            })
        },
    );
    ask(
        catalogue,
        (
            "group.dissolve",
            "Dissolve group",
            "A group is no more; nothing changes for its learners.",
        ),
        form,
        |it: Named, _| Ok(What::Dissolve { name: it.name }),
    );
    catalogue.tool(ToolRow::typed(
        (
            "group.list",
            "List groups",
            "The groups of this class, and who is in them.",
        ),
        (Act::ReadRoster, Reads),
        |call: Call, _: NoArguments| async move {
            let all = call.look(Look::Groups).await?.0;
            let seen = all.into_iter().map(|(name, group)| {
                let members = group.members.into_iter();
                let members: Vec<LearnerId> = members.filter(|it| call.sees(*it)).collect();
                let mode = group.mode;
                (name, OneGroup { mode, members })
            });
            Ok(Groups {
                groups: seen.filter(|(_, it)| !it.members.is_empty()).collect(),
            })
        },
    ));
    let template = ResourceTemplate::new(format!("{GROUP}{{group}}{DASHBOARD}"), "group dashboard")
        .with_description("A group as a whole, without identities; spaces in its name are %20")
        .with_mime_type("application/json");
    let row = ResourceRow::new(
        Act::ReadRoster,
        |uri| group_of(uri).is_some(),
        |_| Vec::new(),
        dashboard,
    );
    catalogue.resource(row.with_template(template));
}

/// The group's name in an address.
fn group_of(uri: &str) -> Option<String> {
    let name = uri.strip_prefix(GROUP)?.strip_suffix(DASHBOARD)?;
    String::from_utf8(percent_decoded(name))
        .ok()
        .filter(|it| !it.is_empty())
}

async fn dashboard(call: Call, uri: String) -> Result<ReadResourceResponse, ErrorData> {
    let name = group_of(&uri).unwrap_or_default();
    let gone = |why: String| ErrorData::resource_not_found(why, Some(json!({ "uri": uri })));
    let members = call.members(&name).await.map_err(gone)?;
    text(&uri, &class::dashboard_of_those(&call, &members))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_groups_and_nothing_else() {
        let of = |uri| group_of(uri);
        assert_eq!(of("group://red/dashboard").as_deref(), Some("red"));
        assert_eq!(
            of("group://red%20team/dashboard").as_deref(),
            Some("red team")
        );
        assert_eq!(of("group:///dashboard"), None);
        assert_eq!(of("group://red"), None);
        assert_eq!(of("group://%ff/dashboard"), None);
        assert_eq!(of("class://red/dashboard"), None);
    }
}
