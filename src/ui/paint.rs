//! Draws a [`PanelView`] with egui: calm colours, large letters, one thing at a time.

use std::sync::Arc;

use bevy_egui::egui::{
    Align2, Color32, CornerRadius, FontId, Galley, Painter, Pos2, Rect, Shape, Stroke, StrokeKind,
    Vec2, pos2, vec2,
};

use super::feedback::Feedback;
use super::layout::{body_text, choice_rect};
use super::view::PanelView;

const CARD: Color32 = Color32::from_rgb(250, 247, 241);
const INK: Color32 = Color32::from_rgb(43, 48, 58);
const QUIET: Color32 = Color32::from_rgb(112, 118, 130);
const ACCENT: Color32 = Color32::from_rgb(38, 120, 140);
const TRACK: Color32 = Color32::from_rgb(224, 219, 208);
const HINT: Color32 = Color32::from_rgb(255, 241, 205);
const HINT_INK: Color32 = Color32::from_rgb(110, 76, 8);
const MESSAGE: Color32 = Color32::from_rgb(219, 236, 240);
const NOTICE: Color32 = Color32::from_rgb(250, 221, 214);
const NOTICE_INK: Color32 = Color32::from_rgb(128, 42, 24);
const CHOICE: Color32 = Color32::from_rgb(236, 231, 221);

const DONE: Color32 = Color32::from_rgb(58, 140, 88);
const NOT_YET: Color32 = Color32::from_rgb(196, 132, 36);

/// Space to the card's edge and between things, pixels.
const SPACE: f32 = 44.0;
/// Space inside a coloured box, and between two of them, pixels.
const PAD: Vec2 = vec2(28.0, 18.0);
const BETWEEN: f32 = 16.0;
/// Height of the letters that say that somebody looks, pixels: small, and in the card's margin.
const SIGN: f32 = 27.0;
const WATCHED: &str = "Your instructor sees what you see";
/// As many steps as fit as dots; more become a bar.
const MOST_DOTS: usize = 12;

/// Draws on `size` pixels.
pub(super) fn paint(painter: &Painter, size: Vec2, view: &PanelView) {
    let letters = body_text() * if view.large_text { 1.25 } else { 1.0 };
    let card = Rect::from_min_size(Pos2::ZERO, size).shrink(6.0);
    painter.rect_filled(card, CornerRadius::same(40), CARD);
    if let Some(feedback) = view.feedback {
        let edge = Stroke::new(9.0, colour(feedback));
        painter.rect_stroke(card, CornerRadius::same(40), edge, StrokeKind::Inside);
    }
    if view.watched {
        watched(painter, card);
    }
    let inner = card.shrink(SPACE);
    if let Some(frames) = &view.frames {
        // Small: for whoever looks after the machine, not for the learner.
        let line = text(painter, frames, body_text() * 0.45, QUIET, inner.width());
        let at = pos2(inner.left(), card.bottom() - line.size().y - 6.0);
        painter.galley(at, line, QUIET);
    }
    let top = head(painter, inner, view);
    if view.choices.is_empty() {
        one_thing(
            painter,
            Rect::from_min_max(pos2(inner.left(), top), inner.max),
            view,
            letters,
        );
    } else {
        let end = choice_rect(view.room, view.room + view.choices.len()).min.y * size.y;
        let prompt = fitting(
            painter,
            &view.body,
            INK,
            vec2(inner.width(), end - top),
            letters,
            &[1.15, 1.0],
        );
        painter.galley(pos2(inner.left(), top), prompt, INK);
        choices(painter, size, view, letters);
    }
}

/// The sign that somebody looks, along the card's upper edge, above everything else: an open eye and four words.
fn watched(painter: &Painter, card: Rect) {
    let words = text(painter, WATCHED, SIGN, ACCENT, card.width());
    let size = words.size();
    let left = card.center().x - size.x / 2.0 + SIGN * 0.9;
    let middle = card.top() + 8.0 + size.y / 2.0;
    let eye = pos2(left - SIGN * 0.95, middle);
    let stroke = Stroke::new(3.0, ACCENT);
    let outline = Shape::ellipse_stroke(eye, vec2(SIGN * 0.62, SIGN * 0.36), stroke);
    painter.add(outline);
    painter.circle_filled(eye, SIGN * 0.2, ACCENT);
    painter.galley(pos2(left, card.top() + 8.0), words, ACCENT);
}

fn colour(feedback: Feedback) -> Color32 {
    match feedback {
        Feedback::Done | Feedback::Heard => DONE,
        Feedback::NotYet => NOT_YET,
    }
}

/// Heading and progress; gives where the body begins.
fn head(painter: &Painter, inner: Rect, view: &PanelView) -> f32 {
    let (words, ink, width) = match (view.feedback, view.progress) {
        (Some(feedback), _) => (feedback.words(), colour(feedback), 1.0),
        (None, None) => (view.heading.as_str(), ACCENT, 1.0),
        (None, Some(_)) => (view.heading.as_str(), ACCENT, 0.55),
    };
    let heading = text(painter, words, body_text(), ink, inner.width() * width);
    let (middle, bottom) = (
        inner.top() + body_text() / 2.0 + 3.0,
        inner.top() + heading.size().y,
    );
    painter.galley(inner.min, heading, ink);
    if let (None, Some((done, of))) = (view.feedback, view.progress) {
        progress(painter, inner, middle, done, of);
    }
    bottom + SPACE * 0.6
}

fn progress(painter: &Painter, inner: Rect, middle: f32, done: usize, of: usize) {
    if of <= MOST_DOTS {
        for index in 0..of {
            let at = pos2(
                inner.right() - 12.0 - (of - 1 - index) as f32 * 36.0,
                middle,
            );
            let fill = if index < done { ACCENT } else { TRACK };
            painter.circle_filled(at, if index == done { 13.0 } else { 10.0 }, fill);
            if index == done {
                painter.circle_stroke(at, 13.0, Stroke::new(4.0, ACCENT));
            }
        }
        return;
    }
    let bar = Rect::from_min_max(
        pos2(inner.left() + inner.width() * 0.6, middle - 9.0),
        pos2(inner.right() - 130.0, middle + 9.0),
    );
    painter.rect_filled(bar, CornerRadius::same(9), TRACK);
    let share = (done as f32 / of as f32).clamp(0.0, 1.0);
    if done > 0 {
        let filled = Rect::from_min_size(bar.min, vec2(bar.width() * share, bar.height()));
        painter.rect_filled(filled, CornerRadius::same(9), ACCENT);
    }
    painter.text(
        pos2(inner.right(), middle),
        Align2::RIGHT_CENTER,
        format!("{done}/{of}"),
        FontId::proportional(body_text()),
        QUIET,
    );
}

/// The goal, what is said, and the boxes below. Where there is not room for everything the caption goes first.
fn one_thing(painter: &Painter, area: Rect, view: &PanelView, letters: f32) {
    let smallest = text(painter, &view.body, letters, INK, area.width())
        .size()
        .y;
    let floor = boxes(
        painter,
        area,
        area.height() - smallest - BETWEEN,
        view,
        letters,
    );
    let room = vec2(area.width(), floor - area.top());
    let goal = fitting(painter, &view.body, INK, room, letters, &[1.5, 1.25, 1.0]);
    let end = area.top() + goal.size().y + SPACE * 0.5;
    painter.galley(area.min, goal, INK);
    if let Some(caption) = &view.caption {
        let caption = text(painter, caption, letters, QUIET, area.width());
        if end + caption.size().y <= floor {
            painter.galley(pos2(area.left(), end), caption, QUIET);
        }
    }
}

/// Notice, message and hint, stacked from the bottom: what is gravest lies lowest and is there in any case, the others
/// as far as `room` reaches. Gives where the stack begins.
fn boxes(painter: &Painter, area: Rect, room: f32, view: &PanelView, letters: f32) -> f32 {
    let hint = view
        .hint
        .as_ref()
        .map(|(level, hint)| format!("Hint {level}: {hint}"));
    let message = view
        .message
        .as_ref()
        .map(|message| format!("Your instructor: {message}"));
    let all = [
        (view.notice.clone(), NOTICE, NOTICE_INK),
        (message, MESSAGE, ACCENT),
        (hint, HINT, HINT_INK),
    ];
    let mut bottom = area.bottom();
    for (words, fill, ink) in all {
        let Some(words) = words else { continue };
        let galley = text(painter, &words, letters, ink, area.width() - 2.0 * PAD.x);
        let top = bottom - galley.size().y - 2.0 * PAD.y;
        if area.bottom() - top > room && bottom < area.bottom() {
            break;
        }
        let ground = Rect::from_min_max(pos2(area.left(), top), pos2(area.right(), bottom));
        painter.rect_filled(ground, CornerRadius::same(22), fill);
        painter.galley(ground.min + PAD, galley, ink);
        bottom = top - BETWEEN;
    }
    bottom
}

fn choices(painter: &Painter, size: Vec2, view: &PanelView, letters: f32) {
    for (index, choice) in view.choices.iter().enumerate() {
        let share = choice_rect(view.room + index, view.room + view.choices.len());
        let area = Rect::from_min_max(
            pos2(share.min.x * size.x, share.min.y * size.y),
            pos2(share.max.x * size.x, share.max.y * size.y),
        );
        let (fill, ink) = match (view.chosen == Some(index), view.feedback) {
            (true, Some(feedback)) => (colour(feedback), CARD),
            (true, None) => (ACCENT, CARD),
            (false, _) => (CHOICE, INK),
        };
        painter.rect_filled(area, CornerRadius::same(26), fill);
        if view.pointed == Some(index) {
            painter.rect_stroke(
                area,
                CornerRadius::same(26),
                Stroke::new(7.0, ACCENT),
                StrokeKind::Inside,
            );
        }
        let room = vec2(area.width() - 68.0, area.height());
        let words = fitting(painter, choice, ink, room, letters, &[1.1, 1.0, 0.8]);
        let at = pos2(area.left() + 34.0, area.center().y - words.size().y / 2.0);
        painter.galley(at, words, ink);
    }
}

/// The largest of `scales` at which the words fit into `room`, else the smallest.
fn fitting(
    painter: &Painter,
    words: &str,
    ink: Color32,
    room: Vec2,
    letters: f32,
    scales: &[f32],
) -> Arc<Galley> {
    let mut galley = text(painter, words, letters, ink, room.x);
    for scale in scales {
        galley = text(painter, words, letters * scale, ink, room.x);
        if galley.size().y <= room.y {
            break;
        }
    }
    galley
}

fn text(painter: &Painter, words: &str, size: f32, ink: Color32, width: f32) -> Arc<Galley> {
    painter.layout(words.to_owned(), FontId::proportional(size), ink, width)
}

#[cfg(test)]
mod tests {
    use bevy_egui::egui::epaint::ClippedShape;
    use bevy_egui::egui::{CentralPanel, Context, Frame, RawInput, Shape};
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::session::pairing::PairingCode;
    use crate::ui::let_in;

    const SIZE: Vec2 = vec2(1300.0, 800.0);

    fn shapes(view: &PanelView) -> Vec<ClippedShape> {
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, SIZE)),
            ..RawInput::default()
        };
        let mut output = Context::default().run_ui(input, |ui| {
            CentralPanel::default()
                .frame(Frame::NONE)
                .show(ui, |ui| paint(ui.painter(), SIZE, view));
        });
        // Nothing is uploaded here.
        output.textures_delta.clear();
        output.shapes
    }

    /// Where each piece of text lies.
    fn texts(view: &PanelView) -> Vec<(String, Rect)> {
        let text = |shape: ClippedShape| match shape.shape {
            Shape::Text(text) => Some((text.galley.text().to_owned(), text.visual_bounding_rect())),
            _ => None,
        };
        shapes(view).into_iter().filter_map(text).collect()
    }

    fn words(count: usize) -> String {
        vec!["learning"; count].join(" ")
    }

    #[test]
    fn how_to_let_an_instructor_in_has_room_above_its_choices() {
        for large_text in [false, true] {
            let code = PairingCode {
                code: "204816".to_owned(),
                address: "https://192.168.100.177:17878/".to_owned(),
                fingerprint: Some(vec!["A7"; 32].join(":")),
                until: Instant::now() + Duration::from_secs(300),
            };
            let view = PanelView {
                heading: "Let my instructor in".to_owned(),
                body: let_in::words(Some(&code), Instant::now()),
                choices: vec!["Another code".to_owned(), "Back".to_owned()],
                room: 4,
                large_text,
                ..PanelView::default()
            };
            let texts = texts(&view);
            assert_eq!(texts.len(), 4);
            for (index, (words, area)) in texts.iter().enumerate() {
                assert!(area.max.y <= SIZE.y && area.max.x <= SIZE.x, "{words}");
                for (other, beside) in &texts[index + 1..] {
                    assert!(
                        !area.shrink(1.0).intersects(beside.shrink(1.0)),
                        "{words} / {other}"
                    );
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn nothing_lies_on_top_of_anything_else(
            goal in 1usize..10,
            caption in 0usize..14,
            hint in 0usize..12,
            message in 0usize..25,
            notice in 0usize..14,
            large_text: bool,
            watched: bool,
        ) {
            let some = |count: usize| (count > 0).then(|| words(count));
            let view = PanelView {
                heading: "First steps".to_owned(),
                body: words(goal),
                progress: Some((3, 10)),
                caption: some(caption),
                hint: some(hint).map(|hint| (1, hint)),
                message: some(message),
                notice: some(notice),
                large_text,
                watched,
                ..PanelView::default()
            };
            let texts = texts(&view);
            prop_assert_eq!(texts.iter().any(|(text, _)| text == WATCHED), watched);
            for (index, (words, area)) in texts.iter().enumerate() {
                prop_assert!(area.max.y <= SIZE.y && area.max.x <= SIZE.x, "{words} at {area:?}");
                for (other, beside) in &texts[index + 1..] {
                    prop_assert!(!area.shrink(1.0).intersects(beside.shrink(1.0)), "{words} / {other}");
                }
            }
            if notice > 0 {
                prop_assert!(texts.iter().any(|(text, _)| *text == words(notice)));
            }
        }
    }
}
