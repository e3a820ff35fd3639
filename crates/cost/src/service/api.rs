//! API Gateway.

use rust_decimal::Decimal;

use super::{Billed, Charge, Subject, units};

/// An HTTP API counts each 512 KB of a request as one.
///
/// See [pricing](https://aws.amazon.com/api-gateway/pricing/).
const METERED_KB: u32 = 512;

const KB_OF_GB: u32 = 1024 * 1024;

pub(super) fn http(subject: &mut Subject<'_>) -> Billed {
    let protocol = subject.text(&["ProtocolType"], "HTTP");
    if protocol != "HTTP" {
        return Billed::NotPriced(format!("there is no rule for {protocol} APIs"));
    }
    let requests = subject.usage("http_api.requests");
    let metered = requests * units(subject.usage("http_api.request_kb"), METERED_KB);
    let sent = requests * subject.usage("http_api.response_kb") / Decimal::from(KB_OF_GB);
    Billed::For(vec![
        Charge {
            item: "http-api-requests",
            quantity: metered,
        },
        Charge {
            item: "transfer-out",
            quantity: sent,
        },
    ])
}

pub(super) fn rest(subject: &mut Subject<'_>) -> Billed {
    let requests = subject.usage("rest_api.requests");
    let sent = requests * subject.usage("rest_api.response_kb") / Decimal::from(KB_OF_GB);
    Billed::For(vec![
        Charge {
            item: "rest-api-requests",
            quantity: requests,
        },
        Charge {
            item: "transfer-out",
            quantity: sent,
        },
    ])
}
