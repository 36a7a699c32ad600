//! Draws a [`PanelView`] with egui: calm colours, large letters, one thing at a time.

use bevy_egui::egui::{
    Align2, Color32, CornerRadius, FontId, Galley, Painter, Pos2, Rect, Stroke, StrokeKind, Vec2, pos2, vec2,
};

use std::sync::Arc;

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

/// Space to the card's edge and between things, pixels.
const SPACE: f32 = 44.0;

/// Draws on `size` pixels.
pub(super) fn paint(painter: &Painter, size: Vec2, view: &PanelView) {
    let card = Rect::from_min_size(Pos2::ZERO, size).shrink(6.0);
    painter.rect_filled(card, CornerRadius::same(40), CARD);
    let inner = card.shrink(SPACE);
    let mut top = head(painter, inner, view);
    if view.choices.is_empty() {
        let goal = text(painter, &view.body, body_text() * 1.5, INK, inner.width());
        painter.galley(pos2(inner.left(), top), goal.clone(), INK);
        top += goal.size().y + SPACE * 0.5;
        if let Some(caption) = &view.caption {
            let caption = text(painter, caption, body_text(), QUIET, inner.width());
            painter.galley(pos2(inner.left(), top), caption, QUIET);
        }
        boxes(painter, inner, view);
    } else {
        let prompt = text(painter, &view.body, body_text() * 1.15, INK, inner.width());
        painter.galley(pos2(inner.left(), top), prompt, INK);
        choices(painter, size, view);
    }
}

/// Heading and progress; gives where the body begins.
fn head(painter: &Painter, inner: Rect, view: &PanelView) -> f32 {
    let heading = text(painter, &view.heading, body_text(), ACCENT, inner.width() * 0.6);
    let bottom = inner.top() + heading.size().y;
    painter.galley(inner.min, heading, ACCENT);
    if let Some((done, of)) = view.progress {
        let of = of.max(1);
        let bar = Rect::from_min_max(
            pos2(inner.left() + inner.width() * 0.62, inner.top() + 14.0),
            pos2(inner.right() - 110.0, inner.top() + 32.0),
        );
        painter.rect_filled(bar, CornerRadius::same(9), TRACK);
        let share = (done as f32 / of as f32).clamp(0.0, 1.0);
        if done > 0 {
            let filled = Rect::from_min_size(bar.min, vec2(bar.width() * share, bar.height()));
            painter.rect_filled(filled, CornerRadius::same(9), ACCENT);
        }
        painter.text(
            pos2(inner.right(), bar.center().y),
            Align2::RIGHT_CENTER,
            format!("{done}/{of}"),
            FontId::proportional(body_text()),
            QUIET,
        );
    }
    bottom + SPACE * 0.6
}

/// Hint, message and notice, stacked from the bottom: what is gravest lies lowest and is always whole.
fn boxes(painter: &Painter, inner: Rect, view: &PanelView) {
    let mut bottom = inner.bottom();
    let hint = view.hint.as_ref().map(|(level, hint)| format!("Hint {level}: {hint}"));
    let message = view.message.as_ref().map(|message| format!("Your instructor: {message}"));
    let all = [
        (view.notice.clone(), NOTICE, NOTICE_INK),
        (message, MESSAGE, ACCENT),
        (hint, HINT, HINT_INK),
    ];
    for (words, fill, ink) in all {
        let Some(words) = words else { continue };
        let galley = text(painter, &words, body_text(), ink, inner.width() - 56.0);
        let height = galley.size().y + 36.0;
        let area = Rect::from_min_max(pos2(inner.left(), bottom - height), pos2(inner.right(), bottom));
        painter.rect_filled(area, CornerRadius::same(22), fill);
        painter.galley(area.min + vec2(28.0, 18.0), galley, ink);
        bottom = area.top() - 16.0;
    }
}

fn choices(painter: &Painter, size: Vec2, view: &PanelView) {
    for (index, choice) in view.choices.iter().enumerate() {
        let share = choice_rect(index, view.choices.len());
        let area = Rect::from_min_max(
            pos2(share.min.x * size.x, share.min.y * size.y),
            pos2(share.max.x * size.x, share.max.y * size.y),
        );
        let chosen = view.chosen == Some(index);
        let (fill, ink) = if chosen { (ACCENT, CARD) } else { (CHOICE, INK) };
        painter.rect_filled(area, CornerRadius::same(26), fill);
        if view.pointed == Some(index) {
            painter.rect_stroke(area, CornerRadius::same(26), Stroke::new(7.0, ACCENT), StrokeKind::Inside);
        }
        let words = text(painter, choice, body_text() * 1.1, ink, area.width() - 60.0);
        let at = pos2(area.left() + 34.0, area.center().y - words.size().y / 2.0);
        painter.galley(at, words, ink);
    }
}

fn text(painter: &Painter, words: &str, size: f32, ink: Color32, width: f32) -> Arc<Galley> {
    painter.layout(words.to_owned(), FontId::proportional(size), ink, width)
}
