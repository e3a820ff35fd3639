use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::error::ValueError;

/// Tags that Stackway sets itself: `destroy` and the cost report find resources by them.
const OWN: [&str; 6] = [
    "environment",
    "git-commit",
    "git-repository",
    "managed-by",
    "project",
    "stack",
];

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "String")]
struct Key(String);

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Value(String);

impl TryFrom<String> for Key {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        if OWN.contains(&text.as_str()) {
            let hint = format!(
                "choose another key; these are set by Stackway: {}",
                OWN.join(", ")
            );
            return Err(ValueError::new(
                format!("the tag `{text}` is Stackway's own"),
                hint,
            ));
        }
        let bounded = (1..=128).contains(&text.chars().count());
        if !bounded || !text.chars().all(allowed) || text.to_ascii_lowercase().starts_with("aws:") {
            let hint = "a key has 1 to 128 letters, digits, spaces or _ . : / = + - @, and does not start with `aws:`";
            return Err(ValueError::new(
                format!("`{text}` cannot be a tag's key"),
                hint,
            ));
        }
        Ok(Self(text))
    }
}

impl TryFrom<String> for Value {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        if text.chars().count() > 256 || !text.chars().all(allowed) {
            let hint = "a value has at most 256 letters, digits, spaces or _ . : / = + - @";
            return Err(ValueError::new(
                format!("`{text}` cannot be a tag's value"),
                hint,
            ));
        }
        Ok(Self(text))
    }
}

fn allowed(character: char) -> bool {
    character.is_alphanumeric() || " _.:/=+-@".contains(character)
}

/// Tags within [CloudFormation's rules](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Tag.html).
pub(super) fn map<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let tags = BTreeMap::<Key, Value>::deserialize(deserializer)?;
    Ok(tags
        .into_iter()
        .map(|(key, value)| (key.0, value.0))
        .collect())
}
