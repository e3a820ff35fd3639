//! What the service keeps: items, their keys, and the rules that input must meet. No I/O.

mod etag;
mod fault;
mod guid;
mod timestamp;

pub use etag::ETag;
pub use fault::Fault;
pub use guid::Guid;
pub use timestamp::Timestamp;

/// The primary key of an item: the table's HASH and RANGE keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemKey {
    /// HASH key, attribute `GUID`.
    pub guid: Guid,
    /// RANGE key, attribute `DateReceived`.
    pub date_received: Timestamp,
}

/// One message, with when it was received.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    /// What identifies the item.
    pub key: ItemKey,
    /// Attribute `Message`: any text, the empty text too.
    pub message: String,
}

impl Item {
    /// The strong entity tag of this item as it is now.
    pub fn etag(&self) -> ETag {
        ETag::of(self)
    }
}

/// Shows the key and the length: an item's content belongs in no log, a debug print included.
impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Item")
            .field("key", &self.key)
            .field("message_bytes", &self.message.len())
            .finish()
    }
}
