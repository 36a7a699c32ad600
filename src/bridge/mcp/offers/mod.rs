//! What an instructor is offered, subject by subject. Each file adds its rows to the catalogue.

use super::catalogue::Catalogue;

mod act;
mod adapt;
pub(super) mod app;
mod asking;
mod carry;
mod class;
mod consent;
mod group;
mod lead;
mod notices;
mod ops;
mod prompts;
mod read;
pub(super) mod resources;
mod revert;
mod scene;
mod teach;
mod view;
mod write;

/// Words that are always the same.
const NAMES: [(&str, super::catalogue::Completing); 3] = [
    ("event", |_, _| {
        let all = crate::learning::event::LearningEvent::ALL;
        all.iter().map(|event| format!("{event:?}")).collect()
    }),
    ("level", |_, _| {
        ["off", "aggregate", "detailed"].map(str::to_owned).to_vec()
    }),
    ("mode", |_, _| {
        ["peer", "mentor", "project"].map(str::to_owned).to_vec()
    }),
];

/// Everything.
pub(super) fn all(catalogue: &mut Catalogue) {
    read::offer(catalogue);
    class::offer(catalogue);
    app::offer(catalogue);
    act::offer(catalogue);
    adapt::offer(catalogue);
    scene::offer(catalogue);
    teach::offer(catalogue);
    lead::offer(catalogue);
    group::offer(catalogue);
    consent::offer(catalogue);
    view::offer(catalogue);
    ops::offer(catalogue);
    resources::offer(catalogue);
    prompts::offer(catalogue);
    catalogue.completion("learner", |call, _| {
        let ids = call.learners();
        ids.iter().map(|it| it.learner.to_string()).collect()
    });
    for (argument, words) in NAMES {
        catalogue.completion(argument, words);
    }
    catalogue.completion("lesson", |call, _| {
        let mut lessons: Vec<String> = call
            .learners()
            .iter()
            .map(|it| it.lesson.to_string())
            .chain(crate::lesson::bundled().map(str::to_owned))
            .collect();
        lessons.sort();
        lessons.dedup();
        lessons
    });
}
