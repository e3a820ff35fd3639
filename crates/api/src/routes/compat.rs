//! What clients of the original call: its paths, statuses and shapes.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    AppState, Faults,
    body::LenientJson,
    path::{GuidText, KeyPath, MomentText},
};
use crate::{
    cursor,
    domain::{Guid, Item, ItemKey, Timestamp},
    problem::{Problem, ProblemDetails},
    store::{Change, Condition},
};

/// How many items are asked of the store at once. DynamoDB itself ends a page at 1 MB.
const SCAN_LIMIT: u16 = 1000;

/// The longest list, in bytes. Lambda carries at most 6 MB in an envelope of JSON, which can double the body.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_LIST_BYTES: usize = 3_000_000;

/// A greeting.
#[derive(Serialize, ToSchema)]
pub(super) struct Greeting {
    #[schema(value_type = String, example = "What a wonderful kind of day.")]
    message: &'static str,
}

/// A string as DynamoDB's typed JSON writes it.
#[derive(Serialize, ToSchema)]
pub(super) struct TypedText<'a> {
    #[serde(rename = "S")]
    s: &'a str,
}

/// An item in DynamoDB's typed JSON.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TypedItem<'a> {
    #[serde(rename = "GUID")]
    guid: TypedText<'a>,
    date_received: TypedText<'a>,
    message: TypedText<'a>,
}

impl<'a> From<&'a Item> for TypedItem<'a> {
    fn from(item: &'a Item) -> Self {
        let text = |s| TypedText { s };
        Self {
            guid: text(item.key.guid.as_str()),
            date_received: text(item.key.date_received.as_str()),
            message: text(&item.message),
        }
    }
}

/// The attributes that an update changed, in DynamoDB's typed JSON (`UPDATED_NEW`).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdatedAttributes<'a> {
    message: TypedText<'a>,
}

/// An item to store.
#[derive(ToSchema)]
#[schema(rename_all = "PascalCase")]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub(super) struct ItemToStore {
    /// A new UUID where it is left out.
    #[schema(rename = "GUID")]
    guid: Option<GuidText>,
    /// Now, where it is left out. RFC 3339; without an offset it is UTC.
    date_received: Option<MomentText>,
    #[schema(example = "hello")]
    message: String,
}

/// The key of an item and its new message.
#[derive(ToSchema)]
#[schema(rename_all = "PascalCase")]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub(super) struct ItemToUpdate {
    #[schema(rename = "GUID")]
    guid: GuidText,
    #[schema(example = "2024-05-01T12:00:00.123456")]
    date_received: MomentText,
    #[schema(example = "hello")]
    message: String,
}

/// Greets.
#[utoipa::path(get, path = "/", tag = "compat", responses((status = OK, body = Greeting)))]
pub(super) async fn greet() -> Json<Greeting> {
    Json(Greeting {
        message: "What a wonderful kind of day.",
    })
}

/// Lists the items of the table, in DynamoDB's typed JSON.
///
/// A list that would be longer than 3 MB ends early, and the header `Link` (rel `next`) leads on into `/v1/items`.
#[utoipa::path(
    get, path = "/dynamodb", tag = "compat",
    responses((status = OK, body = Vec<TypedItem>, headers(("Link" = String, description = "Where the list goes on, if it was cut"))))
)]
pub(super) async fn list(State(state): State<AppState>) -> Result<Response, Problem> {
    let mut body = b"[".to_vec();
    let mut shown: Option<ItemKey> = None;
    let mut after = None;
    loop {
        let page = state.store.page(SCAN_LIMIT, after.as_ref()).await?;
        for item in page.items {
            let json = serde_json::to_vec(&TypedItem::from(&item))
                .map_err(|error| Problem::unexpected(error.to_string()))?;
            if let Some(last) = &shown {
                if body.len() + json.len() > MAX_LIST_BYTES {
                    return Ok(finish_list(body, Some(last)));
                }
                body.push(b',');
            }
            body.extend_from_slice(&json);
            shown = Some(item.key);
        }
        after = page.last;
        if after.is_none() {
            return Ok(finish_list(body, None));
        }
    }
}

fn finish_list(mut body: Vec<u8>, cut_after: Option<&ItemKey>) -> Response {
    body.push(b']');
    let json = HeaderValue::from_static("application/json");
    let mut response = ([(header::CONTENT_TYPE, json)], body).into_response();
    if let Some(key) = cut_after {
        let link = format!("</v1/items?cursor={}>; rel=\"next\"", cursor::encode(key));
        if let Ok(link) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    response
}

/// Stores an item, over one with the same key if there is one.
///
/// Fields that the service does not know are ignored, as they were in the original.
#[utoipa::path(
    post, path = "/dynamodb", tag = "compat",
    request_body = ItemToStore,
    responses(
        (status = NO_CONTENT, description = "Stored"),
        (status = BAD_REQUEST, description = "The body is not JSON", body = ProblemDetails, content_type = "application/problem+json"),
        (status = PAYLOAD_TOO_LARGE, description = "The body is over 256 KB", body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNSUPPORTED_MEDIA_TYPE, description = "The body is of another type", body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, description = "Fields are wrong", body = ProblemDetails, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, description = "The table is throttled", body = ProblemDetails, content_type = "application/problem+json")
    )
)]
pub(super) async fn store(
    State(state): State<AppState>,
    LenientJson(mut body): LenientJson,
) -> Result<StatusCode, Problem> {
    let mut faults = Faults::default();
    let guid = body.guid_or_new("GUID", &mut faults);
    let date = match body.optional("DateReceived", &mut faults) {
        Some(Some(text)) => faults.take("DateReceived", Timestamp::parse_lenient(&text)),
        Some(None) => Some(Timestamp::now()),
        None => None,
    };
    let message = body.required("Message", &mut faults);
    let ((guid, date_received), message) = faults.settle(guid.zip(date).zip(message))?;
    let key = ItemKey {
        guid,
        date_received,
    };
    state.store.put(&Item { key, message }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the message of an item that exists.
#[utoipa::path(
    put, path = "/dynamodb", tag = "compat",
    request_body = ItemToUpdate,
    responses(
        (status = OK, description = "The attributes that were changed", body = UpdatedAttributes),
        (status = BAD_REQUEST, description = "The body is not JSON", body = ProblemDetails, content_type = "application/problem+json"),
        (status = NOT_FOUND, description = "There is no such item", body = ProblemDetails, content_type = "application/problem+json"),
        (status = PAYLOAD_TOO_LARGE, description = "The body is over 256 KB", body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNSUPPORTED_MEDIA_TYPE, description = "The body is of another type", body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, description = "Fields are wrong", body = ProblemDetails, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, description = "The table is throttled", body = ProblemDetails, content_type = "application/problem+json")
    )
)]
pub(super) async fn update(
    State(state): State<AppState>,
    LenientJson(mut body): LenientJson,
) -> Result<Response, Problem> {
    let mut faults = Faults::default();
    let guid = body
        .required("GUID", &mut faults)
        .and_then(|text| faults.take("GUID", Guid::parse(&text)));
    let date = body
        .required("DateReceived", &mut faults)
        .and_then(|text| faults.take("DateReceived", Timestamp::parse_lenient(&text)));
    let message = body.required("Message", &mut faults);
    let ((guid, date_received), message) = faults.settle(guid.zip(date).zip(message))?;
    let key = ItemKey {
        guid,
        date_received,
    };
    let change = state.store.update(&key, &message, &Condition::Exists);
    match change.await? {
        Change::Applied => Ok(Json(UpdatedAttributes {
            message: TypedText { s: &message },
        })
        .into_response()),
        Change::Missing | Change::Conflict => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "there is no item with this GUID and DateReceived",
        )),
    }
}

/// Deletes an item; one that is already gone is as good as deleted.
#[utoipa::path(
    delete, path = "/dynamodb/{guid}/{date_received}", tag = "compat",
    params(
        ("guid" = GuidText, Path, description = "The item's GUID"),
        ("date_received" = MomentText, Path, description = "The item's date; without an offset it is UTC")
    ),
    responses(
        (status = NO_CONTENT, description = "Deleted, or never there"),
        (status = UNPROCESSABLE_ENTITY, description = "The path is no key", body = ProblemDetails, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, description = "The table is throttled", body = ProblemDetails, content_type = "application/problem+json")
    )
)]
pub(super) async fn delete(
    State(state): State<AppState>,
    path: KeyPath,
) -> Result<StatusCode, Problem> {
    let mut faults = Faults::default();
    let key = path.key(Timestamp::parse_lenient, &mut faults);
    let key = faults.settle(key)?;
    state.store.delete(&key, &Condition::Exists).await?;
    Ok(StatusCode::NO_CONTENT)
}
