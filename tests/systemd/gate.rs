//! Runs the gates of units, which wait until a server is ready, with other servers.

use crate::outside::{self, folder};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// The main process of a unit, which is not the router.
pub(super) struct MainProcess(pub(super) Child);

impl MainProcess {
    pub(super) fn start() -> Self {
        Self(Command::new("sleep").arg("100").spawn().unwrap())
    }

    /// Ends it, as systemd sees the death of a router.
    pub(super) fn end(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for MainProcess {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A gate to run.
pub(super) struct Gate<'g> {
    pub(super) words: &'g [String],
    pub(super) models: &'g [&'g str],
    pub(super) key_file: Option<&'g str>,
}

impl Gate<'_> {
    /// Starts it for a router at a port.
    pub(super) fn start(&self, port: u16, main: &MainProcess) -> Child {
        let folder = folder().keep();
        if let Some(text) = self.key_file {
            outside::write(&folder.join("api-key"), text, 0o600);
        }
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..4]).arg(port.to_string()).args(self.models);
        command.env("MAINPID", main.0.id().to_string()).env("CREDENTIALS_DIRECTORY", folder);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs it with a router that gives these answers, one for each request, and the last one from then on.
    pub(super) fn run(&self, answers: &[String]) -> (i32, String, Vec<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = serve(listener, answers);
        let main = MainProcess::start();
        let (code, text) = result(&self.start(port, &main).wait_with_output().unwrap());
        (code, text, requests.try_iter().collect())
    }
}

/// The exit code and the message of a gate, which prints nothing else.
#[track_caller]
pub(super) fn result(output: &Output) -> (i32, String) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

pub(super) fn serve(listener: TcpListener, answers: &[String]) -> Receiver<String> {
    let (sender, receiver) = channel();
    let answers = answers.to_vec();
    thread::spawn(move || {
        for (n, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut bytes = [0; 4096];
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read(&mut bytes) {
                    Ok(0) | Err(_) => break,
                    Ok(length) => request.extend(&bytes[..length]),
                }
            }
            let answer = &answers[n.min(answers.len() - 1)];
            stream.write_all(answer.as_bytes()).ok();
            sender.send(String::from_utf8(request).unwrap()).ok();
        }
    });
    receiver
}

pub(super) fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nServer: llama.cpp\r\nContent-Length: {length}\r\n\r\n{body}")
}
