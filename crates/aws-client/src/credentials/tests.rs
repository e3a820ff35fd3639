use std::sync::Mutex as StdMutex;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;
use crate::TrustRoots;

/// An endpoint whose answer a test sets, and what it was asked.
#[derive(Clone, Default)]
struct Endpoint {
    answer: Arc<StdMutex<String>>,
    requests: Arc<StdMutex<Vec<String>>>,
}

impl Endpoint {
    async fn start() -> (Self, CredentialSource) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/own", listener.local_addr().unwrap());
        let endpoint = Self::default();
        let served = endpoint.clone();
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4096];
                let length = socket.read(&mut request).await.unwrap();
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                served.requests.lock().unwrap().push(request);
                let answer = served.answer.lock().unwrap().clone();
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let set = |name: &str| match name {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI" => Some(url.clone()),
            "AWS_CONTAINER_AUTHORIZATION_TOKEN" => Some("of-the-agent".to_owned()),
            _ => None,
        };
        let address = ContainerEndpoint::read(set).unwrap().unwrap();
        let connections = Connections::new(TrustRoots::amazon(), TIMEOUT);
        (endpoint, CredentialSource::container(address, connections))
    }

    fn answer(&self, status: &str, body: &str) {
        *self.answer.lock().unwrap() = format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
    }

    /// Hands out `key` for so many seconds.
    fn give(&self, key: &str, seconds: i64) {
        let now = DateTime::from(SystemTime::now()).secs();
        let end = DateTime::from_secs(now + seconds);
        let end = end.fmt(Format::DateTime).unwrap();
        self.answer(
            "200 OK",
            &format!(
                r#"{{"RoleArn":"arn","AccessKeyId":"{key}","SecretAccessKey":"s","Token":"t","Expiration":"{end}"}}"#
            ),
        );
    }

    /// How often it was asked since the last call.
    fn asked(&self) -> usize {
        self.requests.lock().unwrap().drain(..).count()
    }
}

#[track_caller]
fn key(got: Result<Credentials, CredentialsError>) -> String {
    got.unwrap().access_key_id().to_owned()
}

#[tokio::test]
async fn credentials_are_fetched_once_and_again_before_their_end() {
    let (endpoint, source) = Endpoint::start().await;
    endpoint.give("first", 6 * 3600);
    let first = source.provide_credentials().await.unwrap();
    assert_eq!(
        (first.session_token(), first.access_key_id()),
        (Some("t"), "first")
    );
    let request = endpoint.requests.lock().unwrap()[0].to_lowercase();
    assert!(request.starts_with("get /own http/1.1"), "{request}");
    assert!(
        request.contains("authorization: of-the-agent\r\n"),
        "{request}"
    );
    let clone = source.clone();
    assert_eq!(key(clone.provide_credentials().await), "first");
    assert_eq!(endpoint.asked(), 1);

    let (endpoint, source) = Endpoint::start().await;
    endpoint.give("short", 60);
    assert_eq!(key(source.provide_credentials().await), "short");
    endpoint.give("long", 3600);
    assert_eq!(key(source.provide_credentials().await), "long");
    assert_eq!(endpoint.asked(), 2);
}

#[tokio::test]
async fn what_is_known_counts_to_its_end_where_no_new_ones_are_to_be_had() {
    let (endpoint, source) = Endpoint::start().await;
    endpoint.give("short", 60);
    assert_eq!(key(source.provide_credentials().await), "short");
    endpoint.answer("500 Oops", "");
    for _ in 0..3 {
        assert_eq!(key(source.provide_credentials().await), "short");
    }
    // The failure is not repeated by each request.
    assert_eq!(endpoint.asked(), 2);
}

#[tokio::test]
async fn requests_side_by_side_wait_for_one_fetch() {
    let (endpoint, source) = Endpoint::start().await;
    endpoint.give("one", 3600);
    let calls = (0..8).map(|_| {
        let source = source.clone();
        tokio::spawn(async move { key(source.provide_credentials().await) })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), "one");
    }
    assert_eq!(endpoint.asked(), 1);
}

#[tokio::test]
async fn what_is_wrong_is_told_without_the_answer() {
    #[track_caller]
    fn check(said: &CredentialsError, words: &str) {
        let said = causes(said);
        assert!(said.contains(words), "{said}");
        assert!(!said.contains("hidden"), "{said}");
    }
    for (status, body, words) in [
        ("403 Forbidden", "hidden", "the endpoint answered 403"),
        (
            "200 OK",
            r#"{"AccessKeyId":"k","SecretAccessKey":"hidden","Expiration":1}"#,
            "is not what it should be",
        ),
        (
            "200 OK",
            r#"{"AccessKeyId":"k","SecretAccessKey":"hidden","Expiration":"soon"}"#,
            "Expiration is no time",
        ),
    ] {
        let (endpoint, source) = Endpoint::start().await;
        endpoint.answer(status, body);
        check(&source.provide_credentials().await.unwrap_err(), words);
    }
    // Such as have ended are of no use.
    let (endpoint, source) = Endpoint::start().await;
    endpoint.give("old", -1);
    assert_eq!(key(source.provide_credentials().await), "old");
    endpoint.answer("500 Oops", "");
    check(
        &source.provide_credentials().await.unwrap_err(),
        "the endpoint answered 500",
    );
}

#[test]
fn an_endpoint_is_ecs_s_or_on_this_machine() {
    let read = |name: &'static str, value: &str| {
        ContainerEndpoint::read(|asked| (asked == name).then(|| value.to_owned()))
    };
    let url = |name, value| read(name, value).map(|read| read.map(|endpoint| endpoint.url));
    let relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    let full = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    assert_eq!(
        url(relative, "/v2/credentials/1"),
        Ok(Some("http://169.254.170.2/v2/credentials/1".to_owned()))
    );
    assert_eq!(url("OTHER", "x"), Ok(None));
    for near in [
        "http://127.0.0.1:9000/own",
        "http://[::1]/own",
        "http://169.254.170.2/v2",
    ] {
        assert_eq!(url(full, near), Ok(Some(near.to_owned())));
    }
    for far in [
        "http://10.0.0.1/",
        "https://127.0.0.1/",
        "http://example.com/",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@example.com/",
        "127.0.0.1",
        "",
    ] {
        let refused = url(full, far).unwrap_err();
        assert!(
            refused.contains("must be http:// with a loopback"),
            "{refused}"
        );
    }
    assert!(
        url(relative, "@example.com/")
            .unwrap_err()
            .contains("a path")
    );
}
