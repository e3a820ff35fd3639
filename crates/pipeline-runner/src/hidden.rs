use std::borrow::Cow;
use std::sync::{PoisonError, RwLock};

/// Values that are masked wherever a person could read them.
///
/// CodeBuild masks what comes from the parameter store and from Secrets Manager. Of these, secrets are kept out of the
/// execution's folder too.
#[derive(Default)]
pub(crate) struct Hidden {
    values: RwLock<Values>,
}

#[derive(Default)]
struct Values {
    /// The longest first, so that one that holds another is masked whole.
    masked: Vec<String>,
    secrets: Vec<String>,
}

/// What stands for a value, as at CodeBuild.
const MASK: &str = "***";
/// The fewest characters of a line of a value, or of a part of a text, that are taken for it.
const TELLING: usize = 4;

impl Hidden {
    /// Masks a value from now on, and each of its lines.
    pub(crate) fn mask(&self, value: &str, is_secret: bool) {
        if value.trim().is_empty() {
            return;
        }
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        let lines = value.lines().map(str::trim);
        let lines = lines.filter(|line| line.chars().count() >= TELLING);
        let mut all: Vec<_> = lines.map(str::to_owned).collect();
        all.push(value.to_owned());
        for one in all {
            if is_secret {
                values.secrets.push(one.clone());
            }
            values.masked.push(one);
        }
        values
            .masked
            .sort_by_key(|one| std::cmp::Reverse(one.len()));
        values.masked.dedup();
    }

    /// The text without what is hidden.
    pub(crate) fn masked<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let values = self.values.read().unwrap_or_else(PoisonError::into_inner);
        let mut text = Cow::Borrowed(text);
        for value in &values.masked {
            if text.contains(value.as_str()) {
                text = Cow::Owned(text.replace(value.as_str(), MASK));
            }
        }
        text
    }

    /// Whether the text gives a secret away. A secret of a few characters is in many texts by chance.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        let values = self.values.read().unwrap_or_else(PoisonError::into_inner);
        values.secrets.iter().any(|secret| {
            text == secret || (secret.chars().count() >= TELLING && text.contains(secret.as_str()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_masked_whole_and_by_line() {
        let hidden = Hidden::default();
        hidden.mask("plain", false);
        hidden.mask("plain and secret", true);
        hidden.mask("{\n  \"key\": \"hush\"\n}", true);
        hidden.mask("ab", true);
        hidden.mask(" ", true);
        for (text, masked, is_in) in [
            ("nothing", "nothing", false),
            ("is plain", "is ***", false),
            ("is plain and secret", "is ***", true),
            ("\t\"key\": \"hush\"", "\t***", true),
            ("ab", "***", true),
            ("abc", "***c", false),
            ("{", "{", false),
        ] {
            assert_eq!(hidden.masked(text), masked);
            assert_eq!(hidden.is_in(text), is_in, "{text}");
        }
    }
}
