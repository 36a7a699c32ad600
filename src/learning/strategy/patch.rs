//! Changes to an adaptation table while it is in force: switches and numbers, never new rules. What comes of it is
//! checked as every table is, so that no patch can make one that a school could not have begun with.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check::{Checked, check};
use super::table::{Rule, Strategy, Table, Threshold};

/// What is to be otherwise than in the table that the program began with. What is left out stays as it is now.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyPatch {
    /// Back to the table that the program began with, before the rest of this patch.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
    /// False: only the rules about being well go on by themselves. True: all do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automatic: Option<bool>,
    /// Limits, by name, for example `settle` or `step_up`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, f64>,
    /// Numbers of the hint ladder, by name: `failures`, `hesitation`, `cool_down`, `successes`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub hints: BTreeMap<String, f64>,
    /// Rules, by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<String, RulePatch>,
}

/// What of one rule is to be otherwise.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RulePatch {
    /// Whether it speaks at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<bool>,
    /// Least seconds before it speaks again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cool_down: Option<f64>,
    /// Seconds for which its effect counts as active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry: Option<f64>,
    /// Thresholds from which a condition of it holds, by feature.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub enter: BTreeMap<String, f64>,
    /// Thresholds up to which it goes on holding, by feature.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub leave: BTreeMap<String, f64>,
}

/// Names in a patch: none is longer.
const NAME: usize = 64;
/// Entries in a part of a patch.
const ENTRIES: usize = 64;

impl PolicyPatch {
    /// This patch with a later one upon it.
    #[must_use]
    pub fn then(&self, later: &Self) -> Self {
        let mut both = if later.reset {
            Self::default()
        } else {
            self.clone()
        };
        both.automatic = later.automatic.or(both.automatic);
        both.limits.extend(later.limits.clone());
        both.hints.extend(later.hints.clone());
        for (id, rule) in &later.rules {
            let mine = both.rules.entry(id.clone()).or_default();
            mine.on = rule.on.or(mine.on);
            mine.cool_down = rule.cool_down.or(mine.cool_down);
            mine.expiry = rule.expiry.or(mine.expiry);
            mine.enter.extend(rule.enter.clone());
            mine.leave.extend(rule.leave.clone());
        }
        both
    }

    /// Whether nothing is otherwise.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The table with this patch upon it, checked.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn upon(&self, before: &Table) -> Result<Checked, Vec<String>> {
        let mut wrong = self.too_much();
        let mut table = before.clone();
        if !self.is_empty() {
            table.name = format!("{}, changed while running", before.name);
        }
        with_numbers(&mut table.limits, &self.limits, "limits", &mut wrong);
        with_numbers(&mut table.hints, &self.hints, "hints", &mut wrong);
        for (id, patch) in &self.rules {
            match table.rules.iter_mut().find(|rule| rule.id == *id) {
                Some(rule) => patch.upon(rule, &mut wrong),
                None => wrong.push(format!(
                    "rules: there is no rule `{id}`; policy://adaptation names them"
                )),
            }
        }
        let automatic = self.automatic.unwrap_or(true);
        let on = |rule: &Rule| {
            let switched = self.rules.get(&rule.id).and_then(|it| it.on);
            switched.unwrap_or(automatic || rule.strategy == Strategy::Comfort)
        };
        table.rules.retain(on);
        let ids: Vec<String> = table.rules.iter().map(|rule| rule.id.clone()).collect();
        for rule in &mut table.rules {
            rule.conflicts_with.retain(|other| ids.contains(other));
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        check(table).map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
    }

    fn too_much(&self) -> Vec<String> {
        let long = |name: &String| name.chars().count() > NAME;
        let parts = [&self.limits, &self.hints].into_iter();
        let parts = parts.chain(self.rules.values().flat_map(|it| [&it.enter, &it.leave]));
        let bad = |part: &BTreeMap<String, f64>| part.len() > ENTRIES || part.keys().any(long);
        let mut parts = parts;
        let rules = self.rules.len() > ENTRIES || self.rules.keys().any(long);
        if rules || parts.any(bad) {
            return vec![format!(
                "a part of a patch has at most {ENTRIES} entries, and a name at most {NAME} characters"
            )];
        }
        Vec::new()
    }
}

impl RulePatch {
    fn upon(&self, rule: &mut Rule, wrong: &mut Vec<String>) {
        rule.cool_down = self.cool_down.unwrap_or(rule.cool_down);
        rule.expiry = self.expiry.unwrap_or(rule.expiry);
        let id = rule.id.clone();
        for (feature, value) in self.enter.iter().chain(&self.leave) {
            let known = conditions(rule).any(|it| it.of == *feature);
            if !known {
                wrong.push(format!("rule `{id}`: no condition of it is of `{feature}`"));
            }
            if !value.is_finite() {
                wrong.push(format!("rule `{id}`: `{feature}` needs a number"));
            }
        }
        for condition in conditions_mut(rule) {
            if let Some(value) = self.enter.get(&condition.of) {
                condition.enter = match condition.enter {
                    Threshold::Above(_) => Threshold::Above(*value),
                    Threshold::Below(_) => Threshold::Below(*value),
                };
            }
            if let Some(value) = self.leave.get(&condition.of) {
                condition.leave = Some(*value);
            }
        }
    }
}

fn conditions(rule: &Rule) -> impl Iterator<Item = &super::table::Condition> {
    rule.when.all.iter().chain(&rule.when.any)
}

fn conditions_mut(rule: &mut Rule) -> impl Iterator<Item = &mut super::table::Condition> {
    rule.when.all.iter_mut().chain(&mut rule.when.any)
}

/// Puts numbers into a plain struct of numbers, by name. A whole number is one for a field that counts.
fn with_numbers<T: Serialize + for<'de> Deserialize<'de>>(
    into: &mut T,
    numbers: &BTreeMap<String, f64>,
    place: &str,
    wrong: &mut Vec<String>,
) {
    if numbers.is_empty() {
        return;
    }
    let Ok(Value::Object(mut fields)) = serde_json::to_value(&*into) else {
        return;
    };
    for (name, number) in numbers {
        let Some(field) = fields.get_mut(name) else {
            let known: Vec<&str> = fields.keys().map(String::as_str).collect();
            wrong.push(format!(
                "{place}: there is no `{name}`; there are {}",
                known.join(", ")
            ));
            continue;
        };
        let counts = field.is_u64();
        let whole = number.fract() == 0.0 && (0.0..=1e6).contains(number);
        *field = match (counts, whole) {
            // Within a million, and whole.
            (true, true) => Value::from(*number as u64),
            (true, false) => {
                wrong.push(format!(
                    "{place}: `{name}` counts, and {number} is no count"
                ));
                continue;
            }
            (false, _) => Value::from(*number),
        };
    }
    match serde_json::from_value(Value::Object(fields)) {
        Ok(read) => *into = read,
        Err(error) => wrong.push(format!("{place}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::read;
    // Proptest has one of that name, too.
    use super::super::table::Strategy;
    use super::*;

    fn delivered() -> Table {
        read(Table::DEFAULT).unwrap().table().clone()
    }

    fn patch(json: serde_json::Value) -> PolicyPatch {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn without_automatic_only_being_well_goes_on_by_itself() {
        let off = patch(serde_json::json!({ "automatic": false }));
        let table = off.upon(&delivered()).unwrap();
        let rules = &table.table().rules;
        assert!(!rules.is_empty());
        assert!(rules.iter().all(|it| it.strategy == Strategy::Comfort));
        let on = off.then(&patch(serde_json::json!({ "automatic": true })));
        let table = on.upon(&delivered()).unwrap();
        assert_eq!(table.table().rules, delivered().rules);
        assert!(
            off.then(&patch(serde_json::json!({ "reset": true })))
                .is_empty()
        );
    }

    #[test]
    fn every_mistake_of_a_patch_is_told_with_its_place() {
        let bad = patch(serde_json::json!({
            "limits": { "settle": 1.0, "setle": 60.0, "per_message": 1.5 },
            "rules": { "nobody": {} }
        }));
        let wrong = bad.upon(&delivered()).unwrap_err().join("\n");
        for part in ["`setle`", "`per_message`", "`nobody`"] {
            assert!(wrong.contains(part), "{wrong}");
        }
        // What only the table's own checker knows.
        let lax = patch(serde_json::json!({ "limits": { "settle": 1.0 } }));
        let wrong = lax.upon(&delivered()).unwrap_err().join("\n");
        assert!(wrong.contains("settle"), "{wrong}");
    }

    #[test]
    fn a_rule_is_switched_off_and_its_numbers_are_moved() {
        let table = delivered();
        // Rules about being well are bound to speak soon.
        let at = table
            .rules
            .iter()
            .position(|rule| rule.strategy != Strategy::Comfort);
        let at = at.unwrap();
        let rule = &table.rules[at];
        let off = PolicyPatch {
            rules: [(
                rule.id.clone(),
                RulePatch {
                    on: Some(false),
                    ..RulePatch::default()
                },
            )]
            .into(),
            ..PolicyPatch::default()
        };
        if let Ok(checked) = off.upon(&table) {
            assert!(checked.table().rules.iter().all(|it| it.id != rule.id));
        }
        let slower = PolicyPatch {
            rules: [(
                rule.id.clone(),
                RulePatch {
                    cool_down: Some(rule.cool_down + 60.0),
                    ..RulePatch::default()
                },
            )]
            .into(),
            ..PolicyPatch::default()
        };
        let checked = slower.upon(&table).unwrap();
        assert!((checked.table().rules[at].cool_down - rule.cool_down - 60.0).abs() < 1e-9);
        assert_ne!(checked.table().name, table.name, "logs tell it apart");
    }

    proptest! {
        #[test]
        fn whatever_a_patch_says_the_table_is_sound_or_refused(
            settle in prop::num::f64::ANY, hesitation in prop::num::f64::ANY, enter in prop::num::f64::ANY
        ) {
            let table = delivered();
            let rule = table.rules.last().unwrap();
            let of = rule.when.all.first().or(rule.when.any.first()).unwrap().of.clone();
            let odd = PolicyPatch {
                limits: [("settle".to_owned(), settle)].into(),
                hints: [("hesitation".to_owned(), hesitation)].into(),
                rules: [(rule.id.clone(), RulePatch { enter: [(of, enter)].into(), ..RulePatch::default() })].into(),
                ..PolicyPatch::default()
            };
            if let Ok(checked) = odd.upon(&table) {
                prop_assert!(check(checked.table().clone()).is_ok());
            }
        }
    }
}
