//! What a table means: whether each rule can speak, keeps to the limits and asks nobody for too much.

use super::check::{Faults, belongs};
use super::checked::{Compiled, Cond};
use super::fault::Fault;
use super::feature::{Feature, Unit};
use super::table::{Bound, Payload, Rule, Strategy, Table};

/// Load from which nobody is asked for more (the sources' stress).
const MOST_LOAD: f64 = 0.7;
/// Comfort below which nobody is asked for more or goes on. Ours, as delivered.
const LEAST_COMFORT: f64 = 0.6;
/// Longest cool-down of a break for safety, in seconds. Ours, arbitrary.
const SAFE_COOL_DOWN: f64 = 60.0;

/// One rule by itself.
pub(super) fn rule(rule: &Rule, compiled: &Compiled, table: &Table, faults: &mut Faults) {
    if let Some((payload, strategy)) = belongs(rule) {
        faults.add(Fault::WrongStrategy { payload, strategy });
    }
    payload(rule, table, faults);
    if rule.when.all.is_empty() && rule.when.any.is_empty() {
        faults.add(Fault::Unconditional);
    }
    if let Some(why) = contradiction(compiled) {
        faults.add(Fault::Unreachable { why });
    }
    if rule.strategy == Strategy::Comfort {
        let others = compiled.blocked.iter();
        for by in others.filter(|cond| cond.feature != Feature::ComfortPutAside) {
            faults.add(Fault::SafetyBlocked {
                by: by.feature.name(),
            });
        }
    }
    if rule.payload == Payload::Rest && rule.cool_down > SAFE_COOL_DOWN {
        faults.add(Fault::SafetySlow);
    }
    if compiled.advances && !compiled.when.all.iter().any(is_evidence) {
        faults.add(Fault::AdvancesWithoutEvidence);
    }
    if rule.payload.asks_more() {
        let loaded = |it: &Cond| it.feature == Feature::Load && it.above && it.enter <= MOST_LOAD;
        if !compiled.blocked.iter().any(loaded) {
            faults.add(Fault::NotBlocked {
                while_what: "`load` is above 0.7",
            });
        }
        let unwell =
            |it: &Cond| it.feature == Feature::Comfort && !it.above && it.enter >= LEAST_COMFORT;
        if !compiled.blocked.iter().any(unwell) {
            faults.add(Fault::NotBlocked {
                while_what: "`comfort` is below 0.6",
            });
        }
    }
    if rule.experiment {
        let what = match (rule.strategy, &rule.payload) {
            (Strategy::Comfort, _) => Some("safety"),
            (_, Payload::TellInstructor) => Some("telling the instructor"),
            _ => None,
        };
        if let Some(what) = what {
            faults.add(Fault::NoExperiment { what });
        } else if table.experiment.is_none() {
            faults.add(Fault::ExperimentMissing);
        }
    }
}

fn payload(rule: &Rule, table: &Table, faults: &mut Faults) {
    let limits = &table.limits;
    match rule.payload {
        Payload::Difficulty { step, aim } => {
            faults.range("step", step, -limits.step_down, limits.step_up);
            no_step(step, faults);
            if let Some(aim) = aim {
                faults.range("aim.success", aim.success, 0.01, 0.99);
                faults.range("aim.per_logit", aim.per_logit, 0.01, 1.0);
            }
        }
        Payload::Pace { step, until } => {
            let most = limits.step_up;
            faults.range("step", step, -limits.step_down, most);
            no_step(step, faults);
            if let Some(until) = until {
                faults.range("until", until, limits.slowest, limits.fastest);
                // From the authored pace or a slower one upwards, from it or a faster one downwards.
                let behind = (step > 0.0 && until <= limits.slowest)
                    || (step < 0.0 && until >= limits.fastest);
                if behind {
                    let way = if step > 0.0 { "up" } else { "down" };
                    faults.add(Fault::UntilBehind { way, until });
                }
            }
        }
        Payload::AddSupport { level, .. } => {
            faults.range("level", f64::from(level), 1.0, 3.0);
            if rule.fade_out.is_none() {
                faults.add(Fault::NeverFades);
            }
        }
        Payload::Vary { level, .. } => faults.range("level", level, 0.0, 1.0),
        _ => {}
    }
    let slows = matches!(rule.payload, Payload::Pace { step, .. } if step < 0.0);
    let fades = slows || matches!(rule.payload, Payload::AddSupport { .. });
    if rule.fade_out.is_some() && !fades {
        faults.add(Fault::CannotFade);
    }
    let moves = matches!(
        rule.payload,
        Payload::Difficulty { .. } | Payload::Pace { .. } | Payload::AddSupport { .. }
    );
    if moves && rule.expiry < rule.cool_down {
        faults.add(Fault::ExpiresTooSoon {
            expiry: rule.expiry,
            cool_down: rule.cool_down,
        });
    }
}

fn no_step(step: f64, faults: &mut Faults) {
    if step.abs() < f64::EPSILON {
        faults.add(Fault::NoStep);
    }
}

/// Whether a condition can only hold for who has shown something.
fn is_evidence(cond: &Cond) -> bool {
    let least = match cond.feature.unit() {
        Unit::Share => 0.5,
        _ => 1.0,
    };
    let sure = cond.bound == Bound::Lower && cond.above;
    // Also after hysteresis there must be something left.
    cond.feature.speaks_for_ability() && sure && cond.enter >= least && cond.leave > 0.0
}

/// Position in lower ≤ mean ≤ upper.
fn rank(bound: Bound) -> u8 {
    match bound {
        Bound::Lower => 0,
        Bound::Mean => 1,
        Bound::Upper => 2,
    }
}

/// Conditions of one rule that can't hold together, in words.
fn contradiction(rule: &Compiled) -> Option<String> {
    let all = &rule.when.all;
    for above in all.iter().filter(|cond| cond.above) {
        for below in all.iter().filter(|cond| !cond.above) {
            let same = above.feature == below.feature;
            // x at `above.bound` ≤ x at `below.bound` in every interval.
            if same && rank(above.bound) <= rank(below.bound) && above.enter > below.enter {
                return Some(format!(
                    "`{}` can't be above {} and below {}",
                    above.feature.name(),
                    above.enter,
                    below.enter
                ));
            }
        }
    }
    for cond in all {
        for block in &rule.blocked {
            let same = cond.feature == block.feature && cond.above == block.above;
            let implied = if cond.above {
                rank(cond.bound) <= rank(block.bound) && cond.enter >= block.enter
            } else {
                rank(block.bound) <= rank(cond.bound) && cond.enter <= block.enter
            };
            if same && implied {
                return Some(format!(
                    "whenever its condition on `{}` holds, it is blocked by the same",
                    cond.feature.name()
                ));
            }
        }
    }
    None
}

/// Whoever wants a break or is unwell must get one, whatever else a table says.
fn safety(table: &Table, compiled: &[Compiled], faults: &mut Faults) {
    let stops = |alone: &dyn Fn(&Cond) -> bool, unblocked: bool| {
        table.rules.iter().zip(compiled).any(|(rule, it)| {
            let only = matches!(&it.when.all[..], [cond] if alone(cond)) && it.when.any.is_empty();
            let free = !unblocked || it.blocked.is_empty();
            rule.payload == Payload::Rest && only && free
        })
    };
    faults.place.clear();
    if !stops(&|it| it.feature == Feature::BreakWanted && it.above, true) {
        faults.add(Fault::NoSafety {
            when: "the learner wants one",
            rule: "rest-when-wanted",
        });
    }
    let unwell = |it: &Cond| {
        let soon = it.enter >= LEAST_COMFORT && it.bound != Bound::Upper;
        it.feature == Feature::Comfort && !it.above && soon
    };
    if !stops(&unwell, false) {
        faults.add(Fault::NoSafety {
            when: "`comfort` (`mean` or `lower`) is below 0.6",
            rule: "rest-when-unwell",
        });
    }
}

/// The rules beside each other.
pub(super) fn together(table: &Table, compiled: &[Compiled], faults: &mut Faults) {
    safety(table, compiled, faults);
    for (j, later) in table.rules.iter().enumerate() {
        faults.place = format!("rule `{}`", later.id.chars().take(64).collect::<String>());
        if compiled
            .get(j)
            .is_some_and(|it| it.safety && it.conflicts != 0)
        {
            faults.add(Fault::SafetyBlocked {
                by: "conflicts_with",
            });
        }
        for (i, earlier) in table.rules.iter().take(j).enumerate() {
            let other = || earlier.id.chars().take(64).collect::<String>();
            if earlier.id == later.id {
                faults.add(Fault::DuplicateId);
            } else if earlier.when == later.when && earlier.payload == later.payload {
                faults.add(Fault::Repeated { other: other() });
            }
            let declared = compiled.get(j).is_some_and(|it| it.conflicts >> i & 1 == 1);
            if contradict(&earlier.payload, &later.payload) && !declared {
                faults.add(Fault::UndeclaredConflict { other: other() });
            }
        }
    }
}

/// Whether doing both would pull the learner two ways.
fn contradict(a: &Payload, b: &Payload) -> bool {
    let eases = |payload: &Payload| match payload {
        Payload::AddSupport { .. } | Payload::ChangeApproach | Payload::Review => true,
        Payload::Difficulty { step, .. } | Payload::Pace { step, .. } => *step < 0.0,
        _ => false,
    };
    let moves_on = |a: &Payload, b: &Payload| *a == Payload::MoveOn && eases(b);
    let (up, down) = (super::table::direction(a), super::table::direction(b));
    let opposite = a.lever() == b.lever() && up * down < 0;
    opposite || moves_on(a, b) || moves_on(b, a)
}
