//! What can't wait for the tick: comfort that is lost, strain that sets in. (Attempts are events, and events never wait.)

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::sample::{Fields, Occasion, Signal};

/// Where alarms go off and where they end. The two are apart, so that a figure on the edge doesn't set off one
/// alarm after the other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AlarmRules {
    /// Comfort below this is an alarm. Arbitrary: 0.4, above the point at which people ask to stop.
    pub discomfort: f32,
    /// Load above this is one: 0.7, the original's high stress.
    pub strain: f32,
    /// How far a figure has to come back before it is over: 0.1.
    pub slack: f32,
}

impl Default for AlarmRules {
    fn default() -> Self {
        Self {
            discomfort: 0.4,
            strain: 0.7,
            slack: 0.1,
        }
    }
}

/// The alarms of one learner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Alarms {
    discomfort: bool,
    strain: bool,
}

impl Alarms {
    /// Looks at the figures of now. Returns why a sample has to go out at once, if an alarm went off or ended; of two,
    /// that of safety. A figure that is absent (or no share) leaves its alarm as it was: not to know is no
    /// relief.
    pub fn look(&mut self, fields: &Fields, rules: &AlarmRules) -> Option<Occasion> {
        let share = |signal| {
            let value = fields.get(signal).value();
            value.filter(|share| (0.0..=1.0).contains(share))
        };
        let (comfort, load) = (share(Signal::Comfort), share(Signal::Load));
        let safety = comfort.is_some_and(|comfort| {
            let low = rules.discomfort;
            turn(
                &mut self.discomfort,
                comfort < low,
                comfort >= low + rules.slack,
            )
        });
        let stress = load.is_some_and(|load| {
            let high = rules.strain;
            turn(&mut self.strain, load > high, load <= high - rules.slack)
        });
        match (safety, stress) {
            (true, _) => Some(Occasion::Safety),
            (_, true) => Some(Occasion::Stress),
            _ => None,
        }
    }

    /// The learner is not well.
    #[must_use]
    pub fn discomfort(&self) -> bool {
        self.discomfort
    }

    /// The learner is under strain.
    #[must_use]
    pub fn strain(&self) -> bool {
        self.strain
    }
}

/// Whether the alarm changed.
fn turn(alarm: &mut bool, enters: bool, leaves: bool) -> bool {
    let before = *alarm;
    *alarm = if before { !leaves } else { enters };
    before != *alarm
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::sample::Field;

    fn fields(signal: Signal, value: f32) -> Fields {
        let mut fields = Fields::default();
        fields.set(signal, Field::Measured { value });
        fields
    }

    #[test]
    fn an_alarm_goes_off_once_and_ends_once() {
        let rules = AlarmRules::default();
        let mut alarms = Alarms::default();
        let told: Vec<bool> = [0.5, 0.71, 0.9, 0.69, 0.71, 0.61, 0.59, 0.65]
            .map(|load| alarms.look(&fields(Signal::Load, load), &rules).is_some())
            .to_vec();
        let (yes, no) = (true, false);
        assert_eq!(told, [no, yes, no, no, no, no, yes, no]);
    }

    #[test]
    fn safety_goes_before_stress_and_not_to_know_is_no_relief() {
        let rules = AlarmRules::default();
        let mut alarms = Alarms::default();
        let mut both = fields(Signal::Load, 0.9);
        both.set(Signal::Comfort, Field::Measured { value: 0.1 });
        assert_eq!(alarms.look(&both, &rules), Some(Occasion::Safety));
        assert!(alarms.discomfort() && alarms.strain());
        assert_eq!(alarms.look(&Fields::default(), &rules), None);
        let nobody_knows = fields(Signal::Comfort, f32::NAN);
        assert_eq!(alarms.look(&nobody_knows, &rules), None);
        assert!(alarms.discomfort());
    }
}
