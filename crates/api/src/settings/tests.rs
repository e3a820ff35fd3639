use super::*;

const LEAST: [(&str, &str); 4] = [
    ("TABLE_NAME", "items"),
    ("AWS_REGION", "eu-west-2"),
    ("AWS_ACCESS_KEY_ID", "id"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
];

fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let all = [&LEAST, variables].concat();
    Settings::read(|name| {
        let last = all.iter().rfind(|(known, _)| *known == name);
        last.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn the_least_gives_a_server_on_loopback() {
    let settings = read(&[]).unwrap();
    assert_eq!(settings.host, Host::Server(DEFAULT_LISTEN.parse().unwrap()));
    assert_eq!(settings.log_level, Level::INFO);
    assert_eq!(settings.table.endpoint_url, None);
}

#[test]
fn a_container_s_credentials_are_taken_where_there_are_no_values() {
    let none = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    let relative = (
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "/v2/credentials/1",
    );
    let source = |variables: &[(&str, &str)]| {
        read(variables).map(|settings| format!("{:?}", settings.table.credentials))
    };
    assert_eq!(source(&[relative]).unwrap(), "Fixed");
    let taken = source(&[none[0], none[1], relative]).unwrap();
    assert_eq!(taken, "Container(http://169.254.170.2/v2/credentials/1)");
    let wrong = (relative.0, "elsewhere");
    let fault = source(&[none[0], none[1], wrong]).unwrap_err().to_string();
    assert!(fault.contains("`elsewhere`: it must be a path"), "{fault}");
}

#[test]
fn the_runtime_api_means_lambda() {
    let settings = read(&[("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")]).unwrap();
    assert_eq!(settings.host, Host::Lambda);
}

#[track_caller]
fn check_warm_up(variables: &[(&str, &str)], expected: bool) {
    assert_eq!(read(variables).unwrap().warm_up, expected, "{variables:?}");
}

#[test]
fn the_connection_is_made_ahead_where_the_start_is() {
    let started = |kind| ("AWS_LAMBDA_INITIALIZATION_TYPE", kind);
    check_warm_up(&[], false);
    check_warm_up(&[started("on-demand")], false);
    check_warm_up(&[started("provisioned-concurrency")], true);
    check_warm_up(
        &[started("provisioned-concurrency"), ("WARM_UP", "never")],
        false,
    );
    check_warm_up(&[started("on-demand"), ("WARM_UP", "always")], true);
}

#[test]
fn a_bundle_of_certificates_is_read_at_once() {
    let fault = |path: &str| read(&[("AWS_CA_BUNDLE", path)]).unwrap_err().to_string();
    let absent = fault("/nowhere/roots.pem");
    assert!(
        absent.contains("AWS_CA_BUNDLE is `/nowhere/roots.pem`: the file cannot be read"),
        "{absent}"
    );
    let other = fault(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    assert!(other.contains("the file holds no certificate"), "{other}");
}

#[test]
fn the_endpoint_of_the_service_goes_before_that_of_all() {
    let settings = read(&[
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:2"),
    ]);
    let endpoint = settings.unwrap().table.endpoint_url;
    assert_eq!(endpoint.as_deref(), Some("http://127.0.0.1:2"));
}

#[test]
fn metrics_are_lambda_s_unless_they_are_asked_for() {
    let detail = |variables: &[(&str, &str)]| {
        let metrics = read(variables).unwrap().metrics;
        metrics.map(|metrics| (metrics.service, metrics.detail))
    };
    let server = [("METRICS", "service"), ("SERVICE_NAME", "s")];
    assert_eq!(detail(&server), Some(("s".to_owned(), Detail::Service)));
    let started = read(&server).unwrap().metrics.unwrap().started_ahead;
    assert!(started, "no request waits for a server's start");
    let api = ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001");
    let name = ("AWS_LAMBDA_FUNCTION_NAME", "f");
    assert_eq!(detail(&[]), None);
    assert_eq!(
        detail(&[("METRICS", "route")]),
        Some(("stackway-api".to_owned(), Detail::Route))
    );
    assert_eq!(
        detail(&[api, name]),
        Some(("f".to_owned(), Detail::Service))
    );
    assert_eq!(detail(&[api, name, ("METRICS", "none")]), None);
}

#[test]
fn the_service_is_open_unless_a_token_is_named() {
    let access = |variables: &[(&str, &str)]| read(variables).unwrap().access;
    assert!(matches!(access(&[]), Access::Open));
    assert!(matches!(
        access(&[("API_TOKEN_SECRET", "none")]),
        Access::Open
    ));
    let settings = access(&[("API_TOKEN", "s3cret-of-mine")]);
    assert!(!format!("{settings:?}").contains("s3cret"), "{settings:?}");
    let Access::Secret(secret) = access(&[
        ("API_TOKEN_SECRET", "items-token"),
        ("API_TOKEN_GRACE_HOURS", "2"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:3"),
    ]) else {
        panic!("the secret decides");
    };
    assert_eq!(secret.secret, "items-token");
    assert_eq!(secret.grace.as_secs(), 7200);
    assert_eq!(secret.endpoint_url.as_deref(), Some("http://127.0.0.1:3"));
}

#[test]
fn every_fault_is_named_at_once() {
    let error = read(&[
        ("TABLE_NAME", ""),
        ("LOG_LEVEL", "loud"),
        ("LISTEN_ADDR", "here"),
        ("WARM_UP", "soon"),
        ("METRICS", "all"),
        ("AWS_XRAY_DAEMON_ADDRESS", "nowhere"),
        ("API_TOKEN", "two words"),
        ("API_TOKEN_SECRET", "items-token"),
        ("API_TOKEN_GRACE_HOURS", "ages"),
        ("STOP_DELAY_SECONDS", "61"),
    ]);
    insta::assert_snapshot!(error.unwrap_err(), @r"
    the environment lacks settings:
      TABLE_NAME is not set: the name of the DynamoDB table
      LOG_LEVEL is `loud`: it must be error, warn, info, debug or trace
      LISTEN_ADDR is `here`: it must be an address and a port, such as 127.0.0.1:8080
      STOP_DELAY_SECONDS is `61`: it must be a number of seconds up to 60
      WARM_UP is `soon`: it must be auto, always or never
      METRICS is `all`: it must be none, service or route
      AWS_XRAY_DAEMON_ADDRESS is `nowhere`: it must be an address and a port, such as 127.0.0.1:2000
      API_TOKEN and API_TOKEN_SECRET are both set: one of them decides
      API_TOKEN must be letters, digits and -._~+/= alone, as a header carries them
      API_TOKEN_GRACE_HOURS is `ages`: it must be a number of hours up to 8760
    ");
}
