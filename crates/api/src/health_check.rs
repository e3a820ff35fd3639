//! Whether the server beside this process answers: what an engine runs in the container to learn whether it is well, since
//! an image FROM scratch has no other program to ask with.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html>

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

/// The argument that makes the process a check.
pub const ARGUMENT: &str = "health";

/// How long each step may take. An engine gives the whole check some seconds.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The longest first line that is read.
const MAX_LINE_BYTES: u64 = 256;

/// Asks the server that listens on `address` for `GET /health`.
///
/// # Errors
/// If it does not answer, or answers anything but 200.
pub fn check(address: SocketAddr) -> Result<(), String> {
    let address = reachable(address);
    let unwell = |error: std::io::Error| format!("{address} does not answer: {error}");
    let mut socket = TcpStream::connect_timeout(&address, TIMEOUT).map_err(unwell)?;
    socket.set_read_timeout(Some(TIMEOUT)).map_err(unwell)?;
    socket.set_write_timeout(Some(TIMEOUT)).map_err(unwell)?;
    write!(
        socket,
        "GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )
    .map_err(unwell)?;
    let mut line = String::new();
    let mut answer = BufReader::new(socket.take(MAX_LINE_BYTES));
    answer.read_line(&mut line).map_err(unwell)?;
    if line.split(' ').nth(1) == Some("200") {
        return Ok(());
    }
    Err(format!(
        "{address} answers `{}` to GET /health",
        line.trim_end()
    ))
}

/// Where a listener is reached from its own machine.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// What the check says of a server with this answer.
    fn asked(answer: &'static str) -> (String, Result<(), String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut address = listener.local_addr().unwrap();
        let served = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut request = vec![0; 1024];
            let length = socket.read(&mut request).unwrap();
            socket.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        address.set_ip(Ipv4Addr::UNSPECIFIED.into());
        let said = check(address);
        (served.join().unwrap(), said)
    }

    #[test]
    fn only_200_is_well() {
        let (request, said) = asked("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        assert!(request.starts_with("GET /health HTTP/1.1\r\n"), "{request}");
        assert_eq!(said, Ok(()));
        let said = asked("HTTP/1.1 503 Service Unavailable\r\n\r\n200 ").1;
        let said = said.unwrap_err();
        assert!(
            said.contains("answers `HTTP/1.1 503 Service Unavailable`"),
            "{said}"
        );
        assert!(asked("").1.unwrap_err().contains("answers ``"));
    }

    #[test]
    fn nobody_there_is_unwell() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(check(address).unwrap_err().contains("does not answer"));
    }

    #[test]
    fn an_unspecified_address_is_asked_on_loopback() {
        let at = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(at("0.0.0.0:8080"), "127.0.0.1:8080");
        assert_eq!(at("[::]:8080"), "[::1]:8080");
        assert_eq!(at("10.0.0.7:80"), "10.0.0.7:80");
    }
}
