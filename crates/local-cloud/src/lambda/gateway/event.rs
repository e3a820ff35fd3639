//! A request as an event.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Version, header};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use uuid::Uuid;

use super::Refusal;

/// Headers that are about one connection, and end at the gateway.
pub(super) const OF_THE_CONNECTION: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::EXPECT,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The time of a request as access logs write it: `12/Mar/2020:19:03:58 +0000`.
const TIME: &[BorrowedFormatItem<'_>] = format_description!(
    "[day]/[month repr:short]/[year]:[hour]:[minute]:[second] [offset_hour sign:mandatory][offset_minute]"
);

const DEFAULT: &str = "$default";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: &'static str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    headers: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<Cow<'a, str>, String>,
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'static str,
    api_id: &'static str,
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: Http<'a>,
    request_id: String,
    route_key: &'static str,
    stage: &'static str,
    time: String,
    time_epoch: i128,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    source_ip: IpAddr,
    user_agent: Cow<'a, str>,
}

/// Writes the event of a request that `client` sent at `now`.
pub(super) fn write(
    parts: &Parts,
    body: &Bytes,
    client: IpAddr,
    id: Uuid,
    now: OffsetDateTime,
) -> Result<Bytes, Refusal> {
    let path = percent_decode_str(parts.uri.path())
        .decode_utf8()
        .map_err(|_| Refusal::Malformed)?;
    if !path.starts_with('/') {
        return Err(Refusal::Malformed);
    }
    let query = parts.uri.query().unwrap_or_default();
    let authority = parts.headers.get(header::HOST);
    let authority = authority.and_then(|host| host.to_str().ok());
    let domain = authority
        .or(parts.uri.host())
        .map_or("localhost", without_port);
    let text = text_of(&parts.headers, body);
    let event = Event {
        version: "2.0",
        route_key: DEFAULT,
        raw_path: &path,
        raw_query_string: query,
        cookies: cookies(&parts.headers),
        headers: headers(&parts.headers, body, client, id, now),
        query_string_parameters: parameters(query),
        request_context: RequestContext {
            account_id: "000000000000",
            api_id: "local",
            domain_name: domain,
            domain_prefix: domain.split('.').next().unwrap_or(domain),
            http: Http {
                method: parts.method.as_str(),
                path: &path,
                protocol: protocol(parts.version),
                source_ip: client,
                user_agent: parts
                    .headers
                    .get(header::USER_AGENT)
                    .map_or(Cow::Borrowed(""), |agent| {
                        String::from_utf8_lossy(agent.as_bytes())
                    }),
            },
            request_id: id.to_string(),
            route_key: DEFAULT,
            stage: DEFAULT,
            time: now.format(TIME).unwrap_or_default(),
            time_epoch: now.unix_timestamp_nanos() / 1_000_000,
        },
        is_base64_encoded: text.is_none(),
        body: match text {
            _ if body.is_empty() => None,
            Some(text) => Some(Cow::Borrowed(text)),
            None => Some(Cow::Owned(BASE64_STANDARD.encode(body))),
        },
    };
    serde_json::to_vec(&event)
        .map(Bytes::from)
        .map_err(|_| Refusal::Malformed)
}

/// The body where it is handed over as text; all else is base64.
fn text_of<'a>(headers: &HeaderMap, body: &'a Bytes) -> Option<&'a str> {
    let is_text = match headers.get(header::CONTENT_TYPE) {
        None => true,
        Some(_) if body.is_empty() => true,
        Some(value) => value.to_str().is_ok_and(is_text_type),
    };
    is_text.then(|| str::from_utf8(body).ok()).flatten()
}

fn is_text_type(value: &str) -> bool {
    let essence = value.split(';').next().unwrap_or(value).trim();
    let essence = essence.to_ascii_lowercase();
    essence.starts_with("text/")
        || matches!(
            essence.as_str(),
            "application/json" | "application/javascript" | "application/xml"
        )
}

/// Each cookie of every cookie header.
fn cookies(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|value| {
            String::from_utf8_lossy(value.as_bytes())
                .split(';')
                .map(|cookie| cookie.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

/// The headers but cookies, each once with its values joined by commas, and those that the gateway adds.
fn headers<'a>(
    given: &'a HeaderMap,
    body: &Bytes,
    client: IpAddr,
    id: Uuid,
    now: OffsetDateTime,
) -> BTreeMap<&'a str, String> {
    let mut headers: BTreeMap<&str, String> = given
        .keys()
        .filter(|name| **name != header::COOKIE && !OF_THE_CONNECTION.contains(name))
        .map(|name| {
            let values: Vec<_> = given
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()))
                .collect();
            (name.as_str(), values.join(","))
        })
        .collect();
    if !body.is_empty() {
        headers.insert("content-length", body.len().to_string());
    }
    headers
        .entry("x-forwarded-for")
        .and_modify(|before| *before = format!("{before}, {client}"))
        .or_insert_with(|| client.to_string());
    headers.insert("x-forwarded-proto", "http".to_owned());
    headers.entry("x-amzn-trace-id").or_insert_with(|| {
        let seconds = now.unix_timestamp();
        format!("Root=1-{seconds:08x}-{}", &id.simple().to_string()[..24])
    });
    headers
}

/// The query decoded, each name once with its values joined by commas.
fn parameters(query: &str) -> BTreeMap<Cow<'_, str>, String> {
    let mut parameters: BTreeMap<Cow<'_, str>, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name)
            .and_modify(|before| {
                before.push(',');
                before.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    parameters
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        _ => "HTTP/1.1",
    }
}
