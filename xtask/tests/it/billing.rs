//! `cost --actual` over a server that answers as AWS's billing services do.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::workbench::Workbench;

const CALLER: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <GetCallerIdentityResult><Arn>arn:aws:iam::000000000000:root</Arn><UserId>u</UserId>\
    <Account>000000000000</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

/// What AWS would answer, by the operation's name; any other operation is refused.
type Answers = fn(&str, &Value) -> Option<Value>;

/// A server for as long as the test runs, and the operations that it was asked for.
struct Aws {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Aws {
    fn answering(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let operation = answer(stream.unwrap(), answers);
                seen.lock().unwrap().push(operation);
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Answers one request, and tells which operation it was.
fn answer(stream: TcpStream, answers: Answers) -> String {
    let mut reader = BufReader::new(stream);
    let (mut target, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "x-amz-target" => target = value.rsplit('.').next().map(str::to_owned),
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let operation = target.unwrap_or_else(|| "GetCallerIdentity".to_owned());
    let (status, text) = if operation == "GetCallerIdentity" {
        (200, CALLER.to_owned())
    } else {
        let asked = serde_json::from_slice(&body).unwrap();
        match answers(&operation, &asked) {
            Some(answer) => (200, answer.to_string()),
            None => (
                400,
                json!({"__type": "DataUnavailableException", "Message": operation}).to_string(),
            ),
        }
    };
    write!(
        reader.get_mut(),
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
    .unwrap();
    operation
}

/// A month of an API that is used more than was estimated, and of a database that nobody thought of.
fn used(operation: &str, asked: &Value) -> Option<Value> {
    let amount = |amount: &str| json!({"Amount": amount, "Unit": "USD"});
    let line = |keys: &[&str], quantity: &str, cost: &str| json!({"Keys": keys, "Metrics": {"UnblendedCost": amount(cost), "UsageQuantity": amount(quantity)}});
    Some(match operation {
        "GetCostAndUsage" if asked["Granularity"] == "DAILY" => {
            let day = |start: &str, groups: Value| json!({"TimePeriod": {"Start": start, "End": "x"}, "Estimated": false, "Groups": groups});
            json!({"ResultsByTime": [
                day("2026-11-22", json!([line(&["Amazon API Gateway", "stack$api"], "1", "1.5")])),
                day("2026-11-23", json!([
                    line(&["Amazon API Gateway", "stack$api"], "1", "0.25"),
                    line(&["Amazon Relational Database Service", "stack$"], "1", "10"),
                ])),
            ]})
        }
        "GetCostAndUsage" => json!({"ResultsByTime": [{"Groups": [
            line(&["EUW2-ApiGatewayHttpRequest"], "1500000", "1.75"),
            line(&["EUW2-InstanceUsage:db.t4g.micro"], "600", "10"),
        ]}]}),
        "GetCostForecast" => json!({"Total": amount("14.2")}),
        "DescribeBudgets" => json!({"Budgets": [{
            "BudgetName": "month", "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": amount("5.0"),
            "CalculatedSpend": {"ActualSpend": amount("11.75"), "ForecastedSpend": amount("14.2")},
        }]}),
        "GetFreeTierUsage" => json!({"freeTierUsages": [{
            "service": "AWS Lambda", "usageType": "Global-Request", "unit": "Requests", "freeTierType": "Always Free",
            "actualUsageAmount": 250_000.0, "forecastedUsageAmount": 400_000.0, "limit": 1_000_000.0,
        }]}),
        "GetAccountPlanState" => json!({
            "accountId": "000000000000", "accountPlanType": "FREE", "accountPlanStatus": "ACTIVE",
            "accountPlanRemainingCredits": {"amount": 87.5, "unit": "USD"},
            "accountPlanExpirationDate": "2027-04-01T00:00:00Z",
        }),
        _ => return None,
    })
}

/// An account of a few days: nothing bears the tags, and nothing can be forecast.
fn unused(operation: &str, _: &Value) -> Option<Value> {
    Some(match operation {
        "GetCostAndUsage" => json!({"ResultsByTime": []}),
        "DescribeBudgets" => json!({"Budgets": []}),
        "GetFreeTierUsage" => json!({"freeTierUsages": []}),
        "GetAccountPlanState" => {
            json!({"accountId": "000000000000", "accountPlanType": "PAID", "accountPlanStatus": "ACTIVE"})
        }
        _ => return None,
    })
}

fn args<'a>(aws: &'a Aws, more: &[&'a str]) -> Vec<&'a str> {
    [&["cost", "--actual", "--endpoint-url", &aws.url], more].concat()
}

#[test]
fn nothing_is_paid_for_before_a_yes() {
    let bench = Workbench::new();
    let aws = Aws::answering(used);
    bench.run(&args(&aws, &[])).refused(
        11,
        &["takes 0.01 USD for each call, and this makes 3", "`--yes`"],
    );
    assert_eq!(aws.asked(), ["GetCallerIdentity"]);
}

#[test]
fn the_bill_stands_beside_the_estimate() {
    let bench = Workbench::new();
    let aws = Aws::answering(used);
    let text = bench
        .run(&args(&aws, &["--yes", "--stack", "table"]))
        .succeeded()
        .stdout;
    insta::assert_snapshot!(text);
    let paid = |asked: &[String]| {
        let paid = ["GetCostAndUsage", "GetCostForecast"];
        asked
            .iter()
            .filter(|one| paid.contains(&one.as_str()))
            .count()
    };
    assert_eq!(paid(&aws.asked()), 3, "as many as the question said");

    let json = bench
        .run(&args(&aws, &["--yes", "--format", "json"]))
        .succeeded()
        .json();
    assert_eq!(json["billed"], "11.75");
    assert_eq!(json["by_stack"], json!({"": "10.00", "api": "1.75"}));
    assert_eq!(json["forecast_next_30_days"], "14.2");
    // What explains most of the gap comes first.
    assert_eq!(
        json["usage"][0]["usage_type"],
        "EUW2-InstanceUsage:db.t4g.micro"
    );
    assert_eq!(json["budgets"][0]["actual"], "11.75");
    assert_eq!(json["plan"]["credits"], "87.5");
}

/// Some stacks are held against what was billed for the same ones.
#[test]
fn a_bill_of_some_stacks_is_asked_by_their_tag() {
    fn of_stacks(operation: &str, asked: &Value) -> Option<Value> {
        if operation.starts_with("GetCost") {
            let stacks = json!({"Tags": {"Key": "stack", "Values": ["api", "table"]}});
            assert_eq!(asked["Filter"]["And"][2], stacks, "{operation}");
        }
        unused(operation, asked)
    }
    let bench = Workbench::new();
    let aws = Aws::answering(of_stacks);
    let stacks = ["--yes", "--stack", "api", "--stack", "table"];
    bench.run(&args(&aws, &stacks)).succeeded();
}

#[test]
fn a_bill_of_nothing_says_what_is_missing() {
    let bench = Workbench::new();
    let aws = Aws::answering(unused);
    let ran = bench.run(&args(&aws, &["--yes"])).succeeded();
    for words in [
        "billed in the last 30 days: 0.00 USD",
        "too little to forecast from",
    ] {
        assert!(ran.stdout.contains(words), "{}", ran.stdout);
    }
    assert!(
        ran.stderr.contains("activate them as cost allocation tags"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_bill_has_two_forms() {
    let bench = Workbench::new();
    bench
        .run(&["cost", "--actual", "--yes", "--format", "html"])
        .refused(2, &["a bill is shown as text or json"]);
}
