//! The session's life: created, begun, put down, taken up, lost, found again.

use std::time::{Duration, Instant};

use bevy::prelude::*;
use bevy::render::{ExtractSchedule, RenderApp};
use bevy_mod_openxr::resources::{OxrInstance, OxrSystemId};
use bevy_mod_openxr::session::OxrSession;
use bevy_mod_xr::session::{
    XrFirst, XrHandleEvents, XrRequestExitMessage, XrSessionCreated, XrState,
};
use openxr::{Event, SessionState, ViewConfigurationType};
use tracing::{debug, info, warn};

use super::XrPhase;
use super::clock::{FrameClock, FrameStats};
use super::comeback::{self, Comeback};
use super::device::Heard;
use super::handover::{create, settle};
use super::loader::explain;
use super::start::{Enabled, Started, Vulkan};

/// Pace of the application while no runtime paces it, and none has told a period.
const IDLE_PERIOD: f64 = 1.0 / 72.0;

/// The connection to the runtime.
#[derive(Resource, Debug)]
pub(super) enum Link {
    /// There is an instance; a session will be created.
    Connected,
    /// There is a session.
    Open {
        /// Between begin and end: frames are due.
        running: bool,
        /// The runtime wants the session ended; done as soon as no frame is in flight.
        ending: bool,
    },
    /// Session and instance have to be given up when the render thread is idle.
    Falling(Fall),
    /// There is neither instance nor session; looking for a runtime.
    Down(Comeback),
    /// The learner closed the application through the runtime.
    Over,
}

/// Why a session is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fall {
    /// Something broke; come back.
    Lost(String),
    /// The runtime wants us gone.
    Exit,
}

impl Link {
    /// Gives the session up because of an error; the first reason is kept.
    pub fn fall(&mut self, what: &str, code: openxr::sys::Result) {
        if let Link::Connected | Link::Open { .. } = self {
            *self = Link::Falling(Fall::Lost(format!("{what}: {}", explain(code))));
        }
    }

    /// Whether frames are due.
    pub fn runs(&self) -> bool {
        matches!(
            self,
            Link::Open {
                running: true,
                ending: false
            }
        )
    }
}

/// The runtime came back, but this process cannot use it (another graphics device): `app` should start
/// the process anew in its place. Says why.
#[derive(Resource, Debug, Clone, PartialEq, Eq)]
pub struct XrRestartAdvised(pub String);

/// An error that the render world met.
#[derive(Resource, Debug, Default)]
pub(super) struct RenderTrouble(pub Option<(&'static str, openxr::sys::Result)>);

/// When the application was last let go while nothing else paced it.
#[derive(Resource, Debug)]
struct Pace(Instant);

pub(super) struct SessionPlugin;

impl Plugin for SessionPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<FrameStats>()
            .init_resource::<FrameClock>()
            .init_resource::<LastState>()
            .init_resource::<ProfileChanged>()
            .insert_resource(Pace(Instant::now()))
            .add_systems(
                XrFirst,
                (
                    poll_events.in_set(XrHandleEvents::Poll),
                    (ask_to_exit, look_for_runtime, open_session, show_phase)
                        .chain()
                        .in_set(XrHandleEvents::SessionStateUpdateEvents),
                    keep_pace.in_set(XrHandleEvents::FrameLoop),
                ),
            );
        if let Some(render) = app.get_sub_app_mut(RenderApp) {
            render
                .init_resource::<RenderTrouble>()
                .add_systems(ExtractSchedule, settle);
        }
    }
}

fn poll_events(
    instance: Option<Res<OxrInstance>>,
    session: Option<Res<OxrSession>>,
    mut link: ResMut<Link>,
    mut clock: ResMut<FrameClock>,
    mut state: ResMut<LastState>,
    mut profile: ResMut<ProfileChanged>,
    mut heard: ResMut<Heard>,
) {
    let Some(instance) = instance else { return };
    let mut buffer = openxr::EventDataBuffer::default();
    loop {
        match instance.poll_event(&mut buffer) {
            Ok(None) => break,
            Ok(Some(Event::SessionStateChanged(change))) => {
                state.0 = change.state();
                debug!("session: {:?}", state.0);
                follow(state.0, session.as_deref(), &mut link, &mut clock);
            }
            Ok(Some(Event::InstanceLossPending(_))) => {
                link.fall(
                    "the runtime is going away",
                    openxr::sys::Result::ERROR_INSTANCE_LOST,
                );
            }
            Ok(Some(Event::InteractionProfileChanged(_))) => profile.0 = true,
            Ok(Some(Event::DisplayRefreshRateChangedFB(change))) => {
                clock.display_runs_at(Some(change.to_display_refresh_rate()));
            }
            Ok(Some(Event::PerfSettingsEXT(news))) => {
                heard.take(news.domain(), news.sub_domain(), news.to_level());
            }
            Ok(Some(Event::EventsLost(lost))) => {
                warn!(
                    "{} events of the runtime were lost",
                    lost.lost_event_count()
                );
            }
            Ok(Some(_)) => {}
            Err(code) => {
                link.fall("asking for events", code);
                break;
            }
        }
    }
}

/// The state that the runtime told last.
#[derive(Resource, Debug, Clone, Copy)]
pub(super) struct LastState(pub SessionState);

impl Default for LastState {
    fn default() -> Self {
        Self(SessionState::UNKNOWN)
    }
}

/// Whether the runtime told that the hands hold something else now.
#[derive(Resource, Debug, Default)]
pub(super) struct ProfileChanged(pub bool);

fn follow(
    state: SessionState,
    session: Option<&OxrSession>,
    link: &mut Link,
    clock: &mut FrameClock,
) {
    let Link::Open { running, ending } = link else {
        return;
    };
    match state {
        SessionState::READY => {
            let Some(session) = session else { return };
            match session.begin(ViewConfigurationType::PRIMARY_STEREO) {
                Ok(_) => *running = true,
                Err(code) => link.fall("beginning the session", code),
            }
        }
        SessionState::STOPPING => {
            *ending = true;
            clock.pause();
        }
        SessionState::EXITING => *link = Link::Falling(Fall::Exit),
        SessionState::LOSS_PENDING => {
            link.fall("the session", openxr::sys::Result::ERROR_SESSION_LOST);
        }
        _ => {}
    }
}

fn ask_to_exit(
    mut asked: MessageReader<XrRequestExitMessage>,
    session: Option<Res<OxrSession>>,
    link: Res<Link>,
) {
    if asked.read().count() == 0 || !link.runs() {
        return;
    }
    if let Some(session) = session
        && let Err(code) = session.request_exit()
    {
        debug!("asking the runtime for the exit: {}", explain(code));
    }
}

fn look_for_runtime(mut commands: Commands, mut link: ResMut<Link>, vulkan: Res<Vulkan>) {
    let Link::Down(comeback) = &mut *link else {
        return;
    };
    match comeback.look(*vulkan) {
        comeback::Look::Nothing => {}
        comeback::Look::Found {
            instance,
            system,
            enabled,
        } => {
            info!("an OpenXR runtime answers again");
            commands.insert_resource(super::start::wrap(instance));
            commands.insert_resource(OxrSystemId(system));
            commands.insert_resource(Enabled(enabled));
            commands.remove_resource::<XrRestartAdvised>();
            *link = Link::Connected;
        }
        comeback::Look::Unusable(why) => {
            commands.insert_resource(XrRestartAdvised(why));
        }
    }
}

/// Creates the session as soon as there is an instance without one.
fn open_session(world: &mut World) {
    if !matches!(world.resource::<Link>(), Link::Connected) {
        return;
    }
    match create(world) {
        Ok(handover) => {
            world.insert_resource(handover);
            world.insert_resource(Link::Open {
                running: false,
                ending: false,
            });
            world.insert_resource(XrState::Idle);
            world.run_schedule(XrSessionCreated);
        }
        Err(why) => world.insert_resource(Link::Falling(Fall::Lost(why))),
    }
}

/// [`XrPhase`] follows the link and the runtime's last word.
fn show_phase(
    link: Res<Link>,
    last: Res<LastState>,
    started: Res<Started>,
    mut stats: ResMut<FrameStats>,
    mut phase: ResMut<XrPhase>,
    mut state: ResMut<XrState>,
) {
    let (now, xr_state) = phase_of(&link, last.0);
    if phase.set_if_neq(now) {
        info!("headset: {now:?}");
    }
    state.set_if_neq(xr_state);
    if now == XrPhase::Focused && stats.start_to_focused.is_none() {
        stats.start_to_focused = Some(started.age + started.at.elapsed().as_secs_f64());
    }
}

fn phase_of(link: &Link, last: SessionState) -> (XrPhase, XrState) {
    match link {
        Link::Connected => (XrPhase::Waiting, XrState::Available),
        Link::Open { running: true, .. } => (
            match last {
                SessionState::FOCUSED => XrPhase::Focused,
                SessionState::VISIBLE => XrPhase::Visible,
                _ => XrPhase::Waiting,
            },
            XrState::Running,
        ),
        Link::Open { running: false, .. } | Link::Falling(Fall::Exit) => {
            (XrPhase::Waiting, XrState::Idle)
        }
        Link::Falling(Fall::Lost(_)) | Link::Down(_) => (XrPhase::Lost, XrState::Available),
        Link::Over => (XrPhase::Absent, XrState::Available),
    }
}

/// While the runtime doesn't pace the frames, we do: the application goes on at the headset's rate.
fn keep_pace(link: Res<Link>, stats: Res<FrameStats>, mut pace: ResMut<Pace>) {
    if !link.runs() {
        let period = if stats.period > 0.0 {
            stats.period
        } else {
            IDLE_PERIOD
        };
        let due = pace.0 + Duration::from_secs_f64(period.min(0.1));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    pace.0 = Instant::now();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(running: bool, ending: bool) -> Link {
        Link::Open { running, ending }
    }

    /// What the runtime says, without a runtime: READY would begin a session, so it is begun here by hand.
    fn told(link: &mut Link, states: &[SessionState]) -> Vec<XrPhase> {
        let mut clock = FrameClock::default();
        states
            .iter()
            .map(|state| {
                follow(*state, None, link, &mut clock);
                phase_of(link, *state).0
            })
            .collect()
    }

    #[test]
    fn a_headset_put_down_and_taken_up_again_is_waited_for() {
        let mut link = open(true, false);
        let phases = told(
            &mut link,
            &[
                SessionState::SYNCHRONIZED,
                SessionState::VISIBLE,
                SessionState::FOCUSED,
                SessionState::VISIBLE,
                SessionState::SYNCHRONIZED,
                SessionState::STOPPING,
            ],
        );
        use XrPhase::{Focused, Visible, Waiting};
        assert_eq!(
            phases,
            [Waiting, Visible, Focused, Visible, Waiting, Waiting]
        );
        assert!(!link.runs(), "no frame is begun in a session that stops");
        let mut link = open(false, false);
        assert_eq!(told(&mut link, &[SessionState::IDLE]), [Waiting]);
        assert!(matches!(link, Link::Open { running: false, .. }));
    }

    #[test]
    fn a_session_that_the_runtime_gives_up_is_looked_for_again() {
        let mut link = open(true, false);
        assert_eq!(
            told(&mut link, &[SessionState::LOSS_PENDING]),
            [XrPhase::Lost]
        );
        assert!(matches!(link, Link::Falling(Fall::Lost(_))));
    }

    #[test]
    fn a_learner_who_closes_the_application_has_not_lost_the_headset() {
        let mut link = open(false, false);
        assert_eq!(
            told(&mut link, &[SessionState::EXITING]),
            [XrPhase::Waiting]
        );
        assert!(matches!(link, Link::Falling(Fall::Exit)));
    }

    #[test]
    fn a_state_that_we_do_not_know_changes_nothing() {
        let mut link = open(true, false);
        told(&mut link, &[SessionState::from_raw(4711)]);
        assert!(link.runs());
    }

    #[test]
    fn the_first_reason_of_a_fall_is_kept() {
        let mut link = open(true, false);
        link.fall("waiting", openxr::sys::Result::ERROR_INSTANCE_LOST);
        link.fall("ending", openxr::sys::Result::ERROR_SESSION_LOST);
        let Link::Falling(Fall::Lost(why)) = &link else {
            panic!("{link:?}");
        };
        assert!(why.starts_with("waiting"), "{why}");
        let mut gone = Link::Over;
        gone.fall("asking", openxr::sys::Result::ERROR_INSTANCE_LOST);
        assert!(matches!(gone, Link::Over));
    }
}
