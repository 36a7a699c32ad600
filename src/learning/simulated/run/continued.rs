//! A lesson taken up in its middle: how things are set then, and an attempt that is under way.

use super::Run;
use crate::learning::simulated::mind::Setting;
use crate::learning::simulated::scene::Scene;

/// Where a lesson is taken up.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Start {
    /// How things are set.
    pub setting: Setting,
    /// What is counted and timed; its clock begins here.
    pub scene: Scene,
    /// Attempts on the step so far.
    pub rounds: u32,
    /// Seconds for which the running attempt has lasted.
    pub lasted: f64,
    /// Seconds for which it is known to last still, at least.
    pub waits: f64,
}

impl Run<'_> {
    /// Takes the lesson up there. False where this learner, with this luck, would not have been at the attempt for so
    /// long: then it is not one of those of whom the same was seen.
    pub fn take_up(&mut self, start: &Start) -> bool {
        self.world.setting = start.setting;
        self.world.rounds = start.rounds;
        self.scene = start.scene;
        self.scene.now = 0.0;
        self.scene.hints.rung = start.setting.rung;
        self.begin_attempt();
        let whole = self.world.stuck + self.world.working;
        let lasted = start.lasted.max(0.0);
        // Being stuck comes first.
        let stuck = self.world.stuck.min(lasted);
        self.world.stuck -= stuck;
        self.world.working = (self.world.working - (lasted - stuck)).max(1e-3);
        self.elapsed = lasted;
        self.scene.hints.hesitated = start.scene.hints.hesitated;
        whole > lasted + start.waits.max(0.0)
    }
}
