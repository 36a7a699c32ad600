//! Whether the application is in front: what the headset's runtime says, and on Android what the system says, too.
//!
//! | Android | OpenXR | the lesson |
//! |---|---|---|
//! | resumed | FOCUSED | goes on |
//! | resumed, without the window's focus | VISIBLE (the system's menu is open) | is paused |
//! | paused (headset taken off, another application) | SYNCHRONIZED, STOPPING | is paused |
//! | stopped, asleep, in doze | IDLE | is paused; the frame loop rests, the log is on the disk |
//! | low on memory | – | goes on; what can wait waits, `/healthz` and `ops.health` say so (`session::device`) |
//! | destroyed | EXITING | the application ends; the next start takes the lesson up |
//!
//! The window's focus decides nothing by itself: an immersive application may never be given it, and OpenXR's FOCUSED
//! says who has the hands.

use bevy::prelude::*;

use crate::protocol::event::{EventBody, PauseCause};
use crate::session::state::LearnerState;
use crate::session::{Happened, Learner};
use crate::xr::XrPhase;

/// Where Android's activity stands. At a desk always in front.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Activity {
    /// In front.
    #[default]
    Resumed,
    /// Seen perhaps, used not.
    Paused,
    /// Nobody sees it; the device may sleep.
    Stopped,
    /// It must end.
    Destroyed,
}

/// What the system says of an activity's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(any(target_os = "android", test)), expect(dead_code))]
pub(super) enum Sign {
    Start,
    Resume,
    Pause,
    Stop,
    Destroy,
}

impl Activity {
    /// Where it stands after a sign. Nothing follows destruction.
    #[cfg_attr(not(any(target_os = "android", test)), expect(dead_code))]
    pub fn after(self, sign: Sign) -> Self {
        match (self, sign) {
            (Self::Destroyed, _) | (_, Sign::Destroy) => Self::Destroyed,
            (_, Sign::Resume) => Self::Resumed,
            (_, Sign::Stop) => Self::Stopped,
            // Android starts an activity before it resumes it.
            (_, Sign::Start | Sign::Pause) => Self::Paused,
        }
    }
}

/// Whether the learner cannot go on.
fn away(phase: XrPhase, activity: Activity) -> bool {
    let by_headset = match phase {
        XrPhase::Absent | XrPhase::Focused => false,
        XrPhase::Waiting | XrPhase::Visible | XrPhase::Lost => true,
    };
    by_headset || activity != Activity::Resumed
}

/// A headset that is put down, out of focus or gone stops the lesson; one that is back lets it go on.
pub(super) fn pause_with_the_headset(
    phase: Res<XrPhase>,
    activity: Res<Activity>,
    learners: Query<(Entity, &LearnerState), With<Learner>>,
    mut happened: MessageWriter<Happened>,
) {
    let away = away(*phase, *activity);
    let by = PauseCause::Runtime;
    for (learner, state) in &learners {
        if state.ended || state.session.is_none() || state.paused_by.contains(&by) == away {
            continue;
        }
        let body = if away {
            EventBody::Paused { by }
        } else {
            EventBody::Resumed { by }
        };
        happened.write(Happened { learner, body });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ids::{LearnerId, SessionId};

    fn told(signs: &[Sign]) -> Activity {
        signs
            .iter()
            .fold(Activity::default(), |activity, sign| activity.after(*sign))
    }

    #[test]
    fn a_headset_taken_off_and_put_on_again_pauses_and_goes_on() {
        use Sign::{Pause, Resume, Start, Stop};
        assert_eq!(told(&[Start, Resume]), Activity::Resumed);
        assert_eq!(told(&[Start, Resume, Pause]), Activity::Paused);
        assert_eq!(told(&[Start, Resume, Pause, Stop]), Activity::Stopped);
        assert_eq!(told(&[Resume, Pause, Stop, Start]), Activity::Paused);
        assert_eq!(
            told(&[Resume, Pause, Stop, Start, Resume]),
            Activity::Resumed
        );
    }

    #[test]
    fn nothing_follows_destruction() {
        assert_eq!(told(&[Sign::Destroy, Sign::Resume]), Activity::Destroyed);
    }

    #[test]
    fn the_lesson_goes_on_only_where_runtime_and_system_agree() {
        assert!(!away(XrPhase::Focused, Activity::Resumed));
        assert!(
            !away(XrPhase::Absent, Activity::Resumed),
            "a desk has no runtime"
        );
        for activity in [Activity::Paused, Activity::Stopped, Activity::Destroyed] {
            assert!(away(XrPhase::Focused, activity), "{activity:?}");
        }
        for phase in [XrPhase::Waiting, XrPhase::Visible, XrPhase::Lost] {
            assert!(away(phase, Activity::Resumed), "{phase:?}");
        }
    }

    /// What the lesson is told, frame by frame, as the activity goes through these states.
    fn lesson_told(app: &mut App, activity: Activity) -> Vec<&'static str> {
        app.insert_resource(activity);
        app.update();
        let told: Vec<_> = app
            .world_mut()
            .resource_mut::<Messages<Happened>>()
            .drain()
            .map(|happened| match happened.body {
                EventBody::Paused {
                    by: PauseCause::Runtime,
                } => "paused",
                EventBody::Resumed {
                    by: PauseCause::Runtime,
                } => "resumed",
                _ => "something else",
            })
            .collect();
        // The fold that the session does elsewhere.
        for word in &told {
            for mut state in app
                .world_mut()
                .query::<&mut LearnerState>()
                .iter_mut(app.world_mut())
            {
                match *word {
                    "paused" => state.paused_by.push(PauseCause::Runtime),
                    _ => state.paused_by.clear(),
                }
            }
        }
        told
    }

    #[test]
    fn the_lesson_is_paused_once_with_the_activity_and_goes_on_with_it() {
        let mut app = App::new();
        app.add_message::<Happened>()
            .insert_resource(XrPhase::Focused)
            .add_systems(Update, pause_with_the_headset);
        let (id, session) = (LearnerId::fresh(), SessionId::fresh());
        let state = LearnerState {
            session: Some(session),
            ..default()
        };
        app.world_mut().spawn((Learner { id, session }, state));
        assert!(lesson_told(&mut app, Activity::Resumed).is_empty());
        assert_eq!(lesson_told(&mut app, Activity::Paused), ["paused"]);
        assert!(lesson_told(&mut app, Activity::Stopped).is_empty(), "once");
        assert_eq!(lesson_told(&mut app, Activity::Resumed), ["resumed"]);
    }
}
