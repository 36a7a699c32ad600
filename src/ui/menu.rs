//! The learner's menu, on the guide panel: opened by the menu button or Esc; the lesson stands still meanwhile.

use bevy::prelude::*;

use super::view::PanelView;
use crate::protocol::command::{Command, CommandBody, Principal};
use crate::protocol::ids::CommandId;
use crate::session::{CommandRequested, Learner};
use crate::xr::rig::{Hand, HandInput, Recenter, SeatedOffset};

/// Present while the menu is open.
#[derive(Resource, Debug, Default)]
pub(super) struct MenuOpen;

/// How much higher somebody sits on a chair than they would stand: eyes at 1.2 m instead of 1.6 m.
const SEATED: f32 = 0.4;

pub(super) const CHOICES: [&str; 3] = ["Go on", "Turn the room to me", "I am sitting / standing"];

pub(super) fn view() -> PanelView {
    PanelView {
        heading: "Menu".to_owned(),
        body: "The lesson waits for you.".to_owned(),
        choices: CHOICES.map(str::to_owned).to_vec(),
        ..PanelView::default()
    }
}

pub(super) fn toggle_menu(
    mut commands: Commands,
    open: Option<Res<MenuOpen>>,
    hands: Query<&HandInput, With<Hand>>,
    learners: Query<&Learner>,
    mut requested: MessageWriter<CommandRequested>,
    mut down_before: Local<bool>,
) {
    let down = hands.iter().any(|hand| hand.menu);
    let pressed = down && !std::mem::replace(&mut *down_before, down);
    if pressed {
        set_open(open.is_none(), &mut commands, &learners, &mut requested);
    }
}

/// Opens or closes the menu; the lesson stands still, or goes on.
fn set_open(
    open: bool,
    commands: &mut Commands,
    learners: &Query<&Learner>,
    requested: &mut MessageWriter<CommandRequested>,
) {
    let (body, purpose) = if open {
        commands.insert_resource(MenuOpen);
        (CommandBody::Pause, "the learner opened the menu")
    } else {
        commands.remove_resource::<MenuOpen>();
        (CommandBody::Resume, "the learner closed the menu")
    };
    for learner in learners {
        requested.write(CommandRequested(Command {
            id: CommandId::fresh(),
            learner: learner.id,
            principal: Principal::Learner,
            purpose: purpose.to_owned(),
            body: body.clone(),
        }));
    }
}

/// Does what was chosen.
pub(super) fn act(
    choice: usize,
    commands: &mut Commands,
    learners: &Query<&Learner>,
    requested: &mut MessageWriter<CommandRequested>,
    recenter: &mut MessageWriter<Recenter>,
    seated: &mut SeatedOffset,
) {
    match choice {
        0 => set_open(false, commands, learners, requested),
        1 => {
            recenter.write(Recenter);
        }
        _ => seated.0 = if seated.0 > 0.0 { 0.0 } else { SEATED },
    }
}
