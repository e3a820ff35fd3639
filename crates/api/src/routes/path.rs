//! The key of an item as a path carries it.

use axum::extract::{FromRequestParts, Path};
use http::{StatusCode, request::Parts};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Faults;
use crate::{
    domain::{Guid, ItemKey, Timestamp},
    problem::Problem,
};

/// What identifies an item: any text that a path can carry.
#[derive(Deserialize, ToSchema)]
#[schema(
    as = Guid, min_length = 1, max_length = 2048, pattern = r"^(?!\.{1,2}$)[^/\\?#%\x00-\x1f\x7f-\x9f]+$",
    example = "9f0a7a9e-3c47-4b1c-9f0e-0d5b3f6a1c2d"
)]
#[expect(dead_code, reason = "describes a text, which is read as such")]
pub(super) struct GuidText(String);

/// A date and time, RFC 3339.
#[derive(Deserialize, ToSchema)]
#[schema(as = Moment, format = DateTime, example = "2024-05-01T12:00:00Z")]
#[expect(dead_code, reason = "describes a text, which is read as such")]
pub(super) struct MomentText(String);

/// `{guid}/{date_received}`, percent-decoded and not yet checked.
pub(super) struct KeyPath {
    guid: String,
    date_received: String,
}

impl KeyPath {
    /// Checks both parts. `parse_date` is the face's own reading of dates.
    pub(super) fn key(
        &self,
        parse_date: fn(&str) -> Result<Timestamp, &'static str>,
        faults: &mut Faults,
    ) -> Option<ItemKey> {
        let guid = faults.take("guid", Guid::parse(&self.guid));
        let date_received = faults.take("date_received", parse_date(&self.date_received));
        Some(ItemKey {
            guid: guid?,
            date_received: date_received?,
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for KeyPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((guid, date_received)) = path.map_err(|_| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "the path is not percent-encoded UTF-8",
            )
        })?;
        Ok(Self {
            guid,
            date_received,
        })
    }
}
