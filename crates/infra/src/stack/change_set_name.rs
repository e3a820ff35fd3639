use std::fmt;

use time::OffsetDateTime;

/// The name of a change set that a deploy of ours makes: what it was made from, and when.
///
/// A later run so finds the change set of a run that was killed: the same digest means the same template, parameters,
/// tags and capabilities. The time makes names unique, since an executed change set keeps its own for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSetName {
    digest: String,
    nanoseconds: i128,
}

/// What every change set of ours is called first, whatever command made it.
const OURS: &str = "stackway-";
const DEPLOY: &str = "stackway-deploy-";

impl ChangeSetName {
    /// A name for a change set of that content, made `now`. Sixteen hexadecimal digits of the digest are kept.
    pub fn new(content_digest: &str, now: OffsetDateTime) -> Self {
        Self {
            digest: content_digest.chars().take(16).collect(),
            nanoseconds: now.unix_timestamp_nanos(),
        }
    }

    /// Reads a name that a deploy of ours gave; `None` for any other.
    pub fn parse(name: &str) -> Option<Self> {
        let (digest, time) = name.strip_prefix(DEPLOY)?.split_once('-')?;
        let hexadecimal = digest.len() == 16 && digest.chars().all(|c| c.is_ascii_hexdigit());
        Some(Self {
            digest: hexadecimal.then(|| digest.to_owned())?,
            nanoseconds: time.parse().ok()?,
        })
    }

    /// Whether both are of the same content.
    pub fn same_content(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    /// When a change set of ours was made, from its name, whichever command made it; `None` for one of anybody else.
    pub fn time_of_ours(name: &str) -> Option<OffsetDateTime> {
        let nanoseconds = name.strip_prefix(OURS)?.rsplit('-').next()?.parse().ok()?;
        OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()
    }
}

impl fmt::Display for ChangeSetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{DEPLOY}{}-{}", self.digest, self.nanoseconds)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_names_are_not_ours() {
        for name in [
            "cdk-deploy-change-set",
            "stackway-deploy-0123456789abcdef",
            "stackway-deploy-0123456789abcdeg-17",
            "stackway-deploy-0123-17",
            "stackway-deploy-0123456789abcdef-now",
            "stackway-plan-17",
        ] {
            assert_eq!(ChangeSetName::parse(name), None, "{name}");
        }
        for (name, time) in [
            ("stackway-17", Some(17)),
            ("stackway-plan-17", Some(17)),
            ("stackway-deploy-0123456789abcdef-17", Some(17)),
            ("stackway-by-hand", None),
            ("awscli-cloudformation-package-deploy-1763000000", None),
        ] {
            let found = ChangeSetName::time_of_ours(name).map(OffsetDateTime::unix_timestamp_nanos);
            assert_eq!(found, time, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_name_is_read_as_it_was_written(digest in "[0-9a-f]{64}", seconds in 0_i64..4_000_000_000) {
            let now = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            let name = ChangeSetName::new(&digest, now);
            prop_assert!(name.to_string().len() <= 128);
            prop_assert_eq!(ChangeSetName::parse(&name.to_string()), Some(name.clone()));
            prop_assert_eq!(ChangeSetName::time_of_ours(&name.to_string()), Some(now));
        }
    }
}
