//! Plots as PNG, or as SVG where the file's name ends so.

use std::error::Error;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Once;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use super::explain::Curve;
use crate::learning::tracer::score::Score;

/// Width and height of a plot, pixels.
const SIZE: (u32, u32) = (720, 640);
const INK: RGBColor = RGBColor(0x33, 0x3a, 0x45);
const ACCENT: RGBColor = RGBColor(0x1f, 0x6f, 0xb2);
const FONT: &str = "sans-serif";

/// What cannot be drawn or written, in words.
type PlotError = Box<dyn Error>;

/// Something to be drawn on whatever takes it.
trait Picture {
    fn paint<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), PlotError>
    where
        B::ErrorType: 'static;
}

/// Draws predicted against observed shares, with the number of answers in each bin below.
///
/// # Errors
/// Where the file cannot be written.
pub(super) fn reliability(file: &Path, title: &str, score: &Score) -> Result<(), PlotError> {
    draw(file, &Reliability { title, score })
}

struct Reliability<'a> {
    title: &'a str,
    score: &'a Score,
}

impl Picture for Reliability<'_> {
    fn paint<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), PlotError>
    where
        B::ErrorType: 'static,
    {
        let bins = &self.score.reliability;
        let label = (FONT, 14, &INK);
        area.fill(&WHITE)?;
        let (upper, lower) = area.split_vertically(SIZE.1 * 3 / 4);
        let mut chart = ChartBuilder::on(&upper)
            .caption(self.title, (FONT, 18, &INK))
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(60)
            .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
        chart
            .configure_mesh()
            .x_desc("predicted")
            .y_desc("observed")
            .label_style(label)
            .light_line_style(WHITE)
            .draw()?;
        let diagonal = INK.mix(0.3).stroke_width(1);
        chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], diagonal))?;
        let points = || bins.iter().map(|bin| (bin.predicted, bin.observed));
        chart.draw_series(LineSeries::new(points(), ACCENT.stroke_width(2)))?;
        chart.draw_series(points().map(|at| Circle::new(at, 4, ACCENT.filled())))?;
        let most = bins.iter().map(|bin| bin.n).max().unwrap_or(1);
        let mut sizes = ChartBuilder::on(&lower)
            .margin(12)
            .x_label_area_size(8)
            .y_label_area_size(60)
            .build_cartesian_2d(0.0..1.0, 0.0..most as f64)?;
        sizes
            .configure_mesh()
            .disable_mesh()
            .x_labels(0)
            .y_labels(3)
            .y_desc("answers")
            .y_label_formatter(&|n| format!("{n:.0}"))
            .label_style(label)
            .draw()?;
        sizes.draw_series(bins.iter().map(|bin| {
            let (left, right) = (bin.predicted - 0.02, bin.predicted + 0.02);
            Rectangle::new(
                [(left, 0.0), (right, bin.n as f64)],
                ACCENT.mix(0.6).filled(),
            )
        }))?;
        Ok(())
    }
}

/// Draws P(known) with its interval over the attempts, one small picture for each skill.
///
/// # Errors
/// Where the file cannot be written.
pub(super) fn story(file: &Path, curves: &[Curve]) -> Result<(), PlotError> {
    draw(file, &Skills(curves))
}

struct Skills<'a>(&'a [Curve]);

impl Picture for Skills<'_> {
    fn paint<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), PlotError>
    where
        B::ErrorType: 'static,
    {
        area.fill(&WHITE)?;
        let columns = (self.0.len() as f64).sqrt().ceil().max(1.0) as usize;
        let rows = self.0.len().div_ceil(columns).max(1);
        for (curve, area) in self.0.iter().zip(area.split_evenly((rows, columns))) {
            let last = (curve.known.len() - 1).max(1) as f64;
            let mut chart = ChartBuilder::on(&area)
                .caption(curve.skill.as_str(), (FONT, 15, &INK))
                .margin(8)
                .x_label_area_size(20)
                .y_label_area_size(32)
                .build_cartesian_2d(0.0..last, 0.0..1.0)?;
            chart
                .configure_mesh()
                .x_labels(curve.known.len().min(6))
                .x_label_formatter(&|attempt| format!("{attempt:.0}"))
                .y_labels(3)
                .label_style((FONT, 12, &INK))
                .light_line_style(WHITE)
                .draw()?;
            let points = |which: usize| {
                let known = curve.known.iter().enumerate();
                known.map(move |(attempt, known)| (attempt as f64, known[which]))
            };
            let band: Vec<(f64, f64)> = points(0).chain(points(2).rev()).collect();
            chart.draw_series(std::iter::once(Polygon::new(band, ACCENT.mix(0.18))))?;
            chart.draw_series(LineSeries::new(points(1), ACCENT.stroke_width(2)))?;
        }
        Ok(())
    }
}

fn draw(file: &Path, picture: &impl Picture) -> Result<(), PlotError> {
    static FONTS: Once = Once::new();
    FONTS.call_once(|| {
        // The only error would be a font that is none, and this one is egui's.
        let _ = register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT);
    });
    let cannot =
        |error: &dyn std::fmt::Display| format!("cannot write {}: {error}", file.display());
    if file
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("svg"))
    {
        let mut text = String::new();
        {
            let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
            picture.paint(&area)?;
            area.present()?;
        }
        return std::fs::write(file, text).map_err(|error| cannot(&error).into());
    }
    let mut pixels = vec![0; (SIZE.0 * SIZE.1 * 3) as usize];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, SIZE).into_drawing_area();
        picture.paint(&area)?;
        area.present()?;
    }
    let opened = std::fs::File::create(file).map_err(|error| cannot(&error))?;
    let mut encoder = png::Encoder::new(BufWriter::new(opened), SIZE.0, SIZE.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(|error| cannot(&error))?;
    writer
        .write_image_data(&pixels)
        .map_err(|error| cannot(&error))?;
    writer.finish().map_err(|error| cannot(&error).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::tracer::score::score;

    #[test]
    fn a_plot_is_a_picture_with_something_on_it() {
        let pairs: Vec<_> = (0..100)
            .map(|i| (f64::from(i) / 100.0, i % 3 > 0))
            .collect();
        let score = score(&pairs).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.png");
        reliability(&file, "a title", &score).unwrap();
        let mut reader =
            png::Decoder::new(std::io::BufReader::new(std::fs::File::open(&file).unwrap()))
                .read_info()
                .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let accent = pixels
            .chunks_exact(3)
            .filter(|pixel| *pixel == [0x1f, 0x6f, 0xb2])
            .count();
        assert!(accent > 100, "{accent} pixels of the curve");
        let file = folder.path().join("a.svg");
        reliability(&file, "a title", &score).unwrap();
        assert!(std::fs::read_to_string(file).unwrap().contains("a title"));
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let score = score(&[(0.5, true)]).unwrap();
        let error = reliability(Path::new("/no/such/place.png"), "", &score).unwrap_err();
        assert!(error.to_string().contains("/no/such/place.png"), "{error}");
    }
}
