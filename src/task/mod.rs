//! Watches interactions and decides what they mean for the running step: emits attempts with evidence.
//! In: `Interacted`, `PanelAnswered`, the lesson, the learner's state. Out: the lesson's scene; events of attempts,
//! steps and what was observed between them. Never: the learner's state itself (that is the fold of the log), or anything while the lesson pauses.

use bevy::prelude::*;

use crate::interaction::{Circumstances, Interacted};
use crate::learning::quality::Quality;
use crate::lesson::{ActiveLesson, LessonReloaded};
use crate::protocol::blur::Blurs;
use crate::protocol::command::Variety;
use crate::protocol::event::EventBody;
use crate::session::state::LearnerState;
use crate::session::times::Redoing;
use crate::session::{
    Folded, Happened, Learner, OtherWay, PanelAnswered, SceneAsked, SceneDescribed, SessionLog,
    Stirred, Way, WayChanged,
};

mod checks;
mod course;
mod deeds;
mod describe;
mod effort;
mod glow;
pub mod judge;
pub mod leeway;
mod live;
mod look;
mod models;
mod restore;
mod room;
mod scene;
mod solid;
mod streaming;
mod stretch;

use course::Course;
use deeds::Deeds;
pub use deeds::Redone;
pub use glow::PulseStep;
use leeway::Leeway;
pub use models::offer_models;
pub use scene::PartOfScene;
use scene::Stage;
pub use streaming::TellEvery;
pub use stretch::HeadSigns;

/// What is seen less well now, because the headset gives up quality to keep its frame rate: attempts carry it. Absent
/// where nothing ever is.
#[derive(Resource, Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Blurred(pub Blurs);

/// Everything that `task` does in a frame.
#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
pub struct TaskSystems;

/// The lesson's scene, and the meaning of what is done in it.
pub struct TaskPlugin;

impl Plugin for TaskPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Deeds>()
            .init_resource::<HeadSigns>()
            .init_resource::<streaming::TellEvery>()
            .init_resource::<PulseStep>()
            .register_required_components::<Learner, stretch::Gathering>()
            .register_required_components::<Learner, effort::Effort>()
            .register_required_components::<Learner, checks::Waited>()
            .add_message::<Interacted>()
            .add_message::<PanelAnswered>()
            .add_message::<Redone>()
            .add_message::<Happened>()
            .add_message::<Folded>()
            .add_message::<Stirred>()
            .add_message::<WayChanged>()
            .add_message::<LessonReloaded>()
            .add_message::<SceneAsked>()
            .add_message::<SceneDescribed>()
            .add_systems(
                Update,
                (
                    (set_the_stage, live::follow_additions).chain(),
                    take_up_the_course,
                    deeds::read_deeds,
                    change_ways,
                    checks::mind_checkpoints,
                    judge_deeds,
                    tell_other_ways,
                    (effort::watch, stretch::gather).chain().run_if(
                        |redoing: Option<Res<Redoing>>| redoing.is_none_or(|redoing| redoing.moves),
                    ),
                    streaming::tell_the_stream,
                    restore::set_tolerances,
                    restore::bring_back,
                    (
                        live::move_gently,
                        live::end_pointing,
                        glow::follow_hints,
                        glow::hover_markers,
                        glow::shine,
                        describe::describe,
                    )
                        .chain(),
                )
                    .chain()
                    .in_set(TaskSystems),
            );
    }
}

/// The scene of a lesson as it begins, and nothing that happens in it: what `frame-baseline` draws.
pub struct StillScenePlugin;

impl Plugin for StillScenePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Deeds>()
            .add_message::<LessonReloaded>()
            .add_message::<Folded>()
            .add_systems(Update, set_the_stage);
    }
}

/// Builds the scene for a lesson that has begun or changed.
fn set_the_stage(
    mut commands: Commands,
    mut look: look::Look,
    assets: Option<Res<AssetServer>>,
    lesson: Option<Res<ActiveLesson>>,
    mut reloaded: MessageReader<LessonReloaded>,
    mut folded: MessageReader<Folded>,
    stage: Option<Res<Stage>>,
    parts: Query<Entity, With<PartOfScene>>,
    courses: Query<Entity, With<Course>>,
    mut deeds: ResMut<Deeds>,
) {
    let Some(lesson) = lesson else { return };
    // A learner who was on their way begins anew: everything is in its place again. One who only came is not yet.
    let anew = |it: &Folded| {
        matches!(it.event.body, EventBody::SessionStarted { .. }) && courses.contains(it.learner)
    };
    let begun = folded.read().filter(|it| anew(it)).count() > 0;
    let changed = reloaded.read().count() > 0 || begun;
    if stage.is_some() && !changed {
        return;
    }
    for part in &parts {
        commands.entity(part).despawn();
    }
    // The way through the lesson is found anew from the log, against the new text.
    for learner in &courses {
        commands.entity(learner).remove::<Course>();
    }
    deeds.forget();
    let stage = scene::build(&mut commands, &mut look, assets.as_deref(), &lesson);
    commands.insert_resource(stage);
}

/// A learner without a course gets the one that their log tells of; the scene then shows what they have done.
fn take_up_the_course(
    mut commands: Commands,
    lesson: Option<Res<ActiveLesson>>,
    stage: Option<Res<Stage>>,
    learners: Query<(Entity, &Learner, &LearnerState, &SessionLog), Without<Course>>,
    mut happened: MessageWriter<Happened>,
) {
    let (Some(lesson), Some(stage)) = (lesson, stage) else {
        return;
    };
    for (learner, who, state, log) in &learners {
        // Until the session's first event is in the log there is nothing to take up.
        if state.session != Some(who.session) {
            continue;
        }
        let mut course = Course::from_log(&lesson.lesson, state, &log.0);
        if !state.ended {
            let mut events = Vec::new();
            course.go_on(&lesson.lesson, &log.0, &mut events);
            happened.write_batch(events.into_iter().map(|body| Happened { learner, body }));
        }
        restore::put_in_place(&mut commands, &lesson.lesson, &stage, state);
        commands.entity(learner).insert(course);
    }
}

/// Takes the other way where it was decided so.
fn change_ways(
    lesson: Option<Res<ActiveLesson>>,
    mut turned: MessageReader<WayChanged>,
    mut courses: Query<&mut Course>,
    mut happened: MessageWriter<Happened>,
) {
    let Some(lesson) = lesson else { return };
    for WayChanged { learner, way } in turned.read() {
        if let Ok(mut course) = courses.get_mut(*learner) {
            let mut events = Vec::new();
            match *way {
                Way::Step => course.take_other_way(&lesson.lesson, &mut events),
                Way::Form(by) => course.take_other_form(by, &lesson.lesson, &mut events),
            }
            let learner = *learner;
            happened.write_batch(events.into_iter().map(|body| Happened { learner, body }));
        }
    }
}

/// Says whether there is one, where that may have changed.
fn tell_other_ways(
    mut learners: Query<(&Course, &mut OtherWay), (With<Learner>, Changed<LearnerState>)>,
) {
    for (course, mut other_way) in &mut learners {
        other_way.set_if_neq(OtherWay {
            step: course.has_other_way(),
            form: course.has_other_form(Variety::Form),
            fuller: course.has_other_form(Variety::Interaction),
        });
    }
}

/// Judges what was done, in order. While the lesson pauses nothing counts and no time passes.
fn judge_deeds(
    time: Res<Time<Real>>,
    lesson: Option<Res<ActiveLesson>>,
    mut learners: Query<(Entity, &LearnerState, &mut Course), With<Learner>>,
    mut deeds: ResMut<Deeds>,
    mut happened: MessageWriter<Happened>,
    mut stirred: MessageWriter<Stirred>,
    circumstances: Option<Res<Circumstances>>,
    blurred: Option<Res<Blurred>>,
) {
    let mut done = std::mem::take(&mut deeds.now);
    let Some(lesson) = lesson else { return };
    // Hands belong to the one learner who wears this headset.
    let Some((learner, state, mut course)) = learners.iter_mut().next() else {
        return;
    };
    if state.ended || !state.paused_by.is_empty() {
        return;
    }
    course.pass(time.delta());
    course.leeway = Leeway::of(&state.adapted).with_more_time(state.preferences.more_time);
    course.quality = circumstances.map_or(Quality::PERFECT, |now| Quality {
        frame_health: now.frame_health,
        tracking: now.tracking,
    });
    course.blurred = blurred.map_or_else(Blurs::default, |it| it.0);
    let mut events = Vec::new();
    for deed in done.drain(..).chain(deeds.come_down(time.delta())) {
        if course.is_about(&lesson.lesson, &deed) {
            stirred.write(Stirred { learner });
        }
        course.meet(
            &lesson.lesson,
            deed,
            state.hint_level,
            &mut deeds,
            &mut events,
        );
    }
    // The list keeps its memory for the next frame.
    deeds.now = done;
    course.mind_the_time(&lesson.lesson, state.hint_level, &mut events);
    happened.write_batch(events.into_iter().map(|body| Happened { learner, body }));
}

#[cfg(test)]
mod tests;
