//! Frame time, level and render scale over time, a row for each policy.

use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use malloc_vr::governor::plant::run::{Point, Report};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

/// Pixels, for four rows.
const SIZE: (u32, u32) = (1200, 880);
const INK: RGBColor = RGBColor(0x33, 0x3a, 0x45);
const ACCENT: RGBColor = RGBColor(0x1f, 0x6f, 0xb2);
const MISSED: RGBColor = RGBColor(0xc0, 0x39, 0x2b);
const FONT: &str = "sans-serif";
/// Frame times are cut here on the plant, milliseconds.
pub(crate) const TALLEST: f64 = 45.0;

type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

/// Draws the runs of one script.
///
/// # Errors
/// Where the file can't be written.
pub(crate) fn draw(file: &Path, title: &str, tallest: f64, runs: &[(&str, Report)]) -> Result<()> {
    register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT)
        .map_err(|_| anyhow!("egui's font is none"))?;
    let mut pixels = vec![0; (SIZE.0 * SIZE.1 * 3) as usize];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, SIZE).into_drawing_area();
        // The error borrows the pixels.
        paint(&area, title, tallest, runs).map_err(|error| anyhow!("cannot draw: {error}"))?;
        area.present()
            .map_err(|error| anyhow!("cannot draw: {error}"))?;
    }
    let opened =
        std::fs::File::create(file).with_context(|| format!("cannot write {}", file.display()))?;
    let mut encoder = png::Encoder::new(BufWriter::new(opened), SIZE.0, SIZE.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(())
}

fn paint(
    area: &Area,
    title: &str,
    tallest: f64,
    runs: &[(&str, Report)],
) -> Result<(), Box<dyn std::error::Error>> {
    area.fill(&WHITE)?;
    let area = area.titled(title, (FONT, 18).into_font().color(&INK))?;
    let cells = area.split_evenly((runs.len().max(1), 3));
    for ((name, report), row) in runs.iter().zip(cells.chunks(3)) {
        let [time, level, scale] = row else { continue };
        let missed = 100.0 * report.missed_ratio();
        let points = &report.trace;
        let last = points.last().map_or(1.0, |it| it.time);
        let one = |area, title: &str, range, value: &dyn Fn(&Point) -> f64, stroke| {
            curve(area, title, last, range, points, value, stroke)
        };
        one(
            time,
            &format!("{name}: frame time, ms ({missed:.2} % missed)"),
            0.0..tallest,
            &|it| it.interval.min(tallest),
            &MISSED,
        )?;
        one(
            level,
            &format!("{name}: level"),
            -0.2..3.2,
            &|it| f64::from(it.level),
            &ACCENT,
        )?;
        let mean = report.mean_scale;
        one(
            scale,
            &format!("{name}: render scale (mean {mean:.2})"),
            0.45..1.05,
            &|it| it.scale,
            &ACCENT,
        )?;
    }
    Ok(())
}

fn curve(
    area: &Area,
    title: &str,
    last: f64,
    range: std::ops::Range<f64>,
    points: &[Point],
    value: &dyn Fn(&Point) -> f64,
    color: &RGBColor,
) -> Result<(), Box<dyn std::error::Error>> {
    let digits = if range.end > 2.0 { 0 } else { 2 };
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 14, &INK))
        .margin(8)
        .x_label_area_size(20)
        .y_label_area_size(36)
        .build_cartesian_2d(0.0..last, range)?;
    chart
        .configure_mesh()
        .x_labels(6)
        .y_labels(4)
        .x_label_formatter(&|seconds| format!("{seconds:.0} s"))
        .y_label_formatter(&|it| format!("{it:.digits$}"))
        .label_style((FONT, 11, &INK))
        .light_line_style(WHITE)
        .draw()?;
    let line = points.iter().map(|it| (it.time, value(it)));
    chart.draw_series(LineSeries::new(line, color.stroke_width(1)))?;
    Ok(())
}
