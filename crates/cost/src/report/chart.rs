//! Charts as SVG inside a page: bars with their figures as text, in the page's own colours.

use std::fmt::Write as _;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::Group;
use super::html::escaped;
use super::number::{money, percent};
use crate::estimate::Used;

/// Geometry, in units of the drawing.
const WIDTH: u32 = 640;
const ROW: u32 = 34;
const LABEL: u32 = 170;
const FIGURE: u32 = 150;
/// Where figures end, beside their names: so a narrow window cuts bars off, and no figure.
const FIGURE_END: u32 = LABEL + FIGURE - 16;
/// Where bars start.
const BAR: u32 = LABEL + FIGURE;
const BARS: u32 = WIDTH - BAR;

/// What ends a chart; one that is wider than the window is scrolled, and stays legible.
const CLOSE: &str = "</svg></div>\n";

/// The length of a bar that is `part` of `whole`; what is there is seen.
fn length(part: Decimal, whole: Decimal) -> u32 {
    if whole.is_zero() || part <= Decimal::ZERO {
        return 0;
    }
    let length = (part / whole).min(Decimal::ONE) * Decimal::from(BARS);
    length.round().to_u32().unwrap_or_default().max(2)
}

fn open(title: &str, rows: usize) -> String {
    let height = u32::try_from(rows).unwrap_or_default() * ROW + 6;
    format!(
        "<div class=\"scroll\"><svg role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {WIDTH} {height}\" xmlns=\"http://www.w3.org/2000/svg\">\n",
        escaped(title)
    )
}

/// Two bars for each group: by the list, and after the free tier.
pub(super) fn amounts(title: &str, groups: &[Group]) -> String {
    let most = groups
        .iter()
        .map(|group| group.amount.list.max(group.amount.after_free))
        .max()
        .unwrap_or_default();
    let mut out = open(title, groups.len());
    for (position, group) in groups.iter().enumerate() {
        let amount = group.amount;
        let top = u32::try_from(position).unwrap_or_default() * ROW + 4;
        let _ = writeln!(
            out,
            "<text x=\"0\" y=\"{}\" class=\"label\">{}</text>\
             <rect x=\"{BAR}\" y=\"{top}\" width=\"{}\" height=\"12\" class=\"list\"/>\
             <rect x=\"{BAR}\" y=\"{}\" width=\"{}\" height=\"12\" class=\"paid\"/>\
             <text x=\"{FIGURE_END}\" y=\"{}\" class=\"figure\">{} → {}{}</text>",
            top + 17,
            escaped(&group.name),
            length(amount.list, most),
            top + 13,
            length(amount.after_free, most),
            top + 17,
            escaped(&money(amount.list)),
            escaped(&money(amount.after_free)),
            group.doubt,
        );
    }
    out + CLOSE
}

/// A bar for each allowance, in a frame that is all of it.
pub(super) fn allowances(title: &str, used: &[Used]) -> String {
    let mut out = open(title, used.len());
    for (position, used) in used.iter().enumerate() {
        let top = u32::try_from(position).unwrap_or_default() * ROW + 4;
        let class = if used.is_left() { "left" } else { "paid" };
        let _ = writeln!(
            out,
            "<text x=\"0\" y=\"{}\" class=\"label\">{}</text>\
             <rect x=\"{BAR}\" y=\"{}\" width=\"{BARS}\" height=\"14\" class=\"frame\"/>\
             <rect x=\"{BAR}\" y=\"{}\" width=\"{}\" height=\"14\" class=\"{class}\"/>\
             <text x=\"{FIGURE_END}\" y=\"{}\" class=\"figure\">{}</text>",
            top + 17,
            escaped(&used.title),
            top + 5,
            top + 5,
            length(used.share(), Decimal::ONE),
            top + 17,
            escaped(&percent(used.share())),
        );
    }
    out + CLOSE
}
