//! The lesson told to the governor, and the levers of rooms that may not know the governor.
//! In: what hands do, panels, the running step; [`CurrentQuality`] and [`Blurred`]. Out: [`Surroundings`], what is scenery
//! and what must stay legible; paces of panels and stream; marks on attempts; [`FrameStanding`]. Never: a decision.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use bevy::prelude::*;

use crate::governor::acting::{MustStayLegible, Scenery};
use crate::governor::plugin::{
    Blurred, CurrentLevel, CurrentQuality, Governor, GovernorSystems, Latest, Surroundings,
};
use crate::governor::state::{Event, Moment};
use crate::interaction::things::{HeldBy, Socket};
use crate::interaction::{Interacted, Interaction, Vignette};
use crate::lesson::format::{Action, Role};
use crate::lesson::placed::{LessonObject, LessonPanel, LessonSocket};
use crate::lesson::{ActiveLesson, LessonReloaded};
use crate::physics::LoosePace;
use crate::protocol::event::EventBody;
use crate::session::frames::{Counter, FrameStanding, Frames};
use crate::session::state::LearnerState;
use crate::session::{Folded, Learner};
use crate::task::{PartOfScene, PulseStep, TellEvery};
use crate::ui::layout::{PIXELS_PER_METRE, body_text};
use crate::ui::view::PanelView;
use crate::ui::{PanelPace, UiSystems};
use crate::xr::{FrameStats, RuntimeCounters, XrPhase};

/// For how long after a teleport or a step's end a change isn't seen, seconds `[E]`.
const SEAM: f64 = 0.3;
/// For how long the runtime lets the room appear out of the dark after its menu or an absence, seconds `[E]`.
const APPEARS: f64 = 0.5;
/// The view is narrowed at least so far in a fade.
const NARROW: f32 = 0.5;
/// Something held this near to a place that takes it is placed with care: its reach, and so much, metres `[E]`.
const NEARLY: f32 = 0.12;
/// Words read in a second: 200 a minute, as adults read aloud; and the bounds of how long a panel protects, seconds `[E]`.
const WORDS: f64 = 3.3;
const READING: (f64, f64) = (1.5, 12.0);
/// Longest that a panel waits to be drawn again: a tenth of a second is still felt as at once (Miller 1968).
const SLOWEST_PANEL: Duration = Duration::from_millis(100);
/// Longest between two words to the stream: what it samples every five seconds must not be older.
const SLOWEST_STREAM: Duration = Duration::from_secs(4);

/// Tells the governor and turns what belongs to other rooms. Needs the governor.
pub struct GoverningPlugin;

impl Plugin for GoverningPlugin {
    fn build(&self, app: &mut App) {
        // These swapchains can't be foveated (docs/governor.md), so nothing is saved by it.
        if let Some(mut surroundings) = app.world_mut().get_resource_mut::<Surroundings>() {
            surroundings.0.limits.foveation = false;
        }
        app.init_resource::<Times>()
            .init_resource::<FrameStanding>()
            .init_resource::<crate::task::Blurred>()
            .add_systems(First, tell_the_moment.before(GovernorSystems))
            .add_systems(
                Update,
                (
                    tag_scene,
                    tell_of_a_new_scene,
                    (notice_seams, notice_fades),
                    notice_reading,
                    turn_paces.run_if(resource_changed::<CurrentQuality>),
                    mark.run_if(resource_changed::<Blurred>),
                    stand,
                )
                    .after(UiSystems),
            );
    }
}

/// Until when what holds; seconds of the real clock.
#[derive(Resource, Debug, Clone, Copy, Default)]
struct Times {
    seam: f64,
    reading: f64,
}

/// What is needed and what is only seen.
fn tag_scene(
    mut commands: Commands,
    lesson: Option<Res<ActiveLesson>>,
    objects: Query<(Entity, &LessonObject), Added<LessonObject>>,
    sockets: Query<Entity, Added<LessonSocket>>,
    panels: Query<Entity, Added<LessonPanel>>,
    rest: Query<
        Entity,
        (
            Added<PartOfScene>,
            With<Mesh3d>,
            Without<LessonObject>,
            Without<LessonSocket>,
            Without<LessonPanel>,
        ),
    >,
) {
    let Some(lesson) = lesson else { return };
    for (entity, LessonObject(id)) in &objects {
        let object = lesson.lesson.objects.iter().find(|it| it.id == *id);
        let decor = object.is_some_and(|it| it.role == Role::Decor);
        let asked = lesson
            .lesson
            .steps
            .iter()
            .any(|step| matches!(&step.action, Action::LookAt { object, .. } if object == id));
        if decor && !asked {
            commands.entity(entity).insert(Scenery);
        } else {
            commands.entity(entity).insert(MustStayLegible::default());
        }
    }
    for socket in &sockets {
        commands.entity(socket).insert(MustStayLegible::default());
    }
    for panel in &panels {
        commands.entity(panel).insert(MustStayLegible {
            letters: body_text() / PIXELS_PER_METRE,
        });
    }
    for part in &rest {
        commands.entity(part).insert(Scenery);
    }
}

fn tell_of_a_new_scene(
    mut reloaded: MessageReader<LessonReloaded>,
    mut surroundings: ResMut<Surroundings>,
) {
    if reloaded.read().count() > 0 {
        surroundings.0.event = Some(Event::SceneLoaded);
    }
}

/// Teleports and steps' boundaries.
fn notice_seams(
    time: Res<Time<Real>>,
    mut interacted: MessageReader<Interacted>,
    mut folded: MessageReader<Folded>,
    mut times: ResMut<Times>,
) {
    let moved = |it: &Interacted| {
        matches!(
            it.what,
            Interaction::Teleported { .. } | Interaction::Turned { .. }
        )
    };
    let ended = |it: &Folded| matches!(it.event.body, EventBody::StepCompleted { .. });
    // Both readers are read to their end.
    let seams = interacted.read().filter(|it| moved(it)).count()
        + folded.read().filter(|it| ended(it)).count();
    if seams > 0 {
        times.seam = time.elapsed_secs_f64() + SEAM;
    }
}

/// Fades: the view narrowed while the learner is moved, and the room that comes back after the headset's menu or its
/// absence.
fn notice_fades(
    time: Res<Time<Real>>,
    vignette: Option<Res<Vignette>>,
    phase: Option<Res<XrPhase>>,
    mut last: Local<Option<XrPhase>>,
    mut times: ResMut<Times>,
) {
    let now = time.elapsed_secs_f64();
    if vignette.is_some_and(|it| it.0 > NARROW) {
        times.seam = times.seam.max(now + SEAM / 2.0);
    }
    let phase = phase.map(|it| *it);
    let before = std::mem::replace(&mut *last, phase);
    if phase == Some(XrPhase::Focused) && before.is_some_and(|it| it != XrPhase::Focused) {
        times.seam = times.seam.max(now + APPEARS);
    }
}

/// What a panel said last.
#[derive(Component)]
struct Said(u64);

/// A panel that says something new is read.
fn notice_reading(
    mut commands: Commands,
    time: Res<Time<Real>>,
    mut panels: Query<(Entity, &PanelView, Option<&mut Said>), Changed<PanelView>>,
    mut times: ResMut<Times>,
) {
    for (panel, view, said) in &mut panels {
        let mut hasher = DefaultHasher::new();
        (
            &view.body,
            &view.caption,
            &view.hint,
            &view.message,
            &view.choices,
        )
            .hash(&mut hasher);
        let now = hasher.finish();
        match said {
            Some(said) if said.0 == now => continue,
            Some(mut said) => said.0 = now,
            None => {
                commands.entity(panel).insert(Said(now));
            }
        }
        let lasts = (words(view) as f64 / WORDS).clamp(READING.0, READING.1);
        times.reading = times.reading.max(time.elapsed_secs_f64() + lasts);
    }
}

fn words(view: &PanelView) -> usize {
    let hint = view.hint.as_ref().map(|(_, text)| text.as_str());
    let texts = [
        Some(view.body.as_str()),
        view.caption.as_deref(),
        hint,
        view.message.as_deref(),
    ];
    let choices = view.choices.iter().map(String::as_str);
    texts
        .into_iter()
        .flatten()
        .chain(choices)
        .map(|text| text.split_whitespace().count())
        .sum()
}

/// What the learner is at: a seam, something to protect, or nothing in particular.
fn tell_the_moment(
    time: Res<Time<Real>>,
    times: Res<Times>,
    lesson: Option<Res<ActiveLesson>>,
    learners: Query<&LearnerState, With<Learner>>,
    held: Query<(Entity, &GlobalTransform), With<HeldBy>>,
    sockets: Query<(&GlobalTransform, &Socket)>,
    mut surroundings: ResMut<Surroundings>,
) {
    let now = time.elapsed_secs_f64();
    let placing = held.iter().any(|(thing, at)| {
        sockets.iter().any(|(place, socket)| {
            let away = place.translation().distance(at.translation());
            socket.accepts.contains(&thing) && away < socket.reach + NEARLY
        })
    });
    let assessed = lesson.is_some_and(|lesson| {
        let step = learners.iter().next().and_then(|it| it.step.as_ref());
        let step = step.and_then(|step| lesson.step(step));
        step.is_some_and(|step| matches!(step.action, Action::Answer { .. } | Action::Rate { .. }))
    });
    surroundings.bypass_change_detection().0.moment = if now < times.seam && !placing {
        Moment::Seam
    } else if placing || assessed || now < times.reading {
        Moment::Protected
    } else {
        Moment::Free
    };
}

/// The time that a share of a rate leaves between two: none at the full rate.
fn slower(full: Duration, share: f64, slowest: Duration) -> Duration {
    full.div_f64(share.clamp(0.01, 1.0)).min(slowest.max(full))
}

fn turn_paces(
    quality: Res<CurrentQuality>,
    stats: Res<FrameStats>,
    mut panels: ResMut<PanelPace>,
    mut stream: ResMut<TellEvery>,
    loose: Option<ResMut<LoosePace>>,
    pulse: Option<ResMut<PulseStep>>,
) {
    let frame = Duration::try_from_secs_f64(stats.period).unwrap_or_default();
    let share = quality.0.panels;
    panels.set_if_neq(PanelPace(if share >= 1.0 {
        Duration::ZERO
    } else {
        slower(frame, share, SLOWEST_PANEL)
    }));
    let every = slower(TellEvery::default().0, quality.0.telemetry, SLOWEST_STREAM);
    stream.set_if_neq(TellEvery(every));
    if let Some(mut loose) = loose {
        loose.set_if_neq(LoosePace(quality.0.physics as f32));
    }
    if let Some(mut pulse) = pulse {
        pulse.set_if_neq(PulseStep::at(quality.0.animation as f32));
    }
}

/// Attempts made from now on carry what is blurred now.
fn mark(blurred: Res<Blurred>, mut marks: ResMut<crate::task::Blurred>) {
    marks.set_if_neq(crate::task::Blurred(blurred.0));
}

/// The runtime's counters that say something.
fn shown(counters: &RuntimeCounters) -> Vec<Counter> {
    let said = counters.0.iter().filter_map(|it| Some((it, it.value?)));
    said.map(|(it, value)| Counter {
        name: it.name.clone(),
        value,
        unit: it.unit.to_owned(),
    })
    .collect()
}

/// Once a second, how frames fare.
fn stand(
    time: Res<Time<Real>>,
    mut next: Local<f64>,
    stats: Res<FrameStats>,
    governor: Res<Governor>,
    latest: Res<Latest>,
    level: Res<CurrentLevel>,
    counters: Option<Res<RuntimeCounters>>,
    mut standing: ResMut<FrameStanding>,
) {
    let now = time.elapsed_secs_f64();
    if now < *next {
        return;
    }
    *next = now + 1.0;
    let (Some(sample), Some(asked)) = (governor.newest(), latest.0) else {
        return;
    };
    let gpu_ms = sample.gpu.map(|gpu| gpu.seconds * 1e3);
    let before = standing.0.as_ref().and_then(|it| it.gpu_ms);
    standing.set_if_neq(FrameStanding(Some(Frames {
        period_ms: sample.period * 1e3,
        cpu_ms: sample.cpu.total() * 1e3,
        gpu_ms: gpu_ms.or(before),
        missed: stats.skipped,
        stale: stats.stale,
        runtime: counters.map(|it| shown(&it)).unwrap_or_default(),
        missed_ratio: stats.missed_ratio().unwrap_or_default(),
        level: level.0.name().to_owned(),
        render_scale: asked.quality.render_scale,
        why: asked.why.map(|why| why.to_string()).unwrap_or_default(),
    })));
}

#[cfg(test)]
#[path = "governing_tests.rs"]
mod tests;
