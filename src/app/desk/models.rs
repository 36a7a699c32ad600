//! What the models say of the learner: a bar for each skill with its interval, and load, engagement and comfort.

use bevy_egui::egui::{Align2, Color32, FontId, Rect, RichText, Sense, Ui, pos2, vec2};

use super::panel::{ACCENT, FAINT, INK, QUIET, quiet};
use crate::learning::event::Place;
use crate::session::snapshot::snapshot;
use crate::session::state::LearnerState;
use crate::session::{AcknowledgedSeq, Learner};

/// Sickness is told on a scale to this (FMS).
const MOST_SICK: f64 = 20.0;

pub(super) fn show(
    ui: &mut Ui,
    learner: &Learner,
    state: &LearnerState,
    acknowledged: AcknowledgedSeq,
) {
    let now = snapshot(learner, state, acknowledged, None, None);
    let step = now.step.as_ref().map_or("none", |step| step.as_str());
    ui.label(format!(
        "step {step}; {} of {} tries right; {}",
        now.correct,
        now.attempts,
        place(&now.place)
    ));
    for (skill, seen) in &now.skills {
        let words = format!("{} tries", seen.attempts);
        bar(
            ui,
            skill.as_str(),
            Some(seen.known),
            (seen.known_low, seen.known_high),
            &words,
        );
    }
    if now.skills.is_empty() {
        quiet(ui, "no skills yet");
    }
    ui.add_space(3.0);
    let index = now.index;
    bar(
        ui,
        "index",
        Some(index.value),
        (index.lower, index.upper),
        "transition",
    );
    let load = now.latest.as_ref().map(|it| it.load);
    let engagement = now.latest.as_ref().and_then(|it| it.signals.engagement);
    match load {
        Some(load) => {
            let words = format!("{:?}", load.class).to_lowercase();
            bar(ui, "load", load.level, (load.lower, load.upper), &words);
        }
        None => bar(ui, "load", None, (0.0, 1.0), "not observed"),
    }
    let words = if engagement.is_some() {
        ""
    } else {
        "not observed"
    };
    let ends = engagement.map_or((0.0, 1.0), |it| (it, it));
    bar(ui, "engagement", engagement, ends, words);
    match state.models.comfort() {
        Some(comfort) => {
            let (sick, ends) = comfort.sickness();
            let share = |it: f64| 1.0 - it / MOST_SICK;
            let words = format!("FMS {sick:.1} of 20");
            bar(
                ui,
                "comfort",
                Some(share(sick)),
                (share(ends.high), share(ends.low)),
                &words,
            );
        }
        None => bar(ui, "comfort", None, (0.0, 1.0), "no headset worn"),
    }
    ui.label(
        RichText::new(format!(
            "difficulty ×{:.2}, pace ×{:.2}, support {}, hint {}; log {} of {} on disk",
            now.difficulty, now.pace, now.support, now.hint_level, now.acknowledged_seq, now.seq
        ))
        .size(11.0)
        .color(QUIET),
    );
}

fn place(place: &Place) -> String {
    match place {
        Place::In(event, activity) => format!("{event:?}, {activity:?}").to_lowercase(),
        Place::Completed(attained) => format!("through: {attained:?}").to_lowercase(),
    }
}

/// A name, a bar in 0..1 with its interval in a paler colour, and a word beside it.
fn bar(ui: &mut Ui, name: &str, value: Option<f64>, (low, high): (f64, f64), words: &str) {
    const NAME: f32 = 96.0;
    const WORDS: f32 = 104.0;
    let (response, painter) = ui.allocate_painter(vec2(ui.available_width(), 15.0), Sense::hover());
    let area = response.rect;
    let middle = area.center().y;
    let small = FontId::proportional(11.5);
    painter.text(
        pos2(area.left(), middle),
        Align2::LEFT_CENTER,
        name,
        small.clone(),
        INK,
    );
    let track = Rect::from_min_max(
        pos2(area.left() + NAME, middle - 4.0),
        pos2(area.right() - WORDS, middle + 4.0),
    );
    painter.rect_filled(track, 4.0, FAINT);
    let at = |share: f64| track.left() + share.clamp(0.0, 1.0) as f32 * track.width();
    let stretch = |from: f64, to: f64, colour: Color32| {
        let part = Rect::from_min_max(pos2(at(from), track.top()), pos2(at(to), track.bottom()));
        painter.rect_filled(part, 4.0, colour);
    };
    let mut beside = words.to_owned();
    if let Some(value) = value {
        stretch(0.0, value, ACCENT);
        stretch(low.min(value), high.max(value), ACCENT.gamma_multiply(0.35));
        painter.vline(at(value), track.expand(2.0).y_range(), (1.5, INK));
        beside = format!("{value:.2}  {words}");
    }
    let right = pos2(track.right() + 8.0, middle);
    painter.text(right, Align2::LEFT_CENTER, beside, small, QUIET);
}
