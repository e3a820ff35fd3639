//! Metrics in CloudWatch's embedded format: members of a request's own line in the log, from which CloudWatch takes them.
//! Nothing is called on a request's path, and no second line is written or paid for.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicBool, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// The member of a line that says which of the others are metrics.
pub(crate) const MEMBER: &str = "_aws";
/// The target of lines that have it.
pub(crate) const TARGET: &str = "stackway_api::request";

/// By what a request's metrics can be told apart. Each metric of each value is one that CloudWatch bills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// By the service alone: six metrics.
    Service,
    /// The time that requests took by route too: one metric more for each route in use.
    Route,
}

/// What a request's line has of metrics.
#[derive(Debug)]
pub struct Metrics {
    service: String,
    detail: Detail,
    /// Whether the next request is the first of a process that was started for it.
    cold: AtomicBool,
}

/// The metrics of the service, and those of a route. Their members are the line's own.
const SERVICE: &str = r#"{"Namespace":"stackway","Dimensions":[["service"]],"Metrics":[{"Name":"duration_ms","Unit":"Milliseconds"},{"Name":"table_ms","Unit":"Milliseconds"},{"Name":"table_throttles","Unit":"Count"},{"Name":"client_errors","Unit":"Count"},{"Name":"server_errors","Unit":"Count"},{"Name":"cold_starts","Unit":"Count"}]}"#;
const ROUTE: &str = r#",{"Namespace":"stackway","Dimensions":[["service","route"]],"Metrics":[{"Name":"duration_ms","Unit":"Milliseconds"}]}"#;

impl Metrics {
    /// `service` tells this one from others: under Lambda the function's name. A process that was started ahead of its
    /// requests has no cold start.
    pub fn new(service: String, detail: Detail, started_ahead: bool) -> Self {
        Self {
            service,
            detail,
            cold: AtomicBool::new(!started_ahead),
        }
    }

    pub(crate) fn service(&self) -> &str {
        &self.service
    }

    /// 1 for the request that a process was started for, else 0.
    pub(crate) fn cold_start(&self) -> u64 {
        u64::from(self.cold.load(Ordering::Relaxed) && self.cold.swap(false, Ordering::Relaxed))
    }

    /// What tells CloudWatch which members of the line are metrics: the value of `_aws`, as JSON.
    pub(crate) fn directive(&self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_millis());
        let route = match self.detail {
            Detail::Service => "",
            Detail::Route => ROUTE,
        };
        let mut text = String::with_capacity(SERVICE.len() + ROUTE.len() + 64);
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            r#"{{"Timestamp":{now},"CloudWatchMetrics":[{SERVICE}{route}]}}"#
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn directive(detail: Detail) -> Value {
        let metrics = Metrics::new("f".to_owned(), detail, false);
        serde_json::from_str(&metrics.directive()).unwrap()
    }

    #[test]
    fn a_directive_names_what_the_line_has() {
        let service = directive(Detail::Service);
        assert!(service["Timestamp"].as_u64().unwrap() > 1_700_000_000_000);
        let sets = service["CloudWatchMetrics"].as_array().unwrap();
        assert_eq!(sets.len(), 1);
        assert_eq!(sets[0]["Metrics"].as_array().unwrap().len(), 6);
        let route = directive(Detail::Route);
        let dimensions = &route["CloudWatchMetrics"][1]["Dimensions"];
        assert_eq!(dimensions, &serde_json::json!([["service", "route"]]));
    }

    #[test]
    fn one_request_is_the_cold_one() {
        let metrics = Metrics::new("f".to_owned(), Detail::Service, false);
        assert_eq!((metrics.cold_start(), metrics.cold_start()), (1, 0));
        let ahead = Metrics::new("f".to_owned(), Detail::Service, true);
        assert_eq!(ahead.cold_start(), 0);
    }
}
