//! The description of the service: `/openapi.json` for machines, `/docs` for people.
//!
//! Both are files beside this one, drawn from the handlers by the test below: what draws them is no part of the service,
//! where it would be a twentieth of the package.

#[cfg(test)]
mod page;

use axum::{
    Router,
    response::{Html, IntoResponse},
    routing::get,
};
use http::header;

const OPENAPI: &str = include_str!("docs/openapi.json");
const PAGE: &str = include_str!("docs/page.html");

/// The page has its style inside and runs no script.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The routes of both forms.
pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/openapi.json", get(for_machines))
        .route("/docs", get(for_people))
}

async fn for_machines() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}

async fn for_people() -> impl IntoResponse {
    ([(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)], Html(PAGE))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use serde_json::Value;

    use super::page;

    /// Whether JSON keeps its order or sorts it is a feature of `serde_json`, which any crate of the workspace may turn on.
    fn sorted(value: Value) -> Value {
        match value {
            Value::Object(entries) => {
                let mut entries: Vec<_> = entries.into_iter().collect();
                entries.sort_by(|(one, _), (other, _)| one.cmp(other));
                let sorted = entries
                    .into_iter()
                    .map(|(name, value)| (name, sorted(value)));
                Value::Object(sorted.collect())
            }
            Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
            other => other,
        }
    }

    /// Writes what differs, and fails: the next run passes, and the commit shows what changed for clients.
    #[test]
    fn the_files_follow_from_the_handlers() {
        let api = sorted(serde_json::json!(crate::openapi()));
        let json = format!("{api:#}\n");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes/docs");
        let mut stale = Vec::new();
        for (name, drawn) in [("openapi.json", json), ("page.html", page::render(&api))] {
            let path = folder.join(name);
            if fs::read_to_string(&path).unwrap_or_default() != drawn {
                fs::write(&path, drawn).unwrap();
                stale.push(name);
            }
        }
        assert!(
            stale.is_empty(),
            "{stale:?} did not follow from the handlers and were written anew: look at the change and commit it"
        );
    }
}
