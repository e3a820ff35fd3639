//! Concurrent writers to one item keep every `If-Match` promise: what they did and were told could have happened one after
//! the other, in an order that nobody's own order contradicts.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use stackway_api::{
    domain::{Item, ItemKey},
    store::{Change, Condition, Creation, ItemStore, MemoryStore, Page, StoreError},
};
use stackway_local_cloud::EmbeddedDynamoDb;

use crate::{client::Client, stores};

const CLIENTS: usize = 4;
const PATH: &str = "/v1/items/shared/2024-05-01T12:00:00Z";

/// What a client does next. Writes with a tag use the state that the client saw last.
#[derive(Clone, Copy, Debug)]
enum Step {
    Read,
    Create,
    Update { tagged: bool },
    Delete { tagged: bool },
}

/// What was done and what was told. The states are the item's messages; `None` is no item.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Deed {
    Read {
        seen: Option<String>,
    },
    Create {
        message: String,
        created: bool,
    },
    Write {
        message: Option<String>,
        expected: Option<String>,
        told: Told,
    },
}

/// How the service answered an update or a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Done,
    Missing,
    Changed,
}

/// A deed between two moments of one clock.
#[derive(Clone, Debug)]
struct Call {
    began: u64,
    ended: u64,
    deed: Deed,
}

/// The item's message, or that there is no item.
type State = Option<String>;

/// The state after a deed, if the service may have told what it told in this state.
fn after(state: Option<&str>, deed: &Deed) -> Option<State> {
    let kept = state.map(str::to_owned);
    match deed {
        Deed::Read { seen } => (seen.as_deref() == state).then_some(kept),
        Deed::Create {
            message,
            created: true,
        } => state.is_none().then(|| Some(message.clone())),
        Deed::Create { created: false, .. } => state.is_some().then_some(kept),
        Deed::Write {
            message,
            expected,
            told,
        } => {
            let due = match (state, expected) {
                (None, _) => Told::Missing,
                (Some(state), Some(expected)) if state != expected => Told::Changed,
                _ => Told::Done,
            };
            let next = if due == Told::Done {
                message.clone()
            } else {
                kept
            };
            (due == *told).then_some(next)
        }
    }
}

/// Whether there is an order of the calls that explains what each was told. Wing and Gong's search: the next call is one
/// that began before any other call had ended; a set of calls with the state they led to is looked at once.
fn is_linear(calls: &[Call], start: Option<&str>) -> bool {
    fn search(
        calls: &[Call],
        done: u64,
        state: Option<&str>,
        seen: &mut HashSet<(u64, State)>,
    ) -> bool {
        if done.count_ones() as usize == calls.len() {
            return true;
        }
        if !seen.insert((done, state.map(str::to_owned))) {
            return false;
        }
        let open = |index: &usize| done & (1 << index) == 0;
        let first_end = (0..calls.len())
            .filter(open)
            .map(|index| calls[index].ended)
            .min();
        (0..calls.len())
            .filter(open)
            .filter(|index| Some(calls[*index].began) < first_end)
            .any(|index| {
                after(state, &calls[index].deed)
                    .is_some_and(|next| search(calls, done | (1 << index), next.as_deref(), seen))
            })
    }
    assert!(calls.len() < 64);
    search(calls, 0, start, &mut HashSet::new())
}

/// Lets clients take their steps side by side, and gives what they did.
async fn history(client: Arc<Client>, scripts: Vec<Vec<Step>>) -> Vec<Call> {
    let clock = Arc::new(AtomicU64::new(0));
    let mut clients = tokio::task::JoinSet::new();
    for (number, script) in scripts.into_iter().enumerate() {
        let (client, clock) = (Arc::clone(&client), Arc::clone(&clock));
        clients.spawn(async move {
            let mut calls = Vec::new();
            let mut last: Option<(String, String)> = None;
            for (turn, step) in script.into_iter().enumerate() {
                // A few messages only, so that a state comes back.
                let message = format!("m{}", (number + turn) % 3);
                let began = clock.fetch_add(1, Ordering::SeqCst);
                let deed = take(&client, step, message, &mut last).await;
                let ended = clock.fetch_add(1, Ordering::SeqCst);
                calls.push(Call { began, ended, deed });
            }
            calls
        });
    }
    clients.join_all().await.concat()
}

async fn take(
    client: &Client,
    step: Step,
    message: String,
    last: &mut Option<(String, String)>,
) -> Deed {
    let (tag, expected) = last.clone().unzip();
    let tagged = matches!(
        step,
        Step::Update { tagged: true } | Step::Delete { tagged: true }
    );
    let condition = tag
        .filter(|_| tagged)
        .map(|tag| format!("\nif-match: {tag}"))
        .unwrap_or_default();
    let expected = expected.filter(|_| tagged);
    match step {
        Step::Read => {
            let answer = client.send(&format!("GET {PATH}")).await;
            let seen = (answer.status == 200).then(|| text(&answer.value()));
            if let Some(seen) = &seen {
                *last = Some((answer.header("etag").to_owned(), seen.clone()));
            } else {
                assert_eq!(answer.status, 404);
            }
            Deed::Read { seen }
        }
        Step::Create => {
            let body = json!({"guid": "shared", "date_received": "2024-05-01T12:00:00Z", "message": message});
            let answer = client
                .send(&format!(
                    "POST /v1/items\ncontent-type: application/json\n\n{body}"
                ))
                .await;
            let created = answer.status == 201;
            assert!(created || answer.status == 409, "{}", answer.status);
            if created {
                *last = Some((answer.header("etag").to_owned(), message.clone()));
            }
            Deed::Create { message, created }
        }
        Step::Update { .. } => {
            let body = json!({ "message": message });
            let answer = client
                .send(&format!(
                    "PATCH {PATH}\ncontent-type: application/json{condition}\n\n{body}"
                ))
                .await;
            let told = told(answer.status.as_u16(), 200);
            if told == Told::Done {
                *last = Some((answer.header("etag").to_owned(), message.clone()));
            }
            Deed::Write {
                message: Some(message),
                expected,
                told,
            }
        }
        Step::Delete { .. } => {
            let answer = client.send(&format!("DELETE {PATH}{condition}")).await;
            Deed::Write {
                message: None,
                expected,
                told: told(answer.status.as_u16(), 204),
            }
        }
    }
}

fn text(item: &Value) -> String {
    item["message"].as_str().unwrap().to_owned()
}

fn told(status: u16, done: u16) -> Told {
    match status {
        404 => Told::Missing,
        412 => Told::Changed,
        status => {
            assert_eq!(status, done);
            Told::Done
        }
    }
}

fn scripts() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let step = prop_oneof![
        3 => Just(Step::Read),
        2 => Just(Step::Create),
        4 => any::<bool>().prop_map(|often| Step::Update { tagged: often }),
        2 => any::<bool>().prop_map(|often| Step::Delete { tagged: often }),
        3 => Just(Step::Update { tagged: true }),
    ];
    vec(vec(step, 8), CLIENTS)
}

fn run(store: impl ItemStore, scripts: Vec<Vec<Step>>) -> Vec<Call> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CLIENTS)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(history(Arc::new(Client::over(store)), scripts))
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 0,
        ..ProptestConfig::with_cases(cases)
    }
}

#[test]
fn writers_over_memory_keep_every_promise() {
    proptest!(config(60), |(scripts in scripts())| {
        let calls = run(MemoryStore::new(), scripts);
        prop_assert!(is_linear(&calls, None), "{calls:#?}");
    });
}

#[test]
fn writers_over_dynamodb_keep_every_promise() {
    let database = EmbeddedDynamoDb::start(0).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(stores::create_table(&database.endpoint_url()));
    proptest!(config(12), |(scripts in scripts())| {
        let store = stores::store(&database.endpoint_url());
        let calls = run(store, scripts);
        // The table lives on from case to case, and so does what the one before has left.
        let fresh = stores::store(&database.endpoint_url());
        let cleared = runtime.block_on(Client::over(fresh).send(&format!("DELETE {PATH}")));
        prop_assert!(cleared.status == 204 || cleared.status == 404);
        prop_assert!(is_linear(&calls, None), "{calls:#?}");
    });
}

/// A store that looks, waits and then writes: the fault that a conditional write is there to prevent.
struct Careless(MemoryStore);

#[async_trait]
impl ItemStore for Careless {
    async fn put(&self, item: &Item) -> Result<(), StoreError> {
        self.0.put(item).await
    }

    async fn create(&self, item: &Item) -> Result<Creation, StoreError> {
        self.0.create(item).await
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>, StoreError> {
        self.0.get(key).await
    }

    async fn update(
        &self,
        key: &ItemKey,
        message: &str,
        condition: &Condition,
    ) -> Result<Change, StoreError> {
        match (self.0.get(key).await?, condition) {
            (None, _) => return Ok(Change::Missing),
            (Some(item), Condition::MessageIs(expected)) if item.message != *expected => {
                return Ok(Change::Conflict);
            }
            _ => {}
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        let key = key.clone();
        self.0
            .put(&Item {
                key,
                message: message.to_owned(),
            })
            .await?;
        Ok(Change::Applied)
    }

    async fn delete(&self, key: &ItemKey, condition: &Condition) -> Result<Change, StoreError> {
        self.0.delete(key, condition).await
    }

    async fn page(&self, limit: u16, after: Option<&ItemKey>) -> Result<Page, StoreError> {
        self.0.page(limit, after).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.0.probe().await
    }
}

#[test]
fn a_store_that_looks_before_it_writes_is_caught() {
    // Each client creates, reads and then writes with the tag that it saw.
    let script = [
        Step::Create,
        Step::Read,
        Step::Update { tagged: true },
        Step::Read,
        Step::Update { tagged: true },
        Step::Delete { tagged: true },
    ];
    let caught = (0..40).any(|_| {
        let calls = run(Careless(MemoryStore::new()), vec![script.to_vec(); CLIENTS]);
        !is_linear(&calls, None)
    });
    assert!(
        caught,
        "forty histories of a careless store pass for orderly ones"
    );
}

/// The checker itself: a history, and whether it can be explained.
#[track_caller]
fn check(start: Option<&str>, calls: &[(u64, u64, Deed)], explained: bool) {
    let calls: Vec<Call> = calls
        .iter()
        .map(|(began, ended, deed)| Call {
            began: *began,
            ended: *ended,
            deed: deed.clone(),
        })
        .collect();
    assert_eq!(is_linear(&calls, start), explained, "{calls:?}");
}

#[test]
fn histories_are_told_apart() {
    let read = |seen: Option<&str>| Deed::Read {
        seen: seen.map(str::to_owned),
    };
    let write = |message: &str, expected: Option<&str>, told| Deed::Write {
        message: Some(message.to_owned()),
        expected: expected.map(str::to_owned),
        told,
    };
    // Two succeed on one tag: the second has overwritten what it never saw.
    let one = write("b", Some("a"), Told::Done);
    let other = write("c", Some("a"), Told::Done);
    check(Some("a"), &[(0, 3, one.clone()), (1, 2, other)], false);
    let refused = write("c", Some("a"), Told::Changed);
    check(Some("a"), &[(0, 3, one.clone()), (1, 2, refused)], true);
    // A read after a write that was acknowledged sees it; one beside it may see either.
    check(
        Some("a"),
        &[(0, 1, one.clone()), (2, 3, read(Some("a")))],
        false,
    );
    check(
        Some("a"),
        &[(0, 3, one.clone()), (1, 2, read(Some("a")))],
        true,
    );
    check(
        Some("a"),
        &[(0, 3, one.clone()), (1, 2, read(Some("b")))],
        true,
    );
    // A lost update: written, and gone without a trace.
    let blind = write("z", None, Told::Done);
    check(Some("a"), &[(0, 1, blind), (2, 3, one)], false);
    // The same content again is the same tag.
    let back = write("a", None, Told::Done);
    let again = write("d", Some("a"), Told::Done);
    check(Some("b"), &[(0, 1, back), (2, 3, again)], true);
    check(None, &[(0, 1, read(Some("a")))], false);
}
