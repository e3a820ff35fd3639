//! The report for a pull request.

use std::fmt::Write as _;

use super::document::{Section, Sign, sections, verdict};
use super::{ChangeReport, StackReport, Verdict};
use crate::stack_sets::report_markdown;

/// The whole report as GitHub's markdown.
pub(crate) fn markdown(report: &ChangeReport) -> String {
    let mut text = format!(
        "## Plan for `{}` in {}\n\n{}\n\nCompared: {}.\n\n",
        report.environment,
        report.region,
        report.summary.sentence(),
        report.compared
    );
    if let Some(cost) = &report.cost {
        let _ = write!(text, "{}.\n\n", capital(&cost.sentence()));
    }
    let (title, rule) = match &report.cost {
        Some(cost) => (format!(" {} a month |", cost.currency), " --: |"),
        None => (String::new(), ""),
    };
    let _ = writeln!(
        text,
        "| stack | plan | add | change | replace | remove |{title}\n| --- | --- | --: | --: | --: | --: |{rule}"
    );
    for stack in &report.stacks {
        let counts = &stack.counts;
        let replace = match counts.may_replace {
            0 => counts.replace.to_string(),
            some => format!("{} to {}", counts.replace, counts.replace + some),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {replace} | {} |{}",
            stack.stack,
            verdict(stack),
            counts.add,
            counts.change,
            counts.remove,
            match (&report.cost, &stack.cost) {
                (None, _) => String::new(),
                (_, Some(cost)) if cost.not_priced.is_empty() =>
                    format!(" {} |", cost.month.signed()),
                (_, Some(cost)) => format!(" {} and what is not priced |", cost.month.signed()),
                (_, None) => " |".to_owned(),
            }
        );
    }
    for stack in &report.stacks {
        text += &stack_markdown(stack);
        let costs = report.cost_lines(stack);
        if stack.verdict != Verdict::Unchanged && !costs.is_empty() {
            text += "\n";
            for line in costs {
                let _ = writeln!(text, "- {}", plain(&line));
            }
        }
    }
    for set in &report.stack_sets {
        text += &report_markdown(set);
    }
    text.trim_end().to_owned()
}

fn stack_markdown(report: &StackReport) -> String {
    let sections = sections(report, false);
    if sections.is_empty() && report.notes.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "\n### {}: {}\n\n`{}`\n",
        report.stack,
        verdict(report),
        report.stack_name
    );
    for note in &report.notes {
        let _ = write!(text, "\n{}\n", plain(note));
    }
    for section in sections {
        if section.lines.iter().all(|line| line.sign == Sign::Note) {
            for line in &section.lines {
                let _ = write!(text, "\n> [!CAUTION]\n> {}\n", plain(&line.text));
            }
            continue;
        }
        let _ = write!(
            text,
            "\n**{}**\n\n{}",
            capital(section.title),
            block(&section)
        );
    }
    if matches!(report.verdict, Verdict::New | Verdict::Update) {
        let _ = write!(text, "\n{}\n", report.counts.sentence());
    }
    text
}

/// The lines as a block of `diff`, in which GitHub colours lines by their first letter.
fn block(section: &Section) -> String {
    let mut lines = String::new();
    for line in &section.lines {
        let first = match line.sign {
            Sign::Add | Sign::Import => "+",
            Sign::Remove => "-",
            Sign::Replace => "- /+",
            Sign::Change | Sign::MayReplace => "!",
            Sign::Note => " ",
        };
        let indent = if line.inner { "    " } else { "" };
        let remark = if line.remark.is_empty() {
            String::new()
        } else {
            format!("  # {}", line.remark)
        };
        let _ = writeln!(lines, "{first} {indent}{}{remark}", line.text);
    }
    // A value cannot end the block: the fence is longer than any run of its sign.
    let longest = lines
        .split(|one| one != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}diff\n{lines}{fence}\n")
}

/// Text in which markdown sees no tag: messages come from a service.
fn plain(text: &str) -> String {
    text.replace('<', "&lt;").replace('\n', " ")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
