//! Where items are kept: one trait, its DynamoDB and its in-memory implementation, and the contract both keep.

#[cfg(feature = "test-support")]
pub mod contract;
mod dynamodb;
#[cfg(feature = "test-support")]
pub mod failing;
mod memory;

use async_trait::async_trait;

pub use dynamodb::{DynamoDbSettings, DynamoDbStore};
pub use memory::MemoryStore;

use crate::domain::{Item, ItemKey};

/// What a write is conditional on. The store checks it and writes in one atomic step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The item exists.
    Exists,
    /// The item exists, and its message is this one: nobody changed it since it was read.
    MessageIs(String),
}

/// What became of a conditional creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// The item is stored.
    Created,
    /// The key is taken; nothing was written.
    AlreadyExists,
}

/// What became of a conditional change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The change is stored.
    Applied,
    /// There is no such item; nothing was written.
    Missing,
    /// The item is there with another message than the condition names; nothing was written.
    Conflict,
}

/// A part of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The items, in the store's own order.
    pub items: Vec<Item>,
    /// What to pass as `after` for the next page; `None` at the table's end. A next page may be empty.
    pub last: Option<ItemKey>,
}

/// Why the store could not answer. What the store *did* answer (missing, taken, changed) is never an error.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The table refuses for its load; the same call may succeed in a second.
    #[error("the table is throttled: {0}")]
    Throttled(String),
    /// Anything else: an absent table, denied access, a time-out. For the log, not for a client.
    #[error("the table did not answer: {0}")]
    Failed(String),
}

/// A table of items, in the project's own words.
///
/// Every implementation keeps the suite in `store::contract` (feature `test-support`).
#[async_trait]
pub trait ItemStore: Send + Sync + 'static {
    /// Stores `item`, over one with the same key if there is one.
    async fn put(&self, item: &Item) -> Result<(), StoreError>;

    /// Stores `item` if its key is free.
    async fn create(&self, item: &Item) -> Result<Creation, StoreError>;

    /// Reads one item, with every write that was acknowledged before (a consistent read).
    async fn get(&self, key: &ItemKey) -> Result<Option<Item>, StoreError>;

    /// Replaces the message of an item that meets `condition`; creates nothing.
    async fn update(
        &self,
        key: &ItemKey,
        message: &str,
        condition: &Condition,
    ) -> Result<Change, StoreError>;

    /// Removes an item that meets `condition`.
    async fn delete(&self, key: &ItemKey, condition: &Condition) -> Result<Change, StoreError>;

    /// Reads at most `limit` items (1 or more) that come after the key `after`, from the beginning if `None`.
    async fn page(&self, limit: u16, after: Option<&ItemKey>) -> Result<Page, StoreError>;

    /// Makes the cheapest call that proves that the table is there and may be read.
    async fn probe(&self) -> Result<(), StoreError>;
}
