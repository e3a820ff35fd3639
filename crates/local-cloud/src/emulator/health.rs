//! Whether an emulator answers on a port.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// MiniStack's own health page.
const REQUEST: &str =
    "GET /_ministack/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(2);

/// Asks once.
pub(super) async fn answers(port: u16) -> bool {
    let ask = async {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        socket.write_all(REQUEST.as_bytes()).await?;
        let mut status = [0; 12];
        socket.read_exact(&mut status).await?;
        std::io::Result::Ok(&status == b"HTTP/1.1 200")
    };
    matches!(tokio::time::timeout(ATTEMPT, ask).await, Ok(Ok(true)))
}

/// Asks until there is an answer or the time is over.
pub(super) async fn answers_within(port: u16, patience: Duration) -> bool {
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        if answers(port).await {
            return true;
        }
        if tokio::time::Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
