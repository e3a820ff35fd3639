//! What is wrong with one field of a request.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

/// One fault of one field, as a 422 lists it under `errors`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// The field as the client wrote it: a key of the body, a query parameter or a part of the path.
    #[schema(value_type = String, example = "date_received")]
    pub field: Cow<'static, str>,
    /// What a value must be; never the value itself.
    #[schema(value_type = String, example = "must be an RFC 3339 date and time, such as 2024-05-01T12:00:00Z")]
    pub message: Cow<'static, str>,
}

impl Fault {
    /// A fault of `field`.
    pub fn new(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}
