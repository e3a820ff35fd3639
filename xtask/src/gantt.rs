//! The times of resources as bars: one HTML page that needs nothing else, and no script.

use std::fmt::Write as _;

use stackway_infra::flow::StackHistory;
use stackway_infra::stack::{ResourceTimes, Span, resource_times};
use time::{Duration, OffsetDateTime};

use crate::commands::status::rfc3339;
use crate::html::{document, escape};

/// A pause of this length begins another chart: bars of one evening are no use on an axis of a month.
const PAUSE: Duration = Duration::minutes(10);
/// How many resources are named as the slowest.
const SLOWEST: usize = 5;
/// About how many marks the axis has.
const MARKS: i64 = 6;

const STYLE: &str = include_str!("gantt.css");

/// What went on without a pause: the stacks with their rows, and the time from the first beginning to the last end.
struct Run<'a> {
    started: OffsetDateTime,
    ended: OffsetDateTime,
    stacks: Vec<(&'a StackHistory, Vec<ResourceTimes>)>,
}

/// The page. `now` is where a bar ends that has not ended.
pub(crate) fn page(title: &str, histories: &[StackHistory], now: OffsetDateTime) -> String {
    let mut body = String::new();
    let runs = runs(histories, now);
    for run in &runs {
        run.draw(&mut body, now);
    }
    if runs.is_empty() {
        body += "<p>No events: nothing has happened in this time.</p>\n";
    }
    let body = format!(
        "<h1>Resource times <small>{}</small></h1>\n\
         <p class=\"legend\"><i class=\"good\"></i> complete <i class=\"bad\"></i> failed or rolled back \
         <i class=\"gone\"></i> deleted or kept <i class=\"busy\"></i> goes on</p>\n{body}",
        escape(title)
    );
    document(&format!("{title}: resource times"), STYLE, &body)
}

/// Cuts the histories where nothing went on for a while.
fn runs(histories: &[StackHistory], now: OffsetDateTime) -> Vec<Run<'_>> {
    let all: Vec<(&StackHistory, Vec<ResourceTimes>)> = histories
        .iter()
        .filter_map(|history| {
            let stack_id = history.stack_id.as_deref()?;
            Some((history, resource_times(&history.events, stack_id)))
        })
        .collect();
    let mut spans: Vec<(OffsetDateTime, OffsetDateTime)> = all
        .iter()
        .flat_map(|(_, rows)| rows.iter().flat_map(|row| &row.spans))
        .map(|span| (span.started, span.started + span.duration(now)))
        .collect();
    spans.sort_unstable();
    let mut times: Vec<(OffsetDateTime, OffsetDateTime)> = Vec::new();
    for (started, ended) in spans {
        match times.last_mut() {
            Some(last) if started - last.1 <= PAUSE => last.1 = last.1.max(ended),
            _ => times.push((started, ended)),
        }
    }
    times
        .into_iter()
        .map(|(started, ended)| {
            let inside = |span: &Span| (started..=ended).contains(&span.started);
            let rows_of = |rows: &[ResourceTimes]| {
                let mut rows = rows.to_vec();
                for row in &mut rows {
                    row.spans.retain(inside);
                }
                rows.retain(|row| !row.spans.is_empty());
                rows
            };
            let stacks = all
                .iter()
                .map(|(history, rows)| (*history, rows_of(rows)))
                .filter(|(_, rows)| !rows.is_empty());
            Run {
                started,
                ended,
                stacks: stacks.collect(),
            }
        })
        .collect()
}

impl Run<'_> {
    fn length(&self) -> Duration {
        self.ended - self.started
    }

    /// A time's place on the axis, in percent.
    fn place(&self, time: OffsetDateTime) -> f64 {
        percent(time - self.started, self.length())
    }

    fn draw(&self, page: &mut String, now: OffsetDateTime) {
        let resources = self.resources().count();
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "<section>\n<h2>{}</h2>\n<p>{}, {}, {} in all.{}</p>\n<table>\n<thead><tr><th scope=\"col\" class=\"name\">resource</th>\
             <th scope=\"col\" class=\"type\">type</th><td class=\"axis\" aria-hidden=\"true\">{}</td>\
             <th scope=\"col\" class=\"took\">took</th></tr></thead>",
            escape(&rfc3339(self.started)),
            count(self.stacks.len(), "stack"),
            count(resources, "resource"),
            took(self.length()),
            self.slowest(now),
            self.axis()
        );
        for (history, rows) in &self.stacks {
            page.push_str("<tbody>\n");
            for row in rows {
                self.row(page, history, row, now);
            }
            page.push_str("</tbody>\n");
        }
        page.push_str("</table>\n</section>\n");
    }

    fn row(
        &self,
        page: &mut String,
        history: &StackHistory,
        row: &ResourceTimes,
        now: OffsetDateTime,
    ) {
        let (class, name, kind) = if row.is_stack {
            ("stack", history.label, row.logical_id.as_str())
        } else {
            (
                "",
                row.logical_id.as_str(),
                row.resource_type.trim_start_matches("AWS::"),
            )
        };
        let mut bars = String::new();
        for span in &row.spans {
            let left = self.place(span.started);
            let width = percent(span.duration(now), self.length());
            let mut label = format!("{} in {}", span.status, took(span.duration(now)));
            if let Some(reason) = &span.reason {
                label += &[": ", reason].concat();
            }
            let _ = write!(
                bars,
                "<i class=\"{}\" style=\"left:{left:.2}%;width:{width:.2}%\" title=\"{}\"></i>",
                colour(span),
                escape(&label)
            );
        }
        let total: Duration = row.spans.iter().map(|span| span.duration(now)).sum();
        let last = row.spans.last().map_or("", |span| span.status.as_str());
        let _ = writeln!(
            page,
            "<tr class=\"{class}\"><th scope=\"row\" title=\"{name}\">{name}</th><td title=\"{kind}\">{kind}</td>\
             <td class=\"bars\">{bars}</td><td class=\"took\">{}<span class=\"said\"> {}</span></td></tr>",
            took(total),
            escape(last),
            name = escape(name),
            kind = escape(kind),
        );
    }

    fn resources(&self) -> impl Iterator<Item = (&StackHistory, &ResourceTimes)> {
        self.stacks.iter().flat_map(|(history, rows)| {
            rows.iter()
                .filter(|row| !row.is_stack)
                .map(move |row| (*history, row))
        })
    }

    /// The slowest resources by name.
    fn slowest(&self, now: OffsetDateTime) -> String {
        let mut all: Vec<_> = self
            .resources()
            .map(|(history, row)| {
                let longest = row.spans.iter().map(|span| span.duration(now)).max();
                (
                    longest.unwrap_or_default(),
                    history.label,
                    row.logical_id.as_str(),
                )
            })
            .collect();
        all.sort_by_key(|(duration, ..)| std::cmp::Reverse(*duration));
        let names: Vec<_> = all
            .iter()
            .take(SLOWEST)
            .filter(|(duration, ..)| !duration.is_zero())
            .map(|(duration, stack, id)| {
                format!(
                    "{} <small>{}</small> {}",
                    escape(id),
                    escape(stack),
                    took(*duration)
                )
            })
            .collect();
        if names.is_empty() {
            String::new()
        } else {
            format!(" The slowest: {}.", names.join(", "))
        }
    }

    fn axis(&self) -> String {
        let step = step(self.length());
        let mut marks = String::new();
        let mut at = Duration::ZERO;
        while at <= self.length() {
            let _ = write!(
                marks,
                "<span style=\"left:{:.2}%\">{}</span>",
                percent(at, self.length()),
                took(at)
            );
            at += step;
        }
        marks
    }
}

fn percent(part: Duration, whole: Duration) -> f64 {
    if whole.is_zero() {
        0.0
    } else {
        (part.as_seconds_f64() / whole.as_seconds_f64() * 100.0).clamp(0.0, 100.0)
    }
}

/// The distance of the axis's marks: a round one.
fn step(length: Duration) -> Duration {
    const ROUND: [i64; 21] = [
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000,
        120_000, 300_000, 600_000, 1_800_000, 3_600_000,
    ];
    let wanted = length / i32::try_from(MARKS).unwrap_or(1);
    ROUND
        .into_iter()
        .map(Duration::milliseconds)
        .find(|step| *step >= wanted)
        // More than six hours without a pause: whole hours.
        .unwrap_or_else(|| Duration::hours(wanted.whole_hours() + 1))
}

fn colour(span: &Span) -> &'static str {
    let status = span.status.as_str();
    if span.ended.is_none() {
        "busy"
    } else if status.contains("FAILED") || status.contains("ROLLBACK") {
        "bad"
    } else if status == "DELETE_COMPLETE" || status == "DELETE_SKIPPED" {
        "gone"
    } else {
        "good"
    }
}

fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A duration as people say it.
fn took(duration: Duration) -> String {
    let (hours, minutes) = (duration.whole_hours(), duration.whole_minutes() % 60);
    let seconds = duration.whole_seconds() % 60;
    if !duration.is_zero() && duration < Duration::SECOND {
        return format!("{} ms", duration.whole_milliseconds());
    }
    match (hours, minutes) {
        (0, 0) if duration.subsec_milliseconds() == 0 || seconds >= 10 => format!("{seconds} s"),
        (0, 0) => format!("{seconds}.{} s", duration.subsec_milliseconds() / 100),
        (0, _) if seconds == 0 => format!("{minutes} min"),
        (0, _) => format!("{minutes} min {seconds} s"),
        _ => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use stackway_infra::stack::StackEvent;

    use super::*;
    use crate::html::style;

    const BEGIN: i64 = 1_795_000_000;

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(BEGIN + seconds).unwrap()
    }

    fn history(label: &'static str, events: &[(i64, &str, &str, &str)]) -> StackHistory {
        let event = |(seconds, id, status, reason): &(i64, &str, &str, &str)| StackEvent {
            id: format!("{seconds}{id}{status}"),
            timestamp: at(*seconds),
            logical_id: if *id == "s" {
                format!("acme-{label}")
            } else {
                (*id).to_owned()
            },
            physical_id: if *id == "s" {
                format!("arn:{label}")
            } else {
                (*id).to_owned()
            },
            resource_type: if *id == "s" {
                "AWS::CloudFormation::Stack"
            } else {
                "AWS::DynamoDB::Table"
            }
            .to_owned(),
            status: (*status).to_owned(),
            reason: (!reason.is_empty()).then(|| (*reason).to_owned()),
        };
        StackHistory {
            label,
            stack_name: format!("acme-{label}"),
            stack_id: Some(format!("arn:{label}")),
            events: events.iter().map(event).collect(),
        }
    }

    fn histories() -> [StackHistory; 3] {
        [
            history(
                "table",
                &[
                    (0, "s", "CREATE_IN_PROGRESS", "User Initiated"),
                    (2, "Table", "CREATE_IN_PROGRESS", ""),
                    (14, "Table", "CREATE_COMPLETE", ""),
                    (15, "s", "CREATE_COMPLETE", ""),
                ],
            ),
            history(
                "api",
                &[
                    (16, "s", "CREATE_IN_PROGRESS", ""),
                    (17, "Role", "CREATE_IN_PROGRESS", ""),
                    (35, "Role", "CREATE_FAILED", "<script>alert(\"&\")</script>"),
                    (36, "s", "ROLLBACK_IN_PROGRESS", ""),
                    (37, "Role", "DELETE_IN_PROGRESS", ""),
                    (38, "Role", "DELETE_COMPLETE", ""),
                    (40, "s", "ROLLBACK_COMPLETE", ""),
                    (4_000, "s", "DELETE_IN_PROGRESS", ""),
                ],
            ),
            StackHistory {
                label: "artifacts",
                stack_name: "acme-artifacts".to_owned(),
                stack_id: None,
                events: Vec::new(),
            },
        ]
    }

    #[test]
    fn the_page() {
        insta::assert_snapshot!(
            page("dev, <eu-west-2>", &histories(), at(4_060)).replace(&style(STYLE), "…\n")
        );
    }

    #[test]
    fn what_is_shown_is_escaped_and_needs_nothing_else() {
        let page = page("dev, <eu-west-2>", &histories(), at(4_060));
        for foreign in ["<script", "http:", "https:", "url(", "<eu-west-2>"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        assert!(page.contains("prefers-color-scheme: dark"));
        assert!(self::page("x", &[], at(0)).contains("No events"));
    }

    #[test]
    fn durations() {
        for (milliseconds, text) in [
            (0, "0 s"),
            (40, "40 ms"),
            (1_240, "1.2 s"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (133_000, "2 min 13 s"),
            (3_660_000, "1 h 1 min"),
        ] {
            assert_eq!(took(Duration::milliseconds(milliseconds)), text);
        }
        for (seconds, marks) in [(1, 200), (40, 10_000), (400, 120_000), (90_000, 18_000_000)] {
            assert_eq!(
                step(Duration::seconds(seconds)),
                Duration::milliseconds(marks),
                "{seconds}"
            );
        }
    }
}
