//! A small client of HTTP for questions to servers on this machine. Answers are not trusted: time and size have limits.
#![expect(clippy::disallowed_methods, reason = "time limits need a clock")]

use super::system::format_address;
use crate::deploy::{Web, WebAnswer};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// The time limit of a question, from the connection to the last byte.
const LIMIT: Duration = Duration::from_secs(3);

/// The most bytes of an answer.
const MAX_ANSWER: usize = 4 << 20;

/// The client.
pub(super) struct Http;

impl Web for Http {
    fn get(&self, address: &str, port: u16, path: &str) -> Result<WebAnswer, String> {
        if !path.starts_with('/') || path.contains(|c: char| c.is_control() || c == ' ') {
            return Err(format!("`{path}` is no path"));
        }
        let host = format_address(address, port);
        let address: SocketAddr = host.parse().map_err(|_| format!("`{host}` is no address"))?;
        let end = Instant::now() + LIMIT;
        let bytes = exchange(address, &format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n"), end);
        let bytes = bytes.map_err(|error| {
            let kind = error.kind();
            if matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut) {
                format!("no answer at {host} within {} s", LIMIT.as_secs())
            } else if kind == ErrorKind::ConnectionRefused {
                format!("{host} refuses the connection")
            } else {
                format!("no answer at {host}: {error}")
            }
        })?;
        parse(&bytes).ok_or_else(|| format!("the answer at {host} is not HTTP"))
    }
}

/// Sends a request, and reads the answer to its end.
fn exchange(address: SocketAddr, request: &str, end: Instant) -> std::io::Result<Vec<u8>> {
    let rest = || match end.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(std::io::Error::from(ErrorKind::TimedOut)),
        rest => Ok(rest),
    };
    let mut stream = TcpStream::connect_timeout(&address, rest()?)?;
    stream.set_write_timeout(Some(rest()?))?;
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        stream.set_read_timeout(Some(rest()?))?;
        let count = stream.read(&mut buffer)?;
        bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
        if count == 0 || bytes.len() >= MAX_ANSWER || is_complete(&bytes) {
            return Ok(bytes);
        }
    }
}

/// The head of an answer, and the rest.
fn split(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((String::from_utf8_lossy(bytes.get(..end)?).to_lowercase(), bytes.get(end + 4..)?))
}

/// The value of a header.
fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// True if a server that keeps the connection open sent all of its answer.
fn is_complete(bytes: &[u8]) -> bool {
    let Some((head, body)) = split(bytes) else { return false };
    match header(&head, "content-length").and_then(|length| length.parse::<usize>().ok()) {
        Some(length) => body.len() >= length,
        None => header(&head, "transfer-encoding") == Some("chunked") && body.ends_with(b"0\r\n\r\n"),
    }
}

fn parse(bytes: &[u8]) -> Option<WebAnswer> {
    let (head, body) = split(bytes)?;
    let mut words = head.lines().next()?.split(' ');
    words.next().filter(|version| version.starts_with("http/"))?;
    let status = words.next()?.parse().ok()?;
    let is_chunked = header(&head, "transfer-encoding") == Some("chunked");
    let body = if is_chunked { joined(body) } else { body.to_vec() };
    Some(WebAnswer { status, body })
}

/// The bytes of chunks, up to the first damaged one.
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    let mut next = || {
        let end = chunks.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(chunks.get(..end)?).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok().filter(|size| *size > 0)?;
        let start = end + 2;
        let chunk = chunks.get(start..start.checked_add(size)?)?;
        chunks = chunks.get(start + size..)?.strip_prefix(b"\r\n")?;
        Some(chunk)
    };
    while let Some(chunk) = next() {
        all.extend_from_slice(chunk);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn answers_are_parsed() {
        let answer = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
        assert_eq!((answer.status, &*answer.body), (200, &b"ok"[..]));
        let chunked =
            b"HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x\r\nd\r\n0\r\n\r\n";
        assert!(is_complete(chunked));
        assert_eq!(parse(chunked), Some(WebAnswer { status: 503, body: b"abcd".to_vec() }));
        assert_eq!(joined(b"ffffffffffffffff\r\nabc"), b"");
        assert_eq!(parse(b"SSH-2.0-x\r\n\r\n"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn a_silent_server_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = Http.get("127.0.0.1", port, "/").unwrap_err();
        assert_eq!(error, format!("no answer at 127.0.0.1:{port} within 3 s"));
        drop(listener);
        let error = Http.get("127.0.0.1", port, "/").unwrap_err();
        assert_eq!(error, format!("127.0.0.1:{port} refuses the connection"));
        assert_eq!(Http.get("x", 1, "/").unwrap_err(), "`x:1` is no address");
    }
}
