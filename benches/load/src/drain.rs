//! Writes through the API until it stops, then looks in the table what became of each write.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{Done, TABLE, put, tell};

const DATE: &str = "2024-05-01T12:00:00.000000Z";

/// What one connection's writes came to.
#[derive(Default)]
struct Written {
    /// Answered with 201.
    acknowledged: Vec<String>,
    /// Sent, and no byte of an answer came.
    unanswered: Vec<String>,
    /// An answer began and did not end, or was no 201.
    broken: Vec<String>,
}

/// Keeps `connections` busy until `address` takes no more, and tells what the table at `endpoint` holds of it.
pub(crate) async fn run(address: &str, endpoint: &str, connections: usize) -> Done {
    let tasks: Vec<_> = (0..connections)
        .map(|connection| tokio::spawn(write(address.to_owned(), connection)))
        .collect();
    let mut all = Written::default();
    for task in tasks {
        let written = task.await?;
        all.acknowledged.extend(written.acknowledged);
        all.unanswered.extend(written.unanswered);
        all.broken.extend(written.broken);
    }
    let held = held(endpoint).await?;
    let lost = count(&all.acknowledged, |guid| !held.contains(guid));
    let unanswered_but_written = count(&all.unanswered, |guid| held.contains(guid));
    tell(&json!({
        "acknowledged": all.acknowledged.len(),
        "lost": lost,
        "broken": all.broken.len(),
        "unanswered_but_written": unanswered_but_written,
        // On a connection that the server was closing: it never read them, so a client may send them again.
        "not_taken": all.unanswered.len() - unanswered_but_written,
    }))
}

fn count(guids: &[String], is: impl Fn(&String) -> bool) -> usize {
    guids.iter().filter(|guid| is(guid)).count()
}

/// One client: a connection that is kept while the server keeps it, until none can be made.
async fn write(address: String, connection: usize) -> Written {
    let mut written = Written::default();
    let mut sent = 0_u32;
    while let Ok(mut socket) = TcpStream::connect(&address).await {
        let _ = socket.set_nodelay(true);
        loop {
            let guid = format!("drain-{connection}-{sent}");
            sent += 1;
            match post(&mut socket, &guid).await {
                Answer::Created { close } => {
                    written.acknowledged.push(guid);
                    if close {
                        break;
                    }
                }
                Answer::Nothing => {
                    written.unanswered.push(guid);
                    break;
                }
                Answer::Broken => {
                    written.broken.push(guid);
                    break;
                }
            }
        }
    }
    written
}

enum Answer {
    Created {
        /// The server ends the connection after this answer.
        close: bool,
    },
    Nothing,
    Broken,
}

async fn post(socket: &mut TcpStream, guid: &str) -> Answer {
    let body = format!(r#"{{"guid":"{guid}","date_received":"{DATE}","message":"hello"}}"#);
    let request = format!(
        "POST /v1/items HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    if socket.write_all(request.as_bytes()).await.is_err() {
        return Answer::Nothing;
    }
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match socket.read(&mut buffer).await {
            Ok(0) if answer.is_empty() => return Answer::Nothing,
            Err(error) if answer.is_empty() && error.kind() == ErrorKind::ConnectionReset => {
                return Answer::Nothing;
            }
            Ok(0) | Err(_) => return Answer::Broken,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
        }
        let text = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        let Some((head, rest)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
            .unwrap_or(0);
        if rest.len() < length {
            continue;
        }
        return if head.starts_with("http/1.1 201 ") {
            Answer::Created {
                close: head.contains("\r\nconnection: close"),
            }
        } else {
            Answer::Broken
        };
    }
}

/// Every GUID of this run that the table holds.
async fn held(endpoint: &str) -> Result<BTreeSet<String>, aws_sdk_dynamodb::Error> {
    let client = put::client(endpoint);
    let mut guids = BTreeSet::new();
    let mut start = None;
    loop {
        let page = client
            .scan()
            .table_name(TABLE)
            .projection_expression("GUID")
            .set_exclusive_start_key(start)
            .send()
            .await?;
        guids.extend(
            page.items()
                .iter()
                .filter_map(|item| item.get("GUID")?.as_s().ok().cloned()),
        );
        start = page.last_evaluated_key;
        if start.is_none() {
            return Ok(guids);
        }
    }
}
