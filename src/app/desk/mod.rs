//! The desk panel: frames, governor, models and log over the desktop window, for developers and supervisors. F1.
//! In: what the rooms publish. Out: nothing; for developers inputs marked as simulated. Never: anything while closed.

use bevy::prelude::*;
use bevy_egui::{EguiContexts, EguiGlobalSettings, EguiPrimaryContextPass};

use super::cli::DeskFor;
use crate::governor::plugin::{CurrentLevel, Latest};
use crate::lesson::ActiveLesson;
use crate::session::state::LearnerState;
use crate::session::{AcknowledgedSeq, CommandRequested, Happened, Learner, SessionLog};
use crate::xr::FrameStats;
use frames::Frames;
use simulate::Pretend;

mod frames;
mod log;
mod models;
mod panel;
mod simulate;

/// Adds the panel to an application with a desktop window.
pub struct DeskPlugin {
    /// Open from the start, and for whom; `None`: closed until F1, and then for supervisors.
    pub open_for: Option<DeskFor>,
}

impl Plugin for DeskPlugin {
    fn build(&self, app: &mut App) {
        let whom = self.open_for.unwrap_or(DeskFor::Supervisor);
        app.insert_resource(For(whom))
            .add_message::<CommandRequested>()
            .add_message::<Happened>()
            .add_systems(
                Update,
                open_or_close.run_if(resource_exists::<ButtonInput<KeyCode>>),
            )
            .add_systems(Last, note_frame.run_if(resource_exists::<Open>))
            .add_systems(EguiPrimaryContextPass, draw.run_if(resource_exists::<Open>));
        if self.open_for.is_some() {
            app.insert_resource(Open::default());
        }
    }
}

#[derive(Resource)]
struct For(DeskFor);

/// Present while the panel is open.
#[derive(Resource, Default)]
struct Open {
    frames: Frames,
    pretend: Pretend,
}

fn open_or_close(
    mut commands: Commands,
    keys: Res<ButtonInput<KeyCode>>,
    open: Option<Res<Open>>,
    egui: Option<ResMut<EguiGlobalSettings>>,
) {
    let toggled = keys.just_pressed(KeyCode::F1);
    let stays_open = open.is_some() != toggled;
    match (toggled, open.is_some()) {
        (true, false) => commands.insert_resource(Open::default()),
        (true, true) => commands.remove_resource::<Open>(),
        (false, _) => {}
    }
    // What is clicked on the panel is not clicked in the room behind it.
    if let Some(mut egui) = egui
        && egui.enable_absorb_bevy_input_system != stays_open
    {
        egui.enable_absorb_bevy_input_system = stays_open;
    }
}

fn note_frame(time: Res<Time<Real>>, stats: Option<Res<FrameStats>>, mut open: ResMut<Open>) {
    let stats = stats.filter(|it| it.frames > 0);
    open.frames.note(time.delta_secs(), stats.as_deref());
}

fn draw(
    mut contexts: EguiContexts,
    whom: Res<For>,
    mut open: ResMut<Open>,
    latest: Option<Res<Latest>>,
    level: Option<Res<CurrentLevel>>,
    lesson: Option<Res<ActiveLesson>>,
    learners: Query<(
        Entity,
        &Learner,
        &LearnerState,
        &AcknowledgedSeq,
        Option<&SessionLog>,
    )>,
    mut requested: MessageWriter<CommandRequested>,
    mut happened: MessageWriter<Happened>,
) {
    let Ok(context) = contexts.ctx_mut() else {
        return;
    };
    let open = &mut *open;
    let learner = learners.iter().next();
    let room = panel::Room {
        frames: &open.frames,
        governor: latest.as_deref().zip(level.as_deref()),
        learner: learner
            .map(|(_, learner, state, acknowledged, log)| (learner, state, *acknowledged, log)),
    };
    let developer = whom.0 == DeskFor::Developer;
    let pretend = developer.then_some(&mut open.pretend);
    let wish = panel::show(context, &room, pretend);
    if let (Some(wish), Some((entity, learner, state, ..))) = (wish, learner) {
        let lesson = lesson.as_deref();
        simulate::carry_out(
            wish,
            entity,
            learner,
            state,
            lesson,
            &mut requested,
            &mut happened,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(open_for: Option<DeskFor>) -> App {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, DeskPlugin { open_for }))
            .init_resource::<ButtonInput<KeyCode>>();
        app.update();
        app
    }

    fn press(app: &mut App) {
        let mut keys = app.world_mut().resource_mut::<ButtonInput<KeyCode>>();
        keys.press(KeyCode::F1);
        app.update();
        let mut keys = app.world_mut().resource_mut::<ButtonInput<KeyCode>>();
        keys.reset_all();
        app.update();
    }

    #[test]
    fn f1_opens_and_closes_and_a_closed_panel_keeps_nothing() {
        let mut app = app(None);
        assert!(!app.world().contains_resource::<Open>());
        press(&mut app);
        assert!(app.world().contains_resource::<Open>());
        press(&mut app);
        assert!(!app.world().contains_resource::<Open>());
    }

    #[test]
    fn asked_for_it_is_open_from_the_start() {
        let mut app = app(Some(DeskFor::Developer));
        assert!(app.world().contains_resource::<Open>());
        press(&mut app);
        assert!(!app.world().contains_resource::<Open>());
    }
}
