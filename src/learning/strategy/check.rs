//! Makes a sound table of a text, or says everything that is wrong with it at once.
//!
//! In: text, or a [`Table`] as read. Out: a [`Checked`] table, or every [`Mistake`] with its place and its cure.
//! Never: a panic, whatever the text.

use ron::extensions::Extensions;

pub use super::checked::Checked;
use super::checked::{Compiled, Cond, Conditions, name_of};
pub use super::fault::{Fault, Mistake};
use super::fault::{nearest, nearest_feature};
use super::feature::{Feature, Unit};
use super::gain::ByGain;
use super::judge;
use super::table::{
    Bound, Condition, Limits, MAX_RULES, Rule, Strategy, TABLE_VERSION, Table, Threshold,
};

/// Least distance of a share's or multiple's thresholds (the sources').
pub const HYSTERESIS: f64 = 0.1;
/// Least cool-down in seconds (the sources').
pub const LEAST_COOL_DOWN: f64 = 30.0;
/// Seconds of a day: longer than anybody stays.
const DAY: f64 = 86_400.0;
/// What rounding may take off a distance of decimal numbers.
const ROUNDING: f64 = 1e-9;

/// Reads and checks a table.
///
/// # Errors
/// Every mistake in it; of a text that is no table, the first one that the parser saw.
pub fn read(text: &str) -> Result<Checked, Vec<Mistake>> {
    let options = ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
    match options.from_str::<Table>(text) {
        Ok(table) => check(table),
        Err(error) => Err(vec![Mistake {
            place: String::new(),
            fault: Fault::Unreadable {
                line: error.span.start.line,
                column: error.span.start.col,
                why: error.code.to_string(),
            },
        }]),
    }
}

/// Checks a table.
///
/// # Errors
/// Every mistake in it.
pub fn check(table: Table) -> Result<Checked, Vec<Mistake>> {
    let mut faults = Faults::default();
    if table.version != TABLE_VERSION {
        faults.add(Fault::Version {
            found: table.version,
            known: TABLE_VERSION,
        });
    }
    if table.rules.is_empty() || table.rules.len() > MAX_RULES {
        faults.add(Fault::RuleCount {
            found: table.rules.len(),
            most: MAX_RULES,
        });
        return Err(faults.found);
    }
    limits(&table.limits, &mut faults);
    hints(&table, &mut faults);
    faults.place = "experiment".to_owned();
    if let Some(experiment) = &table.experiment {
        faults.range("do_nothing", experiment.do_nothing, 0.02, 0.25);
    }
    faults.place = "by_gain".to_owned();
    if let Some(by_gain) = &table.by_gain {
        assumptions(by_gain, &mut faults);
    }
    faults.place = "leave_alone".to_owned();
    let leave_alone = table.leave_alone.as_ref().map(|it| {
        faults.range("from_priority", f64::from(it.from_priority), 2.0, 5.0);
        let when = conditions(&it.when.all, &it.when.any, &mut faults);
        if when.all.is_empty() && when.any.is_empty() {
            faults.add(Fault::Unconditional);
        }
        when
    });
    let mut rules = Vec::with_capacity(table.rules.len());
    for rule in &table.rules {
        faults.place = format!("rule `{}`", shortened(&rule.id));
        numbers(rule, &mut faults);
        let when = conditions(&rule.when.all, &rule.when.any, &mut faults);
        let blocked = conditions(&rule.blocked_while, &[], &mut faults).all;
        let conflicts = conflicts(rule, &table, &mut faults);
        let compiled = Compiled::of(rule, when, blocked, conflicts);
        judge::rule(rule, &compiled, &table, &mut faults);
        rules.push(compiled);
    }
    both_ways(&mut rules);
    judge::together(&table, &rules, &mut faults);
    if !faults.found.is_empty() {
        return Err(faults.found);
    }
    let mut order: Vec<u8> = (0..=u8::MAX).take(rules.len()).collect();
    order.sort_by_key(|&number| {
        let rule = table.rules.get(usize::from(number));
        rule.map(|rule| (rule.strategy != Strategy::Comfort, rule.priority))
    });
    // A table of numbers and names always has a text; were it otherwise, its name would still tell it apart.
    let text = serde_json::to_vec(&table).unwrap_or_default();
    Ok(Checked {
        digest: crc32fast::hash(&text),
        table,
        rules,
        leave_alone,
        order,
    })
}

/// The faults so far, and where one is looking.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub place: String,
    pub found: Vec<Mistake>,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.found.push(Mistake {
            place: self.place.clone(),
            fault,
        });
    }

    /// A number that is none is out of any range.
    pub(super) fn range(&mut self, what: &str, value: f64, min: f64, max: f64) {
        if !(min..=max).contains(&value) {
            self.add(Fault::OutOfRange {
                what: what.to_owned(),
                value,
                min,
                max,
            });
        }
    }
}

/// An id as far as it fits a line.
fn shortened(id: &str) -> String {
    id.chars().take(64).collect()
}

fn limits(limits: &Limits, faults: &mut Faults) {
    faults.place = "limits".to_owned();
    let most = Limits::default();
    for (what, value, min, max) in [
        (
            "per_message",
            f64::from(limits.per_message),
            1.0,
            f64::from(most.per_message),
        ),
        (
            "per_window",
            f64::from(limits.per_window),
            1.0,
            f64::from(most.per_window),
        ),
        ("window", limits.window, most.window, DAY),
        (
            "changes_at_once",
            f64::from(limits.changes_at_once),
            1.0,
            f64::from(most.per_message),
        ),
        ("settle", limits.settle, LEAST_COOL_DOWN, DAY),
        ("step_down", limits.step_down, 0.0, most.step_down),
        ("step_up", limits.step_up, 0.0, most.step_up),
        ("easiest", limits.easiest, most.easiest, 1.0),
        ("hardest", limits.hardest, 1.0, most.hardest),
        ("slowest", limits.slowest, most.slowest, 1.0),
        ("fastest", limits.fastest, 1.0, most.fastest),
        ("hold_for_learner", limits.hold_for_learner, 0.0, DAY),
        ("hold_for_instructor", limits.hold_for_instructor, 0.0, DAY),
    ] {
        faults.range(what, value, min, max);
    }
}

fn assumptions(assumed: &ByGain, faults: &mut Faults) {
    for (what, value, min, max) in [
        ("success", assumed.success, 0.5, 0.95),
        ("spread", assumed.spread, 0.0, 3.0),
        ("breadth", assumed.breadth, 0.2, 10.0),
        ("per_logit", assumed.per_logit, 0.02, 1.0),
        ("support_eases", assumed.support_eases, 0.0, 4.0),
        ("example", assumed.example, 0.0, 0.9),
        ("second_choice", assumed.second_choice, 0.1, 1.0),
        ("variety", assumed.variety, 0.0, 0.5),
        ("takes", assumed.takes, 0.0, 120.0),
        ("horizon", assumed.horizon, 10.0, 1800.0),
        ("least", assumed.least, 0.0, 0.5),
    ] {
        faults.range(what, value, min, max);
    }
}

fn hints(table: &Table, faults: &mut Faults) {
    faults.place = "hints".to_owned();
    let hints = &table.hints;
    faults.range("failures", f64::from(hints.failures), 1.0, 100.0);
    faults.range("successes", f64::from(hints.successes), 1.0, 100.0);
    faults.range("hesitation", hints.hesitation, 1.0, DAY);
    faults.range("cool_down", hints.cool_down, 1.0, DAY);
}

fn numbers(rule: &Rule, faults: &mut Faults) {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !(1..=64).contains(&rule.id.len()) || !rule.id.chars().all(plain) {
        faults.add(Fault::BadId);
    }
    faults.range("priority", f64::from(rule.priority), 1.0, 5.0);
    faults.range("cool_down", rule.cool_down, LEAST_COOL_DOWN, DAY);
    faults.range("expiry", rule.expiry, 1.0, DAY);
    faults.range("budget.times", f64::from(rule.budget.times), 1.0, 12.0);
    faults.range("budget.window", rule.budget.window, LEAST_COOL_DOWN, DAY);
    if let Some(fade) = &rule.fade_out {
        faults.range("fade_out.success", fade.success, 0.5, 1.0);
        faults.range("fade_out.attempts", f64::from(fade.attempts), 1.0, 10.0);
    }
}

fn conditions(all: &[Condition], any: &[Condition], faults: &mut Faults) -> Conditions {
    let mut compile = |list: &[Condition]| -> Vec<Cond> {
        list.iter().filter_map(|it| condition(it, faults)).collect()
    };
    Conditions {
        all: compile(all),
        any: compile(any),
    }
}

fn condition(written: &Condition, faults: &mut Faults) -> Option<Cond> {
    let Some(feature) = Feature::named(&written.of) else {
        faults.add(Fault::UnknownFeature {
            name: shortened(&written.of),
            nearest: nearest_feature(&written.of),
        });
        return None;
    };
    let (above, enter) = match written.enter {
        Threshold::Above(at) => (true, at),
        Threshold::Below(at) => (false, at),
    };
    let (of, (min, max)) = (feature.name(), feature.range());
    faults.range(of, enter, min, max);
    let side = if above { "below" } else { "above" };
    let noisy = matches!(feature.unit(), Unit::Share | Unit::Multiple);
    let leave = match written.leave {
        None if noisy => {
            faults.add(Fault::NoLeave { of, enter, side });
            enter
        }
        None => enter,
        Some(leave) => {
            let back = if above { enter - leave } else { leave - enter };
            // Where `enter` is a number and `leave` isn't, the distance is none either.
            if !leave.is_finite() {
                faults.range(&format!("{of} (leave)"), leave, min, max);
            } else if back < 0.0 {
                faults.add(Fault::LeaveOnWrongSide {
                    of,
                    enter,
                    leave,
                    side,
                });
            } else if noisy && back < HYSTERESIS - ROUNDING {
                faults.add(Fault::LeaveTooNear { of, enter, leave });
            }
            leave
        }
    };
    let sure = if above { Bound::Lower } else { Bound::Upper };
    Some(Cond {
        feature,
        bound: written.bound.unwrap_or(sure),
        above,
        enter,
        leave,
    })
}

fn conflicts(rule: &Rule, table: &Table, faults: &mut Faults) -> u64 {
    let mut set = 0;
    for name in &rule.conflicts_with {
        let place = table.rules.iter().position(|other| other.id == *name);
        if let Some(place) = place {
            set |= 1_u64 << place;
        } else {
            let names = table.rules.iter().map(|other| other.id.as_str());
            faults.add(Fault::UnknownRule {
                name: shortened(name),
                nearest: shortened(nearest(name, names).unwrap_or_default()),
            });
        }
    }
    set
}

/// Who conflicts with me, I conflict with.
fn both_ways(rules: &mut [Compiled]) {
    let declared: Vec<u64> = rules.iter().map(|rule| rule.conflicts).collect();
    for (i, rule) in rules.iter_mut().enumerate() {
        for (j, other) in declared.iter().enumerate() {
            if other >> i & 1 == 1 {
                rule.conflicts |= 1_u64 << j;
            }
        }
    }
}

/// Where an action belongs; `None`: where it is.
pub(super) fn belongs(rule: &Rule) -> Option<(&'static str, &'static str)> {
    use super::precedence::Lever;
    use super::table::Payload;
    let (fits, home) = match (&rule.payload, rule.payload.lever()) {
        (Payload::OfferBreak, _) => (
            matches!(rule.strategy, Strategy::Comfort | Strategy::Pacing),
            "comfort",
        ),
        (Payload::Review, _) => (rule.strategy == Strategy::Review, "review"),
        (_, Lever::Break) => (rule.strategy == Strategy::Comfort, "comfort"),
        (_, Lever::Hint | Lever::Support | Lever::Notice) => {
            (rule.strategy == Strategy::Support, "support")
        }
        (_, Lever::Difficulty) => (rule.strategy == Strategy::Difficulty, "difficulty"),
        (_, Lever::Pace) => (rule.strategy == Strategy::Pacing, "pacing"),
        (_, Lever::Route) => (rule.strategy == Strategy::Content, "content"),
        (_, Lever::Variety) => (rule.strategy == Strategy::Engagement, "engagement"),
    };
    (!fits).then(|| (name_of(&rule.payload), home))
}
