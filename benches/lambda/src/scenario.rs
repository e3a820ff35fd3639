//! The events, with the answers that they must get.
//!
//! Their paths are those of the original service, so that a rival in another language can be measured by them.

use bytes::Bytes;
use serde_json::{Value, json};

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// `GET /`: no table.
    Get,
    /// `POST /dynamodb`: writes an item over the one that is there.
    Post,
    /// `PUT /dynamodb`: changes that item.
    Put,
    /// `GET /dynamodb`: a page of twenty items.
    Page,
    /// `DELETE /dynamodb/…`: of an item that is not there.
    Delete,
}

const GUID: &str = "00000000-0000-4000-8000-000000000001";
const DATE: &str = "2024-05-01T12:00:00.000000Z";

impl Scenario {
    /// All of them, in the order in which they are measured.
    pub const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Page, Self::Delete];

    /// The scenario's name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Page => "page",
            Self::Delete => "delete",
        }
    }

    /// The event, in payload format 2.0.
    ///
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>
    #[must_use]
    pub fn event(self) -> Bytes {
        let item = json!({"GUID": GUID, "DateReceived": DATE, "Message": "hello world"});
        let gone = format!("/dynamodb/00000000-0000-4000-8000-00000000dead/{DATE}");
        let (method, path, body) = match self {
            Self::Get => ("GET", "/", None),
            Self::Post => ("POST", "/dynamodb", Some(item)),
            Self::Put => ("PUT", "/dynamodb", Some(item)),
            Self::Page => ("GET", "/dynamodb", None),
            Self::Delete => ("DELETE", gone.as_str(), None),
        };
        let domain = "a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com";
        let mut event = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {
                "accept": "*/*",
                "content-type": "application/json",
                "host": domain,
                "user-agent": "curl/8.5.0",
                "x-amzn-trace-id": "Root=1-65f0a0b1-0123456789abcdef01234567",
                "x-forwarded-for": "192.0.2.1",
                "x-forwarded-port": "443",
                "x-forwarded-proto": "https"
            },
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "a1b2c3d4e5",
                "domainName": domain,
                "domainPrefix": "a1b2c3d4e5",
                "http": {
                    "method": method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1",
                    "userAgent": "curl/8.5.0"
                },
                "requestId": "JKJaXmPLvHcESHA=",
                "routeKey": "$default",
                "stage": "$default",
                "time": "01/May/2024:12:00:00 +0000",
                "timeEpoch": 1_714_564_800_000_u64
            },
            "isBase64Encoded": false
        });
        if let Some(body) = body {
            event["body"] = Value::String(body.to_string());
        }
        Bytes::from(event.to_string())
    }

    /// Whether `answer` is one to this event: the status, and the number of items where there are some.
    #[must_use]
    pub fn is_answered_by(self, answer: &[u8]) -> bool {
        let Ok(answer) = serde_json::from_slice::<Value>(answer) else {
            return false;
        };
        let status = answer["statusCode"].as_u64();
        let body = answer["body"].as_str().unwrap_or_default();
        match self {
            Self::Get | Self::Put => status == Some(200),
            Self::Post | Self::Delete => status.is_some_and(|status| (200..=204).contains(&status)),
            Self::Page => {
                let items: Option<Vec<Value>> = serde_json::from_str(body).ok();
                status == Some(200) && items.is_some_and(|items| items.len() == ITEMS)
            }
        }
    }
}

/// How many items the table holds.
pub(crate) const ITEMS: usize = 20;

/// The items, as `PutItem` takes them. The first is the one that is written over.
pub(crate) fn items() -> impl Iterator<Item = Value> {
    (1..=ITEMS).map(|number| {
        json!({
            "GUID": {"S": format!("00000000-0000-4000-8000-{number:012}")},
            "DateReceived": {"S": DATE},
            "Message": {"S": format!("message {number}")}
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_answer_is_told_from_a_right_one() {
        let right = |scenario: Scenario, answer: Value| {
            scenario.is_answered_by(answer.to_string().as_bytes())
        };
        assert!(right(
            Scenario::Get,
            json!({"statusCode": 200, "body": "x"})
        ));
        assert!(!right(Scenario::Get, json!({"statusCode": 500})));
        assert!(right(Scenario::Post, json!({"statusCode": 204})));
        assert!(!right(
            Scenario::Page,
            json!({"statusCode": 200, "body": "[]"})
        ));
        assert!(!Scenario::Get.is_answered_by(b"no json"));
    }

    #[test]
    fn the_written_item_is_one_of_the_table() {
        assert_eq!(items().next().unwrap()["GUID"]["S"], GUID);
        assert_eq!(items().count(), ITEMS);
    }
}
