//! The scene in words and coordinates, for an instructor elsewhere who wants to point at things.

use bevy::prelude::*;

use super::glow::Hinted;
use super::scene::Stage;
use super::stretch::objects;
use crate::interaction::things::{HeldBy, InSocket};
use crate::interaction::{HandNow, Person};
use crate::lesson::ActiveLesson;
use crate::lesson::format::{Action, PanelContent, Role};
use crate::lesson::placed::{LessonObject, LessonPanel, LessonSocket};
use crate::protocol::ids::ObjectId;
use crate::protocol::scene::{Bearing, SceneView, ThingKind, ThingView};
use crate::session::state::LearnerState;
use crate::session::{Learner, SceneAsked, SceneDescribed};

/// Eyes of somebody who stands where the learner was put down.
const EYES: Vec3 = Vec3::new(0.0, 1.6, 0.0);
/// How coarsely the place of a thing in a hand is told, metres: an arm's reach has some ten of them.
const IN_HAND: f32 = 0.25;

/// Answers every question of this frame.
pub(super) fn describe(
    mut asked: MessageReader<SceneAsked>,
    mut described: MessageWriter<SceneDescribed>,
    lesson: Option<Res<ActiveLesson>>,
    stage: Option<Res<Stage>>,
    learners: Query<(&Learner, &LearnerState)>,
    person: Person,
    placed: Query<(
        &Transform,
        Option<&Name>,
        Option<&LessonObject>,
        Option<&LessonSocket>,
        Option<&LessonPanel>,
        Option<&HeldBy>,
        Option<&InSocket>,
        Has<Hinted>,
    )>,
    sockets: Query<&LessonSocket>,
) {
    for SceneAsked { learner, ticket } in asked.read() {
        // Scene and hands belong to the one learner who wears this headset.
        let wearer = learners.iter().next();
        let (Some(lesson), Some(stage), Some((who, state))) = (&lesson, &stage, wearer) else {
            described.write(none(*ticket));
            continue;
        };
        if who.id != *learner {
            described.write(none(*ticket));
            continue;
        }
        let eyes = Transform::from_translation(EYES);
        let standpoint = Standpoint::of(person.rig().mul_transform(eyes));
        let hands = hands(&person);
        let step = state.step.as_ref().and_then(|step| lesson.step(step));
        let mut about: Vec<&ObjectId> = step.into_iter().flat_map(objects).collect();
        if let Some(Action::LookAt { object, .. } | Action::Teleport { to: object }) =
            step.map(|it| &it.action)
        {
            about.push(object);
        }
        let mut things = Vec::new();
        for (at, name, object, socket, panel, held, rests, shines) in &placed {
            let (id, kind, role, asked_for) = if let Some(LessonObject(id)) = object {
                let of_lesson = lesson.lesson.objects.iter().find(|it| it.id == *id);
                let kind = match of_lesson {
                    Some(_) => ThingKind::Object,
                    None if stage.added.contains_key(id) => ThingKind::Added,
                    None => continue,
                };
                let role = of_lesson.map(|it| role(&it.role).to_owned());
                (id.to_string(), kind, role, about.contains(&id))
            } else if let Some(LessonSocket(id)) = socket {
                let asked = matches!(step.map(|it| &it.action), Some(Action::Place { socket, .. }) if socket == id);
                (id.to_string(), ThingKind::Socket, None, asked)
            } else if let Some(LessonPanel(id)) = panel {
                let asked = matches!(step.map(|it| &it.action), Some(Action::Answer { panel } | Action::Rate { panel }) if panel == id);
                (id.to_string(), ThingKind::Panel, None, asked)
            } else {
                continue;
            };
            let held_by = held
                .and_then(|held| hands.iter().find(|hand| hand.0 == held.0))
                .map(|hand| hand.1.to_owned());
            // Where a thing is in somebody's hand would be where the hand is.
            let at = match held {
                Some(_) => (at.translation / IN_HAND).round() * IN_HAND,
                None => at.translation,
            };
            let rests_in = rests
                .and_then(|rests| sockets.get(rests.0).ok())
                .map(|socket| socket.0.to_string());
            let label = match panel {
                Some(panel) => of_panel(&lesson.lesson, &panel.0),
                None => name.map_or_else(|| id.clone(), |name| name.as_str().to_owned()),
            };
            things.push(sentence(ThingView {
                id,
                label,
                kind,
                role,
                position: at.to_array(),
                bearing: standpoint.bearing(at),
                asked_for,
                shines,
                held_by,
                rests_in,
                words: String::new(),
            }));
        }
        things.sort_by(|a, b| {
            let distance = a.bearing.distance.total_cmp(&b.bearing.distance);
            distance.then_with(|| a.id.cmp(&b.id))
        });
        let view = SceneView {
            learner: *learner,
            lesson: lesson.lesson.id.clone(),
            step: state.step.clone(),
            goal: step.map(|step| step.goal.clone()),
            things,
        };
        described.write(SceneDescribed {
            ticket: *ticket,
            view: Some(Box::new(view)),
        });
    }
}

fn none(ticket: u64) -> SceneDescribed {
    SceneDescribed { ticket, view: None }
}

fn hands(person: &Person) -> Vec<(Entity, &'static str)> {
    let side = |hand: &HandNow| match format!("{:?}", hand.side).as_str() {
        "Left" => "left",
        _ => "right",
    };
    person
        .hands()
        .map(|hand| (hand.entity, side(&hand)))
        .collect()
}

/// From where directions are told: only the turn about the vertical counts, as for a person who tilts their head.
struct Standpoint {
    eyes: Vec3,
    ahead: Vec3,
    right: Vec3,
}

impl Standpoint {
    fn of(eyes: Transform) -> Self {
        let forward = eyes.forward();
        let ahead = Vec3::new(forward.x, 0.0, forward.z).normalize_or(Vec3::NEG_Z);
        Self {
            eyes: eyes.translation,
            ahead,
            right: ahead.cross(Vec3::Y),
        }
    }

    fn bearing(&self, place: Vec3) -> Bearing {
        let way = place - self.eyes;
        Bearing::of(way.dot(self.ahead), way.dot(self.right), way.y)
    }
}

fn role(role: &Role) -> &'static str {
    match role {
        Role::Decor => "decor",
        Role::Fixed => "fixed",
        Role::Grabbable { .. } => "grabbable",
        Role::Button => "button",
        Role::TeleportSpot => "teleport spot",
    }
}

fn of_panel(lesson: &crate::lesson::format::Lesson, id: &crate::protocol::ids::PanelId) -> String {
    let panel = lesson.panels.iter().find(|panel| panel.id == *id);
    match panel.map(|panel| &panel.content) {
        Some(PanelContent::Guide) => "guide panel".to_owned(),
        Some(PanelContent::Text { title, .. }) => format!("panel: {title}"),
        Some(PanelContent::Question { prompt, .. } | PanelContent::Rating { prompt, .. }) => {
            format!("question: {prompt}")
        }
        None => "panel".to_owned(),
    }
}

fn sentence(mut thing: ThingView) -> ThingView {
    let mut words = format!("{}: {}", thing.label, thing.bearing.in_words());
    if let Some(hand) = &thing.held_by {
        words += &format!(", in the {hand} hand");
    }
    if let Some(socket) = &thing.rests_in {
        words += &format!(", resting in {socket}");
    }
    if thing.asked_for {
        words += "; the step is about it";
    }
    if thing.shines {
        words += "; it shines";
    }
    thing.words = words;
    thing
}
