//! What the governor remembers from frame to frame, and what it is told: frames are taken in here, and forgotten where
//! they can't tell anything any more.

use super::actuators::{Limits, Quality, Setting, Work};
use super::chain::{Alarms, Chain};
use super::restraint::{Heat, Notice};
use super::rules::Rules;
use super::sense::{FrameSample, History};
use super::side::Side;
use super::why::Cause;

/// Frames without a GPU time after which it counts as unmeasured.
const UNMEASURED: u8 = 16;

/// What the learner is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Moment {
    /// Nothing in particular.
    #[default]
    Free,
    /// Something fine, reading, an assessment: nothing visible changes unless a miss is certain.
    Protected,
    /// A teleport, a fade, a step's boundary: whatever changes now isn't seen.
    Seam,
}

/// Something after which frames are other frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Another scene: what was learnt of the old one is forgotten.
    SceneLoaded,
    /// The session lost or won the focus. Seen by itself.
    FocusChanged,
    /// The display runs at another rate. Seen by itself, from the period.
    RefreshChanged,
}

/// Everything that isn't the frames' cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Now {
    /// Seconds of a clock that never goes back.
    pub time: f64,
    /// What the learner is at.
    pub moment: Moment,
    /// What bounds the actuators.
    pub limits: Limits,
    /// What the runtime says about heat.
    pub heat: Notice,
    /// Whether the session has the focus. Without it nothing is decided.
    pub focused: bool,
    /// What happened since the last frame.
    pub event: Option<Event>,
    /// Whether something that frames need is still being made (pipelines): what they cost now says nothing of the scene.
    pub warming: bool,
}

impl Default for Now {
    fn default() -> Self {
        Self {
            time: 0.0,
            moment: Moment::Free,
            limits: Limits::default(),
            heat: Notice::Normal,
            focused: true,
            event: None,
            warming: false,
        }
    }
}

/// What the governor remembers from frame to frame.
#[derive(Debug, Clone, Copy)]
pub struct State {
    pub(super) setting: Setting,
    pub(super) cpu: Side,
    pub(super) gpu: Side,
    /// Whether the GPU's side shares its period with the renderer, and cuts that couldn't wait for certainty.
    pub(super) chain: Chain,
    pub(super) alarms: Alarms,
    pub(super) heat: Heat,
    pub(super) period: f64,
    pub(super) focused: bool,
    /// Frames of the history that have been taken in, and those up to which none is evidence.
    pub(super) taken: u64,
    pub(super) known_from: u64,
    /// Frames that are still to be left out, and since when some are.
    pub(super) cold: u64,
    pub(super) warming_since: Option<f64>,
    /// When anything changed last, seconds.
    pub(super) changed: f64,
    /// The frame in which giving back is looked at again, and why it wasn't given back the last time.
    pub(super) look_again: u64,
    pub(super) waits_for: Cause,
    /// GPU time that is presumed where nobody measures it, seconds; and for how many frames nobody did.
    pub(super) presumed: f64,
    pub(super) unmeasured: u8,
    /// The work of the last frame's setting, which is most often this one's.
    pub(super) known: (Setting, Limits, Work, Work),
}

impl State {
    /// Before the first frame: nothing given up.
    #[must_use]
    pub fn new(rules: &Rules) -> Self {
        let limits = Limits::default();
        let full = Quality::at(&Setting::FULL, rules, &limits);
        Self {
            setting: Setting::FULL,
            cpu: Side::new(&rules.cpu_shares, rules),
            gpu: Side::new(&rules.gpu_shares, rules),
            chain: Chain::default(),
            alarms: Alarms::default(),
            heat: Heat::default(),
            period: 0.0,
            focused: true,
            taken: 0,
            known_from: 0,
            cold: u64::from(rules.warm_frames),
            warming_since: None,
            changed: f64::NEG_INFINITY,
            look_again: 0,
            waits_for: Cause::Dwelling,
            presumed: 0.0,
            unmeasured: 0,
            known: (Setting::FULL, limits, full.cpu_work(), full.gpu_work(rules)),
        }
    }

    /// What is in force.
    #[must_use]
    pub fn setting(&self) -> Setting {
        self.setting
    }

    /// The value of every actuator with what is in force.
    #[must_use]
    pub fn quality(&self, rules: &Rules, now: &Now) -> Quality {
        Quality::at(&self.setting, rules, &now.limits)
    }

    /// What has been learnt of the actuators' worth: shares of the cost by kind, CPU and GPU
    /// (see [`Quality::cpu_work`] and [`Quality::gpu_work`]).
    #[must_use]
    pub fn learnt(&self) -> [&[f64; 5]; 2] {
        [self.cpu.cost.shares(), self.gpu.cost.shares()]
    }

    /// The work that a setting leaves, CPU and GPU.
    pub(super) fn works(
        &mut self,
        setting: &Setting,
        rules: &Rules,
        limits: &Limits,
    ) -> (Work, Work) {
        if self.known.0 != *setting || self.known.1 != *limits {
            let quality = Quality::at(setting, rules, limits);
            self.known = (
                *setting,
                *limits,
                quality.cpu_work(),
                quality.gpu_work(rules),
            );
        }
        (self.known.2, self.known.3)
    }
}

/// Other frames come: forget what they can't tell, and dwell.
pub(super) fn reset(state: &mut State, history: &History, rules: &Rules, now: &Now) {
    let period = history.back(0).map_or(0.0, |sample| sample.period);
    let other_rate =
        state.period > 0.0 && period > 0.0 && (period / state.period - 1.0).abs() > 0.02;
    if period > 0.0 {
        state.period = period;
    }
    let other_focus = std::mem::replace(&mut state.focused, now.focused) != now.focused;
    let event = now
        .event
        .or(other_rate.then_some(Event::RefreshChanged))
        .or(other_focus.then_some(Event::FocusChanged));
    let Some(event) = event else { return };
    if event == Event::SceneLoaded {
        state.cpu = Side::new(&rules.cpu_shares, rules);
        state.gpu = Side::new(&rules.gpu_shares, rules);
        (state.cold, state.warming_since) = (u64::from(rules.warm_frames), None);
    }
    state.cpu.forget_frames();
    state.gpu.forget_frames();
    state.chain.forget_frames();
    state.alarms = Alarms::default();
    state.presumed = 0.0;
    state.changed = now.time;
}

/// Leaves out the first frames of a scene, and those in which what frames need was still being made: they say nothing of
/// what the scene costs. `false` while there are such. Not for ever: what never ends is the scene's own.
pub(super) fn is_warm(state: &mut State, history: &History, rules: &Rules, now: &Now) -> bool {
    if now.warming {
        let begun = *state.warming_since.get_or_insert(now.time);
        if now.time - begun < rules.warm_longest {
            state.cold = u64::from(rules.warm_frames);
        }
    } else if state.cold == 0 {
        state.warming_since = None;
    }
    if state.cold == 0 {
        return true;
    }
    let frames = history.frames();
    let new = frames.saturating_sub(state.taken);
    state.cold = state.cold.saturating_sub(new.min(history.len() as u64));
    (state.taken, state.known_from) = (frames, frames);
    false
}

/// Takes in the frames that came since the last time.
pub(super) fn take_in(state: &mut State, history: &History, rules: &Rules, now: &Now) {
    let unseen = history.frames().saturating_sub(state.taken);
    let unseen = (unseen as usize).min(history.len());
    state.taken = history.frames();
    for back in (0..unseen).rev() {
        let Some(sample) = history.back(back) else {
            continue;
        };
        let frame = history.frames() - back as u64;
        let (cpu, gpu_now) = state.works(&sample.setting, rules, &now.limits);
        if sample
            .gpu
            .is_some_and(|gpu| state.chain.witness(history, back, gpu))
        {
            state.cpu.count_anew();
            state.gpu.count_anew();
        }
        if state.chain.waits() {
            state.cpu.feed(sample.cpu.total(), &cpu, frame, rules);
            follow_chain(state, history, rules, now, back);
            continue;
        }
        state
            .cpu
            .feed(sample.cpu.total_with_end(), &cpu, frame, rules);
        match sample.gpu {
            // Of a frame that is no evidence.
            Some(gpu) if frame - u64::from(gpu.age).min(frame) <= state.known_from => {}
            Some(gpu) => {
                (state.presumed, state.unmeasured) = (0.0, 0);
                let then = history.back(back + usize::from(gpu.age));
                let setting = then.map_or(sample.setting, |then| then.setting);
                let (_, work) = state.works(&setting, rules, &now.limits);
                state.gpu.feed(gpu.seconds, &work, frame, rules);
            }
            None => presume(state, sample, &gpu_now, frame, rules),
        }
    }
}

/// Where the runtime waits for the GPU, how long it waited is what the GPU had left to do, and known at once.
fn follow_chain(state: &mut State, history: &History, rules: &Rules, now: &Now, back: usize) {
    let Some(sample) = history.back(back) else {
        return;
    };
    (state.presumed, state.unmeasured) = (0.0, 0);
    let frame = history.frames() - back as u64;
    let age = sample.cpu.rendered_age();
    if frame - u64::from(age).min(frame) <= state.known_from || sample.cpu.end <= 0.0 {
        return;
    }
    let then = history.back(back + usize::from(age));
    let setting = then.map_or(sample.setting, |then| then.setting);
    let (_, work) = state.works(&setting, rules, &now.limits);
    state.chain.feed(sample, rules);
    let step = state.gpu.feed(sample.cpu.end, &work, frame, rules);
    let open = state.gpu.track.is_odd();
    state.alarms.hear(step, open, now.time, rules);
}

/// Without timestamps the GPU's time is presumed: too much where periods are missed that the CPU didn't miss, and slowly
/// less while none are, so that room is probed for now and then (and walls remembered).
fn presume(state: &mut State, sample: &FrameSample, work: &Work, frame: u64, rules: &Rules) {
    // Timestamps come late, and one may be lost.
    state.unmeasured = state.unmeasured.saturating_add(1);
    if state.unmeasured < UNMEASURED {
        return;
    }
    let innocent = rules.innocent * sample.period;
    let blamed = sample.missed() && sample.cpu.total_with_end() < innocent;
    if blamed {
        state.presumed = sample.period * (1.05 + 0.1 * f64::from(sample.skipped.min(3)));
        // One is enough where nothing else tells.
        state
            .gpu
            .track
            .restart(state.presumed / state.gpu.cost.factor(work));
    } else if state.presumed > 0.0 {
        // Half in ten seconds at 72 Hz.
        state.presumed = (state.presumed * 0.999).max(0.6 * sample.period);
        state.gpu.feed(state.presumed, work, frame, rules);
    }
}
