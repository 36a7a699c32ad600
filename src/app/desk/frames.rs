//! The last frames' times in a ring, and their picture.

use bevy_egui::egui::{Align2, Color32, FontId, Pos2, Rect, Sense, Stroke, Ui, pos2, vec2};

use super::panel::{BAD, FAINT, GOOD, MIDDLING, QUIET};
use crate::xr::FrameStats;

/// Frames kept: as many as there are points across the graph.
const KEPT: usize = 320;
/// A window is drawn 60 times a second, as far as we know.
const WINDOW: f32 = 1.0 / 60.0;
/// Height of the graph, points.
const HEIGHT: f32 = 84.0;

/// How long the last frames took, seconds.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// A ring once full.
    times: Vec<f32>,
    next: usize,
    period: f32,
    missed: u64,
    /// Whether the times are of a headset: our own work, the wait left out.
    headset: bool,
}

impl Frames {
    /// A frame more: `delta` from the last to this one; with a headset its own clock counts.
    pub(super) fn note(&mut self, delta: f32, headset: Option<&FrameStats>) {
        let (time, period) = match headset {
            Some(stats) => (stats.cpu as f32, stats.period as f32),
            None => (delta, WINDOW),
        };
        self.headset = headset.is_some();
        self.missed = headset.map_or(0, |stats| stats.missed);
        self.period = if period > 0.0 { period } else { WINDOW };
        if self.times.len() < KEPT {
            self.times.push(time);
        } else if let Some(oldest) = self.times.get_mut(self.next) {
            *oldest = time;
            self.next = (self.next + 1) % KEPT;
        }
    }

    /// Oldest first.
    fn in_order(&self) -> impl Iterator<Item = f32> + '_ {
        let (new, old) = self.times.split_at(self.next.min(self.times.len()));
        old.iter().chain(new).copied()
    }

    fn quantile(&self, q: f32) -> f32 {
        let mut sorted = self.times.clone();
        sorted.sort_by(f32::total_cmp);
        let last = sorted.len().saturating_sub(1) as f32;
        sorted
            .get((q * last).round() as usize)
            .copied()
            .unwrap_or_default()
    }

    pub(super) fn show(&self, ui: &mut Ui) {
        let over = self
            .times
            .iter()
            .filter(|it| **it > self.period * 1.5)
            .count();
        let (middle, worst) = (self.quantile(0.5) * 1e3, self.quantile(0.99) * 1e3);
        let period = self.period * 1e3;
        ui.label(if self.headset {
            format!(
                "work {middle:.1} ms, p99 {worst:.1} ms, of {period:.1} ms; {} periods missed",
                self.missed
            )
        } else {
            format!(
                "median {middle:.1} ms, p99 {worst:.1} ms; {over} of {} long",
                self.times.len()
            )
        });
        let (area, painter) = {
            let (response, painter) =
                ui.allocate_painter(vec2(ui.available_width(), HEIGHT), Sense::hover());
            (response.rect, painter)
        };
        painter.rect_filled(area, 4.0, FAINT);
        // Up to three periods; what is longer is cut off at the top.
        let top = self.period * 3.0;
        let height = |time: f32| area.bottom() - (time / top).clamp(0.0, 1.0) * area.height();
        let width = area.width() / KEPT as f32;
        for (at, time) in self.in_order().enumerate() {
            let x = area.left() + at as f32 * width;
            let bar = Rect::from_min_max(pos2(x, height(time)), pos2(x + width, area.bottom()));
            painter.rect_filled(bar, 0.0, colour(time, self.period));
        }
        let line = |time: f32, words: &str| {
            let y = height(time);
            painter.hline(area.x_range(), y, Stroke::new(1.0, QUIET));
            let at: Pos2 = pos2(area.right() - 4.0, y - 1.0);
            painter.text(
                at,
                Align2::RIGHT_BOTTOM,
                words,
                FontId::proportional(10.0),
                QUIET,
            );
        };
        line(self.period, &format!("{period:.1} ms"));
        line(self.period * 2.0, "two periods");
    }
}

fn colour(time: f32, period: f32) -> Color32 {
    match time / period {
        it if it <= 1.1 => GOOD,
        it if it <= 2.0 => MIDDLING,
        _ => BAD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_the_last_frames_in_order() {
        let mut frames = Frames::default();
        for frame in 0..KEPT * 2 + 7 {
            frames.note(frame as f32, None);
        }
        let kept: Vec<f32> = frames.in_order().collect();
        assert_eq!(kept.len(), KEPT);
        assert!(kept.is_sorted());
        assert_eq!(kept.last(), Some(&((KEPT * 2 + 6) as f32)));
        assert!((frames.quantile(1.0) - (KEPT * 2 + 6) as f32).abs() < 0.5);
    }

    #[test]
    fn with_a_headset_its_own_clock_counts() {
        let mut frames = Frames::default();
        let mut stats = FrameStats::default();
        stats.frames = 9;
        stats.missed = 2;
        stats.period = 0.0125;
        stats.cpu = 0.004;
        frames.note(1.0, Some(&stats));
        assert_eq!(frames.missed, 2);
        assert!((frames.period - 0.0125).abs() < 1e-6);
        assert!((frames.quantile(0.5) - 0.004).abs() < 1e-6);
    }
}
