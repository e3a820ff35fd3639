use serde::Deserialize;

use super::error::{ValueError, nearest};

/// The regions that accounts can use, of all partitions, as of November 2026.
///
/// See [AWS Regions](https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html).
const KNOWN: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// A region of AWS, by its code: `eu-west-2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Region(String);

impl Region {
    /// The region's code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Every region that a configuration may name.
    pub fn known() -> &'static [&'static str] {
        KNOWN
    }
}

impl TryFrom<String> for Region {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        if KNOWN.contains(&text.as_str()) {
            return Ok(Self(text));
        }
        let lower = text.to_lowercase();
        let mut near: Vec<_> = KNOWN
            .iter()
            .map(|known| (strsim::damerau_levenshtein(&lower, known), *known))
            .collect();
        near.sort_unstable();
        let near: Vec<_> = near.iter().take(4).map(|(_, known)| *known).collect();
        let hint = match nearest(&text, KNOWN) {
            Some(guess) => format!(
                "did you mean `{guess}`? the nearest are: {}",
                near.join(", ")
            ),
            None => format!(
                "a region is a code such as `eu-west-2`; the choices are: {}",
                KNOWN.join(", ")
            ),
        };
        Err(ValueError::new(
            format!("`{text}` is not an AWS region"),
            hint,
        ))
    }
}

impl std::fmt::Display for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
