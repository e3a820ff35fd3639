//! Where the next page of a listing begins, as opaque text.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::domain::{Guid, ItemKey, Timestamp};

const CHECKSUM_BYTES: usize = 8;
/// Part of what the checksum covers, so that another form of cursor is refused and not misread.
const FORM: &[u8] = b"stackway cursor 1";

/// What a client is told of any cursor that this service did not make.
pub const MUST_BE: &str = "must be a `next_cursor` that this service returned";

/// Writes the key of a page's last item as base64url of a checksum and JSON.
///
/// The checksum finds mistakes (a cut, a typing error, another service's cursor); it is no secret and guards none: a
/// cursor holds nothing but the key of an item that its holder was just shown.
pub fn encode(last: &ItemKey) -> String {
    let key = serde_json::json!([last.guid.as_str(), last.date_received.as_str()]).to_string();
    let mut bytes = checksum(key.as_bytes()).to_vec();
    bytes.extend_from_slice(key.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor, or says what one must be.
///
/// # Errors
/// [`MUST_BE`], for any text that [`encode`] does not make.
pub fn decode(cursor: &str) -> Result<ItemKey, &'static str> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| MUST_BE)?;
    let (sum, key) = bytes.split_at_checked(CHECKSUM_BYTES).ok_or(MUST_BE)?;
    if sum != checksum(key) {
        return Err(MUST_BE);
    }
    let (guid, date): (String, String) = serde_json::from_slice(key).map_err(|_| MUST_BE)?;
    if guid.is_empty() || date.is_empty() {
        return Err(MUST_BE);
    }
    Ok(ItemKey {
        guid: Guid::from_stored(guid),
        date_received: Timestamp::from_stored(date),
    })
}

fn checksum(key: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest = Sha256::new()
        .chain_update(FORM)
        .chain_update(key)
        .finalize();
    let mut sum = [0; CHECKSUM_BYTES];
    sum.copy_from_slice(&digest[..CHECKSUM_BYTES]);
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(guid: &str, date: &str) -> ItemKey {
        ItemKey {
            guid: Guid::from_stored(guid),
            date_received: Timestamp::from_stored(date),
        }
    }

    proptest! {
        #[test]
        fn any_key_reads_back(guid in "\\PC{1,60}", date in "\\PC{1,30}") {
            let key = key(&guid, &date);
            prop_assert_eq!(decode(&encode(&key)).unwrap(), key);
        }

        #[test]
        fn one_changed_character_is_found(guid in "[a-z]{1,20}", at in 0_usize..40, to in "[A-Za-z0-9_-]") {
            let cursor = encode(&key(&guid, "2024-05-01T12:00:00.000000Z"));
            let mut changed = cursor.clone();
            changed.replace_range(at..=at, &to);
            prop_assert_eq!(decode(&changed).is_ok(), changed == cursor);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}") {
            prop_assert!(decode(&text).is_err());
        }
    }

    #[test]
    fn an_empty_key_is_refused() {
        assert!(decode(&encode(&key("", "x"))).is_err());
        assert!(decode("").is_err());
    }
}
