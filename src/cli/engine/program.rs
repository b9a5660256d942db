//! Runs an untrusted program with a time limit and an output limit, and leaves no process running.
//!
//! Each process gets its own process group, which is always killed at the end.
#![expect(clippy::disallowed_methods, reason = "the time limit needs a clock, and the program needs PATH")]

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

/// The time limit of a program, for all its runs together.
pub(in crate::cli) const TIMEOUT: Duration = Duration::from_secs(10);

/// The maximum number of bytes that a program may print.
const MAX_OUTPUT_BYTES: usize = 8 << 20;

/// The maximum time that the output may stay open after the program has exited.
const OUTPUT_GRACE: Duration = Duration::from_millis(500);

/// The interval of checks whether the program has exited.
const POLL_INTERVAL: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// Variables that a program needs to find its libraries. All others are removed: `LLAMA_ARG_*` changes the effect of
/// `--help` and can even make it fail (llama.cpp b11434, `common/arg.cpp`).
const KEPT_VARIABLES: [&str; 2] = ["PATH", "LD_LIBRARY_PATH"];

/// Variables with folders of user settings and models. They are set to `/dev/null`.
const CLEARED_FOLDERS: [&str; 4] = ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"];

/// The output of a successful program.
#[derive(Debug, Default)]
pub(in crate::cli) struct ProgramOutput {
    /// Standard output.
    pub(in crate::cli) out: String,
    /// Standard error.
    pub(in crate::cli) err: String,
}

/// The reason why a program has no usable output.
#[derive(Debug)]
pub(in crate::cli) enum ProgramError {
    /// The program cannot be started.
    Start(String),
    /// The program did not exit in time.
    Timeout,
    /// The program printed more than [`MAX_OUTPUT_BYTES`].
    TooMuchOutput,
    /// The program exited, but a child process keeps its output open.
    OutputStillOpen,
    /// The program failed: the kind of exit, and the first line of its output.
    Exit(String, String),
}

impl ProgramError {
    /// True if the program never ran. Then the argument does not matter.
    pub(in crate::cli) fn is_start_failure(&self) -> bool {
        matches!(self, Self::Start(_))
    }
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(why) => write!(f, "cannot be started: {why}"),
            Self::Timeout => write!(f, "did not exit within {} seconds and was killed", TIMEOUT.as_secs()),
            Self::TooMuchOutput => {
                write!(f, "printed more than {} MiB and was killed", MAX_OUTPUT_BYTES >> 20)
            }
            Self::OutputStillOpen => f.write_str("exited, but a child process keeps its output open"),
            Self::Exit(how, line) if line.is_empty() => write!(f, "{how}"),
            Self::Exit(how, line) => write!(f, "{how}: {}", words::printable(line)),
        }
    }
}

/// The deadline of a program that is started now.
pub(in crate::cli) fn deadline() -> Instant {
    Instant::now() + TIMEOUT
}

/// Runs a program with one argument, in `/`, with empty standard input.
pub(in crate::cli) fn run(
    program: &Path,
    argument: &str,
    deadline: Instant,
) -> Result<ProgramOutput, ProgramError> {
    let path = std::path::absolute(program).map_err(|error| ProgramError::Start(start_error(&error)))?;
    let mut command = Command::new(path);
    command.arg(argument).current_dir("/").process_group(0).env_clear().env("LC_ALL", "C");
    command.envs(KEPT_VARIABLES.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.envs(CLEARED_FOLDERS.iter().map(|name| (name, "/dev/null")));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| ProgramError::Start(start_error(&error)))?;
    let output = read_output(&mut child, deadline);
    // Kill the group before `wait`: until then, the kernel cannot reuse the process group id.
    let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    let status = child.wait().map_err(|error| ProgramError::Start(start_error(&error)))?;
    let output = output?;
    if status.success() { Ok(output) } else { Err(exit_error(status, &output)) }
}

/// An output stream of the program. `pipe` is `None` after it was closed.
struct Stream {
    pipe: Option<PipeReader>,
    bytes: Vec<u8>,
}

impl Stream {
    fn new(fd: Option<OwnedFd>) -> Self {
        Self { pipe: fd.map(PipeReader::from), bytes: Vec::new() }
    }

    /// Reads the available bytes. Does not block if there are any.
    fn read_available(&mut self) {
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

fn read_output(child: &mut Child, deadline: Instant) -> Result<ProgramOutput, ProgramError> {
    let mut streams =
        [Stream::new(child.stdout.take().map(Into::into)), Stream::new(child.stderr.take().map(Into::into))];
    let mut exited_at: Option<Instant> = None;
    loop {
        for at in wait_readable(&streams) {
            if let Some(stream) = streams.get_mut(at) {
                stream.read_available();
            }
        }
        let is_open = streams.iter().any(|stream| stream.pipe.is_some());
        let now = Instant::now();
        if streams.iter().map(|stream| stream.bytes.len()).sum::<usize>() > MAX_OUTPUT_BYTES {
            return Err(ProgramError::TooMuchOutput);
        }
        if exited_at.is_none() && has_exited(child) {
            exited_at = Some(now);
        }
        match exited_at {
            Some(_) if !is_open => break,
            Some(since) if now.duration_since(since) > OUTPUT_GRACE => {
                return Err(ProgramError::OutputStillOpen);
            }
            None if now >= deadline => return Err(ProgramError::Timeout),
            _ => {}
        }
    }
    let [out, err] = streams.map(|stream| String::from_utf8_lossy(&stream.bytes).into_owned());
    Ok(ProgramOutput { out, err })
}

/// Waits at most [`POLL_INTERVAL`]. Returns the indexes of the streams that are readable or closed.
fn wait_readable(streams: &[Stream]) -> Vec<usize> {
    let open = streams.iter().enumerate().filter_map(|(at, stream)| Some((at, stream.pipe.as_ref()?)));
    let (numbers, mut polled): (Vec<usize>, Vec<PollFd<'_>>) =
        open.map(|(at, pipe)| (at, PollFd::new(pipe, PollFlags::IN))).unzip();
    if poll(&mut polled, Some(&POLL_INTERVAL)).is_err() {
        return Vec::new();
    }
    let woken = numbers.into_iter().zip(&polled).filter(|(_, fd)| !fd.revents().is_empty());
    woken.map(|(at, _)| at).collect()
}

/// True if the program has exited. Does not reap it.
fn has_exited(child: &Child) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    matches!(waitid(WaitId::Pid(Pid::from_child(child)), options), Ok(Some(_)))
}

fn exit_error(status: ExitStatus, output: &ProgramOutput) -> ProgramError {
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("failed with exit code {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "failed".to_owned(),
    };
    let line = output.err.lines().chain(output.out.lines()).find(|line| !line.trim().is_empty());
    ProgramError::Exit(how, line.unwrap_or_default().trim().to_owned())
}

fn start_error(error: &std::io::Error) -> String {
    // The value on all Linux architectures.
    const ENOEXEC: i32 = 8;
    match (error.kind(), error.raw_os_error()) {
        (ErrorKind::NotFound, _) => "no such file, or its interpreter is missing".to_owned(),
        (ErrorKind::PermissionDenied, _) => "it is not executable, or permission is denied".to_owned(),
        (_, Some(ENOEXEC)) => "it is not a program for this machine".to_owned(),
        _ => error.to_string(),
    }
}
