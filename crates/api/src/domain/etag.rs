//! Entity tags: how a client says which state of an item it saw.

use std::fmt;

use sha2::{Digest, Sha256};

use super::Item;

/// A strong entity tag, made from an item's content.
///
/// The table holds `GUID`, `DateReceived` and `Message` and no version, so that clients of the original go on working;
/// the content itself is what an update is conditional on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// The tag of `item`: 128 bits of SHA-256 over its three attributes, each with its length before it.
    pub fn of(item: &Item) -> Self {
        let mut hash = Sha256::new();
        for part in [
            item.key.guid.as_str(),
            item.key.date_received.as_str(),
            &item.message,
        ] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        Self(format!("\"{:032x}\"", u128::from_be_bytes(half)))
    }

    /// The tag with its quotes, as a header carries it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an `If-Match` header's value names this tag, by strong comparison: `*`, or a list of tags.
    ///
    /// <https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1>
    pub fn meets_if_match(&self, header: &str) -> bool {
        tags(header).any(|tag| tag == "*" || tag == self.0)
    }

    /// Whether an `If-None-Match` header's value names this tag, by weak comparison.
    ///
    /// <https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2>
    pub fn meets_if_none_match(&self, header: &str) -> bool {
        tags(header).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.0)
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Our tags hold no comma, so that a tag cut in two by this split is one that could not match anyway.
fn tags(header: &str) -> impl Iterator<Item = &str> {
    header.split(',').map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Guid, ItemKey, Timestamp};

    fn item(guid: &str, message: &str) -> Item {
        Item {
            key: ItemKey {
                guid: Guid::from_stored(guid),
                date_received: Timestamp::from_stored("2024-05-01T12:00:00.000000Z"),
            },
            message: message.into(),
        }
    }

    #[test]
    fn other_content_is_another_tag() {
        assert_eq!(item("a", "one").etag(), item("a", "one").etag());
        assert_ne!(item("a", "one").etag(), item("a", "two").etag());
        assert_ne!(item("a", "").etag(), item("b", "").etag());
        assert_eq!(item("a", "one").etag().as_str().len(), 34);
    }

    #[test]
    fn if_match_compares_strongly() {
        let tag = item("a", "one").etag();
        assert!(tag.meets_if_match("*"));
        assert!(tag.meets_if_match(&format!("\"other\", {tag}")));
        assert!(!tag.meets_if_match(&format!("W/{tag}")));
        assert!(!tag.meets_if_match("\"other\""));
        assert!(!tag.meets_if_match(""));
        assert!(tag.meets_if_none_match(&format!("W/{tag}")));
    }
}
