//! Traces: the header that X-Ray hands on, and subsegments for its daemon.
//!
//! A call of the table is told to the daemon that Lambda runs beside the function by one datagram, without waiting: what the
//! daemon does not take is lost. Only requests that X-Ray samples are told of.
//!
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html>

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// What comes before a document in a datagram.
const HEADER: &str = "{\"format\":\"json\",\"version\":1}\n";

/// The trace that a request belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(crate) root: String,
    /// The segment that the request is part of, where X-Ray samples it.
    sampled: Option<String>,
}

impl Trace {
    /// Reads `Root=1-…;Parent=…;Sampled=1`.
    ///
    /// <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>
    pub(crate) fn read(header: &str) -> Option<Self> {
        let (mut root, mut parent, mut sampled) = (None, None, false);
        for part in header.split(';') {
            match part.trim().split_once('=') {
                Some(("Root", value)) => root = Some(value),
                Some(("Parent", value)) => parent = Some(value),
                Some(("Sampled", value)) => sampled = value == "1",
                _ => {}
            }
        }
        // What is written into a document is held to be what it should.
        let plain = |text: &&str| {
            (1..=64).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        };
        let parent = parent.filter(plain).filter(|_| sampled);
        let root = root.filter(|text| !text.is_empty())?;
        Some(Self {
            root: root.to_owned(),
            sampled: parent.filter(|_| plain(&root)).map(str::to_owned),
        })
    }
}

/// One call of another service, as X-Ray shows it below the function's segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) operation: &'static str,
    pub(crate) table: &'a str,
    pub(crate) region: &'a str,
    pub(crate) started: SystemTime,
    pub(crate) ended: SystemTime,
    pub(crate) outcome: Outcome,
}

/// How a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered,
    Throttled,
    Failed,
}

/// X-Ray's daemon, which takes datagrams.
#[derive(Clone, Debug)]
pub struct Daemon(Arc<UdpSocket>);

impl Daemon {
    /// Speaks to a daemon; sends nothing yet.
    ///
    /// # Errors
    /// If the system gives no socket.
    pub fn at(address: SocketAddr) -> std::io::Result<Self> {
        let any: SocketAddr = if address.is_ipv4() {
            (Ipv4Addr::UNSPECIFIED, 0).into()
        } else {
            (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
        };
        let socket = UdpSocket::bind(any)?;
        socket.set_nonblocking(true)?;
        socket.connect(address)?;
        Ok(Self(Arc::new(socket)))
    }

    /// The daemon's address of `AWS_XRAY_DAEMON_ADDRESS`: `127.0.0.1:2000`, or `tcp:127.0.0.1:2000 udp:127.0.0.2:2001`.
    ///
    /// <https://docs.aws.amazon.com/xray/latest/devguide/xray-sdk-python-configuration.html>
    pub fn address(text: &str) -> Option<SocketAddr> {
        let mut parts = text.split_whitespace();
        let udp = parts.clone().find_map(|part| part.strip_prefix("udp:"));
        match udp {
            Some(address) => address.parse().ok(),
            None => parts.next()?.parse().ok(),
        }
    }

    /// Tells of a call of a request that is sampled. Never waits.
    pub(crate) fn tell(&self, trace: &Trace, call: &Call<'_>) {
        let Some(parent) = &trace.sampled else {
            return;
        };
        let document = document(&trace.root, parent, call, fastrand::u64(..));
        // A trace that misses a call is better than a request that waits for one.
        let _ = self.0.send(document.as_bytes());
    }
}

fn document(root: &str, parent: &str, call: &Call<'_>, id: u64) -> String {
    let seconds = |time: SystemTime| {
        time.duration_since(UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64())
    };
    let fault = match call.outcome {
        Outcome::Answered => "",
        Outcome::Throttled => r#","error":true,"throttle":true"#,
        Outcome::Failed => r#","fault":true"#,
    };
    let mut text = String::with_capacity(512);
    // Writing to a string cannot fail. Names of tables and regions need no escapes.
    let _ = write!(
        text,
        r#"{HEADER}{{"name":"DynamoDB","type":"subsegment","namespace":"aws","id":"{id:016x}","trace_id":"{root}","parent_id":"{parent}","start_time":{:.6},"end_time":{:.6}{fault},"aws":{{"operation":"{}","table_name":"{}","region":"{}"}}}}"#,
        seconds(call.started),
        seconds(call.ended),
        call.operation,
        call.table,
        call.region
    );
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;

    const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";

    fn call(outcome: Outcome) -> Call<'static> {
        Call {
            operation: "GetItem",
            table: "items",
            region: "eu-west-2",
            started: UNIX_EPOCH + Duration::from_millis(1_500),
            ended: UNIX_EPOCH + Duration::from_millis(1_750),
            outcome,
        }
    }

    #[test]
    fn a_header_is_read_in_any_order_and_believed_if_it_is_plain() {
        let full = format!("Sampled=1; Root={ROOT};Parent=53995c3f42cd8ad8;Lineage=a:0");
        let trace = Trace::read(&full).unwrap();
        assert_eq!(trace.root, ROOT);
        assert!(trace.sampled.is_some());
        for unsampled in [
            format!("Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=0"),
            format!("Root={ROOT};Sampled=1"),
            format!("Root={ROOT};Parent=\"}}{{;Sampled=1"),
            format!("Root={ROOT}"),
        ] {
            let trace = Trace::read(&unsampled).unwrap();
            assert!(trace.sampled.is_none(), "{unsampled}");
        }
        for none in ["", "Root=", "Parent=53995c3f42cd8ad8"] {
            assert_eq!(Trace::read(none), None, "{none}");
        }
    }

    #[test]
    fn the_daemon_s_address_has_two_forms() {
        let address = |text| Daemon::address(text).map(|address| address.to_string());
        assert_eq!(
            address("169.254.79.129:2000").as_deref(),
            Some("169.254.79.129:2000")
        );
        assert_eq!(
            address("tcp:127.0.0.1:2000 udp:127.0.0.2:2001").as_deref(),
            Some("127.0.0.2:2001")
        );
        assert_eq!(address("nowhere"), None);
        assert_eq!(address(""), None);
    }

    #[test]
    fn a_call_is_one_datagram_that_x_ray_can_read() {
        let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
        daemon
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let told = Daemon::at(daemon.local_addr().unwrap()).unwrap();
        let header = format!("Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1");
        let trace = Trace::read(&header).unwrap();
        let received = |outcome| {
            told.tell(&trace, &call(outcome));
            let mut buffer = [0; 2048];
            let length = daemon.recv(&mut buffer).unwrap();
            let text = std::str::from_utf8(&buffer[..length]).unwrap();
            let (header, document) = text.split_once('\n').unwrap();
            let header: Value = serde_json::from_str(header).unwrap();
            assert_eq!(header, serde_json::json!({"format": "json", "version": 1}));
            serde_json::from_str::<Value>(document).unwrap()
        };
        let answered = received(Outcome::Answered);
        assert_eq!(answered["id"].as_str().unwrap().len(), 16);
        assert_eq!(answered["trace_id"], ROOT);
        assert_eq!(answered["parent_id"], "53995c3f42cd8ad8");
        assert_eq!(answered["start_time"], 1.5);
        assert_eq!(answered["end_time"], 1.75);
        assert_eq!(answered["aws"]["operation"], "GetItem");
        assert_eq!(answered["throttle"], Value::Null);
        assert_eq!(received(Outcome::Throttled)["throttle"], true);
        assert_eq!(received(Outcome::Failed)["fault"], true);
        // One that nobody listens to costs no more.
        drop(daemon);
        told.tell(&trace, &call(Outcome::Answered));
        told.tell(&trace, &call(Outcome::Answered));
    }
}
