//! Items in a DynamoDB table.

mod caller;
mod endpoint;
mod throttle;

use std::{
    collections::HashMap,
    error::Error,
    net::SocketAddr,
    sync::LazyLock,
    time::{Duration, Instant, SystemTime},
};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    config::{
        IdentityCache, Region, StalledStreamProtectionConfig, retry::RetryConfig,
        timeout::TimeoutConfig,
    },
    error::{ProvideErrorMetadata, SdkError},
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};

use stackway_aws_client::{Connections, CredentialSource};

use super::{Change, Condition, Creation, ItemStore, Page, StoreError};
use crate::{
    domain::{Guid, Item, ItemKey, Timestamp},
    logging,
    trace::{Call, Daemon, Outcome},
};

const GUID: &str = "GUID";
const DATE_RECEIVED: &str = "DateReceived";
const MESSAGE: &str = "Message";

/// The first try and one more: a Lambda is paid for while it waits, and its caller gives up first.
const ATTEMPTS: u32 = 2;
/// How often a conditional write is tried whose item comes and goes meanwhile.
const CONDITION_ATTEMPTS: u32 = 3;
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1400);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(3);

type Attributes = HashMap<String, AttributeValue>;

/// What a client of one table needs to know.
#[derive(Clone, Debug)]
pub struct DynamoDbSettings {
    /// The table's name.
    pub table: String,
    /// The region, which every request is signed for.
    pub region: String,
    /// Another address than the region's own: an emulator.
    pub endpoint_url: Option<String>,
    /// What requests are signed with.
    pub credentials: CredentialSource,
    /// What requests go through.
    pub connections: Connections,
    /// Where X-Ray's daemon hears of the calls of a request that is sampled.
    pub daemon: Option<SocketAddr>,
}

/// An [`ItemStore`] over one table with the HASH key `GUID` and the RANGE key `DateReceived`, both strings.
pub struct DynamoDbStore {
    client: LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>,
    table: String,
    region: String,
    daemon: Option<Daemon>,
}

impl DynamoDbStore {
    /// Makes no call: whether the table answers is what [`ItemStore::probe`] tells.
    ///
    /// The one client is made with the first call. That takes as long as all the rest of a cold start, and requests for
    /// the health, the documentation or an unknown path need none.
    pub fn new(settings: DynamoDbSettings) -> Self {
        let (table, region) = (settings.table.clone(), settings.region.clone());
        // Without a socket there are no traces of calls, and all else goes on.
        let daemon = settings.daemon.and_then(|address| Daemon::at(address).ok());
        Self {
            client: LazyLock::new(Box::new(|| client(settings))),
            table,
            region,
            daemon,
        }
    }

    /// Takes a client that somebody else configured.
    pub fn from_client(client: Client, table: impl Into<String>) -> Self {
        Self {
            client: LazyLock::new(Box::new(|| client)),
            table: table.into(),
            region: String::new(),
            daemon: None,
        }
    }

    /// Makes a call, and notes for the request how it went.
    async fn noted<T, E, R>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, SdkError<E, R>>>,
    ) -> Result<T, SdkError<E, R>>
    where
        E: ProvideErrorMetadata,
    {
        let (started, began) = (SystemTime::now(), Instant::now());
        let result = call.await;
        let took = began.elapsed();
        let outcome = match &result {
            Ok(_) => Outcome::Answered,
            Err(error) if error.code().is_some_and(throttle::is_throttle) => Outcome::Throttled,
            // A condition that is not met is an answer.
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => {
                Outcome::Answered
            }
            Err(_) => Outcome::Failed,
        };
        logging::with_request(|request| {
            request.table.add(took, outcome == Outcome::Throttled);
            if let (Some(daemon), Some(trace)) = (&self.daemon, &request.trace) {
                daemon.tell(
                    trace,
                    &Call {
                        operation,
                        table: &self.table,
                        region: &self.region,
                        started,
                        ended: started + took,
                        outcome,
                    },
                );
            }
        });
        result
    }

    /// Writes, and says why where the condition refuses.
    ///
    /// DynamoDB hands out the old item with its refusal; older versions of DynamoDB Local do not, and then a read tells
    /// an item that is missing from one that has changed. One that the read finds in the expected state has come back
    /// in between: neither answer was ever true, so that the write is tried again.
    async fn conditionally<Written>(
        &self,
        key: &ItemKey,
        condition: &Condition,
        write: impl Fn() -> Written + Sync,
    ) -> Result<Change, StoreError>
    where
        Written: Future<Output = Result<Change, StoreError>> + Send,
    {
        for _ in 0..CONDITION_ATTEMPTS {
            let change = write().await?;
            let Condition::MessageIs(expected) = condition else {
                return Ok(change);
            };
            if change != Change::Missing {
                return Ok(change);
            }
            match self.get(key).await? {
                None => return Ok(Change::Missing),
                Some(item) if item.message != *expected => return Ok(Change::Conflict),
                Some(_) => {}
            }
        }
        Err(StoreError::Failed(format!(
            "{CONDITION_ATTEMPTS} times, a condition was refused that the item meets when it is read"
        )))
    }
}

fn client(settings: DynamoDbSettings) -> Client {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let mut config = aws_sdk_dynamodb::Config::builder()
        .region(Region::new(settings.region.clone()))
        .credentials_provider(settings.credentials)
        // The source keeps credentials itself, and the answers are read whole: there is nothing to cache or to watch.
        .identity_cache(IdentityCache::no_cache())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .retry_classifier(throttle::AnswerThrottles)
        .interceptor(caller::NameCaller)
        .timeout_config(timeouts)
        .http_client(settings.connections.client());
    config.set_endpoint_resolver(endpoint::resolver(settings.endpoint_url, &settings.region));
    Client::from_conf(config.build())
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn key_attributes(key: &ItemKey) -> Attributes {
    HashMap::from([
        (GUID.to_owned(), text(key.guid.as_str())),
        (DATE_RECEIVED.to_owned(), text(key.date_received.as_str())),
    ])
}

fn item_attributes(item: &Item) -> Attributes {
    let mut attributes = key_attributes(&item.key);
    attributes.insert(MESSAGE.to_owned(), text(&item.message));
    attributes
}

fn read_key(attributes: &Attributes) -> Result<ItemKey, StoreError> {
    let part = |name: &str| match attributes.get(name) {
        Some(AttributeValue::S(value)) => Ok(value.clone()),
        _ => Err(StoreError::Failed(format!(
            "an item has no string `{name}`"
        ))),
    };
    Ok(ItemKey {
        guid: Guid::from_stored(part(GUID)?),
        date_received: Timestamp::from_stored(part(DATE_RECEIVED)?),
    })
}

/// Reads an item that anybody may have written: a row without a message is one with an empty message.
fn read_item(attributes: &Attributes) -> Result<Item, StoreError> {
    let message = match attributes.get(MESSAGE) {
        Some(AttributeValue::S(value)) => value.clone(),
        None => String::new(),
        Some(_) => {
            return Err(StoreError::Failed(format!(
                "an item's `{MESSAGE}` is not a string"
            )));
        }
    };
    Ok(Item {
        key: read_key(attributes)?,
        message,
    })
}

/// The condition as DynamoDB writes it. A missing item has no `GUID` and no `Message`, so that both say "exists".
fn expression(condition: &Condition) -> (&'static str, Option<AttributeValue>) {
    match condition {
        Condition::Exists => ("attribute_exists(#guid)", None),
        Condition::MessageIs(message) => (
            "attribute_exists(#guid) AND #message = :expected",
            Some(text(message)),
        ),
    }
}

/// What a refused condition means: with no old item there was nothing to change.
fn refused(old: Option<&Attributes>) -> Change {
    match old {
        Some(attributes) if !attributes.is_empty() => Change::Conflict,
        _ => Change::Missing,
    }
}

/// Sorts a failed call into the two kinds, by DynamoDB's error code.
fn failure<E, R>(operation: &'static str, error: &SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    let Some(code) = error.code() else {
        let cause = error
            .source()
            .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
        return StoreError::Failed(format!("{operation}: {cause}"));
    };
    let detail = format!(
        "{operation}: {code}: {}",
        error.message().unwrap_or_default()
    );
    if throttle::is_throttle(code) {
        StoreError::Throttled(detail)
    } else {
        StoreError::Failed(detail)
    }
}

#[async_trait]
impl ItemStore for DynamoDbStore {
    async fn put(&self, item: &Item) -> Result<(), StoreError> {
        self.noted(
            "PutItem",
            self.client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(item_attributes(item)))
                .send(),
        )
        .await
        .map(drop)
        .map_err(|error| failure("PutItem", &error))
    }

    async fn create(&self, item: &Item) -> Result<Creation, StoreError> {
        let result = self
            .noted(
                "PutItem",
                self.client
                    .put_item()
                    .table_name(&self.table)
                    .set_item(Some(item_attributes(item)))
                    .condition_expression("attribute_not_exists(#guid)")
                    .expression_attribute_names("#guid", GUID)
                    .send(),
            )
            .await;
        match result {
            Ok(_) => Ok(Creation::Created),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                Ok(Creation::AlreadyExists)
            }
            Err(error) => Err(failure("PutItem", &error)),
        }
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>, StoreError> {
        let output = self
            .noted(
                "GetItem",
                self.client
                    .get_item()
                    .table_name(&self.table)
                    .set_key(Some(key_attributes(key)))
                    .consistent_read(true)
                    .send(),
            )
            .await
            .map_err(|error| failure("GetItem", &error))?;
        output.item.as_ref().map(read_item).transpose()
    }

    async fn update(
        &self,
        key: &ItemKey,
        message: &str,
        condition: &Condition,
    ) -> Result<Change, StoreError> {
        let (expression, expected) = expression(condition);
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key_attributes(key)))
            .update_expression("SET #message = :message")
            .condition_expression(expression)
            .expression_attribute_names("#guid", GUID)
            .expression_attribute_names("#message", MESSAGE)
            .expression_attribute_values(":message", text(message))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some(expected) = expected {
            request = request.expression_attribute_values(":expected", expected);
        }
        self.conditionally(key, condition, || {
            let call = Box::pin(self.noted("UpdateItem", request.clone().send()));
            async {
                match call.await {
                    Ok(_) => Ok(Change::Applied),
                    Err(error) => error
                        .as_service_error()
                        .and_then(refused_update)
                        .ok_or_else(|| failure("UpdateItem", &error)),
                }
            }
        })
        .await
    }

    async fn delete(&self, key: &ItemKey, condition: &Condition) -> Result<Change, StoreError> {
        let (expression, expected) = expression(condition);
        let mut request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key_attributes(key)))
            .condition_expression(expression)
            .expression_attribute_names("#guid", GUID)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        // DynamoDB refuses a name or a value that its expression does not use.
        if let Some(expected) = expected {
            request = request
                .expression_attribute_names("#message", MESSAGE)
                .expression_attribute_values(":expected", expected);
        }
        self.conditionally(key, condition, || {
            let call = Box::pin(self.noted("DeleteItem", request.clone().send()));
            async {
                match call.await {
                    Ok(_) => Ok(Change::Applied),
                    Err(error) => error
                        .as_service_error()
                        .and_then(refused_delete)
                        .ok_or_else(|| failure("DeleteItem", &error)),
                }
            }
        })
        .await
    }

    async fn page(&self, limit: u16, after: Option<&ItemKey>) -> Result<Page, StoreError> {
        let output = self
            .noted(
                "Scan",
                self.client
                    .scan()
                    .table_name(&self.table)
                    .limit(limit.into())
                    .projection_expression("#guid, #date, #message")
                    .expression_attribute_names("#guid", GUID)
                    .expression_attribute_names("#date", DATE_RECEIVED)
                    .expression_attribute_names("#message", MESSAGE)
                    .set_exclusive_start_key(after.map(key_attributes))
                    .send(),
            )
            .await
            .map_err(|error| failure("Scan", &error))?;
        let items = output
            .items()
            .iter()
            .map(read_item)
            .collect::<Result<_, _>>()?;
        let last = output
            .last_evaluated_key
            .as_ref()
            .map(read_key)
            .transpose()?;
        Ok(Page { items, last })
    }

    /// Reads a key that no client can write, since its date is no date: half a read unit, and a permission that the
    /// service has anyway.
    async fn probe(&self) -> Result<(), StoreError> {
        let nowhere = ItemKey {
            guid: Guid::from_stored("-"),
            date_received: Timestamp::from_stored("-"),
        };
        self.noted(
            "GetItem",
            self.client
                .get_item()
                .table_name(&self.table)
                .set_key(Some(key_attributes(&nowhere)))
                .send(),
        )
        .await
        .map(drop)
        .map_err(|error| failure("GetItem", &error))
    }
}

fn refused_update(
    error: &aws_sdk_dynamodb::operation::update_item::UpdateItemError,
) -> Option<Change> {
    use aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException as Refused;
    match error {
        Refused(refusal) => Some(refused(refusal.item())),
        _ => None,
    }
}

fn refused_delete(
    error: &aws_sdk_dynamodb::operation::delete_item::DeleteItemError,
) -> Option<Change> {
    use aws_sdk_dynamodb::operation::delete_item::DeleteItemError::ConditionalCheckFailedException as Refused;
    match error {
        Refused(refusal) => Some(refused(refusal.item())),
        _ => None,
    }
}
