//! Items in this process, gone when it ends: for tests, and for trying the routes without a database.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{Change, Condition, Creation, ItemStore, Page, StoreError};
use crate::domain::{Item, ItemKey};

/// An [`ItemStore`] over a map. Its pages come in the order of the keys.
#[derive(Debug, Default)]
pub struct MemoryStore {
    messages: Mutex<BTreeMap<ItemKey, String>>,
}

impl MemoryStore {
    /// Makes an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// No call panics while it holds the lock, so that a poisoned one still guards a whole map.
    fn messages(&self) -> MutexGuard<'_, BTreeMap<ItemKey, String>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn judge(current: Option<&String>, condition: &Condition) -> Change {
    match (current, condition) {
        (None, _) => Change::Missing,
        (Some(message), Condition::MessageIs(expected)) if message != expected => Change::Conflict,
        (Some(_), Condition::Exists | Condition::MessageIs(_)) => Change::Applied,
    }
}

#[async_trait]
impl ItemStore for MemoryStore {
    async fn put(&self, item: &Item) -> Result<(), StoreError> {
        self.messages()
            .insert(item.key.clone(), item.message.clone());
        Ok(())
    }

    async fn create(&self, item: &Item) -> Result<Creation, StoreError> {
        let mut messages = self.messages();
        if messages.contains_key(&item.key) {
            return Ok(Creation::AlreadyExists);
        }
        messages.insert(item.key.clone(), item.message.clone());
        Ok(Creation::Created)
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>, StoreError> {
        Ok(self.messages().get(key).map(|message| Item {
            key: key.clone(),
            message: message.clone(),
        }))
    }

    async fn update(
        &self,
        key: &ItemKey,
        message: &str,
        condition: &Condition,
    ) -> Result<Change, StoreError> {
        let mut messages = self.messages();
        let change = judge(messages.get(key), condition);
        if change == Change::Applied {
            messages.insert(key.clone(), message.to_owned());
        }
        Ok(change)
    }

    async fn delete(&self, key: &ItemKey, condition: &Condition) -> Result<Change, StoreError> {
        let mut messages = self.messages();
        let change = judge(messages.get(key), condition);
        if change == Change::Applied {
            messages.remove(key);
        }
        Ok(change)
    }

    async fn page(&self, limit: u16, after: Option<&ItemKey>) -> Result<Page, StoreError> {
        let messages = self.messages();
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = messages.range((start, Bound::Unbounded));
        let items: Vec<Item> = rest
            .by_ref()
            .take(limit.into())
            .map(|(key, message)| Item {
                key: key.clone(),
                message: message.clone(),
            })
            .collect();
        let last = rest
            .next()
            .and_then(|_| items.last().map(|item| item.key.clone()));
        Ok(Page { items, last })
    }

    async fn probe(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
