//! The service manager of this machine: `systemctl`, `journalctl` and `loginctl`.
#![expect(clippy::disallowed_methods, reason = "time limits need a clock")]

use super::programs::run;
use crate::cli::session;
use crate::deploy::{DeployError, LoadRequest, Manager, UnitState};
use crate::hir::UnitScope;
use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time limit of a question to a service manager.
const ASK_LIMIT: Duration = Duration::from_mins(1);

/// The interval of checks if a unit is active.
const INTERVAL: Duration = Duration::from_millis(50);

/// The properties of units that are read.
const PROPERTIES: &str = "Id,Names,LoadState,ActiveState,SubState,Result,UnitFileState,NeedDaemonReload,MainPID,DropInPaths,\
InactiveExitTimestampMonotonic,ActiveEnterTimestampMonotonic,InactiveExitTimestamp,MemoryCurrent";

/// The service manager of the system, or that of the user.
pub(in crate::cli) struct Systemd {
    /// The service manager.
    pub(in crate::cli) scope: UnitScope,
    /// True to print each command before it runs.
    pub(in crate::cli) is_verbose: bool,
}

impl Systemd {
    fn arguments<'a>(&self, args: &[&'a str]) -> Vec<&'a str> {
        (self.scope == UnitScope::User).then_some("--user").into_iter().chain(args.iter().copied()).collect()
    }

    /// Output of `systemctl`. Fails with its message.
    fn ask(&self, args: &[&str], limit: Duration) -> Result<String, DeployError> {
        let ran = run("systemctl", &self.arguments(args), limit)?;
        if ran.success {
            return Ok(String::from_utf8_lossy(&ran.out).into_owned());
        }
        let message = ran.err.lines().find(|line| !line.trim().is_empty()).unwrap_or("no message");
        let message = message.trim_end_matches('.');
        // A question has many arguments, and its verb is enough.
        let shown = if args.first() == Some(&"show") { args.get(..1).unwrap_or_default() } else { args };
        let hint = if message.contains("not been booted with systemd") {
            "; `orchgen apply --root FOLDER` installs into a system that does not run"
        } else {
            ""
        };
        let shown = self.arguments(shown).join(" ");
        Err(DeployError::new(format!("`systemctl {shown}` failed: {message}{hint}")))
    }
}

impl Manager for Systemd {
    fn states(&self, units: &BTreeSet<String>) -> Result<BTreeMap<String, UnitState>, DeployError> {
        let mut all = BTreeMap::new();
        let units: Vec<&str> = units.iter().map(String::as_str).collect();
        // Command lines have a maximum length.
        for some in units.chunks(500) {
            let args = ["show", "--timestamp=us+utc", "-p", PROPERTIES, "--"];
            let args: Vec<&str> = args.into_iter().chain(some.iter().copied()).collect();
            let text = self.ask(&args, ASK_LIMIT)?;
            for (name, block) in some.iter().zip(text.split("\n\n")) {
                all.insert((*name).to_owned(), unit_state(block));
            }
        }
        Ok(all)
    }

    fn systemctl(&self, args: &[&str], limit: Duration) -> Result<(), DeployError> {
        self.ask(args, limit).map(drop)
    }

    fn load(&self, request: &LoadRequest<'_>) -> Result<(), DeployError> {
        let end = Instant::now() + request.limit;
        let address: SocketAddr = format_address(request.address, request.port)
            .parse()
            .map_err(|_| DeployError::new(format!("`{}` is no address", request.address)))?;
        let mut connection = connect(address, request)?;
        loop {
            let names =
                [Some(request.unit), request.proxy].into_iter().flatten().map(str::to_owned).collect();
            let mut states = self.states(&names)?;
            let state = states.remove(request.unit).unwrap_or_default();
            // The proxy of the connection starts after the server.
            let proxy_active = states.values().all(UnitState::is_active);
            match &*state.active {
                "active" if proxy_active => return Ok(()),
                "failed" => {
                    return Err(DeployError::new(format!("`{}` failed: {}", request.unit, state.result)));
                }
                _ if Instant::now() >= end => {
                    let limit = request.limit.as_secs();
                    return Err(DeployError::new(format!(
                        "`{}` was not ready within {limit} s",
                        request.unit
                    )));
                }
                // The proxy can refuse a connection while it stops from an earlier one.
                "inactive" if is_closed(&connection) => connection = connect(address, request)?,
                _ => {}
            }
            thread::sleep(INTERVAL);
        }
    }

    fn last_message(&self, unit: &str) -> Option<String> {
        let args = ["--no-pager", "-o", "cat", "-n", "60"];
        let which = if self.scope == UnitScope::User { "--user-unit" } else { "--unit" };
        let args: Vec<&str> = args.into_iter().chain([which, unit]).collect();
        let ran = run("journalctl", &args, ASK_LIMIT).ok()?;
        let text = String::from_utf8_lossy(&ran.out).into_owned();
        last_own_message(&text, unit)
    }

    fn announce(&self, command: &str) {
        if self.is_verbose {
            session::print_stderr(&format!("  {command}\n"));
        }
    }

    fn enable_linger(&self) -> Result<(), DeployError> {
        let ran = run("loginctl", &["enable-linger"], ASK_LIMIT)?;
        if !ran.success {
            // The units run, so this is no reason to restore the previous generation.
            let message = ran.err.lines().next().unwrap_or("no message").to_owned();
            session::print_stderr(&format!(
                "warning: `loginctl enable-linger` failed, so the units stop at the logout: {message}\n"
            ));
        }
        Ok(())
    }
}

/// The most useful line about the last start of a unit: the first error of its program, else its last line.
fn last_own_message(text: &str, unit: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let is_start = |line: &&str| line.starts_with("Starting ");
    let last_start = lines.iter().rposition(is_start).map_or(0, |start| start + 1);
    let of_systemd = ["Stopp", "Start", "Failed to start"];
    let is_own =
        |line: &&&str| !line.contains(unit) && !of_systemd.iter().any(|start| line.starts_with(start));
    let own: Vec<&&str> = lines.get(last_start..).unwrap_or_default().iter().filter(is_own).collect();
    let is_error = |line: &&&&str| {
        ["error", "failed", "cannot", "no such file"].iter().any(|word| line.to_lowercase().contains(word))
    };
    let found = own.iter().find(is_error).or(own.last()).map(|line| **line);
    found.or(lines.last().copied()).map(str::to_owned)
}

fn connect(address: SocketAddr, request: &LoadRequest<'_>) -> Result<TcpStream, DeployError> {
    TcpStream::connect_timeout(&address, ASK_LIMIT).map_err(|error| {
        DeployError::new(format!("cannot connect to {address} to load `{}`: {error}", request.unit))
    })
}

/// True if the other side closed a connection.
fn is_closed(connection: &TcpStream) -> bool {
    let mut byte = [0];
    let _ = connection.set_nonblocking(true);
    let read = connection.peek(&mut byte);
    let _ = connection.set_nonblocking(false);
    match read {
        Ok(count) => count == 0,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    }
}

/// An address with a port. An IPv6 address is in brackets.
pub(in crate::cli) fn format_address(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

/// A unit from its properties, one per line.
fn unit_state(block: &str) -> UnitState {
    let property = |name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().trim()
    };
    let number =
        |name: &str| property(name).parse::<u64>().ok().filter(|number| *number > 0 && *number < u64::MAX);
    let (left, entered) = (number("InactiveExitTimestampMonotonic"), number("ActiveEnterTimestampMonotonic"));
    UnitState {
        load: property("LoadState").to_owned(),
        active: property("ActiveState").to_owned(),
        sub: property("SubState").to_owned(),
        result: property("Result").to_owned(),
        enabled: property("UnitFileState").to_owned(),
        needs_reload: property("NeedDaemonReload") == "yes",
        pid: property("MainPID").parse().unwrap_or_default(),
        drop_ins: property("DropInPaths").split_whitespace().map(str::to_owned).collect(),
        start_micros: left.zip(entered).and_then(|(left, entered)| entered.checked_sub(left)),
        started_at: timestamp(property("InactiveExitTimestamp")),
        memory: number("MemoryCurrent"),
    }
}

/// Microseconds since 1970 of a time such as `Sun 2026-11-29 19:59:49.123456 UTC` or `@1795982389.123456`.
fn timestamp(text: &str) -> Option<u64> {
    let mut words = text.split_whitespace().skip(1);
    let (date, time) = (words.next()?, words.next()?);
    let mut date = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.split(':');
    let (hour, minute) = (time.next()?.parse::<i64>().ok()?, time.next()?.parse::<i64>().ok()?);
    let (second, fraction) = time.next()?.split_once('.')?;
    let second: i64 = second.parse().ok()?;
    // Days since 1970 of a date of the Gregorian calendar, by the algorithm of Howard Hinnant.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = u64::try_from(((days * 24 + hour) * 60 + minute) * 60 + second).ok()?;
    Some(seconds * 1_000_000 + format!("{fraction:0<6}").get(..6)?.parse::<u64>().ok()?)
}

/// Enables a unit in a system that does not run.
pub(in crate::cli) fn enable_below(root: &Path, unit: &str) -> Result<(), DeployError> {
    let root = format!("--root={}", root.display());
    let ran = run("systemctl", &[&root, "enable", unit], ASK_LIMIT)?;
    let message = || ran.err.lines().next().unwrap_or("no message").to_owned();
    if ran.success {
        Ok(())
    } else {
        Err(DeployError::new(format!("`systemctl {root} enable {unit}` failed: {}", message())))
    }
}

/// Microseconds since 1970.
pub(in crate::cli) fn now_micros() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}

/// A time such as `2026-11-29 19:59:49 UTC`.
pub(in crate::cli) fn utc(seconds: u64) -> String {
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    // The algorithm of Howard Hinnant, as in `timestamp`.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era * 400 + next;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// Asks a question on the terminal. False if standard input is no terminal, or the answer is not yes.
pub(in crate::cli) fn ask_user(question: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        session::print_stderr(
            "error: standard input is no terminal: write `--yes` to apply without a question\n",
        );
        return false;
    }
    session::print_stderr(question);
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_states_are_read() {
        assert_eq!(timestamp("Thu 1970-01-01 00:00:01.000002 UTC"), Some(1_000_002));
        assert_eq!(timestamp("Sun 2026-11-29 19:59:49.123456 UTC"), Some(1_795_982_389_123_456));
        assert_eq!(timestamp("Tue 2028-02-29 23:59:59.5 UTC"), Some(1_835_481_599_500_000));
        assert_eq!(utc(1_795_982_389), "2026-11-29 19:59:49 UTC");
        assert_eq!(
            (utc(0), utc(1_835_481_599)),
            ("1970-01-01 00:00:00 UTC".to_owned(), "2028-02-29 23:59:59 UTC".to_owned())
        );
        assert_eq!(timestamp(""), None);
        assert_eq!(timestamp("n/a"), None);
        let block = "Id=a.service\nLoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nMainPID=7\n\
            DropInPaths=/etc/a.d/b.conf\nInactiveExitTimestampMonotonic=10\nActiveEnterTimestampMonotonic=2000010\n\
            MemoryCurrent=18446744073709551615\nUnitFileState=";
        let state = unit_state(block);
        assert_eq!((state.pid, state.start_micros, state.memory), (7, Some(2_000_000), None));
        assert_eq!(state.drop_ins, ["/etc/a.d/b.conf"]);
        assert!(state.is_active());
    }

    #[test]
    fn the_last_message_is_that_of_the_program() {
        let text = "error: old\nStarting chat: a...\nload: error: no such file\nexiting: error\na.service: Main process exited\nFailed to start chat";
        assert_eq!(last_own_message(text, "a.service").as_deref(), Some("load: error: no such file"));
        assert_eq!(
            last_own_message("a.service: failed\n", "a.service").as_deref(),
            Some("a.service: failed")
        );
        assert_eq!(last_own_message("", "a.service"), None);
    }
}
