//! Numbers as they are read at a glance.

/// A length of time in the unit that fits.
pub(crate) fn length(seconds: i64) -> String {
    match seconds {
        seconds if seconds % 86_400 == 0 => format!("{} d", seconds / 86_400),
        seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

/// A number for people: thousands apart, and decimals where they tell something.
pub(crate) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 || size.fract() < 1e-9 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, digits) = whole
        .strip_prefix('-')
        .map_or(("", whole), |digits| ("-", digits));
    let mut out = String::from(sign);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        for (value, expected) in [
            (0.0, "0"),
            (0.256, "0.26"),
            (11.54, "11.5"),
            (1234.5, "1,234"),
            (-1_234_567.0, "-1,234,567"),
            (12.0, "12"),
        ] {
            assert_eq!(number(value), expected);
        }
        for (seconds, expected) in [
            (90, "90 s"),
            (900, "15 min"),
            (7200, "2 h"),
            (172_800, "2 d"),
        ] {
            assert_eq!(length(seconds), expected);
        }
    }
}
