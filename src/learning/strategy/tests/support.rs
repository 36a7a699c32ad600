//! Views, learners and tables of the tests.

use proptest::prelude::*;

use crate::learning::event_criteria::Bounded;
use crate::learning::strategy::action::Action;
use crate::learning::strategy::check::{Checked, check, read};
use crate::learning::strategy::choose::{Choice, Draw, choose};
use crate::learning::strategy::feature::{Feature, View};
use crate::learning::strategy::memory::Memory;
use crate::learning::strategy::table::Table;

/// A table whose numbers the tests know.
pub(super) fn test_table() -> Checked {
    read(include_str!("table.ron")).unwrap_or_else(|mistakes| panic!("{}", list(&mistakes)))
}

/// The table as delivered: what is promised of any table, holds for it.
pub(super) fn delivered() -> Checked {
    read(Table::DEFAULT).unwrap_or_else(|mistakes| panic!("{}", list(&mistakes)))
}

pub(super) fn list<T: ToString>(things: &[T]) -> String {
    let lines: Vec<String> = things.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The table of the tests, changed.
pub(super) fn changed(change: impl FnOnce(&mut Table)) -> Checked {
    let mut table = test_table().table().clone();
    change(&mut table);
    check(table).unwrap_or_else(|mistakes| panic!("{}", list(&mistakes)))
}

pub(super) fn between(lower: f64, upper: f64) -> Option<Bounded> {
    Some(Bounded {
        mean: f64::midpoint(lower, upper),
        lower,
        upper,
        n: 9,
    })
}

/// What a learner nobody met before gets.
pub(super) fn actions(view: &View) -> Vec<Action> {
    actions_by(&test_table(), view)
}

pub(super) fn actions_by(table: &Checked, view: &View) -> Vec<Action> {
    done(&choose(table, &mut Memory::new(table), view, 1000.0, None))
}

pub(super) fn done(choice: &Choice) -> Vec<Action> {
    choice.picks.iter().map(|pick| pick.action).collect()
}

/// A learner whose time goes on.
pub(super) struct Learner<'a> {
    pub table: &'a Checked,
    pub memory: Memory,
    pub now: f64,
}

impl<'a> Learner<'a> {
    pub(super) fn new(table: &'a Checked) -> Self {
        Self {
            table,
            memory: Memory::new(table),
            now: 1000.0,
        }
    }

    pub(super) fn after(&mut self, seconds: f64, view: &View) -> Choice {
        self.now += seconds;
        choose(self.table, &mut self.memory, view, self.now, None)
    }

    pub(super) fn drawing(&mut self, seconds: f64, view: &View, seed: u64) -> Choice {
        self.now += seconds;
        let draw = Draw::of(seed, self.memory.decisions());
        choose(self.table, &mut self.memory, view, self.now, Some(draw))
    }
}

/// The view once the commands have had their effect.
pub(super) fn carried_out(view: View, choice: &Choice) -> View {
    choice
        .picks
        .iter()
        .fold(view, |view, pick| match pick.action {
            Action::Difficulty { multiplier } => view.measured(Feature::Difficulty, multiplier),
            Action::Pace { multiplier } => view.measured(Feature::Pace, multiplier),
            Action::AddSupport { level, .. } => {
                view.measured(Feature::SupportLevel, f64::from(level))
            }
            Action::FadeSupport => view.measured(Feature::SupportLevel, 0.0),
            _ => view,
        })
}

/// Everything that could be wrong at once.
pub(super) fn in_trouble() -> View {
    View::default()
        .inferred(Feature::Comfort, between(0.4, 0.6))
        .concluded(Feature::WheelSpinning, Some(0.9), 9)
        .inferred(Feature::Load, between(0.6, 0.9))
        .inferred(Feature::NextSuccess, between(0.1, 0.3))
        .concluded(Feature::EngagementDropped, Some(0.99), 1)
        .measured(Feature::ReviewDue, 1.0)
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![6 => 0.0..=1.0_f64, 1 => prop::num::f64::ANY]
}

fn any_estimate() -> impl Strategy<Value = Option<Bounded>> {
    prop::option::weighted(
        0.8,
        (prop::array::uniform3(number()), any::<bool>(), 0..20_u32).prop_map(
            |(mut x, sorted, n)| {
                if sorted {
                    x.sort_by(f64::total_cmp);
                }
                Bounded {
                    mean: x[1],
                    lower: x[0],
                    upper: x[2],
                    n,
                }
            },
        ),
    )
}

/// Any view at all, numbers that are none included.
pub(super) fn any_view() -> impl Strategy<Value = View> {
    let shares = prop::collection::vec(any_estimate(), Feature::ALL.len());
    let scene = (
        prop::array::uniform2(prop_oneof![6 => 0.4..1.6_f64, 1 => prop::num::f64::ANY]),
        prop::array::uniform4(0..6_u32),
        prop::array::uniform3(prop::bool::weighted(0.1)),
        0.0..4000.0_f64,
        (0..50_u64, any::<u32>()),
    );
    (shares, scene).prop_map(
        |(shares, ([difficulty, pace], counts, flags, seconds, (attempts, outcomes)))| {
            let [failures, successes, hints, support] = counts.map(f64::from);
            let [wanted, aside, due] = flags.map(|flag| f64::from(u8::from(flag)));
            let view = Feature::ALL
                .into_iter()
                .zip(shares)
                .fold(View::default(), |view, (feature, it)| {
                    view.inferred(feature, it)
                });
            view.measured(Feature::Difficulty, difficulty)
                .measured(Feature::Pace, pace)
                .measured(Feature::Failures, failures)
                .measured(Feature::Successes, successes)
                .measured(Feature::HintsLeft, hints)
                .measured(Feature::SupportLevel, support)
                .measured(Feature::BreakWanted, wanted)
                .measured(Feature::ComfortPutAside, aside)
                .measured(Feature::ReviewDue, due)
                .measured(Feature::SinceBreak, seconds)
                .with_outcomes(attempts, outcomes)
        },
    )
}
