use serde::Deserialize;

use super::error::ValueError;

/// An AWS account's id: 12 digits, kept as text since the first may be a zero.
///
/// See [account identifiers](https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct AccountId(String);

impl AccountId {
    /// The account that an emulator without accounts works in.
    pub fn local() -> Self {
        Self("0".repeat(12))
    }

    /// The 12 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AccountId {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        if text.len() == 12 && digits == 12 {
            return Ok(Self(text));
        }
        let hint = if digits == 12 {
            "an account id is 12 digits and nothing else, in quotes: \"123456789012\"".to_owned()
        } else {
            format!(
                "an account id is 12 digits, in quotes: \"123456789012\"; this has {digits} digits"
            )
        };
        Err(ValueError::new(
            format!("`{text}` is not an AWS account id"),
            hint,
        ))
    }
}

impl std::fmt::Display for AccountId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
