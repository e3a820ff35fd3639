//! A card's chart as SVG: lines with a mark each that differs in more than colour, or bars where there is one sum alone.

use std::fmt::Write as _;

use stackway_infra::cloud::MetricPoint;

use super::answer::Span;
use super::figures::{Card, Figure};
use super::number::number;
use super::page::clock;
use crate::html::escape;

/// Geometry, in units of the drawing.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 118.0;
/// Where values are drawn.
const TOP: f64 = 16.0;
const BOTTOM: f64 = 100.0;

/// How many times the largest value a threshold may be, and still be drawn; above, it would press the values flat.
const FAR_ABOVE: f64 = 4.0;
/// Which share of the chart a threshold must be above its foot, to be told from it.
const AT_THE_FOOT: f64 = 0.1;

struct Scale {
    span: Span,
    most: f64,
}

impl Scale {
    fn x(&self, seconds: f64) -> f64 {
        let from = whole(self.span.from.unix_timestamp());
        let length = whole(self.span.until.unix_timestamp()) - from;
        ((seconds - from) / length.max(1.0)).clamp(0.0, 1.0) * WIDTH
    }

    fn y(&self, value: f64) -> f64 {
        BOTTOM - (value / self.most).clamp(0.0, 1.0) * (BOTTOM - TOP)
    }

    /// The middle of a point's period.
    fn middle(&self, point: &MetricPoint) -> f64 {
        self.x(whole(point.at.unix_timestamp()) + f64::from(self.span.period) / 2.0)
    }
}

/// Seconds since 1970 as a float: exact for some hundred million years.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn whole(seconds: i64) -> f64 {
    seconds as f64
}

/// The next round number above: 1, 2, 2.5 or 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|step| step * power);
    let fits = steps.into_iter().find(|step| *step >= value * 0.999_999);
    fits.unwrap_or(value)
}

/// The chart of a card; nothing where there is nothing to draw.
pub(super) fn draw(card: &Card) -> String {
    let drawn: Vec<&Figure> = card
        .figures
        .iter()
        .filter(|figure| figure.is_drawn)
        .collect();
    let values = || drawn.iter().flat_map(|figure| &figure.points);
    if values().next().is_none() {
        return String::new();
    }
    let largest = values().map(|point| point.value).fold(0.0, f64::max);
    let drawable = FAR_ABOVE.recip()..=AT_THE_FOOT.recip();
    let threshold = card
        .threshold
        .filter(|threshold| drawable.contains(&(largest / threshold)));
    let scale = Scale {
        span: card.span,
        most: round_up(largest.max(threshold.unwrap_or_default())),
    };
    let mut out = format!(
        "<svg role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\">\n",
        escape(&label(card, &drawn))
    );
    let unit = drawn.first().map_or("", |figure| figure.unit);
    let most = [number(scale.most), unit.to_owned()].join(" ");
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "<path class=\"grid\" d=\"M0 {TOP}H{WIDTH}M0 {BOTTOM}H{WIDTH}\"/>\n\
         <text x=\"0\" y=\"11\">{}</text>\n<text x=\"0\" y=\"114\">{}</text>\n\
         <text x=\"{WIDTH}\" y=\"114\" class=\"end\">{}</text>",
        most.trim_end(),
        clock(card.span.from, card.span),
        clock(card.span.until, card.span),
    );
    match drawn.as_slice() {
        [one] if one.of == "in all" => bars(&mut out, one, &scale),
        several => {
            for (position, figure) in several.iter().enumerate().rev() {
                line(&mut out, figure, position, &scale);
            }
        }
    }
    if let Some(threshold) = threshold {
        let y = scale.y(threshold);
        let below = if y < TOP + 12.0 { y + 12.0 } else { y - 4.0 };
        let _ = writeln!(
            out,
            "<path class=\"limit\" d=\"M0 {y:.1}H{WIDTH}\"/>\n\
             <text x=\"{WIDTH}\" y=\"{below:.1}\" class=\"end limit\">alarm {}</text>",
            number(threshold)
        );
    }
    out + "</svg>\n"
}

/// What the chart shows, for those who hear it.
fn label(card: &Card, drawn: &[&Figure]) -> String {
    let told: Vec<_> = drawn
        .iter()
        .map(|figure| {
            let (value, unit) = figure.shown();
            let parts = [&figure.label, value.as_str(), unit, &figure.of].into_iter();
            let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
            parts.join(" ")
        })
        .collect();
    format!("chart of {}: {}", card.title, told.join("; "))
}

fn bars(out: &mut String, figure: &Figure, scale: &Scale) {
    for point in &figure.points {
        let begin = whole(point.at.unix_timestamp());
        let (left, right) = (
            scale.x(begin),
            scale.x(begin + f64::from(scale.span.period)),
        );
        let y = scale.y(point.value);
        let width = (right - left - 1.0).max(1.0);
        let _ = writeln!(
            out,
            "<rect class=\"s0\" x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\"/>",
            BOTTOM - y
        );
    }
}

/// A line that ends where a period has no value, and dots where there is one value alone.
fn line(out: &mut String, figure: &Figure, position: usize, scale: &Scale) {
    let period = i64::from(scale.span.period);
    let together = |a: &MetricPoint, b: &MetricPoint| (b.at - a.at).whole_seconds() <= period;
    let (mut path, mut dots) = (String::new(), String::new());
    for run in figure.points.chunk_by(together) {
        if let [one] = run {
            let (x, y) = (scale.middle(one), scale.y(one.value));
            let _ = write!(dots, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\"/>");
            continue;
        }
        for (at, point) in run.iter().enumerate() {
            let command = if at == 0 { 'M' } else { 'L' };
            let (x, y) = (scale.middle(point), scale.y(point.value));
            let _ = write!(path, "{command}{x:.1} {y:.1}");
        }
    }
    let _ = write!(out, "<g class=\"s{}\">", position.min(3));
    if !path.is_empty() {
        let _ = write!(out, "<path d=\"{path}\"/>");
    }
    let _ = writeln!(out, "{dots}</g>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_in_round_numbers() {
        for (value, expected) in [
            (0.0, 1.0),
            (0.3, 0.5),
            (1.0, 1.0),
            (7.0, 10.0),
            (22.0, 25.0),
            (1000.0, 1000.0),
            (1001.0, 2000.0),
        ] {
            assert!((round_up(value) - expected).abs() < 1e-9, "{value}");
        }
    }
}
