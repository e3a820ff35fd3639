//! The figures as a table for a terminal.

use comfy_table::{Cell, CellAlignment, Table, presets};

use super::{Measured, Row};

/// One column for each side; behind a figure, its ratio to what it is compared with.
pub(crate) fn draw(measured: &Measured) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let names = measured.sides.iter().map(|side| side.figures.name.as_str());
    let head = std::iter::once(measured.target).chain(names);
    table.set_header(head.map(Cell::new));
    for row in Row::ALL {
        let mut cells = vec![Cell::new(row.label())];
        for (index, side) in measured.sides.iter().enumerate() {
            let text = row.of(side).map_or_else(
                || "-".to_owned(),
                |figure| match measured.ratio(index, row) {
                    Some((ratio, of)) => format!("{} ({} {of})", short(figure), times(ratio)),
                    None => short(figure),
                },
            );
            cells.push(Cell::new(text).set_alignment(CellAlignment::Right));
        }
        table.add_row(cells);
    }
    let direct = format!(
        "PutItem by itself, on a kept-alive connection without an SDK: {} µs, p99 {} µs",
        short(measured.direct.us.p50),
        short(measured.direct.us.p99)
    );
    let goals = measured.goals.iter().map(|goal| {
        let mark = if goal.met { "met" } else { "missed" };
        format!(
            "{mark}: {} {:.2}, at most {:.2}",
            goal.name, goal.value, goal.at_most
        )
    });
    let lines: Vec<String> = [table.trim_fmt(), String::new(), direct]
        .into_iter()
        .chain(goals)
        .collect();
    lines.join("\n")
}

/// Three digits that count.
pub(super) fn short(figure: f64) -> String {
    match figure {
        figure if figure >= 100.0 => format!("{figure:.0}"),
        figure if figure >= 10.0 => format!("{figure:.1}"),
        figure => format!("{figure:.2}"),
    }
}

fn times(ratio: f64) -> String {
    format!("{} ×", short(ratio))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_reads_from_the_floor_to_the_rivals() {
        insta::assert_snapshot!(super::draw(&crate::stopwatch::tests::measured()));
    }
}
