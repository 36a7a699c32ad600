//! For developers: inputs that pretend to be the learner's. What comes of them stands in the log as simulated: an attempt
//! by its evidence, a command by its purpose.

use std::time::Duration;

use bevy::prelude::*;
use bevy_egui::egui::{RichText, Slider, Ui};

use super::panel::MIDDLING;
use crate::learning::quality::Quality;
use crate::lesson::ActiveLesson;
use crate::protocol::blur::Blurs;
use crate::protocol::command::{Command, CommandBody, Principal};
use crate::protocol::event::{Attempt, EventBody, Evidence};
use crate::protocol::ids::{AttemptId, CommandId};
use crate::session::state::LearnerState;
use crate::session::{CommandRequested, Happened, Learner};

/// How commands from here say where they come from.
const PURPOSE: &str = "SIMULATED at the desk panel";

/// What the sliders say.
#[derive(Debug)]
pub(super) struct Pretend {
    credit: f32,
    seconds: f32,
}

impl Default for Pretend {
    fn default() -> Self {
        Self {
            credit: 0.3,
            seconds: 4.0,
        }
    }
}

/// What was pressed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wish {
    /// A try at the running step, with its credit (1: right) and how long it took.
    Try(f32, Duration),
    /// A wish of the learner's.
    Ask(CommandBody),
}

impl Pretend {
    pub(super) fn show(&mut self, ui: &mut Ui) -> Option<Wish> {
        let mut wish = None;
        let warning = "what you press here stands in the learner's log as simulated";
        ui.label(RichText::new(warning).size(11.5).color(MIDDLING));
        ui.add(
            Slider::new(&mut self.seconds, 0.5..=60.0)
                .logarithmic(true)
                .suffix(" s")
                .text("takes"),
        );
        ui.add(Slider::new(&mut self.credit, 0.0..=0.99).text("credit of a wrong try"));
        let took = Duration::from_secs_f32(self.seconds.max(0.0));
        ui.horizontal(|ui| {
            if ui.button("right try").clicked() {
                wish = Some(Wish::Try(1.0, took));
            }
            if ui.button("wrong try").clicked() {
                wish = Some(Wish::Try(self.credit, took));
            }
        });
        ui.horizontal_wrapped(|ui| {
            for (words, body) in [
                ("asks for a hint", CommandBody::GiveHint { level: None }),
                ("pauses", CommandBody::Pause),
                ("goes on", CommandBody::Resume),
                ("rests", CommandBody::Rest),
                ("ends the rest", CommandBody::EndBreak),
            ] {
                if ui.button(words).clicked() {
                    wish = Some(Wish::Ask(body));
                }
            }
        });
        wish
    }
}

/// Does what was pressed; a try without a running step is none.
pub(super) fn carry_out(
    wish: Wish,
    entity: Entity,
    learner: &Learner,
    state: &LearnerState,
    lesson: Option<&ActiveLesson>,
    requested: &mut MessageWriter<CommandRequested>,
    happened: &mut MessageWriter<Happened>,
) {
    match wish {
        Wish::Ask(body) => {
            requested.write(CommandRequested(Command {
                id: CommandId::fresh(),
                learner: learner.id,
                principal: Principal::Learner,
                asker: None,
                purpose: PURPOSE.to_owned(),
                body,
                trace: None,
            }));
        }
        Wish::Try(credit, latency) => {
            let Some(step) = state.step.clone().filter(|_| !state.ended) else {
                return;
            };
            let running = lesson.and_then(|lesson| lesson.step(&step));
            let skills = running.map(|step| step.evidence_for.clone());
            let correct = credit >= 1.0;
            let attempt = Attempt {
                id: AttemptId::fresh(),
                step,
                skills: skills.unwrap_or_default(),
                correct,
                credit: credit.clamp(0.0, 1.0),
                latency,
                hints_used: state.hint_level,
                position_error: None,
                rotation_error: None,
                quality: Quality::PERFECT,
                blurred: Blurs::default(),
                evidence: Evidence::Simulated,
            };
            happened.write(Happened {
                learner: entity,
                body: EventBody::Attempted(attempt),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::load;
    use crate::protocol::ids::{LearnerId, SessionId, StepId};

    #[derive(Resource)]
    struct Wished(Wish);

    fn press(
        mut commands: Commands,
        wished: Res<Wished>,
        lesson: Res<ActiveLesson>,
        mut requested: MessageWriter<CommandRequested>,
        mut happened: MessageWriter<Happened>,
    ) {
        let learner = Learner {
            id: LearnerId::fresh(),
            session: SessionId::fresh(),
        };
        let state = LearnerState {
            step: Some(StepId::new("touch-cube")),
            ..LearnerState::default()
        };
        let entity = commands.spawn_empty().id();
        carry_out(
            wished.0.clone(),
            entity,
            &learner,
            &state,
            Some(&lesson),
            &mut requested,
            &mut happened,
        );
    }

    fn world(wish: Wish) -> World {
        let mut app = App::new();
        app.add_message::<CommandRequested>()
            .add_message::<Happened>()
            .insert_resource(ActiveLesson(load("first-steps").unwrap()))
            .insert_resource(Wished(wish))
            .add_systems(Update, press);
        app.update();
        std::mem::take(app.world_mut())
    }

    #[test]
    fn a_pretended_try_is_marked_where_it_stands_and_counts_for_the_steps_skills() {
        let mut world = world(Wish::Try(0.4, Duration::from_secs(3)));
        let happened: Vec<Happened> = world.resource_mut::<Messages<Happened>>().drain().collect();
        let [
            Happened {
                body: EventBody::Attempted(attempt),
                ..
            },
        ] = &happened[..]
        else {
            panic!("{} events", happened.len());
        };
        assert_eq!(attempt.evidence, Evidence::Simulated);
        assert!(!attempt.correct && !attempt.skills.is_empty());
        let line = serde_json::to_string(&happened[0].body).unwrap();
        assert!(line.contains(r#""interaction":"simulated""#), "{line}");
    }

    #[test]
    fn a_pretended_wish_says_where_it_comes_from() {
        let mut world = world(Wish::Ask(CommandBody::Rest));
        let asked: Vec<CommandRequested> = world
            .resource_mut::<Messages<CommandRequested>>()
            .drain()
            .collect();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].0.purpose, PURPOSE);
        assert_eq!(asked[0].0.principal, Principal::Learner);
    }
}
