//! How the panel looks: sections from top to bottom along the window's right edge.

use bevy_egui::egui::{
    Align2, CollapsingHeader, Color32, Context, CornerRadius, Frame, Margin, RichText, ScrollArea,
    Stroke, Style, Ui, Visuals, Window, vec2,
};

use super::frames::Frames;
use super::simulate::{Pretend, Wish};
use super::{log, models};
use crate::governor::actuators::Level;
use crate::governor::plugin::{CurrentLevel, Latest};
use crate::session::state::LearnerState;
use crate::session::{AcknowledgedSeq, Learner, SessionLog};

const GROUND: Color32 = Color32::from_rgba_premultiplied(18, 21, 26, 243);
pub(super) const FAINT: Color32 = Color32::from_rgb(33, 38, 46);
pub(super) const INK: Color32 = Color32::from_rgb(236, 234, 228);
pub(super) const QUIET: Color32 = Color32::from_rgb(163, 171, 182);
pub(super) const ACCENT: Color32 = Color32::from_rgb(92, 184, 204);
pub(super) const GOOD: Color32 = Color32::from_rgb(96, 186, 124);
pub(super) const MIDDLING: Color32 = Color32::from_rgb(222, 171, 74);
pub(super) const BAD: Color32 = Color32::from_rgb(226, 103, 84);

/// Width of the panel, points.
const WIDTH: f32 = 348.0;

/// What is shown of the program.
pub(super) struct Room<'a> {
    pub(super) frames: &'a Frames,
    /// `None`: no governor runs.
    pub(super) governor: Option<(&'a Latest, &'a CurrentLevel)>,
    pub(super) learner: Option<(
        &'a Learner,
        &'a LearnerState,
        AcknowledgedSeq,
        Option<&'a SessionLog>,
    )>,
}

/// Draws the panel; gives what was pressed. `pretend`: for developers.
pub(super) fn show(context: &Context, room: &Room, pretend: Option<&mut Pretend>) -> Option<Wish> {
    let height = context.content_rect().height() - 46.0;
    let mut wish = None;
    Window::new("desk panel")
        .title_bar(false)
        .fixed_size(vec2(WIDTH, height))
        .anchor(Align2::RIGHT_TOP, vec2(-12.0, 12.0))
        .frame(
            Frame::new()
                .fill(GROUND)
                .stroke(Stroke::new(1.0, FAINT))
                .corner_radius(CornerRadius::same(10))
                .inner_margin(Margin::symmetric(14, 10)),
        )
        .show(context, |ui| {
            dress(ui.style_mut());
            ui.horizontal(|ui| {
                ui.label(RichText::new("Desk").size(17.0).strong().color(INK));
                ui.label(RichText::new("F1 closes").size(11.0).color(QUIET));
            });
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                section(ui, "Frames", |ui| room.frames.show(ui));
                section(ui, "Governor", |ui| governor(ui, room.governor));
                section(ui, "Models", |ui| match room.learner {
                    Some((learner, state, acknowledged, _)) => {
                        models::show(ui, learner, state, acknowledged);
                    }
                    None => quiet(ui, "nobody is here"),
                });
                if let Some(pretend) = pretend {
                    section(ui, "Simulated inputs", |ui| wish = pretend.show(ui));
                }
                section(ui, "Log", |ui| match room.learner {
                    Some((.., Some(events))) => log::show(ui, &events.0),
                    _ => quiet(ui, "nothing yet"),
                });
            });
        });
    wish
}

fn dress(style: &mut Style) {
    style.visuals = Visuals {
        override_text_color: Some(INK),
        ..Visuals::dark()
    };
    style.visuals.selection.bg_fill = ACCENT;
    style.spacing.item_spacing = vec2(8.0, 5.0);
}

fn section(ui: &mut Ui, title: &str, show: impl FnOnce(&mut Ui)) {
    ui.add_space(4.0);
    CollapsingHeader::new(RichText::new(title).size(13.5).strong().color(ACCENT))
        .default_open(true)
        .show(ui, show);
}

pub(super) fn quiet(ui: &mut Ui, words: &str) {
    ui.label(RichText::new(words).color(QUIET));
}

fn governor(ui: &mut Ui, governor: Option<(&Latest, &CurrentLevel)>) {
    let Some((Latest(latest), CurrentLevel(level))) = governor else {
        quiet(ui, "no governor");
        return;
    };
    let colour = match level {
        Level::Conservative => GOOD,
        Level::Balanced | Level::Aggressive => MIDDLING,
        Level::Emergency => BAD,
    };
    ui.horizontal(|ui| {
        ui.label(RichText::new("level").color(QUIET));
        ui.label(RichText::new(level.name()).strong().color(colour));
    });
    match latest {
        None => quiet(ui, "no frames of a headset yet: nothing is decided"),
        Some(decision) => {
            if let Some(why) = &decision.why {
                ui.label(why.to_string());
            }
            let given_up = decision.setting;
            ui.label(
                RichText::new(format!(
                    "given up: CPU {:.0} %, GPU {:.0} %",
                    given_up.cpu * 100.0,
                    given_up.gpu * 100.0
                ))
                .color(QUIET),
            );
        }
    }
}
