//! Whether the application is in front: what the headset's runtime says, and on Android what the system says, too.
//!
//! | Android | OpenXR | the lesson |
//! |---|---|---|
//! | resumed | FOCUSED | goes on |
//! | resumed, without the window's focus | VISIBLE (the system's menu is open) | is paused |
//! | paused (headset taken off, another application) | SYNCHRONIZED, STOPPING | is paused |
//! | stopped, asleep, in doze | IDLE | is paused; the frame loop rests, the log is on the disk |
//! | low on memory | – | goes on; the log says so |
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
}
