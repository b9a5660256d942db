//! Runs a program that nobody has reason to trust: for a bounded time, with bounded output, and with nothing left of it.
//!
//! The only place that starts processes. Each gets a process group of its own, which is killed whatever happens.
#![expect(
    clippy::disallowed_methods,
    reason = "a bound on time needs a clock, and a program its search path"
)]

use crate::diag::words;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::fmt;
use std::io::{ErrorKind, PipeReader, Read};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take, for all that it is asked.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The most that it may print, in bytes.
const MOST: usize = 8 << 20;

/// How long its output may stay open after its end.
const GRACE: Duration = Duration::from_millis(500);

/// Between two looks at whether it has ended.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// Variables that a program needs to find what it is linked with. All others stay out: `LLAMA_ARG_*` changes what
/// `--help` does, down to a failure (llama.cpp b11434, `common/arg.cpp`).
const KEPT: [&str; 2] = ["PATH", "LD_LIBRARY_PATH"];

/// Variables that say where settings and models of the user lie, and say nowhere.
const NOWHERE: [&str; 4] = ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"];

/// What a program printed before it ended well.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// On standard output.
    pub(super) out: String,
    /// On standard error.
    pub(super) err: String,
}

/// Why there is nothing of it to be read.
#[derive(Debug)]
pub(super) enum Failure {
    /// It cannot be started.
    Start(String),
    /// It did not end in time.
    Slow,
    /// It printed more than [`MOST`].
    Loud,
    /// It ended, and something that it started keeps its output open.
    Open,
    /// It ended badly: how, and the first line that it printed.
    Ended(String, String),
}

impl Failure {
    /// Whether it never ran, so that what it was asked does not matter.
    pub(super) fn is_early(&self) -> bool {
        matches!(self, Self::Start(_))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(why) => write!(f, "cannot be started: {why}"),
            Self::Slow => write!(f, "did not end within {} seconds and was killed", PATIENCE.as_secs()),
            Self::Loud => write!(f, "printed more than {} MiB and was killed", MOST >> 20),
            Self::Open => f.write_str("ended, and a process that it started keeps its output open"),
            Self::Ended(how, line) if line.is_empty() => write!(f, "{how}"),
            Self::Ended(how, line) => write!(f, "{how}: {}", words::printable(line)),
        }
    }
}

/// The time by which everything has to be over that begins at this moment.
pub(super) fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

/// Runs a program with one argument, in the root folder, with nothing to read.
pub(super) fn run(program: &Path, argument: &str, deadline: Instant) -> Result<Said, Failure> {
    let path = std::path::absolute(program).map_err(|error| Failure::Start(reason(&error)))?;
    let mut command = Command::new(path);
    command.arg(argument).current_dir("/").process_group(0).env_clear().env("LC_ALL", "C");
    command.envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.envs(NOWHERE.iter().map(|name| (name, "/dev/null")));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| Failure::Start(reason(&error)))?;
    let heard = listen(&mut child, deadline);
    // The leader has not been waited for, so that the number of its group is still its own.
    let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    let status = child.wait().map_err(|error| Failure::Start(reason(&error)))?;
    let said = heard?;
    if status.success() { Ok(said) } else { Err(ended(status, &said)) }
}

/// One of its streams, until it is closed.
struct Stream {
    pipe: Option<PipeReader>,
    bytes: Vec<u8>,
}

impl Stream {
    fn new(fd: Option<OwnedFd>) -> Self {
        Self { pipe: fd.map(PipeReader::from), bytes: Vec::new() }
    }

    /// Takes what is there, which does not block when there is something.
    fn take(&mut self) {
        let mut buffer = [0; 1 << 14];
        let read = self.pipe.as_mut().map_or(Ok(0), |pipe| pipe.read(&mut buffer));
        match read {
            Ok(0) => self.pipe = None,
            Ok(n) => self.bytes.extend(buffer.iter().take(n)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.pipe = None,
        }
    }
}

fn listen(child: &mut Child, deadline: Instant) -> Result<Said, Failure> {
    let mut streams =
        [Stream::new(child.stdout.take().map(Into::into)), Stream::new(child.stderr.take().map(Into::into))];
    let mut over: Option<Instant> = None;
    loop {
        for at in ready(&streams) {
            if let Some(stream) = streams.get_mut(at) {
                stream.take();
            }
        }
        let is_open = streams.iter().any(|stream| stream.pipe.is_some());
        let time = Instant::now();
        if streams.iter().map(|stream| stream.bytes.len()).sum::<usize>() > MOST {
            return Err(Failure::Loud);
        }
        if over.is_none() && has_ended(child) {
            over = Some(time);
        }
        match over {
            Some(_) if !is_open => break,
            Some(since) if time.duration_since(since) > GRACE => return Err(Failure::Open),
            None if time >= deadline => return Err(Failure::Slow),
            _ => {}
        }
    }
    let [out, err] = streams.map(|stream| String::from_utf8_lossy(&stream.bytes).into_owned());
    Ok(Said { out, err })
}

/// Waits a moment for something to read; the streams that have something, or an end.
fn ready(streams: &[Stream]) -> Vec<usize> {
    let open = streams.iter().enumerate().filter_map(|(at, stream)| Some((at, stream.pipe.as_ref()?)));
    let (numbers, mut polled): (Vec<usize>, Vec<PollFd<'_>>) =
        open.map(|(at, pipe)| (at, PollFd::new(pipe, PollFlags::IN))).unzip();
    if poll(&mut polled, Some(&TICK)).is_err() {
        return Vec::new();
    }
    let woken = numbers.into_iter().zip(&polled).filter(|(_, fd)| !fd.revents().is_empty());
    woken.map(|(at, _)| at).collect()
}

/// Whether it has ended. It is left to be waited for.
fn has_ended(child: &Child) -> bool {
    let how = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    matches!(waitid(WaitId::Pid(Pid::from_child(child)), how), Ok(Some(_)))
}

fn ended(status: ExitStatus, said: &Said) -> Failure {
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended badly".to_owned(),
    };
    let line = said.err.lines().chain(said.out.lines()).find(|line| !line.trim().is_empty());
    Failure::Ended(how, line.unwrap_or_default().trim().to_owned())
}

fn reason(error: &std::io::Error) -> String {
    // The number is that of every Linux.
    const NO_PROGRAM: i32 = 8;
    match (error.kind(), error.raw_os_error()) {
        (ErrorKind::NotFound, _) => "there is no such file, or not what it needs to run".to_owned(),
        (ErrorKind::PermissionDenied, _) => "it is not executable, or permission is denied".to_owned(),
        (_, Some(NO_PROGRAM)) => "it is no program of this machine".to_owned(),
        _ => error.to_string(),
    }
}
