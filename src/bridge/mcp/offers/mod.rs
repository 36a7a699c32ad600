//! What an instructor is offered, subject by subject. Each file adds its rows to the catalogue.

use super::catalogue::Catalogue;

mod act;
mod adapt;
pub(super) mod app;
mod class;
mod notices;
mod ops;
mod prompts;
mod read;
pub(super) mod resources;
mod scene;
mod write;

/// Everything.
pub(super) fn all(catalogue: &mut Catalogue) {
    read::offer(catalogue);
    class::offer(catalogue);
    app::offer(catalogue);
    act::offer(catalogue);
    adapt::offer(catalogue);
    scene::offer(catalogue);
    ops::offer(catalogue);
    resources::offer(catalogue);
    prompts::offer(catalogue);
    catalogue.completion("learner", |call, _| {
        let ids = call.learners();
        ids.iter().map(|it| it.learner.to_string()).collect()
    });
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
