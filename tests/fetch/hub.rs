//! A server that behaves like the hub of Hugging Face: it knows the files, and redirects to another host for their content.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// A file of the hub, with the properties that the hub claims for it.
pub(super) struct HubFile {
    pub(super) content: Vec<u8>,
    pub(super) size: usize,
    pub(super) sha256: String,
    /// True for a file whose content is at the other host.
    pub(super) is_lfs: bool,
}

/// The host of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Hub,
    Content,
}

/// A request that arrived.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) range: Option<String>,
    pub(super) token: Option<String>,
    pub(super) host: Host,
}

/// The files and the behavior of both hosts.
#[derive(Default)]
pub(super) struct State {
    pub(super) files: BTreeMap<String, HubFile>,
    /// The token that the hub asks for.
    pub(super) token: Option<&'static str>,
    /// The host of the contents stops after this number of bytes of an answer, until there is no such limit.
    pub(super) stop_after: Option<usize>,
    /// True if the host of the contents ignores ranges.
    pub(super) ignores_ranges: bool,
    /// How often the hub redirects to another address of the hub, as it does for a repository with a new name.
    pub(super) renames: usize,
    pub(super) requests: Vec<Request>,
    /// The number of bytes of each content that was sent.
    pub(super) sent: Vec<usize>,
}

/// The hub at 127.0.0.1, and the host of the contents at 127.0.0.2.
pub(super) struct Hub {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
}

/// The path of all addresses of the hub, as a mirror has one.
const PREFIX: &str = "/mirror";

impl Hub {
    pub(super) fn start() -> Self {
        let (hub, content) = (listen("127.0.0.1:0"), listen("127.0.0.2:0"));
        let state = Arc::new(Mutex::new(State::default()));
        let (address, content_address) = (hub.local_addr().unwrap(), content.local_addr().unwrap());
        for (listener, host) in [(hub, Host::Hub), (content, Host::Content)] {
            let state = state.clone();
            thread::spawn(move || {
                for stream in listener.incoming() {
                    let state = state.clone();
                    // A client that was killed is no error.
                    thread::spawn(move || answer(&state, &stream.unwrap(), host, content_address));
                }
            });
        }
        Self { state, address }
    }

    /// The value of `HF_ENDPOINT`.
    pub(super) fn endpoint(&self) -> String {
        format!("http://{}{PREFIX}/", self.address)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Adds a file, with true claims.
    pub(super) fn add(&self, path: &str, content: Vec<u8>) {
        let (size, sha256) = (content.len(), sha256(&content));
        self.state().files.insert(path.to_owned(), HubFile { content, size, sha256, is_lfs: true });
    }

    /// Changes a file or its claims.
    pub(super) fn change(&self, path: &str, change: impl FnOnce(&mut HubFile)) {
        change(self.state().files.get_mut(path).unwrap());
    }

    /// The requests since the last call.
    pub(super) fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state().requests)
    }
}

/// The lower-case SHA-256 of a content.
pub(super) fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn listen(address: &str) -> TcpListener {
    TcpListener::bind(address).unwrap()
}

/// Reads the head of a request. Returns its first line, and its fields with lower-case names.
fn read_head(stream: &TcpStream) -> std::io::Result<(String, BTreeMap<String, String>)> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().ok_or(ErrorKind::UnexpectedEof)??;
    let mut fields = BTreeMap::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        fields.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    Ok((first, fields))
}

fn answer(
    state: &Mutex<State>,
    mut stream: &TcpStream,
    host: Host,
    content_address: SocketAddr,
) -> std::io::Result<()> {
    let (first, mut fields) = read_head(stream)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let request =
        Request { method, path, range: fields.remove("range"), token: fields.remove("authorization"), host };
    state.lock().unwrap().requests.push(request.clone());
    if host == Host::Content {
        let (head, body) = content(&state.lock().unwrap(), &request);
        stream.write_all(head.as_bytes())?;
        return if request.method == "HEAD" { Ok(()) } else { send(state, stream, &body) };
    }
    let (head, body) = redirect(&state.lock().unwrap(), &request, content_address);
    stream.write_all(head.as_bytes())?;
    if request.method == "HEAD" { Ok(()) } else { stream.write_all(&body) }
}

/// The answer of the hub.
fn redirect(state: &State, request: &Request, content_address: SocketAddr) -> (String, Vec<u8>) {
    let empty = |status: &str, fields: &str| {
        (format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n{fields}\r\n"), Vec::new())
    };
    let granted = |token: &&str| request.token == Some(format!("Bearer {token}"));
    if state.token.is_some_and(|token| !granted(&token)) {
        return empty("401 Unauthorized", "X-Error-Code: GatedRepo\r\n");
    }
    let name = request.path.strip_prefix(PREFIX).unwrap_or_default();
    if name.matches("/renamed").count() < state.renames {
        return empty("307 Temporary Redirect", &format!("Location: {PREFIX}/renamed{name}\r\n"));
    }
    let name = name.trim_start_matches("/renamed").trim_start_matches('/');
    let Some(file) = state.files.get(name) else {
        return empty("404 Not Found", "");
    };
    let HubFile { size, sha256, .. } = file;
    if file.is_lfs {
        // The fields are those of huggingface.co.
        let fields = format!(
            "Location: http://{content_address}/{name}?signature=x%3D\r\nX-Linked-Size: {size}\r\n\
             X-Linked-ETag: \"{sha256}\"\r\nAccept-Ranges: bytes\r\n"
        );
        return empty("302 Found", &fields);
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nETag: W/\"{}\"\r\nConnection: close\r\n\r\n",
        &sha256[..40]
    );
    (head, file.content.clone())
}

/// The answer of the host of the contents.
fn content(state: &State, request: &Request) -> (String, Vec<u8>) {
    let name = request.path.trim_start_matches('/').split('?').next().unwrap_or_default();
    let Some(file) = state.files.get(name) else {
        return ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into(), Vec::new());
    };
    let range = request.range.as_deref().filter(|_| !state.ignores_ranges);
    let from = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let (all, body) = (file.content.len(), file.content[from.unwrap_or(0)..].to_vec());
    let (status, field) = match from {
        Some(from) => ("206 Partial Content", format!("Content-Range: bytes {from}-{}/{all}\r\n", all - 1)),
        None => ("200 OK", String::new()),
    };
    let length = body.len();
    (
        format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{field}ETag: \"x\"\r\nConnection: close\r\n\r\n"
        ),
        body,
    )
}

/// Sends a content in pieces, and waits where it shall stop.
fn send(state: &Mutex<State>, mut stream: &TcpStream, body: &[u8]) -> std::io::Result<()> {
    let mut done = 0;
    let index = {
        let sent = &mut state.lock().unwrap().sent;
        sent.push(0);
        sent.len() - 1
    };
    for piece in body.chunks(10_000) {
        while state.lock().unwrap().stop_after.is_some_and(|limit| done >= limit) {
            stream.set_read_timeout(Some(Duration::from_millis(10)))?;
            // The end of the stream: the client was killed.
            if stream.read(&mut [0]).is_ok_and(|count| count == 0) {
                return Ok(());
            }
        }
        stream.write_all(piece)?;
        done += piece.len();
        state.lock().unwrap().sent[index] = done;
    }
    Ok(())
}
