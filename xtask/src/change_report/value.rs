//! Values on one line.

use serde_json::Value;
use stackway_infra::stack::Shown;

/// Longer values are cut where a person reads them, unless all is asked for.
const SHORT: usize = 100;

/// The value on one line; `all` leaves long ones whole.
pub(super) fn shown(value: &Shown, all: bool) -> String {
    let text = match value {
        Shown::Absent => "(none)".to_owned(),
        Shown::Value(Value::String(text)) if is_plain(text) => text.clone(),
        Shown::Value(value) => value.to_string(),
        Shown::Secret => "(secret)".to_owned(),
        Shown::KnownAfterApply => "(known after the deploy)".to_owned(),
        Shown::NotGiven => "(not given)".to_owned(),
    };
    let length = text.chars().count();
    if all || length <= SHORT {
        return text;
    }
    let start: String = text.chars().take(SHORT).collect();
    format!("{start}… ({length} characters)")
}

/// From one value to the other; where both are cut, from where they begin to differ.
pub(super) fn change(before: &Shown, after: &Shown, all: bool) -> String {
    if let (Shown::Value(Value::String(was)), Shown::Value(Value::String(is))) = (before, after)
        && !all
        && was.chars().count().max(is.chars().count()) > SHORT
    {
        let same = was
            .chars()
            .zip(is.chars())
            .take_while(|(one, other)| one == other)
            .count();
        if same > 20 {
            let rest = |text: &str| {
                let rest: String = text.chars().skip(same - 10).collect();
                shown(&Shown::Value(Value::String(format!("…{rest}"))), false)
            };
            return format!("{} -> {}", rest(was), rest(is));
        }
    }
    format!("{} -> {}", shown(before, all), shown(after, all))
}

/// Whether a text can stand without quotes: it has no blank at its ends, no line's end, and looks like no other value.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && !text.starts_with(['{', '[', '"', '('])
        && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_fit_a_line() {
        for (value, expected) in [
            (Shown::Value(json!("a b")), "a b"),
            (Shown::Value(json!("")), "\"\""),
            (Shown::Value(json!("a\nb")), "\"a\\nb\""),
            (Shown::Value(json!({"A": [1]})), "{\"A\":[1]}"),
            (Shown::Value(json!("(none)")), "\"(none)\""),
            (Shown::Secret, "(secret)"),
            (Shown::NotGiven, "(not given)"),
        ] {
            assert_eq!(shown(&value, false), expected);
        }
        let long = Shown::Value(json!("x".repeat(200)));
        assert!(shown(&long, false).ends_with("… (200 characters)"));
        assert_eq!(shown(&long, true).len(), 200);
    }

    #[test]
    fn long_texts_are_told_from_where_they_differ() {
        let long = |end: &str| Shown::Value(json!(format!("{}{end}", "x".repeat(200))));
        assert_eq!(
            change(&long("a"), &long("b"), false),
            "…xxxxxxxxxxa -> …xxxxxxxxxxb"
        );
    }
}
