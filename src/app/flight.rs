//! The flight recorder: head and hands of every frame, kept sealed for days, so that a session can be played again.
//!
//! In: the rig, and the learner's consents as their log has them. Out: blocks of a second to the store, through threads of
//! their own. Never: a frame that waits, a recording without a recorded consent to it, or one that goes on after the
//! consent was taken back: then what is kept of it is forgotten, too.

use std::time::Duration;

use bevy::prelude::*;
use crossbeam_channel::Receiver;

use crate::interaction::InteractionSystems;
use crate::protocol::event::{Event, EventBody, PauseCause};
use crate::protocol::ids::LearnerId;
use crate::record::ages::AgeBand;
use crate::record::consent::{ConsentPolicy, ConsentRefusal, Consents};
use crate::record::motion::words::WordNoise;
use crate::record::motion::{
    ConsentToken, Controls, Grant, HandMotion, MotionFrame, MotionLog, RawPose, granted,
};
use crate::record::purpose::RetentionPolicy;
use crate::record::rights::Rights;
use crate::record::{By, RecordError, Recorder, Roster, Store, first_of_run};
use crate::session::state::LearnerState;
use crate::session::{Folded, Learner, unix_ms};
use crate::task::TaskSystems;
use crate::xr::rig::{AimPose, Hand, HandInput, HandKind, Head, Side};

/// A frame counts for no more than this in the time of a run, as it does for the session.
const LONGEST_FRAME: Duration = Duration::from_secs(1);

/// Records whoever agreed to it. Needs a [`Recorder`].
pub struct FlightPlugin;

impl Plugin for FlightPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<FlightRules>().add_systems(
            Update,
            (hear, record)
                .chain()
                .after(InteractionSystems)
                .before(TaskSystems)
                .run_if(resource_exists::<Recorder>),
        );
        app.add_systems(Last, land);
    }
}

/// By which rules movements are recorded.
#[derive(Resource, Debug, Clone)]
pub struct FlightRules {
    /// Who has to agree.
    pub policy: ConsentPolicy,
    /// How old the learner is, as far as it is known.
    pub band: AgeBand,
    /// For how long a recording is kept.
    pub keep: Duration,
}

impl FlightRules {
    /// Under this policy, for somebody of this age; recordings are kept as long as these terms say.
    pub(super) fn of(policy: &ConsentPolicy, band: AgeBand, terms: &RetentionPolicy) -> Self {
        Self {
            policy: policy.clone(),
            band,
            keep: Duration::from_secs(86_400 * u64::from(terms.motion_days)),
        }
    }
}

impl Default for FlightRules {
    /// As delivered: of unknown age, so that only a guardian's proven consent counts.
    fn default() -> Self {
        Self::of(
            &ConsentPolicy::default(),
            AgeBand::Unknown,
            &RetentionPolicy::default(),
        )
    }
}

/// One learner's recorder. To be put on the learner with what their log says so far.
#[derive(Component)]
pub struct Flight {
    consents: Consents,
    rights: Rights,
    log: Vec<Event>,
    run: u32,
    at: Duration,
    due: bool,
    recording: Option<Recording>,
    /// The consent is gone: what was recorded is to be forgotten.
    forget: bool,
    forgetting: Option<Receiver<Result<u64, RecordError>>>,
}

struct Recording {
    grant: Grant,
    token: ConsentToken,
    log: MotionLog,
}

impl Drop for Recording {
    fn drop(&mut self) {
        // Whatever waits for the disk is thrown away where the consent is gone.
        tracing::debug!(health = ?self.log.health(), "the recording of movements ends");
    }
}

impl Flight {
    /// For a learner with this log, who joins now: `resumed` where the session in it is taken up again.
    #[must_use]
    pub fn of(log: &[Event], resumed: bool) -> Self {
        let start = log
            .iter()
            .rposition(|event| matches!(event.body, EventBody::SessionStarted { .. }));
        let session = log.get(start.unwrap_or(log.len())..).unwrap_or_default();
        let resumptions = session
            .iter()
            .filter(|event| event.body == EventBody::SessionResumed)
            .count();
        let run = if resumed { resumptions + 1 } else { 0 };
        let of_rights = |event: &&Event| is_word(&event.body);
        Self {
            consents: Consents::of(log),
            rights: Rights::of(log),
            log: log.iter().filter(of_rights).cloned().collect(),
            run: u32::try_from(run).unwrap_or(u32::MAX),
            at: Duration::ZERO,
            due: true,
            recording: None,
            forget: false,
            forgetting: None,
        }
    }

    /// Whether movements are recorded now.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.recording.is_some()
    }
}

/// Whether an event changes what may be done with the record.
fn is_word(body: &EventBody) -> bool {
    matches!(
        body,
        EventBody::ConsentGiven(_)
            | EventBody::ConsentWithdrawn(_)
            | EventBody::ProcessingRestricted { .. }
            | EventBody::RestrictionLifted { .. }
    )
}

/// Takes consents in as they are given and taken back, and begins or ends the recording.
fn hear(
    rules: Res<FlightRules>,
    recorder: Res<Recorder>,
    mut folded: MessageReader<Folded>,
    mut flights: Query<(&Learner, &LearnerState, &mut Flight)>,
) {
    for Folded { learner, event } in folded.read() {
        if is_word(&event.body)
            && let Ok((.., mut flight)) = flights.get_mut(*learner)
        {
            flight.consents.take_in(event);
            flight.log.push(event.clone());
            flight.rights = Rights::of(&flight.log);
            flight.due = true;
        }
    }
    for (learner, state, mut flight) in &mut flights {
        if state.ended && flight.recording.is_some() {
            end(&mut flight, false);
        }
        // Nothing begins before the session has.
        if flight.due && state.session == Some(learner.session) && !state.ended {
            flight.due = false;
            decide(learner, &rules, &recorder, &mut flight);
        }
        if flight.forget || flight.forgetting.is_some() {
            forget(learner.id, &recorder, &mut flight);
        }
    }
}

fn decide(learner: &Learner, rules: &FlightRules, recorder: &Recorder, flight: &mut Flight) {
    let now = unix_ms();
    let grant = granted(
        learner.id,
        &rules.policy,
        rules.band,
        &flight.consents,
        now,
        rules.keep,
    );
    let restricted = flight.rights.restricted_by().is_some();
    let grant = match grant {
        Ok(grant) if !restricted => grant,
        Ok(_) => return end(flight, false),
        Err(why) => {
            let taken_back =
                flight.recording.is_some() || matches!(why, ConsentRefusal::Withdrawn { .. });
            debug!("movements are not recorded: {why}");
            return end(flight, taken_back);
        }
    };
    if flight.recording.is_some() {
        return;
    }
    let token = match ConsentToken::from_grant(&grant, now, rules.keep) {
        Ok(token) => token,
        Err(why) => {
            debug!("movements are not recorded: {why}");
            return;
        }
    };
    let door = recorder.door();
    let log = MotionLog::start(learner.id, learner.session, move |block| door.keep(block));
    match log {
        Ok(log) => {
            info!("movements are recorded, with consent");
            flight.recording = Some(Recording {
                grant,
                token,
                log: log.numbered_from(first_of_run(flight.run)),
            });
        }
        Err(error) => warn!("movements are not recorded: no thread can be had ({error})"),
    }
}

/// Ends a recording. The last block is handed over elsewhere: a disk that fails must not hold the frame up.
fn end(flight: &mut Flight, taken_back: bool) {
    flight.forget |= taken_back;
    let Some(recording) = flight.recording.take() else {
        return;
    };
    if taken_back {
        recording.grant.withdraw();
    }
    let spawned = std::thread::Builder::new()
        .name("motion-end".to_owned())
        .spawn(move || drop(recording));
    if let Err(error) = spawned {
        // The closure, and the recording in it, are dropped by then.
        warn!("the end of a recording was waited for: {error}");
    }
}

/// Has everything recorded of this learner forgotten; asked again until it is done.
fn forget(learner: LearnerId, recorder: &Recorder, flight: &mut Flight) {
    if let Some(answer) = &flight.forgetting {
        match answer.try_recv() {
            Ok(Ok(recordings)) => {
                info!(
                    recordings,
                    "recorded movements are forgotten: the consent was taken back"
                );
                flight.forget = false;
                flight.forgetting = None;
            }
            Ok(Err(error)) => {
                warn!("recorded movements are not forgotten yet: {error}");
                flight.forgetting = None;
            }
            Err(crossbeam_channel::TryRecvError::Empty) => {}
            Err(crossbeam_channel::TryRecvError::Disconnected) => flight.forgetting = None,
        }
        return;
    }
    let by = By {
        actor: "flight recorder".to_owned(),
        purpose: "the consent to keep movements was taken back".to_owned(),
        at_unix_ms: unix_ms(),
    };
    flight.forgetting = recorder.ask(move |store| store.forget_motion(learner, None, &by));
}

/// Takes the frame down.
fn record(
    time: Res<Time<Real>>,
    head: Query<&Transform, With<Head>>,
    hands: Query<(&Hand, &HandInput, &AimPose, &HandKind, &Transform)>,
    mut flights: Query<(&LearnerState, &mut Flight)>,
) {
    // Hands belong to the one learner who wears this headset.
    let Some((state, mut flight)) = flights.iter_mut().next() else {
        return;
    };
    // The time of the run begins with the frame in which the learner joined.
    flight.at += time.delta().min(LONGEST_FRAME);
    let flight = &mut *flight;
    let Some(recording) = &mut flight.recording else {
        return;
    };
    // A headset that is off moves, and nobody with it.
    if state.paused_by.contains(&PauseCause::Runtime) {
        return;
    }
    let Some(head) = head.iter().next().and_then(pose) else {
        return;
    };
    let hand = |side: Side| {
        let found = hands
            .iter()
            .find(|(hand, input, ..)| hand.0 == side && input.tracked);
        let (_, input, aim, kind, grip) = found?;
        // A mouse points by other means.
        let aim = (*kind != HandKind::None).then_some(&aim.0);
        let controls = Controls {
            trigger: input.trigger,
            squeeze: input.squeeze,
            stick: input.stick.to_array(),
            menu: input.menu,
        };
        Some(HandMotion::new(pose(grip)?, aim.and_then(pose), controls))
    };
    let frame = MotionFrame::new(flight.at, head, hand(Side::Left), hand(Side::Right));
    if let Err(why) = recording.log.append(&recording.token, unix_ms(), &frame) {
        info!("movements are recorded no longer: {why}");
        end(flight, true);
    }
}

fn pose(at: &Transform) -> Option<RawPose> {
    RawPose::new(at.translation.to_array(), at.rotation.to_array()).ok()
}

/// Forgets movements of whoever does not agree to their being kept any more. Of somebody whose age the roster does not
/// know either a grown-up's or a child's consent will do here: it was judged when they were recorded. Returns how many
/// recordings.
///
/// # Errors
/// The store cannot be read or written.
pub(super) fn forget_without_consent(store: &Store, roster: &Roster) -> Result<u64, RecordError> {
    let (policy, now) = (ConsentPolicy::default(), unix_ms());
    let mut forgotten = 0;
    for entry in store.learners()? {
        let learner = entry.learner;
        if store.recordings(learner)?.is_empty() {
            continue;
        }
        let consents = Consents::of(&store.events(learner)?);
        let known = roster.whose(learner).and_then(|(_, it)| it.birth_year);
        let bands = match known {
            Some(year) => vec![policy.ages.band_of(Some(year), now)],
            None => vec![AgeBand::Adult, AgeBand::Unknown],
        };
        let judged = bands.into_iter().map(|band| {
            let rules = FlightRules::of(&policy, band, &RetentionPolicy::default());
            let FlightRules { policy, keep, .. } = &rules;
            granted(learner, policy, band, &consents, now, *keep)
        });
        let refused: Vec<ConsentRefusal> = judged.filter_map(Result::err).collect();
        // That nobody was found who may agree can be for want of an age; a word taken back cannot.
        let taken_back = refused.iter().any(|it| {
            matches!(
                it,
                ConsentRefusal::Withdrawn { .. } | ConsentRefusal::DoesNotCount { .. }
            )
        });
        let gone = taken_back && refused.len() == known.map_or(2, |_| 1);
        if gone {
            let by = super::duties::by("the consent to keep movements is gone");
            forgotten += store.forget_motion(learner, None, &by)?;
        }
    }
    Ok(forgotten)
}

/// What leaves in the place of a learner's recorded movements, one JSON object for each attempt: nothing without consent.
///
/// # Errors
/// The store cannot be read.
pub(super) fn instead_of_movements(
    store: &Store,
    learner: LearnerId,
    log: &[Event],
    rules: &FlightRules,
) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let now = unix_ms();
    let consents = Consents::of(log);
    let Ok(grant) = granted(
        learner,
        &rules.policy,
        rules.band,
        &consents,
        now,
        rules.keep,
    ) else {
        return Ok(Vec::new());
    };
    let token = ConsentToken::from_grant(&grant, now, rules.keep)?;
    let noise = WordNoise::default();
    let mut lines = Vec::new();
    for recording in store.recordings(learner)? {
        if recording.delete_at_unix_ms <= now {
            continue;
        }
        for released in store.released(&token, learner, recording.session, now, &noise)? {
            lines.push(serde_json::to_string(&released.attempt)?);
            if let Some(stretch) = released.stretch {
                lines.push(serde_json::to_string(&stretch)?);
            }
        }
    }
    Ok(lines)
}

/// The program ends: the last block has to be kept before the record thread goes.
fn land(mut exit: MessageReader<AppExit>, mut flights: Query<&mut Flight>) {
    if exit.read().count() > 0 {
        for mut flight in &mut flights {
            flight.recording = None;
        }
    }
}

#[cfg(test)]
#[path = "flight_tests.rs"]
mod tests;
