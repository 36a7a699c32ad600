//! The systems around the stream: a sample for every learner when it is due, or at once when something is wrong.
//! In: [`StreamInput`], the state. Out: [`Streamed`], and what waits in [`Link`]. Nothing is allocated for a sample.

use std::time::Duration;

use bevy::prelude::*;
use tracing::{error, info};

use super::buffer::{BufferRules, Outgoing};
use super::histogram::Histogram;
use super::mirror::Mirror;
use super::quarantine::{Kept, Quarantine};
use super::sample::{Meanwhile, OfStep, as_sent, fields_of};
use super::schedule::{Circumstances, FramePace, Schedule, ScheduleRules};
use super::urgent::{AlarmRules, Alarms};
use super::validate::{Fault, ValidationRules, Validator};
use crate::learning::five::observation::Moment;
use crate::learning::quality::Quality;
use crate::protocol::event::EventBody;
use crate::protocol::ids::LearnerId;
use crate::protocol::life::Life;
use crate::protocol::sample::{Field, Occasion, Sample, SignalSet};
use crate::session::clock::SessionClock;
use crate::session::state::LearnerState;
use crate::session::{Folded, Learner, unix_ms};

/// How samples are taken, checked and kept.
#[derive(Resource, Debug, Clone, Default)]
pub struct StreamRules {
    /// When they are due.
    pub schedule: ScheduleRules,
    /// What can't wait.
    pub alarms: AlarmRules,
    /// What is believed.
    pub validation: ValidationRules,
    /// What waits for a receiver.
    pub buffer: BufferRules,
}

/// How far intervals between samples are off, over all learners. The goal: 50 ms at p99.
#[derive(Resource, Debug, Clone, Default)]
pub struct StreamTiming(pub Histogram);

/// Something measured, and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stamped<T> {
    /// What.
    pub value: T,
    /// By `Time<Real>` since the start.
    pub at: Duration,
}

/// What was measured and concluded of a learner, beside the fold of the log. Written by the rooms above whenever they know
/// something new; what is older than two intervals no longer counts.
#[derive(Component, Debug, Clone, Default, PartialEq)]
pub struct StreamInput {
    /// What was measured last. From the log: [`EventBody::Observed`].
    pub moment: Option<Stamped<Moment>>,
    /// What the models say of the running step.
    pub of_step: Option<Stamped<OfStep>>,
    /// Frames and tracking. `None` without a headset.
    pub quality: Option<Stamped<Quality>>,
    /// Frames, by the display in use. `None` without one that matters.
    pub frames: Option<FramePace>,
    /// How active the learner is, in [0, 1].
    pub activity: Option<f64>,
    /// What the device should measure.
    pub expected: SignalSet,
}

/// One learner's stream.
#[derive(Component, Debug, Default)]
pub struct Stream {
    schedule: Option<Schedule>,
    alarms: Alarms,
    validator: Validator,
    quarantine: Quarantine,
    /// The joining that samples are numbered after, and how many there were since.
    run: (u64, u32),
    latest: Option<Sample>,
}

impl Stream {
    /// The newest sample.
    #[must_use]
    pub fn latest(&self) -> Option<&Sample> {
        self.latest.as_ref()
    }

    /// What was not believed.
    #[must_use]
    pub fn quarantine(&self) -> &Quarantine {
        &self.quarantine
    }

    /// What is wrong at the moment.
    #[must_use]
    pub fn alarms(&self) -> Alarms {
        self.alarms
    }

    /// What can be believed of a sample, which is the newest one then.
    pub(super) fn check(
        &mut self,
        sample: &Sample,
        now_unix_ms: u64,
        rules: &ValidationRules,
    ) -> Result<Sample, Fault> {
        let quarantine = &mut self.quarantine;
        let checked = self
            .validator
            .check(sample, now_unix_ms, rules, quarantine)?;
        self.latest = Some(checked.sample);
        Ok(checked.sample)
    }

    /// The log is told of what was put aside, with the reason: of each kind the first. The rest is counted.
    pub(super) fn tell_what_is_put_aside(&mut self, who: LearnerId) {
        while let Some(kept) = self.quarantine.untold() {
            let what = kept
                .signal
                .map_or_else(|| "a sample".to_owned(), |signal| format!("{signal:?}"));
            info!(learner = %who, "{what} is put aside: {}; more of the kind are counted", kept.fault);
        }
    }

    /// Samples that were due in vain, because nothing ran.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.schedule.map_or(0, |schedule| schedule.missed())
    }
}

/// Somebody follows this learner: everything of theirs waits here until it is acknowledged. On the learner, put there
/// by the bridge with the log's length as it is in [`LearnerState::seq`].
#[derive(Component, Debug)]
pub struct Link(pub Outgoing);

/// A sample was taken.
#[derive(Message, Debug, Clone, Copy)]
pub struct Streamed {
    /// The learner entity.
    pub learner: Entity,
    /// What is known of them.
    pub sample: Sample,
}

/// Takes the samples that are due, and those that can't wait.
pub(crate) fn stream_samples(
    time: Res<Time<Real>>,
    rules: Res<StreamRules>,
    mut timing: ResMut<StreamTiming>,
    mut ordinal: Local<u32>,
    mut learners: Query<
        (
            Entity,
            &Learner,
            Ref<LearnerState>,
            &SessionClock,
            Ref<StreamInput>,
            &mut Stream,
            Option<&mut Link>,
        ),
        Without<Mirror>,
    >,
    mut streamed: MessageWriter<Streamed>,
) {
    let now = time.elapsed();
    for (learner, who, state, clock, input, mut stream, link) in &mut learners {
        if matches!(state.life(), Life::Joining | Life::Ended { .. }) {
            continue;
        }
        let stream = &mut *stream;
        let schedule = stream.schedule.get_or_insert_with(|| {
            // Every joining is an event of its own, so its place tells the runs of a session apart.
            stream.run = (state.seq, 0);
            *ordinal = ordinal.wrapping_add(1);
            Schedule::new(now, *ordinal, &rules.schedule)
        });
        let circumstances = Circumstances {
            frames: input.frames,
            activity: input.activity,
        };
        let interval = rules.schedule.interval(&circumstances);
        let due = schedule.poll(now, interval, &mut timing.0);
        if due.is_none() && !input.is_changed() && !state.is_changed() {
            continue;
        }
        let number = Sample::number_of(stream.run.0, stream.run.1);
        let meanwhile = believed(
            &input,
            now,
            schedule.interval(),
            &rules.validation,
            |fault| {
                let (signal, field) = (None, Field::Absent);
                if due.is_some() {
                    stream.quarantine.keep(Kept {
                        number,
                        signal,
                        field,
                        fault,
                    });
                }
            },
        );
        let fields = fields_of(&state, &meanwhile);
        let urgent = stream.alarms.look(&fields, &rules.alarms);
        let Some(occasion) = urgent.or(due.map(|_| Occasion::Tick)) else {
            continue;
        };
        let at_unix_ms = unix_ms();
        let sample = Sample {
            learner: who.id,
            session: who.session,
            number,
            after: state.seq,
            at: clock.at(now),
            at_unix_ms: Some(at_unix_ms),
            interval: schedule.interval(),
            occasion,
            expected: input.expected,
            fields: as_sent(fields, &state),
        };
        stream.run.1 = stream.run.1.wrapping_add(1);
        match stream.check(&sample, at_unix_ms, &rules.validation) {
            Ok(sample) => {
                streamed.write(Streamed { learner, sample });
                if let Some(mut link) = link {
                    link.0.sample(sample);
                }
            }
            Err(fault) => error!(learner = %who.id, "a sample is left out: {fault}"),
        }
        stream.tell_what_is_put_aside(who.id);
    }
}

/// What is recent enough; `stale` is told of the rest.
fn believed<'a>(
    input: &'a StreamInput,
    now: Duration,
    interval: Duration,
    rules: &ValidationRules,
    mut stale: impl FnMut(Fault),
) -> Meanwhile<'a> {
    let mut fresh = |at: Duration| match rules.fresh(now.saturating_sub(at), interval) {
        Ok(()) => true,
        Err(fault) => {
            stale(fault);
            false
        }
    };
    Meanwhile {
        of_step: input.of_step.filter(|it| fresh(it.at)).map(|it| it.value),
        moment: input
            .moment
            .as_ref()
            .filter(|it| fresh(it.at))
            .map(|it| &it.value),
        quality: input.quality.filter(|it| fresh(it.at)).map(|it| it.value),
    }
}

/// What was measured of a learner is told by an event, and speaks of now for a while.
pub(crate) fn note_moments(
    time: Res<Time<Real>>,
    mut folded: MessageReader<Folded>,
    mut inputs: Query<&mut StreamInput>,
) {
    let at = time.elapsed();
    for Folded { learner, event } in folded.read() {
        if let EventBody::Observed { moment } = &event.body
            && let Ok(mut input) = inputs.get_mut(*learner)
        {
            input.moment = Some(Stamped {
                value: **moment,
                at,
            });
        }
    }
}

/// Every event waits for the receiver at once: an attempt is not kept for the next tick.
pub(crate) fn pass_on_events(mut folded: MessageReader<Folded>, mut links: Query<&mut Link>) {
    for Folded { learner, event } in folded.read() {
        if let Ok(mut link) = links.get_mut(*learner)
            && event.seq > link.0.logged()
            && let Err(error) = link.0.event(event.clone())
        {
            error!(learner = %event.learner, "an event can't be passed on: {error}");
        }
    }
}
