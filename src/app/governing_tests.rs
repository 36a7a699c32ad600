//! The lesson's moments as the governor is told them, and what it turns in other rooms.

use bevy::time::TimeUpdateStrategy;

use super::*;
use crate::governor::plugin::GovernorPlugin;
use crate::lesson::{self, LessonPlugin};
use crate::protocol::blur::{Blur, Blurs};
use crate::protocol::ids::StepId;

fn app() -> App {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, GovernorPlugin::default()))
        .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(
            100,
        )))
        .init_resource::<FrameStats>()
        .init_resource::<PanelPace>()
        .init_resource::<TellEvery>()
        .add_message::<Interacted>()
        .add_message::<Folded>()
        .add_message::<LessonReloaded>()
        .add_plugins((
            LessonPlugin {
                lesson: lesson::load("first-steps").unwrap(),
            },
            GoverningPlugin,
        ));
    app.update();
    app
}

fn moment(app: &mut App) -> Moment {
    app.update();
    app.world().resource::<Surroundings>().0.moment
}

#[test]
fn something_held_near_its_place_is_not_disturbed() {
    let mut app = app();
    assert_eq!(moment(&mut app), Moment::Free);
    let hand = app.world_mut().spawn_empty().id();
    let thing = app
        .world_mut()
        .spawn((HeldBy(hand), GlobalTransform::from_xyz(0.0, 1.0, -1.0)))
        .id();
    let place = Socket {
        accepts: vec![thing],
        reach: 0.05,
        position_tolerance: 0.01,
        rotation_tolerance: None,
    };
    app.world_mut()
        .spawn((place, GlobalTransform::from_xyz(0.0, 1.0, -1.1)));
    assert_eq!(moment(&mut app), Moment::Protected);
    app.world_mut()
        .entity_mut(thing)
        .insert(GlobalTransform::from_xyz(0.0, 1.0, 0.0));
    assert_eq!(moment(&mut app), Moment::Free);
}

#[test]
fn a_panel_is_read_for_as_long_as_its_words_take_and_pointing_at_it_is_not_reading() {
    let mut app = app();
    let words = "one two three four five six seven eight nine ten".to_owned();
    let view = PanelView {
        body: words,
        ..PanelView::default()
    };
    let panel = app.world_mut().spawn(view).id();
    app.update();
    assert_eq!(moment(&mut app), Moment::Protected);
    for _ in 0..35 {
        app.update();
    }
    assert_eq!(moment(&mut app), Moment::Free);
    app.world_mut().get_mut::<PanelView>(panel).unwrap().pointed = Some(1);
    app.update();
    assert_eq!(moment(&mut app), Moment::Free);
}

#[test]
fn a_teleport_is_a_seam_for_a_moment() {
    let mut app = app();
    app.world_mut().write_message(Interacted {
        side: None,
        what: Interaction::Teleported {
            to: Vec3::ZERO,
            spot: None,
        },
    });
    app.update();
    assert_eq!(moment(&mut app), Moment::Seam);
    for _ in 0..3 {
        app.update();
    }
    assert_eq!(moment(&mut app), Moment::Free);
}

#[test]
fn an_edited_lesson_is_another_scene() {
    let mut app = app();
    app.world_mut().write_message(LessonReloaded);
    app.update();
    let event = app.world().resource::<Surroundings>().0.event;
    assert_eq!(event, Some(Event::SceneLoaded));
}

#[test]
fn what_is_learnt_from_stays_and_the_rest_is_scenery() {
    let mut app = app();
    let lesson = lesson::load("first-steps").unwrap().lesson;
    let asked = |id: &_| {
        let steps = &mut lesson.steps.iter();
        steps.any(|step| matches!(&step.action, Action::LookAt { object, .. } if object == id))
    };
    let mut decor = lesson.objects.iter().filter(|it| it.role == Role::Decor);
    // What is to be looked at is needed, whatever its role.
    let looked_at = decor.clone().find(|it| asked(&it.id));
    let decor = decor.find(|it| !asked(&it.id));
    let used = lesson.objects.iter().find(|it| it.role != Role::Decor);
    let used = app
        .world_mut()
        .spawn((PartOfScene, LessonObject(used.unwrap().id.clone())))
        .id();
    let mut put = |it: Option<&crate::lesson::format::Object>| {
        it.map(|it| {
            let object = LessonObject(it.id.clone());
            app.world_mut().spawn((PartOfScene, object)).id()
        })
    };
    let (decor, looked_at) = (put(decor), put(looked_at));
    let wall = app.world_mut().spawn((PartOfScene, Mesh3d::default())).id();
    let panel = app
        .world_mut()
        .spawn((PartOfScene, LessonPanel(lesson.panels[0].id.clone())))
        .id();
    app.update();
    let needed = |entity| app.world().get::<MustStayLegible>(entity);
    assert!(needed(used).is_some() && app.world().get::<Scenery>(used).is_none());
    assert!(needed(panel).unwrap().letters > 0.03);
    assert!(needed(wall).is_none() && app.world().get::<Scenery>(wall).is_some());
    if let Some(decor) = decor {
        assert!(needed(decor).is_none());
    }
    if let Some(looked_at) = looked_at {
        assert!(needed(looked_at).is_some());
    }
}

#[test]
fn less_for_panels_and_telemetry_is_slower_and_never_too_slow() {
    let mut app = app();
    app.world_mut().resource_mut::<FrameStats>().period = 1.0 / 72.0;
    let mut paces = |panels, telemetry| {
        let mut quality = app.world_mut().resource_mut::<CurrentQuality>();
        (quality.0.panels, quality.0.telemetry) = (panels, telemetry);
        app.update();
        let panels = app.world().resource::<PanelPace>().0;
        (panels, app.world().resource::<TellEvery>().0)
    };
    assert_eq!(paces(1.0, 1.0), (Duration::ZERO, Duration::from_secs(1)));
    let (panel, stream) = paces(0.5, 0.5);
    assert!(panel > Duration::from_millis(20) && stream == Duration::from_secs(2));
    assert_eq!(paces(0.01, 0.01), (SLOWEST_PANEL, SLOWEST_STREAM));
}

#[test]
fn what_is_blurred_reaches_whoever_judges_attempts() {
    let mut app = app();
    let blurs = Blurs::default().with(Blur::Precision);
    app.insert_resource(Blurred(blurs));
    app.update();
    assert_eq!(app.world().resource::<crate::task::Blurred>().0, blurs);
}

/// A step id that no lesson has: the assessment is of the running step only.
#[test]
fn a_question_is_not_disturbed() {
    let mut app = app();
    let lesson = lesson::load("first-steps").unwrap().lesson;
    let asks = lesson
        .steps
        .iter()
        .find(|step| matches!(step.action, Action::Answer { .. }));
    let Some(asks) = asks else { return };
    let learner = Learner {
        id: crate::protocol::ids::LearnerId::fresh(),
        session: crate::protocol::ids::SessionId::fresh(),
    };
    let state = |step: &StepId| LearnerState {
        step: Some(step.clone()),
        ..LearnerState::default()
    };
    let who = app.world_mut().spawn((learner, state(&asks.id))).id();
    assert_eq!(moment(&mut app), Moment::Protected);
    app.world_mut()
        .entity_mut(who)
        .insert(state(&StepId::new("elsewhere")));
    assert_eq!(moment(&mut app), Moment::Free);
}

#[test]
fn a_fade_is_a_seam_while_it_lasts() {
    let mut app = app();
    app.insert_resource(Vignette(1.0))
        .insert_resource(XrPhase::Focused);
    app.update();
    assert_eq!(moment(&mut app), Moment::Seam);
    app.insert_resource(Vignette(0.2));
    for _ in 0..4 {
        app.update();
    }
    assert_eq!(moment(&mut app), Moment::Free);
    // The headset's own menu, and back.
    app.insert_resource(XrPhase::Visible);
    app.update();
    assert_eq!(moment(&mut app), Moment::Free);
    app.insert_resource(XrPhase::Focused);
    app.update();
    assert_eq!(moment(&mut app), Moment::Seam);
    for _ in 0..6 {
        app.update();
    }
    assert_eq!(moment(&mut app), Moment::Free);
}

#[test]
fn loose_things_and_pulses_follow_the_quality_in_force() {
    let mut app = app();
    app.init_resource::<LoosePace>()
        .init_resource::<PulseStep>();
    app.update();
    let before = (
        *app.world().resource::<LoosePace>(),
        *app.world().resource::<PulseStep>(),
    );
    let mut quality = app.world_mut().resource_mut::<CurrentQuality>();
    (quality.0.physics, quality.0.animation) = (0.5, 0.1);
    app.update();
    assert_eq!(before.0, LoosePace(1.0));
    assert_eq!(*app.world().resource::<LoosePace>(), LoosePace(0.5));
    assert!(app.world().resource::<PulseStep>().0 > before.1.0);
}
