//! The adapters over answers as AWS sends them, from a server on this machine; and what they ask.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataOutput;
use aws_sdk_cloudwatch::types::MetricDataResult;
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use serde_json::{Value, json};
use time::macros::date;

use super::*;
use crate::aws::without_account;
use crate::cloud::CloudError;
use crate::cloud::billing::{
    AccountPlan, Bills as _, Budget, Budgets as _, FreeTierUse as _, MetricRequest, Metrics as _,
    PriceLists as _, Spend, Tags, UsageSpend,
};

/// Answers one request after the other, and tells what was asked: the target's last part and the body.
struct Server {
    url: String,
    asked: JoinHandle<Vec<(String, Value)>>,
}

fn answering(answers: Vec<(u16, Value)>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for (status, answer) in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let (mut target, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                let line = line.trim_end();
                if line.is_empty() {
                    break;
                }
                if let Some((name, value)) = line.split_once(": ") {
                    if name.eq_ignore_ascii_case("x-amz-target") {
                        target = value.rsplit('.').next().unwrap().to_owned();
                    }
                    if name.eq_ignore_ascii_case("content-length") {
                        length = value.parse().unwrap();
                    }
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            asked.push((target, serde_json::from_slice(&body).unwrap()));
            let answer = answer.to_string();
            write!(
                reader.get_mut(),
                "HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\nConnection: \
                 close\r\n\r\n{answer}",
                answer.len()
            )
            .unwrap();
        }
        asked
    });
    Server { url, asked }
}

fn config(server: &Server) -> crate::aws::SdkConfig {
    without_account("123456789012", "eu-west-2", &server.url)
}

fn tags() -> Tags {
    Tags::from([
        ("environment".to_owned(), vec!["prod".to_owned()]),
        ("project".to_owned(), vec!["stackway".to_owned()]),
    ])
}

#[tokio::test]
async fn prices_come_page_by_page() {
    let server = answering(vec![
        (
            200,
            json!({"FormatVersion": "aws_v1", "PriceList": ["{\"a\":1}", "{\"b\":2}"], "NextToken": "t"}),
        ),
        (
            200,
            json!({"FormatVersion": "aws_v1", "PriceList": ["{\"c\":3}"]}),
        ),
    ]);
    let list = PriceListApi::new(&config(&server));
    let products = list.products("AWSLambda", "eu-west-2").await.unwrap();
    assert_eq!(products, ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"]);
    let asked = server.asked.join().unwrap();
    assert_eq!(asked[0].0, "GetProducts");
    assert_eq!(asked[0].1["ServiceCode"], "AWSLambda");
    assert_eq!(
        asked[0].1["Filters"],
        json!([{"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-west-2"}])
    );
    assert_eq!(asked[1].1["NextToken"], "t");
}

#[tokio::test]
async fn bills_are_by_day_service_and_stack() {
    let group = |keys: [&str; 2], amount: &str| json!({"Keys": keys, "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": "USD"}}});
    let server = answering(vec![
        (
            200,
            json!({"NextPageToken": "p", "ResultsByTime": [{
                "TimePeriod": {"Start": "2026-11-22", "End": "2026-11-23"}, "Estimated": false,
                "Groups": [group(["AWS Lambda", "stack$api"], "0.0123456789"), group(["Tax", "stack$"], "0.5")],
            }]}),
        ),
        (200, json!({"ResultsByTime": []})),
    ]);
    let bills = CostExplorer::new(&config(&server));
    let spend = bills
        .daily_spend(&tags(), date!(2026 - 11 - 22), date!(2026 - 11 - 24))
        .await
        .unwrap();
    let expected = |service: &str, stack: &str, amount: &str| Spend {
        day: "2026-11-22".into(),
        service: service.into(),
        stack: stack.into(),
        amount: amount.into(),
    };
    assert_eq!(
        spend,
        [
            expected("AWS Lambda", "api", "0.0123456789"),
            expected("Tax", "", "0.5")
        ]
    );
    let asked = server.asked.join().unwrap();
    assert_eq!(
        asked[0].1["TimePeriod"],
        json!({"Start": "2026-11-22", "End": "2026-11-24"})
    );
    assert_eq!(asked[0].1["Granularity"], "DAILY");
    assert_eq!(
        asked[0].1["Filter"],
        json!({"And": [
            {"Tags": {"Key": "environment", "Values": ["prod"]}},
            {"Tags": {"Key": "project", "Values": ["stackway"]}},
        ]})
    );
    assert_eq!(asked[1].1["NextPageToken"], "p");
}

#[tokio::test]
async fn usage_is_by_type_and_a_forecast_may_be_missing() {
    let metrics = json!({"UnblendedCost": {"Amount": "1.5"}, "UsageQuantity": {"Amount": "7500000", "Unit": "N/A"}});
    let server = answering(vec![
        (
            200,
            json!({"ResultsByTime": [{"Groups": [{"Keys": ["EUW2-Request"], "Metrics": metrics}]}]}),
        ),
        (200, json!({"Total": {"Amount": "12.34", "Unit": "USD"}})),
        (
            400,
            json!({"__type": "DataUnavailableException", "Message": "Insufficient amount of historical data"}),
        ),
        (
            400,
            json!({"__type": "AccessDeniedException", "Message": "no"}),
        ),
    ]);
    let bills = CostExplorer::new(&config(&server));
    let (from, until) = (date!(2026 - 11 - 01), date!(2026 - 12 - 01));
    let usage = bills.usage_spend(&tags(), from, until).await.unwrap();
    let expected = UsageSpend {
        usage_type: "EUW2-Request".into(),
        quantity: "7500000".into(),
        amount: "1.5".into(),
    };
    assert_eq!(usage, [expected]);
    let forecast = bills.forecast(&tags(), from, until).await.unwrap();
    assert_eq!(forecast.as_deref(), Some("12.34"));
    assert_eq!(bills.forecast(&tags(), from, until).await.unwrap(), None);
    let refused = bills.forecast(&tags(), from, until).await.unwrap_err();
    assert!(
        matches!(&refused, CloudError::Refused { code, .. } if code == "AccessDeniedException"),
        "{refused}"
    );
    server.asked.join().unwrap();
}

#[tokio::test]
async fn free_tier_and_plan() {
    let server = answering(vec![
        (
            200,
            json!({"freeTierUsages": [{
                "service": "AWS Lambda", "usageType": "Global-Request", "unit": "Requests",
                "actualUsageAmount": 250_000.0, "forecastedUsageAmount": 400_000.0, "limit": 1_000_000.0,
                "freeTierType": "Always Free",
            }]}),
        ),
        (
            200,
            json!({
                "accountId": "123456789012", "accountPlanType": "FREE", "accountPlanStatus": "ACTIVE",
                "accountPlanRemainingCredits": {"amount": 87.5, "unit": "USD"},
                "accountPlanExpirationDate": "2027-04-01T00:00:00Z",
            }),
        ),
        (
            400,
            json!({"__type": "ResourceNotFoundException", "message": "no plan"}),
        ),
    ]);
    let free = FreeTier::new(&config(&server));
    let uses = free.free_use().await.unwrap();
    assert_eq!(
        (uses[0].usage_type.as_str(), uses[0].limit),
        ("Global-Request", 1_000_000.0)
    );
    let plan = AccountPlan {
        kind: "FREE".into(),
        credits: Some("87.5".into()),
        ends: Some("2027-04-01".into()),
    };
    assert_eq!(free.account_plan().await.unwrap(), Some(plan));
    assert_eq!(free.account_plan().await.unwrap(), None);
    server.asked.join().unwrap();
}

#[tokio::test]
async fn budgets_of_costs() {
    let budget = |name: &str, kind: &str| {
        json!({
            "BudgetName": name, "BudgetType": kind, "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "5.0", "Unit": "USD"},
            "CalculatedSpend": {"ActualSpend": {"Amount": "1.25", "Unit": "USD"}},
        })
    };
    let answer = json!({"Budgets": [budget("month", "COST"), budget("hours", "USAGE")]});
    let server = answering(vec![(200, answer)]);
    let budgets = AwsBudgets::new(&config(&server))
        .budgets("123456789012")
        .await
        .unwrap();
    let expected = Budget {
        name: "month".into(),
        period: "MONTHLY".into(),
        limit: Some("5.0".into()),
        actual: Some("1.25".into()),
        forecast: None,
    };
    assert_eq!(budgets, [expected]);
    assert_eq!(
        server.asked.join().unwrap()[0].1["AccountId"],
        "123456789012"
    );
}

#[tokio::test]
async fn metrics_are_by_day() {
    let rule = mock!(aws_sdk_cloudwatch::Client::get_metric_data)
        .match_requests(|request| {
            let query = &request.metric_data_queries()[0];
            let stat = query.metric_stat().unwrap();
            let metric = stat.metric().unwrap();
            metric.metric_name() == Some("Invocations")
                && metric.dimensions()[0].value() == Some("f")
                && stat.period() == Some(86_400)
                && request.end_time().unwrap().secs() - request.start_time().unwrap().secs()
                    == 30 * 86_400
        })
        .then_output(|| {
            let result = MetricDataResult::builder()
                .id("m")
                .values(10.0)
                .values(20.0)
                .build();
            GetMetricDataOutput::builder()
                .metric_data_results(result)
                .build()
        });
    let client = mock_client!(aws_sdk_cloudwatch, RuleMode::MatchAny, &[&rule]);
    let request = MetricRequest {
        namespace: "AWS/Lambda",
        name: "Invocations",
        dimensions: vec![("FunctionName", "f".to_owned())],
        statistic: "Sum",
    };
    let values = CloudWatch::from_client(client)
        .daily_values(&request, date!(2026 - 11 - 24), 30)
        .await
        .unwrap();
    assert_eq!(values, [10.0, 20.0]);
}
