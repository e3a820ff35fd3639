//! The RANGE key: a moment, as text that sorts by time.

use std::fmt;

use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// How long the text is: always the same.
const WIDTH: usize = 27;

const MUST_BE: &str = "must be an RFC 3339 date and time, such as 2024-05-01T12:00:00Z";
const OUT_OF_RANGE: &str = "must lie in the years 0000 to 9999 of UTC";

/// A moment in UTC with six fraction digits, such as `2024-05-01T12:00:00.000000Z`.
///
/// The form has one width and one offset, so that DynamoDB's order of bytes is the order of time. Digits below a
/// microsecond are cut off.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(String);

impl Timestamp {
    /// The present moment of the system's clock.
    pub fn now() -> Self {
        Self::from_utc(OffsetDateTime::now_utc())
    }

    /// Reads an RFC 3339 date and time with any offset.
    ///
    /// # Errors
    /// What the text must be, fit to follow the field's name.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| MUST_BE)?;
        let utc = moment
            .checked_to_offset(UtcOffset::UTC)
            .filter(|utc| (0..=9999).contains(&utc.year()))
            .ok_or(OUT_OF_RANGE)?;
        Ok(Self::from_utc(utc))
    }

    /// Reads what [`Self::parse`] reads, and the forms that Python's `isoformat` and `str` give.
    ///
    /// Clients of the original send dates without an offset, meaning UTC, and with a space for the `T`.
    ///
    /// # Errors
    /// What the text must be, fit to follow the field's name.
    pub fn parse_lenient(text: &str) -> Result<Self, &'static str> {
        let mut text = text.to_owned();
        if text.as_bytes().get(10) == Some(&b' ') {
            text.replace_range(10..11, "T");
        }
        match Self::parse(&text) {
            Err(MUST_BE) => Self::parse(&format!("{text}Z")),
            parsed => parsed,
        }
    }

    /// Takes a key that the table already holds, whoever wrote it.
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The key as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The present moment of the system's clock, as bytes of ASCII, for what is written and not kept.
    pub(crate) fn now_digits() -> [u8; WIDTH] {
        digits(OffsetDateTime::now_utc())
    }

    fn from_utc(utc: OffsetDateTime) -> Self {
        Self(digits(utc).iter().copied().map(char::from).collect())
    }
}

fn digits(utc: OffsetDateTime) -> [u8; WIDTH] {
    let (year, month, day) = utc.to_calendar_date();
    let (hour, minute, second, micros) = utc.to_hms_micro();
    // Each item and each line of the log has a moment: the machinery of `format!` would take twenty times as long.
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let mut put = |mut number: u32, start: usize, digits: usize| {
        for place in text[start..start + digits].iter_mut().rev() {
            *place += (number % 10) as u8;
            number /= 10;
        }
    };
    put(year.unsigned_abs(), 0, 4);
    put(u8::from(month).into(), 5, 2);
    put(day.into(), 8, 2);
    put(hour.into(), 11, 2);
    put(minute.into(), 14, 2);
    put(second.into(), 17, 2);
    put(micros, 20, 6);
    text
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn strict(text: &str, expected: Option<&str>) {
        let parsed = Timestamp::parse(text).ok();
        assert_eq!(parsed.as_ref().map(Timestamp::as_str), expected, "{text:?}");
    }

    #[track_caller]
    fn lenient(text: &str, expected: Option<&str>) {
        let parsed = Timestamp::parse_lenient(text).ok();
        assert_eq!(parsed.as_ref().map(Timestamp::as_str), expected, "{text:?}");
    }

    #[test]
    fn strict_reads_rfc_3339_alone() {
        strict("2024-05-01T12:00:00Z", Some("2024-05-01T12:00:00.000000Z"));
        strict(
            "2024-05-01T12:00:00.5Z",
            Some("2024-05-01T12:00:00.500000Z"),
        );
        strict(
            "2024-05-01T12:00:00.123456789Z",
            Some("2024-05-01T12:00:00.123456Z"),
        );
        strict(
            "2024-05-01T12:00:00+02:00",
            Some("2024-05-01T10:00:00.000000Z"),
        );
        strict(
            "2024-01-01T00:30:00+01:00",
            Some("2023-12-31T23:30:00.000000Z"),
        );
        strict("9999-12-31T23:59:59-01:00", None);
        strict("0000-01-01T00:00:00+01:00", None);
        strict("2024-05-01T12:00:00", None);
        strict("2024-02-30T12:00:00Z", None);
        strict("2024-05-01", None);
        strict("yesterday", None);
        strict("", None);
    }

    #[test]
    fn lenient_reads_what_python_writes_too() {
        lenient("2024-05-01T12:00:00", Some("2024-05-01T12:00:00.000000Z"));
        lenient(
            "2024-05-01T12:00:00.123456",
            Some("2024-05-01T12:00:00.123456Z"),
        );
        lenient(
            "2024-05-01 12:00:00.123456",
            Some("2024-05-01T12:00:00.123456Z"),
        );
        lenient(
            "2024-05-01T12:00:00+02:00",
            Some("2024-05-01T10:00:00.000000Z"),
        );
        lenient("2024-05-01", None);
        lenient("0123456789é", None);
        lenient("", None);
    }

    #[test]
    fn now_is_in_the_stored_form() {
        let now = Timestamp::now();
        assert_eq!(Timestamp::parse(now.as_str()), Ok(now.clone()));
        assert_eq!(now.as_str().len(), 27);
    }

    proptest! {
        #[test]
        fn the_stored_form_reads_back_and_sorts_by_time(
            a in -62_167_219_200_000_000_i128..253_402_300_800_000_000,
            b in -62_167_219_200_000_000_i128..253_402_300_800_000_000,
        ) {
            let moment = |micros: i128| OffsetDateTime::from_unix_timestamp_nanos(micros * 1000).unwrap();
            let [first, second] = [a, b].map(|micros| Timestamp::from_utc(moment(micros)));
            prop_assert_eq!(&Timestamp::parse(first.as_str()).unwrap(), &first);
            prop_assert_eq!(first.cmp(&second), a.cmp(&b));
        }

        #[test]
        fn an_offset_never_changes_the_moment(seconds in 0_i64..4_000_000_000, hours in -14_i8..=14) {
            let utc = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            let there = utc.to_offset(UtcOffset::from_hms(hours, 0, 0).unwrap());
            let text = there.format(&Rfc3339).unwrap();
            prop_assert_eq!(Timestamp::parse(&text).unwrap(), Timestamp::from_utc(utc));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            let _ = Timestamp::parse_lenient(&text);
        }
    }
}
