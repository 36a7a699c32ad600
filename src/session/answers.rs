//! Whether commands are answered in time. In: [`CommandRequested`], [`CommandAnswered`]. Out: [`Unanswered`], for health.
//! Never: an answer of its own; whoever asked is told by the door they asked at.

use std::collections::VecDeque;
use std::time::Duration;

use bevy::prelude::*;
use tracing::warn;

use super::{CommandAnswered, CommandRequested};
use crate::protocol::ids::CommandId;

/// In the world a command is answered within a frame, over the link to a headset within its round trip. What takes longer
/// than this is a fault.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// A fault nobody mends for this long is history: it is counted in [`Unanswered::ever`] alone.
const SHOWN_FOR: Duration = Duration::from_secs(60);
/// Commands followed at once; of more the oldest count as unanswered.
const FOLLOWED: usize = 1024;

/// Commands that were not answered within [`ANSWER_WITHIN`].
#[derive(Resource, Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Unanswered {
    /// Those of the last minute that still are not.
    pub now: usize,
    /// All since the start, whatever became of them later.
    pub ever: u64,
}

/// A command under way.
#[derive(Debug)]
pub(super) struct Asked {
    id: CommandId,
    at: Duration,
    late: bool,
}

pub(super) fn follow_answers(
    time: Res<Time<Real>>,
    mut asked: MessageReader<CommandRequested>,
    mut answered: MessageReader<CommandAnswered>,
    mut under_way: Local<VecDeque<Asked>>,
    mut unanswered: ResMut<Unanswered>,
) {
    let now = time.elapsed();
    for CommandRequested(command) in asked.read() {
        let (id, at) = (command.id, now);
        under_way.push_back(Asked {
            id,
            at,
            late: false,
        });
    }
    for CommandAnswered { command, .. } in answered.read() {
        under_way.retain(|asked| asked.id != command.id);
    }
    let too_many = under_way.len().saturating_sub(FOLLOWED);
    let mut ever = unanswered.ever;
    for (place, asked) in under_way.iter_mut().enumerate() {
        let late = now.saturating_sub(asked.at) > ANSWER_WITHIN || place < too_many;
        if late && !asked.late {
            asked.late = true;
            ever += 1;
            warn!(id = %asked.id, "a command was not answered within 2 s: the learner's headset may be gone or standing still");
        }
    }
    under_way.drain(..too_many);
    under_way.retain(|asked| now.saturating_sub(asked.at) <= SHOWN_FOR);
    let late = under_way.iter().filter(|asked| asked.late).count();
    unanswered.set_if_neq(Unanswered { now: late, ever });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::command::{Command, CommandBody, Outcome, Principal};
    use crate::protocol::ids::LearnerId;

    struct World(App);

    impl World {
        fn new() -> Self {
            let mut app = App::new();
            app.add_message::<CommandRequested>()
                .add_message::<CommandAnswered>()
                .init_resource::<Time<Real>>()
                .init_resource::<Unanswered>()
                .add_systems(Update, follow_answers);
            Self(app)
        }

        fn ask(&mut self) -> Command {
            let command = Command {
                id: CommandId::fresh(),
                learner: LearnerId::fresh(),
                principal: Principal::Instructor,
                purpose: "tests".to_owned(),
                body: CommandBody::Pause,
                asker: None,
                trace: None,
            };
            self.0
                .world_mut()
                .write_message(CommandRequested(command.clone()));
            command
        }

        fn answer(&mut self, command: Command) {
            let outcome = Outcome::Applied {
                effect: "done".to_owned(),
            };
            self.0
                .world_mut()
                .write_message(CommandAnswered { command, outcome });
        }

        fn after(&mut self, seconds: f32) -> Unanswered {
            let passed = Duration::from_secs_f32(seconds);
            self.0
                .world_mut()
                .resource_mut::<Time<Real>>()
                .advance_by(passed);
            self.0.update();
            *self.0.world().resource()
        }
    }

    #[test]
    fn what_is_answered_in_time_is_no_fault_and_what_is_not_shows_until_it_is() {
        let mut world = World::new();
        let (first, second) = (world.ask(), world.ask());
        assert_eq!(world.after(0.1), Unanswered::default());
        world.answer(first);
        assert_eq!(world.after(1.8), Unanswered::default());
        assert_eq!(world.after(0.3), Unanswered { now: 1, ever: 1 });
        assert_eq!(world.after(0.3), Unanswered { now: 1, ever: 1 });
        world.answer(second);
        assert_eq!(world.after(0.1), Unanswered { now: 0, ever: 1 });
    }

    #[test]
    fn after_a_minute_a_fault_is_history_and_a_flood_is_not_kept() {
        let mut world = World::new();
        world.ask();
        world.after(0.1);
        assert_eq!(world.after(3.0).now, 1);
        assert_eq!(world.after(60.0), Unanswered { now: 0, ever: 1 });
        for _ in 0..FOLLOWED + 5 {
            world.ask();
        }
        assert_eq!(world.after(0.1).ever, 6);
    }
}
