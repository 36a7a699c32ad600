//! Pointing at choices and taking one: by ray, fingertip or mouse.

use bevy::prelude::*;

use super::layout::choice_at;
use super::menu::MenuDeeds;
use super::view::PanelView;
use crate::lesson::ActiveLesson;
use crate::lesson::format::PanelContent;
use crate::lesson::placed::LessonPanel;
use crate::session::PanelAnswered;
use crate::xr::pointer::PointerAt;

/// A choice is taken when a press begins on it: a press carried in from elsewhere does not count.
pub(super) fn choose(
    lesson: Option<Res<ActiveLesson>>,
    mut pointed: MessageReader<PointerAt>,
    mut panels: Query<(Entity, &LessonPanel, &mut PanelView)>,
    mut answered: MessageWriter<PanelAnswered>,
    mut menu: MenuDeeds,
    mut pressed_before: Local<Vec<Entity>>,
) {
    let at: Vec<PointerAt> = pointed.read().copied().collect();
    for (entity, id, mut view) in &mut panels {
        let here = at
            .iter()
            .filter(|it| it.surface == entity)
            .max_by_key(|it| it.pressed);
        let over = here
            .and_then(|it| choice_at(it.uv, view.room + view.choices.len()))
            .and_then(|place| place.checked_sub(view.room));
        if view.pointed != over {
            view.pointed = over;
        }
        let pressed = here.is_some_and(|it| it.pressed);
        let was_pressed = pressed_before.contains(&entity);
        pressed_before.retain(|other| *other != entity);
        if pressed {
            pressed_before.push(entity);
        }
        let (true, false, Some(choice)) = (pressed, was_pressed, over) else {
            continue;
        };
        let panel = lesson
            .as_ref()
            .and_then(|lesson| lesson.lesson.panels.iter().find(|panel| panel.id == id.0));
        match panel.map(|panel| &panel.content) {
            Some(PanelContent::Guide) if menu.is_open() => menu.act(choice),
            Some(PanelContent::Question { .. } | PanelContent::Rating { .. }) => {
                view.chosen = Some(choice);
                answered.write(PanelAnswered {
                    panel: id.0.clone(),
                    choice: u32::try_from(choice).unwrap_or(u32::MAX),
                });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::load;
    use crate::protocol::ids::{LearnerId, PanelId, SessionId};
    use crate::session::{Learner, SessionPlugin, state::LearnerState};
    use crate::ui::UiPlugin;
    use crate::ui::layout::choice_rect;

    fn app() -> (App, Entity) {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, SessionPlugin, UiPlugin))
            .insert_resource(ActiveLesson(load("first-steps").unwrap()));
        app.world_mut().spawn((
            Learner {
                id: LearnerId::fresh(),
                session: SessionId::fresh(),
            },
            LearnerState::default(),
        ));
        let panel = app
            .world_mut()
            .spawn(LessonPanel(PanelId::new("question")))
            .id();
        app.update();
        (app, panel)
    }

    fn point(app: &mut App, surface: Entity, uv: Vec2, pressed: bool) -> Vec<u32> {
        app.world_mut().write_message(PointerAt {
            surface,
            uv,
            pressed,
        });
        app.update();
        let mut answers = app.world_mut().resource_mut::<Messages<PanelAnswered>>();
        answers.drain().map(|answer| answer.choice).collect()
    }

    #[test]
    fn a_press_on_a_choice_answers_once() {
        let (mut app, panel) = app();
        let second = choice_rect(1, 3).center();
        assert!(point(&mut app, panel, second, false).is_empty());
        let view = app.world().get::<PanelView>(panel).unwrap();
        assert_eq!(view.pointed, Some(1));
        assert_eq!(point(&mut app, panel, second, true), [1]);
        assert!(
            point(&mut app, panel, second, true).is_empty(),
            "a held press is one press"
        );
    }

    #[test]
    fn a_press_carried_in_from_beside_does_not_count() {
        let (mut app, panel) = app();
        assert!(point(&mut app, panel, Vec2::new(0.5, 0.1), true).is_empty());
        assert!(point(&mut app, panel, choice_rect(0, 3).center(), true).is_empty());
    }
}
