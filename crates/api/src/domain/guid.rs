//! The HASH key.

use std::fmt;

use uuid::Uuid;

/// The longest partition key that DynamoDB takes, in bytes of UTF-8.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys>
const MAX_BYTES: usize = 2048;

/// The identity of an item: a UUID that the service makes, or any text of the client's that a path can carry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guid(String);

impl Guid {
    /// Makes a new random (version 4) UUID.
    pub fn random() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    /// Checks text from a client.
    ///
    /// API Gateway hands a path to the function percent-decoded, so that a separator inside the key would make an item
    /// that can be written and then not be addressed. Such keys are refused here.
    ///
    /// # Errors
    /// What the text must be, fit to follow the field's name.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("must not be empty");
        }
        if text.len() > MAX_BYTES {
            return Err("must be at most 2048 bytes of UTF-8");
        }
        if matches!(text, "." | "..") {
            return Err("must not be `.` or `..`");
        }
        if text
            .chars()
            .any(|c| c.is_control() || matches!(c, '/' | '\\' | '?' | '#' | '%'))
        {
            return Err("must not contain control characters or any of / \\ ? # %");
        }
        Ok(Self(text.to_owned()))
    }

    /// Takes a key that the table already holds, whoever wrote it.
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The key as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, accepted: bool) {
        assert_eq!(Guid::parse(text).is_ok(), accepted, "{text:?}");
    }

    #[test]
    fn takes_what_a_path_can_carry() {
        check("9f0a7a9e-3c47-4b1c-9f0e-0d5b3f6a1c2d", true);
        check("order 17, café", true);
        check("a+b:c~d.e", true);
        check(&"x".repeat(MAX_BYTES), true);
        check("...", true);
    }

    #[test]
    fn refuses_what_a_path_cannot_carry() {
        check("", false);
        check(".", false);
        check("..", false);
        check("a/b", false);
        check("100%", false);
        check("a?b", false);
        check("line\nbreak", false);
        check(&"x".repeat(MAX_BYTES + 1), false);
    }

    #[test]
    fn a_random_one_is_valid_and_new() {
        let one = Guid::random();
        assert_eq!(Guid::parse(one.as_str()), Ok(one.clone()));
        assert_ne!(one, Guid::random());
    }
}
