//! What every [`ItemStore`] must do, as one suite that runs over any of them.
//!
//! The suite makes its own keys, so that it can run over a table that holds other items; it removes what it made.

use std::collections::BTreeSet;

use super::{Change, Condition, Creation, ItemStore};
use crate::domain::{Guid, Item, ItemKey, Timestamp};

/// Runs the whole suite.
///
/// # Panics
/// At the first rule that the store breaks, naming it.
pub async fn check(store: &dyn ItemStore) {
    check_but_empty_text(store).await;
    reads_back(store, "").await;
}

/// Runs the suite but for empty messages, which DynamoDB takes since May 2020 and a DynamoDB Local of before does not.
///
/// # Panics
/// At the first rule that the store breaks, naming it.
pub async fn check_but_empty_text(store: &dyn ItemStore) {
    probe_answers(store).await;
    put_overwrites(store).await;
    create_takes_a_free_key_once(store).await;
    update_changes_what_exists(store).await;
    update_keeps_to_its_condition(store).await;
    delete_keeps_to_its_condition(store).await;
    keys_have_two_parts(store).await;
    any_text_reads_back(store).await;
    one_of_two_writers_wins(store).await;
    pages_show_every_item_once(store).await;
}

fn item(message: &str) -> Item {
    Item {
        key: ItemKey {
            guid: Guid::random(),
            date_received: Timestamp::from_stored("2024-05-01T12:00:00.000000Z"),
        },
        message: message.to_owned(),
    }
}

fn is(message: &str) -> Condition {
    Condition::MessageIs(message.to_owned())
}

#[track_caller]
fn kept<T>(rule: &str, result: Result<T, super::StoreError>) -> T {
    result.unwrap_or_else(|error| panic!("{rule}: {error}"))
}

async fn message(store: &dyn ItemStore, key: &ItemKey) -> Option<String> {
    kept("get", store.get(key).await).map(|item| item.message)
}

async fn remove(store: &dyn ItemStore, key: &ItemKey) {
    let change = kept("clean up", store.delete(key, &Condition::Exists).await);
    assert_eq!(change, Change::Applied, "clean up");
    assert_eq!(message(store, key).await, None, "a deleted item is gone");
}

async fn probe_answers(store: &dyn ItemStore) {
    kept("probe", store.probe().await);
}

async fn put_overwrites(store: &dyn ItemStore) {
    let mut item = item("first");
    assert_eq!(message(store, &item.key).await, None, "a new key is free");
    kept("put", store.put(&item).await);
    item.message.push_str(" and second");
    kept("put again", store.put(&item).await);
    let read = kept("get", store.get(&item.key).await);
    assert_eq!(read, Some(item.clone()), "put overwrites");
    remove(store, &item.key).await;
}

async fn create_takes_a_free_key_once(store: &dyn ItemStore) {
    let item = item("first");
    let created = kept("create", store.create(&item).await);
    assert_eq!(created, Creation::Created);
    let other = Item {
        message: "second".to_owned(),
        ..item.clone()
    };
    let created = kept("create again", store.create(&other).await);
    assert_eq!(created, Creation::AlreadyExists);
    let kept_message = message(store, &item.key).await;
    assert_eq!(
        kept_message.as_deref(),
        Some("first"),
        "a refused creation writes nothing"
    );
    remove(store, &item.key).await;
}

async fn update_changes_what_exists(store: &dyn ItemStore) {
    let item = item("first");
    let update = store.update(&item.key, "new", &Condition::Exists).await;
    assert_eq!(kept("update", update), Change::Missing);
    assert_eq!(
        message(store, &item.key).await,
        None,
        "update creates nothing"
    );
    kept("put", store.put(&item).await);
    let update = store.update(&item.key, "new", &Condition::Exists).await;
    assert_eq!(kept("update", update), Change::Applied);
    assert_eq!(message(store, &item.key).await.as_deref(), Some("new"));
    remove(store, &item.key).await;
}

async fn update_keeps_to_its_condition(store: &dyn ItemStore) {
    let item = item("first");
    let update = store.update(&item.key, "new", &is("first")).await;
    assert_eq!(kept("update", update), Change::Missing);
    kept("put", store.put(&item).await);
    let update = store.update(&item.key, "new", &is("other")).await;
    assert_eq!(kept("update", update), Change::Conflict);
    assert_eq!(message(store, &item.key).await.as_deref(), Some("first"));
    let update = store.update(&item.key, "new", &is("first")).await;
    assert_eq!(kept("update", update), Change::Applied);
    assert_eq!(message(store, &item.key).await.as_deref(), Some("new"));
    remove(store, &item.key).await;
}

async fn delete_keeps_to_its_condition(store: &dyn ItemStore) {
    let item = item("first");
    let delete = store.delete(&item.key, &Condition::Exists).await;
    assert_eq!(kept("delete", delete), Change::Missing);
    kept("put", store.put(&item).await);
    let delete = store.delete(&item.key, &is("other")).await;
    assert_eq!(kept("delete", delete), Change::Conflict);
    assert_eq!(message(store, &item.key).await.as_deref(), Some("first"));
    let delete = store.delete(&item.key, &is("first")).await;
    assert_eq!(kept("delete", delete), Change::Applied);
    assert_eq!(message(store, &item.key).await, None);
}

async fn keys_have_two_parts(store: &dyn ItemStore) {
    let one = item("one");
    let mut two = Item {
        message: "two".to_owned(),
        ..one.clone()
    };
    two.key.date_received = Timestamp::from_stored("2024-05-01T12:00:00.000001Z");
    kept("put", store.put(&one).await);
    kept("put", store.put(&two).await);
    assert_eq!(message(store, &one.key).await.as_deref(), Some("one"));
    assert_eq!(message(store, &two.key).await.as_deref(), Some("two"));
    remove(store, &one.key).await;
    assert_eq!(message(store, &two.key).await.as_deref(), Some("two"));
    remove(store, &two.key).await;
}

async fn any_text_reads_back(store: &dyn ItemStore) {
    let long = "x".repeat(200 * 1024);
    for text in [" ", "\u{0}\n\"\\", "café, 日本, 🦀", &long] {
        reads_back(store, text).await;
    }
}

async fn reads_back(store: &dyn ItemStore, text: &str) {
    let mut item = item(text);
    item.key.guid = Guid::from_stored(format!("é 🦀:+{}", item.key.guid));
    kept("put", store.put(&item).await);
    assert_eq!(message(store, &item.key).await.as_deref(), Some(text));
    let update = store.update(&item.key, "new", &is(text)).await;
    assert_eq!(
        kept("update", update),
        Change::Applied,
        "{} bytes",
        text.len()
    );
    remove(store, &item.key).await;
}

async fn one_of_two_writers_wins(store: &dyn ItemStore) {
    let item = item("first");
    kept("put", store.put(&item).await);
    let expected = is("first");
    let (one, two) = futures::join!(
        store.update(&item.key, "one", &expected),
        store.update(&item.key, "two", &expected)
    );
    let mut changes = [kept("update", one), kept("update", two)];
    changes.sort_by_key(|change| *change != Change::Applied);
    assert_eq!(changes, [Change::Applied, Change::Conflict]);
    remove(store, &item.key).await;
}

async fn pages_show_every_item_once(store: &dyn ItemStore) {
    let items: Vec<Item> = (0..7).map(|n| item(&n.to_string())).collect();
    for item in &items {
        kept("put", store.put(item).await);
    }
    for limit in [1, 3, 7, 1000] {
        let mut seen = BTreeSet::new();
        let mut after = None;
        loop {
            let page = kept("page", store.page(limit, after.as_ref()).await);
            assert!(page.items.len() <= limit.into(), "a page keeps its limit");
            for item in page.items {
                assert!(seen.insert(item.key), "a page repeats an item");
            }
            after = page.last;
            if after.is_none() {
                break;
            }
        }
        let all = items.iter().all(|item| seen.contains(&item.key));
        assert!(all, "pages of {limit} lose an item");
    }
    for item in &items {
        remove(store, &item.key).await;
    }
}
