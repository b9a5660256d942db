//! Programs of the system with time limits: `systemctl`, `journalctl`, `loginctl`, `git`, `getent` and `ssh`.
#![expect(clippy::disallowed_methods, reason = "time limits need a clock")]

use crate::deploy::DeployError;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// The interval of checks if a program has exited.
const INTERVAL: Duration = Duration::from_millis(50);

/// The time for a program to end after its standard input.
const END_LIMIT: Duration = Duration::from_secs(10);

/// The most bytes of the output of a program.
const MAX_OUTPUT: u64 = 256 << 20;

/// The output of a program.
pub(in crate::cli) struct Ran {
    /// True if it succeeded.
    pub(in crate::cli) success: bool,
    /// The exit code. `None` if a signal ended it.
    pub(super) code: Option<i32>,
    /// Standard output.
    pub(in crate::cli) out: Vec<u8>,
    /// Standard error.
    pub(in crate::cli) err: String,
}

/// Runs a program of the system with a time limit.
pub(in crate::cli) fn run(program: &str, args: &[&str], limit: Duration) -> Result<Ran, DeployError> {
    run_with(program, args, b"", limit)
}

/// Runs a program of the system with an input and a time limit.
pub(in crate::cli) fn run_with(
    program: &str,
    args: &[&str],
    input: &[u8],
    limit: Duration,
) -> Result<Ran, DeployError> {
    let shown = format!("{program} {}", args.join(" "));
    run_live((program, &shown), args, input, (limit, Box::new(|_| ())))
}

/// Shows a line of the standard error of a program.
pub(super) type ShowLine = Box<dyn Fn(&str) + Send>;

/// Runs a program of the system with an input and a time limit, and shows each line of its standard error at once. `shown` is
/// the command line for users.
pub(super) fn run_live(
    (program, shown): (&str, &str),
    args: &[&str],
    input: &[u8],
    (limit, show): (Duration, ShowLine),
) -> Result<Ran, DeployError> {
    let failed = |error: std::io::Error| DeployError::new(format!("cannot run `{program}`: {error}"));
    let mut child =
        command(program, args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let (stdin, input) = (child.stdin.take(), input.to_vec());
    // The program may end without reading all of it.
    thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (out, err) = (thread::spawn(|| read(out)), thread::spawn(move || read_lines(err, &show)));
    let status = wait(&mut child, limit).map_err(failed)?;
    // After the limit, other processes may still have its output open.
    let Some(status) = status else {
        return Err(DeployError::new(format!("`{shown}` took longer than {} s", limit.as_secs())));
    };
    let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
    Ok(Ran { success: status.success(), code: status.code(), out, err })
}

/// Starts a program that goes on in the background.
pub(super) fn start(program: &str, args: &[&str]) -> Result<Background, DeployError> {
    let failed = |error: std::io::Error| DeployError::new(format!("cannot run `{program}`: {error}"));
    let mut child =
        command(program, args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (sender, lines) = mpsc::channel();
    let show: ShowLine = Box::new(move |line| {
        // The other side may be gone.
        let _ = sender.send(line.to_owned());
    });
    thread::spawn(move || read_lines(out, &show));
    let err = thread::spawn(|| read_lines(err, &(Box::new(|_: &str| ()) as ShowLine)));
    Ok(Background { child, lines, err: Some(err) })
}

/// A program in the background. At the end its standard input is closed, and it is killed if it does not end.
pub(super) struct Background {
    child: Child,
    /// The lines of its standard output.
    lines: mpsc::Receiver<String>,
    /// Reads its standard error to the end.
    err: Option<thread::JoinHandle<String>>,
}

impl Background {
    /// The next line of its standard output. Fails with its standard error if it ends before, and after the limit.
    pub(super) fn line(&mut self, limit: Duration) -> Result<String, String> {
        match self.lines.recv_timeout(limit) {
            Ok(line) => Ok(line),
            Err(mpsc::RecvTimeoutError::Timeout) => Err(format!("it took longer than {} s", limit.as_secs())),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let _ = wait(&mut self.child, END_LIMIT);
                Err(self.err.take().and_then(|err| err.join().ok()).unwrap_or_default())
            }
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It may have ended.
        let _ = wait(&mut self.child, END_LIMIT);
    }
}

fn command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).env("LC_ALL", "C.UTF-8").env("SYSTEMD_COLORS", "0").env("SYSTEMD_PAGER", "");
    command.stderr(Stdio::piped());
    command
}

fn read(stream: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // The bytes before an error are used.
    let _ = stream.map(|stream| stream.take(MAX_OUTPUT).read_to_end(&mut bytes));
    bytes
}

/// Reads lines, and shows each of them.
fn read_lines(stream: Option<impl Read>, show: &ShowLine) -> String {
    let mut text = String::new();
    let Some(stream) = stream else { return text };
    for line in BufReader::new(stream.take(MAX_OUTPUT)).split(b'\n') {
        // The lines before an error are used.
        let Ok(line) = line else { break };
        let line = String::from_utf8_lossy(&line);
        show(&line);
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Waits for a process. `None` if it was killed after the limit.
fn wait(child: &mut Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(INTERVAL);
    }
}
