use chrono::{DateTime, FixedOffset, Offset, TimeZone, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds};

use crate::{ErrorKind, RunError};

/// The times at which a stage may be entered.
///
/// See [the rule](https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-DeploymentWindow.html).
pub(super) struct Window {
    cron: Cron,
    zone: Zone,
}

enum Zone {
    Region(chrono_tz::Tz),
    Offset(FixedOffset),
}

impl Window {
    /// Reads a cron expression of six or seven fields, with days of the week from 1 for Sunday, and a zone: a region as
    /// `Europe/London`, `UTC`, or an offset as `UTC+02:00`.
    ///
    /// # Errors
    /// What is wrong with either.
    pub(super) fn parse(cron: &str, zone: Option<&str>) -> Result<Self, RunError> {
        let refuse = |what: String, why: String| {
            RunError::new(ErrorKind::Definition, what)
                .cause(why)
                .hint("correct the rule in the pipeline's definition")
        };
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .alternative_weekdays(true)
            .sloppy_ranges(true)
            .build();
        let parsed = parser.parse(cron).map_err(|error| {
            refuse(
                format!("cron expression `{cron}` cannot be read here"),
                error.to_string(),
            )
        })?;
        let zone = zone.unwrap_or("UTC");
        let zone = parse_zone(zone).ok_or_else(|| {
            refuse(
                format!("`{zone}` is no time zone"),
                "a zone is a region, UTC, or UTC with hours and minutes".to_owned(),
            )
        })?;
        Ok(Self { cron: parsed, zone })
    }

    /// When the window opens next, or now where it is open; `None` where it never does.
    pub(super) fn opens(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        fn next<Z: TimeZone>(cron: &Cron, now: DateTime<Z>) -> Option<DateTime<Utc>> {
            let next = cron.find_next_occurrence(&now, true).ok()?;
            Some(next.with_timezone(&Utc))
        }
        match &self.zone {
            Zone::Region(zone) => next(&self.cron, now.with_timezone(zone)),
            Zone::Offset(offset) => next(&self.cron, now.with_timezone(offset)),
        }
    }
}

fn parse_zone(text: &str) -> Option<Zone> {
    if let Ok(region) = text.parse::<chrono_tz::Tz>() {
        return Some(Zone::Region(region));
    }
    let offset = text
        .strip_prefix("UTC")
        .or_else(|| text.strip_prefix("GMT"))
        .unwrap_or(text);
    if offset == "Z" || (offset.is_empty() && !text.is_empty()) {
        return Some(Zone::Offset(Utc.fix()));
    }
    offset.parse::<FixedOffset>().ok().map(Zone::Offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_opens_when_its_expression_and_zone_say() {
        // Thursday, 26 November 2026.
        for (cron, zone, now, expected) in [
            (
                "* * 9-17 ? * MON-FRI",
                None,
                "2026-11-26T10:30:00Z",
                "2026-11-26T10:30:00Z",
            ),
            (
                "* * 9-17 ? * MON-FRI *",
                None,
                "2026-11-26T18:00:00Z",
                "2026-11-27T09:00:00Z",
            ),
            (
                "* * 9-17 ? * 2-6 *",
                None,
                "2026-11-28T10:00:00Z",
                "2026-11-30T09:00:00Z",
            ),
            (
                "* * * ? * SUN *",
                None,
                "2026-11-26T10:00:00Z",
                "2026-11-29T00:00:00Z",
            ),
            (
                "* 0/30 * ? * * *",
                None,
                "2026-11-26T10:31:00Z",
                "2026-11-26T11:00:00Z",
            ),
            (
                "* * * L * ? *",
                None,
                "2026-11-26T10:00:00Z",
                "2026-11-30T00:00:00Z",
            ),
            (
                "* * 9 ? * * *",
                Some("America/New_York"),
                "2026-11-26T10:00:00Z",
                "2026-11-26T14:00:00Z",
            ),
            (
                "* * 9 ? * * *",
                Some("UTC+02:00"),
                "2026-11-26T06:00:00Z",
                "2026-11-26T07:00:00Z",
            ),
            (
                "* * 9 ? * * *",
                Some("UTC"),
                "2026-11-26T09:15:07Z",
                "2026-11-26T09:15:07Z",
            ),
        ] {
            let window = Window::parse(cron, zone).unwrap();
            assert_eq!(window.opens(at(now)), Some(at(expected)), "{cron} {zone:?}");
        }
        let past = Window::parse("* * * ? * * 2020", None).unwrap();
        assert_eq!(past.opens(at("2026-11-26T10:00:00Z")), None);
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for (cron, zone, words) in [
            ("* * 25 ? * *", None, "cannot be read here"),
            ("nonsense", None, "cannot be read here"),
            ("* * 9 ? * * *", Some("Europe/Atlantis"), "no time zone"),
            ("* * 9 ? * * *", Some(""), "no time zone"),
        ] {
            let error = Window::parse(cron, zone).err().unwrap();
            assert!(error.message.contains(words), "{error}");
        }
    }
}
