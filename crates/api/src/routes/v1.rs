//! The modern face: plain JSON, cursors, entity tags.

use std::fmt::Write;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    AppState, Faults,
    body::StrictJson,
    path::{GuidText, KeyPath, MomentText},
};
use crate::{
    cursor,
    domain::{Fault, Item, ItemKey, Timestamp},
    problem::{Problem, ProblemDetails},
    store::{Change, Condition, Creation},
};

const DEFAULT_LIMIT: u16 = 20;
const MAX_LIMIT: u16 = 100;

/// An item.
#[derive(Serialize, ToSchema)]
#[schema(as = Item)]
pub(super) struct ItemView {
    #[schema(example = "9f0a7a9e-3c47-4b1c-9f0e-0d5b3f6a1c2d")]
    guid: String,
    #[schema(example = "2024-05-01T12:00:00.000000Z")]
    date_received: String,
    #[schema(example = "hello")]
    message: String,
}

impl From<Item> for ItemView {
    fn from(item: Item) -> Self {
        Self {
            guid: item.key.guid.to_string(),
            date_received: item.key.date_received.to_string(),
            message: item.message,
        }
    }
}

/// A part of the list.
#[derive(Serialize, ToSchema)]
pub(super) struct ItemPage {
    items: Vec<ItemView>,
    /// What to send as `cursor` for the next page; null at the end. The next page may be empty.
    next_cursor: Option<String>,
}

/// An item to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub(super) struct NewItem {
    /// A new UUID where it is left out.
    guid: Option<GuidText>,
    /// Now, where it is left out. RFC 3339, with an offset.
    date_received: Option<MomentText>,
    #[schema(example = "hello")]
    message: String,
}

/// What to change of an item.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub(super) struct ItemPatch {
    #[schema(example = "hello again")]
    message: String,
}

/// Lists items, a page at a time, in no order that a client can rely on.
#[utoipa::path(
    get, path = "/v1/items", tag = "v1",
    params(
        ("limit" = Option<u16>, Query, description = "The most items of a page", minimum = 1, maximum = 100, example = 20),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before")
    ),
    responses(
        (status = OK, body = ItemPage),
        (status = UNPROCESSABLE_ENTITY, description = "A parameter is wrong", body = ProblemDetails, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, description = "The table is throttled", body = ProblemDetails, content_type = "application/problem+json")
    )
)]
pub(super) async fn list(
    State(state): State<AppState>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<ItemPage>, Problem> {
    let Query(parameters) = query.map_err(|_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "the query is not percent-encoded UTF-8",
        )
    })?;
    let (limit, after) = read_paging(parameters)?;
    let page = state.store.page(limit, after.as_ref()).await?;
    Ok(Json(ItemPage {
        items: page.items.into_iter().map(ItemView::from).collect(),
        next_cursor: page.last.as_ref().map(cursor::encode),
    }))
}

fn read_paging(parameters: Vec<(String, String)>) -> Result<(u16, Option<ItemKey>), Problem> {
    let mut faults = Faults::default();
    let (mut limit, mut after) = (None, None);
    for (name, value) in parameters {
        match name.as_str() {
            "limit" if limit.is_some() => {
                let _: Option<()> = faults.take("limit", Err("must be given once"));
            }
            "cursor" if after.is_some() => {
                let _: Option<()> = faults.take("cursor", Err("must be given once"));
            }
            "limit" => limit = Some(faults.take("limit", read_limit(&value))),
            "cursor" => after = Some(faults.take("cursor", cursor::decode(&value))),
            _ => faults.0.push(Fault::new(
                name,
                "is not a known parameter; `limit` and `cursor` are",
            )),
        }
    }
    let limit = limit.flatten().unwrap_or(DEFAULT_LIMIT);
    faults.settle(Some((limit, after.flatten())))
}

fn read_limit(text: &str) -> Result<u16, &'static str> {
    let limit = text.parse().ok();
    limit
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or("must be a whole number from 1 to 100")
}

/// Creates an item whose key is not taken.
#[utoipa::path(
    post, path = "/v1/items", tag = "v1",
    request_body = NewItem,
    responses(
        (status = CREATED, body = ItemView, headers(
            ("Location" = String, description = "The path of the item"),
            ("ETag" = String, description = "The state of the item")
        )),
        (status = BAD_REQUEST, description = "The body is not JSON", body = ProblemDetails, content_type = "application/problem+json"),
        (status = CONFLICT, description = "The key is taken", body = ProblemDetails, content_type = "application/problem+json"),
        (status = PAYLOAD_TOO_LARGE, description = "The body is over 256 KB", body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNSUPPORTED_MEDIA_TYPE, description = "The body is of another type", body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, description = "Fields are wrong", body = ProblemDetails, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, description = "The table is throttled", body = ProblemDetails, content_type = "application/problem+json")
    )
)]
pub(super) async fn create(
    State(state): State<AppState>,
    StrictJson(mut body): StrictJson,
) -> Result<Response, Problem> {
    let mut faults = Faults::default();
    let guid = body.guid_or_new("guid", &mut faults);
    let date = match body.optional("date_received", &mut faults) {
        Some(Some(text)) => faults.take("date_received", Timestamp::parse(&text)),
        Some(None) => Some(Timestamp::now()),
        None => None,
    };
    let message = body.required("message", &mut faults);
    body.refuse_rest(&mut faults);
    let ((guid, date_received), message) = faults.settle(guid.zip(date).zip(message))?;
    let key = ItemKey {
        guid,
        date_received,
    };
    let item = Item { key, message };
    match state.store.create(&item).await? {
        Creation::Created => {
            let location = location(&item.key);
            let mut response = tagged(StatusCode::CREATED, item);
            if let Ok(location) = HeaderValue::from_str(&location) {
                response.headers_mut().insert(header::LOCATION, location);
            }
            Ok(response)
        }
        Creation::AlreadyExists => Err(Problem::new(
            StatusCode::CONFLICT,
            "there is an item with this guid and date_received already",
        )),
    }
}

/// Reads one item.
#[utoipa::path(
    get, path = "/v1/items/{guid}/{date_received}", tag = "v1",
    params(
        ("guid" = GuidText, Path, description = "The item's guid"),
        ("date_received" = MomentText, Path, description = "The item's date, RFC 3339"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of the state that the client has")
    ),
    responses(
        (status = OK, body = ItemView, headers(("ETag" = String, description = "The state of the item"))),
        (status = NOT_MODIFIED, description = "The client has this state"),
        (status = NOT_FOUND, description = "There is no such item", body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, description = "The path is no key", body = ProblemDetails, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, description = "The table is throttled", body = ProblemDetails, content_type = "application/problem+json")
    )
)]
pub(super) async fn read(
    State(state): State<AppState>,
    path: KeyPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut faults = Faults::default();
    let key = path.key(Timestamp::parse, &mut faults);
    let key = faults.settle(key)?;
    let item = state.store.get(&key).await?.ok_or_else(missing)?;
    let etag = item.etag();
    match joined(&headers, &header::IF_NONE_MATCH) {
        Some(seen) if etag.meets_if_none_match(&seen) => {
            Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag.to_string())]).into_response())
        }
        _ => Ok(tagged(StatusCode::OK, item)),
    }
}

/// Changes the message of an item; with `If-Match`, only in the state that the client saw.
#[utoipa::path(
    patch, path = "/v1/items/{guid}/{date_received}", tag = "v1",
    params(
        ("guid" = GuidText, Path, description = "The item's guid"),
        ("date_received" = MomentText, Path, description = "The item's date, RFC 3339"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the state to change")
    ),
    request_body = ItemPatch,
    responses(
        (status = OK, body = ItemView, headers(("ETag" = String, description = "The state of the item"))),
        (status = BAD_REQUEST, description = "The body is not JSON", body = ProblemDetails, content_type = "application/problem+json"),
        (status = NOT_FOUND, description = "There is no such item", body = ProblemDetails, content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, description = "The item is in another state", body = ProblemDetails, content_type = "application/problem+json"),
        (status = PAYLOAD_TOO_LARGE, description = "The body is over 256 KB", body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNSUPPORTED_MEDIA_TYPE, description = "The body is of another type", body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, description = "Fields are wrong", body = ProblemDetails, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, description = "The table is throttled", body = ProblemDetails, content_type = "application/problem+json")
    )
)]
pub(super) async fn update(
    State(state): State<AppState>,
    path: KeyPath,
    headers: HeaderMap,
    StrictJson(mut body): StrictJson,
) -> Result<Response, Problem> {
    let mut faults = Faults::default();
    let key = path.key(Timestamp::parse, &mut faults);
    let message = body.required("message", &mut faults);
    body.refuse_rest(&mut faults);
    let (key, message) = faults.settle(key.zip(message))?;
    let condition = condition(&state, &key, &headers).await?;
    let change = state.store.update(&key, &message, &condition);
    applied(change.await?)?;
    Ok(tagged(StatusCode::OK, Item { key, message }))
}

/// Deletes an item; with `If-Match`, only in the state that the client saw.
#[utoipa::path(
    delete, path = "/v1/items/{guid}/{date_received}", tag = "v1",
    params(
        ("guid" = GuidText, Path, description = "The item's guid"),
        ("date_received" = MomentText, Path, description = "The item's date, RFC 3339"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the state to delete")
    ),
    responses(
        (status = NO_CONTENT, description = "Deleted"),
        (status = NOT_FOUND, description = "There is no such item", body = ProblemDetails, content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, description = "The item is in another state", body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, description = "The path is no key", body = ProblemDetails, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, description = "The table is throttled", body = ProblemDetails, content_type = "application/problem+json")
    )
)]
pub(super) async fn delete(
    State(state): State<AppState>,
    path: KeyPath,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let mut faults = Faults::default();
    let key = path.key(Timestamp::parse, &mut faults);
    let key = faults.settle(key)?;
    let condition = condition(&state, &key, &headers).await?;
    applied(state.store.delete(&key, &condition).await?)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Turns `If-Match` into the condition of the write that follows.
///
/// The tag is a hash, so that the item is read to compare it; the write is then conditional on the message that was
/// read, and a change in between is refused by the table itself.
async fn condition(
    state: &AppState,
    key: &ItemKey,
    headers: &HeaderMap,
) -> Result<Condition, Problem> {
    let Some(seen) = joined(headers, &header::IF_MATCH) else {
        return Ok(Condition::Exists);
    };
    if seen.trim() == "*" {
        return Ok(Condition::Exists);
    }
    let item = state.store.get(key).await?.ok_or_else(missing)?;
    if item.etag().meets_if_match(&seen) {
        Ok(Condition::MessageIs(item.message))
    } else {
        Err(changed())
    }
}

/// All values of a header as one list; a value that is not text matches nothing.
fn joined(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let values: Vec<&str> = headers
        .get_all(name)
        .iter()
        .map(|value| value.to_str().unwrap_or_default())
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn applied(change: Change) -> Result<(), Problem> {
    match change {
        Change::Applied => Ok(()),
        Change::Missing => Err(missing()),
        Change::Conflict => Err(changed()),
    }
}

fn missing() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "there is no item with this guid and date_received",
    )
}

fn changed() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "the item is in another state than If-Match names; read it again",
    )
}

fn tagged(status: StatusCode, item: Item) -> Response {
    let etag = item.etag().to_string();
    (status, [(header::ETAG, etag)], Json(ItemView::from(item))).into_response()
}

/// The path of an item, with everything but unreserved characters and `:` percent-encoded.
fn location(key: &ItemKey) -> String {
    let mut path = String::from("/v1/items");
    for part in [key.guid.as_str(), key.date_received.as_str()] {
        path.push('/');
        for byte in part.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
                path.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                let _ = write!(path, "%{byte:02X}");
            }
        }
    }
    path
}
