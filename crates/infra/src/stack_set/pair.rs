use std::fmt;

use serde::Serialize;

/// Where one stack of a set stands or is wanted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Pair {
    /// The account's 12 digits; where the set is service-managed and targets are meant, the id of an organizational
    /// unit or of the root.
    pub place: String,
    /// The region.
    pub region: String,
}

impl Pair {
    /// A pair.
    pub fn new(place: impl Into<String>, region: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            region: region.into(),
        }
    }

    /// Whether the place is an organizational unit or a root. Their ids start so, and an account's with a digit.
    pub fn is_unit(place: &str) -> bool {
        place.starts_with("ou-") || place.starts_with("r-")
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.place, self.region)
    }
}
