use proptest::prelude::*;

use super::*;
use crate::lesson::placed::LessonPanel;
use crate::lesson::{ActiveLesson, load};
use crate::protocol::ids::{LearnerId, PanelId, SessionId};
use crate::session::SessionPlugin;
use crate::ui::UiPlugin;
use crate::ui::view::PanelView;

/// Somebody in a room without a renderer; what becomes of a question.
fn room() -> (App, LearnerId) {
    let mut app = App::new();
    app.add_plugins(MinimalPlugins)
        .init_resource::<Assets<Image>>()
        .init_resource::<Studio>()
        .init_resource::<Watched>()
        .add_message::<PictureAsked>()
        .add_message::<PictureTaken>()
        .add_systems(Update, begin.run_if(on_message::<PictureAsked>));
    let id = LearnerId::fresh();
    let session = SessionId::fresh();
    app.world_mut().spawn(Learner { id, session });
    (app, id)
}

fn ask(app: &mut App, learner: LearnerId) -> Option<NoPicture> {
    let ticket = 7;
    app.world_mut()
        .write_message(PictureAsked { learner, ticket });
    app.update();
    let mut taken = app.world_mut().resource_mut::<Messages<PictureTaken>>();
    let answer = taken.drain().next()?;
    assert_eq!(answer.ticket, ticket);
    answer.picture.err()
}

#[test]
fn the_learner_comes_first_where_frames_are_hard_to_keep() {
    let (mut app, learner) = room();
    app.insert_resource(CurrentLevel(Level::Emergency));
    assert_eq!(ask(&mut app, learner), Some(NoPicture::Emergency));
    assert!(!app.world().resource::<Watched>().is_on());
    app.insert_resource(CurrentLevel(Level::Aggressive));
    // No eye is open.
    assert_eq!(ask(&mut app, learner), Some(NoPicture::Asleep));
}

#[test]
fn nobody_is_looked_at_while_memory_is_short() {
    let (mut app, learner) = room();
    app.add_plugins(SessionPlugin);
    app.world_mut()
        .write_message(crate::session::device::MemoryIsLow { held_mib: None });
    app.update();
    let why = ask(&mut app, learner).unwrap().to_string();
    assert!(why.contains("short of memory"), "{why}");
}

#[test]
fn whoever_is_elsewhere_is_not_looked_at_here() {
    let (mut app, _) = room();
    assert_eq!(
        ask(&mut app, LearnerId::fresh()),
        Some(NoPicture::Elsewhere)
    );
}

#[test]
fn the_panels_say_while_somebody_looks() {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, SessionPlugin, UiPlugin))
        .insert_resource(ActiveLesson(load("first-steps").unwrap()));
    let (id, session) = (LearnerId::fresh(), SessionId::fresh());
    app.world_mut().spawn(Learner { id, session });
    let panels = ["guide", "question"].map(|id| {
        let panel = LessonPanel(PanelId::new(id));
        app.world_mut().spawn(panel).id()
    });
    for on in [false, true, false] {
        app.world_mut().resource_mut::<Watched>().0 = on.then_some(SIGN);
        app.update();
        app.update();
        for panel in panels {
            assert_eq!(app.world().get::<PanelView>(panel).unwrap().watched, on);
        }
    }
}

proptest! {
    #[test]
    fn a_picture_has_the_shape_of_the_view_and_is_never_larger(x in 1u32..10_000, y in 1u32..10_000) {
        let view = UVec2::new(x, y);
        let size = smaller(view);
        prop_assert!(size.max_element() <= LONGEST && size.min_element() >= 1);
        prop_assert!(size.cmple(view).all());
        if view.max_element() <= LONGEST {
            prop_assert_eq!(size, view);
        } else {
            let error = f64::from(size.x) * f64::from(view.y) - f64::from(size.y) * f64::from(view.x);
            prop_assert!(error.abs() <= f64::from(view.max_element()), "{view} {size}");
        }
    }
}
