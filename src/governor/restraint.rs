//! What is remembered beyond the moment: loads that were too much (so that the same wall isn't probed again), and heat
//! (so that a sustained frame rate wins over a sawtooth).

use serde::{Deserialize, Serialize};

use super::rules::Rules;

/// The largest load of the last while: whatever is given back must have room for it. The while is doubled each time a load
/// that had been forgotten forces a cut again, and starts anew with another scene.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Wall {
    /// Largest of this stretch and of the one before; a stretch is as long as `hold`.
    largest: [f64; 2],
    begun: f64,
    hold: f64,
    /// The load that forced a cut last, and when.
    forced: f64,
    forced_at: f64,
}

impl Wall {
    /// The load (seconds at full quality) is what it is at the time `now`.
    pub fn see(&mut self, load: f64, now: f64, rules: &Rules) {
        self.hold = self.hold.max(rules.wall);
        let [stretch, _] = self.largest;
        let passed = now - self.begun;
        if passed >= 2.0 * self.hold {
            (self.largest, self.begun) = ([0.0; 2], now);
        } else if passed >= self.hold {
            (self.largest, self.begun) = ([0.0, stretch], self.begun + self.hold);
        }
        let [stretch, _] = &mut self.largest;
        *stretch = stretch.max(load);
    }

    /// A load forced a cut at the time `now`: it came too fast to be foreseen.
    pub fn force(&mut self, load: f64, now: f64, rules: &Rules) {
        let again = self.forced > 0.0
            && load > self.forced * (1.0 - rules.wall_same)
            && now - self.forced_at > self.hold
            && now - self.forced_at < self.hold + rules.wall_longest;
        if again {
            self.hold = (2.0 * self.hold).min(rules.wall_longest);
        }
        (self.forced, self.forced_at) = (load, now);
        self.see(load, now, rules);
    }

    /// The load that there must be room for, seconds at full quality; 0 before any.
    #[must_use]
    pub fn load(&self) -> f64 {
        let [stretch, before] = self.largest;
        stretch.max(before)
    }
}

/// What the runtime says about heat (`XR_EXT_performance_settings`, thermal sub-domain), worst of CPU and GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// All is well.
    #[default]
    Normal,
    /// It will throttle soon.
    Warning,
    /// It throttles.
    Impaired,
}

/// The restraint that heat asks for, and how long it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Heat {
    restraint: Notice,
    told: Notice,
    until: f64,
    hold: f64,
}

impl Heat {
    /// Follows what the runtime says at the time `now`.
    pub fn follow(&mut self, notice: Notice, now: f64, rules: &Rules) {
        if notice > Notice::Normal {
            if self.told == Notice::Normal {
                let again = self.hold > 0.0 && now < self.until + rules.cool_longest;
                self.hold = if again {
                    (self.hold * 2.0).min(rules.cool_longest)
                } else {
                    rules.cool
                };
            }
            self.restraint = self.restraint.max(notice);
            self.until = now + self.hold;
        } else if now >= self.until {
            self.restraint = Notice::Normal;
        }
        self.told = notice;
    }

    /// What is held back for.
    #[must_use]
    pub fn restraint(&self) -> Notice {
        self.restraint
    }

    /// Share of the budget that may be used.
    #[must_use]
    pub fn share(&self, rules: &Rules) -> f64 {
        let [warned, impaired] = rules.thermal;
        match self.restraint {
            Notice::Normal => 1.0,
            Notice::Warning => warned,
            Notice::Impaired => impaired,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sees a small load until the large one is forgotten; returns how long that took.
    fn calm(wall: &mut Wall, from: f64, rules: &Rules) -> f64 {
        (1..1000)
            .map(f64::from)
            .find(|passed| {
                wall.see(0.005, from + passed, rules);
                wall.load() <= 0.01
            })
            .unwrap_or(f64::INFINITY)
    }

    #[test]
    fn a_load_is_remembered_for_a_while_and_for_longer_each_time_it_forces_again() {
        let rules = Rules::default();
        let mut wall = Wall::default();
        let mut now = 100.0;
        let mut held = Vec::new();
        // Each time just when it was forgotten.
        for _ in 0..7 {
            wall.force(0.02, now, &rules);
            held.push(calm(&mut wall, now, &rules));
            now += held.last().copied().unwrap_or_default();
        }
        let rising = held
            .windows(2)
            .all(|pair| pair[0] < pair[1] || pair[1] >= rules.wall_longest);
        assert!(rising, "{held:?}");
        assert!(
            held[0] >= rules.wall - 1.0 && held[0] <= 2.0 * rules.wall,
            "{held:?}"
        );
    }

    #[test]
    fn a_smaller_load_that_forces_later_is_another_wall() {
        let rules = Rules::default();
        let mut wall = Wall::default();
        wall.force(0.02, 0.0, &rules);
        let forgotten = calm(&mut wall, 0.0, &rules);
        wall.force(0.012, forgotten, &rules);
        assert!(calm(&mut wall, forgotten, &rules) <= 2.0 * rules.wall);
    }

    #[test]
    fn heat_that_comes_back_is_respected_for_longer() {
        let rules = Rules::default();
        let mut heat = Heat::default();
        let mut now = 0.0;
        let mut held = Vec::new();
        for _ in 0..3 {
            heat.follow(Notice::Warning, now, &rules);
            let begun = now;
            while heat.restraint() > Notice::Normal {
                now += 1.0;
                heat.follow(Notice::Normal, now, &rules);
            }
            held.push(now - begun);
        }
        assert_eq!(held, [60.0, 120.0, 240.0]);
        assert!((heat.share(&rules) - 1.0).abs() < 1e-12);
    }
}
