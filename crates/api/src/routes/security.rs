//! Who may call: the bearer token before the guarded routes, and what the description says of it.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};
use utoipa::{
    Modify,
    openapi::{
        Content, Object, OpenApi, RefOr, ResponseBuilder,
        header::HeaderBuilder,
        path::{Operation, PathItem},
        schema::{Ref, SchemaType, Type},
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

use crate::{problem::Problem, token::TokenGuard};

/// The scheme's name in the description.
const SCHEME: &str = "token";
/// The challenge to a request without a token.
///
/// <https://www.rfc-editor.org/rfc/rfc6750#section-3>
const CHALLENGE: &str = "Bearer realm=\"stackway\"";
const CHALLENGE_AGAIN: &str = "Bearer realm=\"stackway\", error=\"invalid_token\"";

/// Lets a request through that has the token.
pub(super) async fn ask(
    State(tokens): State<Arc<TokenGuard>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(offered) = bearer(request.headers()) else {
        return Problem::unauthorized(
            CHALLENGE,
            "this path takes a token: send `Authorization: Bearer TOKEN`",
        )
        .into_response();
    };
    match tokens.admits(offered).await {
        Ok(true) => next.run(request).await,
        Ok(false) => Problem::unauthorized(
            CHALLENGE_AGAIN,
            "the token is not one of this service, or no longer",
        )
        .into_response(),
        Err(error) => Problem::unavailable(
            "the token cannot be checked at the moment; try again after the time in Retry-After",
            error.to_string(),
        )
        .into_response(),
    }
}

/// The token that a request offers: one header, whose scheme may be in any case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, more) = (values.next()?, values.next());
    if more.is_some() {
        return None;
    }
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Says of each guarded path that it takes the token, or none where the service has none.
pub(super) struct Guarded;

impl Modify for Guarded {
    fn modify(&self, openapi: &mut OpenApi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.description = Some(
            "Asked for where the service was deployed with a token; else every path is open."
                .to_owned(),
        );
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme(SCHEME, SecurityScheme::Http(scheme));
        for path in super::GUARDED {
            let Some(item) = openapi.paths.paths.get_mut(*path) else {
                continue;
            };
            for operation in operations(item) {
                operation.security = Some(vec![
                    SecurityRequirement::new(SCHEME, Vec::<String>::new()),
                    SecurityRequirement::default(),
                ]);
                let refusals = &mut operation.responses.responses;
                refusals.insert("401".to_owned(), RefOr::T(refusal()));
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .filter_map(Option::as_mut)
}

fn refusal() -> utoipa::openapi::Response {
    let text = Object::with_type(SchemaType::Type(Type::String));
    let challenge = HeaderBuilder::new()
        .schema(Some(text))
        .description(Some("The challenge: Bearer"))
        .build();
    ResponseBuilder::new()
        .description("The token is missing, or not one of this service")
        .header("WWW-Authenticate", challenge)
        .content(
            "application/problem+json",
            Content::new(Some(Ref::from_schema_name("Problem"))),
        )
        .build()
}
