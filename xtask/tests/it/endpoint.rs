use serde_json::Value;

use crate::workbench::Workbench;

/// The emulator, spoken to as any client would.
pub(crate) struct Endpoint(pub(crate) String);

impl Endpoint {
    pub(crate) fn of(bench: &Workbench) -> Self {
        Self(format!("http://127.0.0.1:{}", bench.port()))
    }

    pub(crate) fn authorization(service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=000000000000/20260101/eu-west-2/{service}/aws4_request, \
             SignedHeaders=host, Signature=0"
        )
    }

    /// An operation of a service that speaks JSON, by its whole name.
    #[track_caller]
    pub(crate) fn json(&self, service: &str, target: &str, body: &Value) -> Value {
        let text = ureq::post(&self.0)
            .header("authorization", Self::authorization(service))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target)
            .send(body.to_string())
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap();
        serde_json::from_str(&text).unwrap_or_default()
    }
}

/// Sends a request of any method; gives the answer's status, whatever it is, and its body.
#[track_caller]
pub(crate) fn exchange(
    method: &str,
    url: &str,
    header: (&str, &str),
    body: &[u8],
) -> (u16, String) {
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(url)
        .header(header.0, header.1)
        .body(body)
        .unwrap();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .build()
        .into();
    let mut answer = agent.run(request).unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), text)
}
