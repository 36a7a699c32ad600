//! Acting on the headset itself: a lower refresh rate where much is given up or it grows hot, and power levels.
//! In: [`CurrentLevel`], heat, the moment, what the runtime offers. Out: [`DeviceWish`]. Never: a rate below 72 Hz where
//! another is offered, nor a sawtooth: what was lowered stays for a minute, each further time for twice as long.

use bevy::prelude::*;

use crate::governor::actuators::Level;
use crate::governor::plugin::{CurrentLevel, Surroundings};
use crate::governor::restraint::Notice;
use crate::governor::state::{Moment, Now};
use crate::xr::{DeviceOffer, DeviceWish, Power};

/// The lowest rate that is comfortable, hertz: what Quest headsets ask applications to hold.
const COMFORTABLE: f32 = 72.0;
/// Seconds at the level aggressive or worse before the rate goes down `[E]`: actuators are faster, and may be enough.
const BEFORE: f64 = 3.0;
/// Seconds of calm before it goes up again, and the longest that this becomes `[E]`.
const AFTER: f64 = 60.0;
const LONGEST: f64 = 960.0;

/// What is remembered of the refresh rate.
#[derive(Resource, Debug, Clone, Copy, Default, PartialEq)]
pub struct Refresh {
    /// Since when much has been given up, or little; seconds.
    strained: Option<f64>,
    calm: Option<f64>,
    lowered: bool,
    /// How long the calm must last.
    hold: f64,
}

/// The refresh rate to wish for, hertz; `None` where there is nothing to choose.
#[must_use]
pub fn refresh(state: &mut Refresh, offered: &[f32], level: Level, now: &Now) -> Option<f32> {
    let highest = offered.iter().copied().reduce(f32::max)?;
    let comfortable = offered
        .iter()
        .copied()
        .filter(|it| *it >= COMFORTABLE - 0.5);
    let lowest = comfortable.reduce(f32::min).unwrap_or(highest);
    let hot = now.heat > Notice::Normal;
    let strained = hot || level >= Level::Aggressive;
    let since = |held: bool, since: Option<f64>| held.then(|| since.unwrap_or(now.time));
    state.strained = since(strained, state.strained);
    state.calm = since(!hot && level == Level::Conservative, state.calm);
    let long = |since: Option<f64>, seconds| since.is_some_and(|it| now.time - it >= seconds);
    if !state.lowered && (hot || long(state.strained, BEFORE)) {
        state.lowered = true;
        state.hold = (2.0 * state.hold).clamp(AFTER, LONGEST);
    } else if state.lowered && long(state.calm, state.hold) && now.moment == Moment::Seam {
        state.lowered = false;
    }
    Some(if state.lowered { lowest } else { highest })
}

pub(super) struct RefreshPlugin;

impl Plugin for RefreshPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Refresh>()
            .add_systems(PreUpdate, wish.run_if(resource_exists::<DeviceOffer>));
    }
}

fn wish(
    offer: Res<DeviceOffer>,
    level: Res<CurrentLevel>,
    surroundings: Res<Surroundings>,
    mut state: ResMut<Refresh>,
    wish: Option<ResMut<DeviceWish>>,
) {
    let Some(mut wish) = wish else { return };
    let now = &surroundings.0;
    if !now.focused {
        return;
    }
    let refresh_rate = refresh(&mut state, &offer.refresh_rates, level.0, now);
    let saves = now.heat > Notice::Normal && level.0 < Level::Aggressive;
    let power = offer.power.then_some(if saves {
        Power::SustainedLow
    } else {
        Power::SustainedHigh
    });
    wish.set_if_neq(DeviceWish {
        refresh_rate,
        power,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEST: [f32; 4] = [60.0, 72.0, 90.0, 120.0];

    fn at(time: f64, moment: Moment, heat: Notice) -> Now {
        Now {
            time,
            moment,
            heat,
            ..Now::default()
        }
    }

    #[test]
    fn strain_lowers_the_rate_and_only_long_calm_at_a_seam_raises_it() {
        let mut state = Refresh::default();
        let mut rate = |time, level, moment| {
            refresh(&mut state, &QUEST, level, &at(time, moment, Notice::Normal)).unwrap()
        };
        let rates = [
            rate(0.0, Level::Conservative, Moment::Free),
            rate(1.0, Level::Aggressive, Moment::Free),
            rate(3.9, Level::Emergency, Moment::Free),
            rate(4.1, Level::Aggressive, Moment::Free),
            rate(5.0, Level::Conservative, Moment::Seam),
            rate(70.0, Level::Conservative, Moment::Free),
            rate(71.0, Level::Conservative, Moment::Seam),
        ];
        let rates = rates.map(|rate| rate as u32);
        assert_eq!(rates, [120, 120, 120, 72, 72, 72, 120]);
        // The next time it stays for two minutes.
        rate(80.0, Level::Emergency, Moment::Free);
        assert!(rate(84.0, Level::Emergency, Moment::Free) < 73.0);
        rate(85.0, Level::Conservative, Moment::Free);
        assert!(rate(190.0, Level::Conservative, Moment::Seam) < 73.0);
        assert!(rate(210.0, Level::Conservative, Moment::Seam) > 119.0);
    }

    #[test]
    fn heat_lowers_it_at_once_and_a_runtime_without_a_choice_is_left_alone() {
        let hot = at(0.0, Moment::Free, Notice::Warning);
        let mut state = Refresh::default();
        let rate = refresh(&mut state, &QUEST, Level::Conservative, &hot);
        assert_eq!(rate, Some(72.0));
        assert_eq!(refresh(&mut state, &[], Level::Emergency, &hot), None);
        let mut state = Refresh::default();
        assert_eq!(
            refresh(&mut state, &[60.0], Level::Emergency, &hot),
            Some(60.0)
        );
    }
}
