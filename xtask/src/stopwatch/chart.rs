//! The figures as bars: an SVG, or a page around it.

use std::fmt::Write as _;

use super::table::short;
use super::{Measured, Row};

const WIDTH: u32 = 860;
const LABEL: u32 = 210;
const BAR: u32 = 16;
const GAP: u32 = 18;
const TOP: u32 = 64;
/// Told apart without colours too: from dark to light.
const COLOURS: [&str; 6] = [
    "#5b6770", "#a9b4bc", "#c2410c", "#1d4ed8", "#0f766e", "#7e22ce",
];

/// What is drawn. Bars of one row share a scale; a row's longest bar is its greatest figure.
const ROWS: [Row; 9] = [
    Row::Cold("get"),
    Row::Cold("post"),
    Row::Cold("post_tls"),
    Row::Warm("get"),
    Row::Warm("post"),
    Row::Warm("page"),
    Row::Processor("post"),
    Row::Memory,
    Row::Zip,
];

/// The chart by itself.
pub(crate) fn svg(measured: &Measured) -> String {
    let mut bars = String::new();
    let mut y = TOP;
    for row in ROWS {
        let figures: Vec<(usize, f64)> = measured
            .sides
            .iter()
            .enumerate()
            .filter_map(|(index, side)| Some((index, row.of(side)?)))
            .collect();
        let most = figures
            .iter()
            .map(|(_, figure)| *figure)
            .fold(f64::MIN_POSITIVE, f64::max);
        // Writing to a string cannot fail.
        let _ = writeln!(
            bars,
            r#"<text x="{}" y="{}" text-anchor="end">{}</text>"#,
            LABEL - 10,
            y + BAR - 4,
            escape(&row.label())
        );
        for (index, figure) in figures {
            let length = figure / most * f64::from(WIDTH - LABEL - 150);
            let label = match measured.ratio(index, row) {
                Some((ratio, of)) => format!("{} ({} × {of})", short(figure), short(ratio)),
                None => short(figure),
            };
            let _ = writeln!(
                bars,
                r#"<rect x="{LABEL}" y="{y}" width="{:.1}" height="{}" fill="{}"/><text x="{:.1}" y="{}">{}</text>"#,
                length.max(1.0),
                BAR - 3,
                colour(index),
                f64::from(LABEL) + length.max(1.0) + 6.0,
                y + BAR - 5,
                escape(&label)
            );
            y += BAR;
        }
        y += GAP;
    }
    let mut legend = String::new();
    let mut x = LABEL;
    for (index, side) in measured.sides.iter().enumerate() {
        let name = &side.figures.name;
        let _ = writeln!(
            legend,
            r#"<rect x="{x}" y="34" width="12" height="12" fill="{}"/><text x="{}" y="45">{}</text>"#,
            colour(index),
            x + 18,
            escape(name)
        );
        x += 40 + 8 * u32::try_from(name.chars().count()).unwrap_or(20);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y}\" width=\"{WIDTH}\" height=\"{y}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\" role=\"img\" aria-label=\"{title}\">\n\
         <rect width=\"{WIDTH}\" height=\"{y}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LABEL}\" y=\"20\" font-size=\"15\" font-weight=\"600\">{title}</text>\n{legend}{bars}</svg>\n",
        title = escape(&format!(
            "The API as a Lambda, {}; medians of {} turns; shorter is better",
            measured.target, measured.rounds
        ))
    )
}

/// The chart with the figures below it as text.
pub(crate) fn page(measured: &Measured) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>bench api</title>\n\
         <style>body{{font-family:system-ui,sans-serif;margin:2rem;max-width:60rem}}pre{{overflow-x:auto}}</style></head>\n\
         <body>\n{}<pre>{}</pre>\n</body></html>\n",
        svg(measured),
        escape(&super::table::draw(measured))
    )
}

fn colour(side: usize) -> &'static str {
    COLOURS[side % COLOURS.len()]
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use crate::stopwatch::tests::measured;

    #[test]
    fn every_side_has_its_bars() {
        let mut measured = measured();
        measured.sides[3].figures.name = "<python>".to_owned();
        let svg = super::svg(&measured);
        // Four sides have a cold GET, a warm one and memory; three a zip; the API and its rival all the rest. And one is
        // the legend's first.
        assert_eq!(
            svg.matches("<rect x=\"210\" y").count(),
            3 * 4 + 3 + 5 * 2 + 1
        );
        assert!(svg.contains("&lt;python&gt;") && !svg.contains("<python>"));
        assert!(super::page(&measured).contains("PutItem by itself"));
    }
}
