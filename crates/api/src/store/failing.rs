//! A store that never answers as asked, for tests of what clients then get.

use async_trait::async_trait;

use super::{Change, Condition, Creation, ItemStore, Page, StoreError};
use crate::domain::{Item, ItemKey};

/// How a [`FailingStore`] fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// As a table does under too much load.
    Throttled,
    /// As a table does that is not there.
    Failed,
    /// By a panic, as a fault of the service's own would.
    Panic,
}

/// What the errors carry: a client must never see it.
pub const SECRET: &str = "arn:aws:dynamodb:eu-west-2:123456789012:table/items";

/// An [`ItemStore`] that fails every call in one way.
#[derive(Clone, Copy, Debug)]
pub struct FailingStore(pub Failure);

impl FailingStore {
    fn fail<T>(self) -> Result<T, StoreError> {
        match self.0 {
            Failure::Throttled => Err(StoreError::Throttled(SECRET.to_owned())),
            Failure::Failed => Err(StoreError::Failed(SECRET.to_owned())),
            Failure::Panic => panic!("{SECRET}"),
        }
    }
}

#[async_trait]
impl ItemStore for FailingStore {
    async fn put(&self, _: &Item) -> Result<(), StoreError> {
        self.fail()
    }

    async fn create(&self, _: &Item) -> Result<Creation, StoreError> {
        self.fail()
    }

    async fn get(&self, _: &ItemKey) -> Result<Option<Item>, StoreError> {
        self.fail()
    }

    async fn update(&self, _: &ItemKey, _: &str, _: &Condition) -> Result<Change, StoreError> {
        self.fail()
    }

    async fn delete(&self, _: &ItemKey, _: &Condition) -> Result<Change, StoreError> {
        self.fail()
    }

    async fn page(&self, _: u16, _: Option<&ItemKey>) -> Result<Page, StoreError> {
        self.fail()
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.fail()
    }
}
