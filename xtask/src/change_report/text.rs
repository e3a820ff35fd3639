//! The report for a terminal.

use std::fmt::Write as _;

use anstyle::Style;

use super::document::{Sign, sections, verdict};
use super::{ChangeReport, StackReport, Verdict};
use crate::stack_sets::report_text;
use crate::ui::{BAD, BOLD, BUSY, DIM, GOOD};

/// The whole report; `all` tells also what goes without saying.
pub(crate) fn text(report: &ChangeReport, all: bool) -> String {
    let mut text = format!(
        "{DIM}{} in {}: {}{DIM:#}\n",
        report.environment, report.region, report.compared
    );
    for stack in &report.stacks {
        text += &["\n", &stack_text(stack, all), "\n"].concat();
        for line in report.cost_lines(stack) {
            text += &["  ", &line, "\n"].concat();
        }
    }
    for set in &report.stack_sets {
        text += &["\n", &report_text(set), "\n"].concat();
    }
    let _ = write!(text, "\n{BOLD}{}{BOLD:#}", report.summary.sentence());
    if let Some(cost) = &report.cost {
        text += &["\n", &cost.sentence()].concat();
    }
    text
}

/// One stack, without a line's end after it.
pub(crate) fn stack_text(report: &StackReport, all: bool) -> String {
    let style = match report.verdict {
        Verdict::New => GOOD,
        Verdict::Update => BUSY,
        Verdict::Failed => BAD,
        Verdict::Unchanged | Verdict::LeftOut => DIM,
    };
    let mut text = format!(
        "{BOLD}{}{BOLD:#}  {style}{}{style:#}",
        report.stack,
        verdict(report)
    );
    if !report.stack_name.is_empty() {
        let _ = write!(text, "  {DIM}{}{DIM:#}", report.stack_name);
    }
    for note in &report.notes {
        text += &["\n  ", note].concat();
    }
    for section in sections(report, all) {
        let _ = write!(text, "\n  {BOLD}{}{BOLD:#}", section.title);
        for line in section.lines {
            let style = sign_style(line.sign);
            let indent = if line.inner { "        " } else { "    " };
            let sign = line.sign.as_str();
            let remark = if line.remark.is_empty() {
                String::new()
            } else {
                format!("  {DIM}{}{DIM:#}", line.remark)
            };
            let _ = write!(
                text,
                "\n{indent}{style}{sign:<width$}{style:#}{}{remark}",
                line.text,
                width = if line.inner { 2 } else { 4 }
            );
        }
    }
    if matches!(report.verdict, Verdict::New | Verdict::Update) {
        let _ = write!(text, "\n  {}", report.counts.sentence());
    }
    text
}

fn sign_style(sign: Sign) -> Style {
    match sign {
        Sign::Add | Sign::Import => GOOD,
        Sign::Change => BUSY,
        Sign::Replace | Sign::MayReplace | Sign::Remove => BAD,
        Sign::Note => Style::new(),
    }
}
