//! Whether the governor decides: on, off, or held at one level, for tests and measurements.

use std::fmt;
use std::str::FromStr;

use bevy::prelude::Resource;

use super::actuators::{Level, Limits, Quality, Setting};
use super::policies::Asked;
use super::rules::Rules;

/// Whether the governor decides; may be changed at any time.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// It does.
    #[default]
    On,
    /// Full quality, whatever is missed.
    Off,
    /// This level, whatever is missed.
    Held(Level),
}

/// No such mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no mode of the governor; say on, off, conservative, balanced, aggressive or emergency"
)]
pub struct NoSuchMode(String);

const LEVELS: [Level; 4] = [
    Level::Conservative,
    Level::Balanced,
    Level::Aggressive,
    Level::Emergency,
];

impl FromStr for Mode {
    type Err = NoSuchMode;

    fn from_str(word: &str) -> Result<Self, NoSuchMode> {
        match word {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => LEVELS
                .into_iter()
                .find(|level| level.name() == word)
                .map(Self::Held)
                .ok_or_else(|| NoSuchMode(word.to_owned())),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Held(level) => level.name(),
        })
    }
}

impl Mode {
    /// What is in force whatever happens; `None` where the governor decides.
    pub(super) fn forced(self, rules: &Rules, limits: &Limits) -> Option<Asked> {
        let (given, level) = match self {
            Self::On => return None,
            Self::Off | Self::Held(Level::Conservative) => (0.0, Level::Conservative),
            // Where the level begins; at emergency all is given up that may be.
            Self::Held(Level::Balanced) => (0.25, Level::Balanced),
            Self::Held(Level::Aggressive) => (0.5, Level::Aggressive),
            Self::Held(Level::Emergency) => (1.0, Level::Emergency),
        };
        let setting = Setting {
            cpu: given,
            gpu: given,
        };
        Some(Asked {
            quality: Quality::at(&setting, rules, limits),
            setting,
            level,
            every: 1,
            why: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_is_read_as_it_is_written_and_others_say_what_there_is() {
        for mode in [Mode::On, Mode::Off]
            .into_iter()
            .chain(LEVELS.map(Mode::Held))
        {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        let why = "fast".parse::<Mode>().unwrap_err().to_string();
        assert!(why.contains("`fast`") && why.contains("balanced"), "{why}");
    }

    #[test]
    fn a_held_level_is_that_level_and_off_gives_nothing_up() {
        let (rules, limits) = (Rules::default(), Limits::default());
        let forced = |mode: Mode| mode.forced(&rules, &limits);
        assert_eq!(forced(Mode::On), None);
        let full = Quality::at(&Setting::FULL, &rules, &limits);
        assert_eq!(forced(Mode::Off).unwrap().quality, full);
        for level in LEVELS {
            let asked = forced(Mode::Held(level)).unwrap();
            assert_eq!((asked.level, Level::of(&asked.setting)), (level, level));
        }
    }
}
