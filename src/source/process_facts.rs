//! Facts of one process of this machine, and of the files that it reads: from `/proc` (proc(5), Linux).

use super::processes::{bounded_text, strings};
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The ticks of a second in `/proc/PID/stat`. Linux has this value on all architectures that systemd supports.
const TICKS: u64 = 100;

/// The resolution of the start time of a process, in microseconds.
const TICK_MICROS: u64 = 1_000_000 / TICKS;

/// The known facts of a process.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ProcessFacts {
    /// The words of its command line, with the program.
    pub args: Vec<String>,
    /// The bytes of its resident memory: private, mapped and shared.
    pub resident: Option<u64>,
    /// The time of its start, in microseconds since 1970.
    pub started_at: Option<u64>,
}

/// A file that a process reads, compared with the file that the path names now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileState {
    /// The file did not change since the start of the process.
    Same,
    /// The path names another file or other content than at the start of the process.
    Replaced,
    /// There is no file.
    Missing,
    /// The file or the process cannot be examined.
    Unknown,
}

/// The time of the boot in microseconds since 1970. `now` is the current time, in the same unit.
pub fn boot_time(now: u64) -> Option<u64> {
    let text = bounded_text(Path::new("/proc/uptime"))?;
    let (seconds, hundredths) = text.split_whitespace().next()?.split_once('.')?;
    let up = seconds.parse::<u64>().ok()?.checked_mul(1_000_000)?;
    now.checked_sub(up.checked_add(hundredths.parse::<u64>().ok()?.checked_mul(10_000)?)?)
}

/// The facts of a process. `boot` is the result of [`boot_time`]. `None` if there is no such process.
pub fn process_facts(pid: u32, boot: Option<u64>) -> Option<ProcessFacts> {
    let folder = Path::new("/proc").join(pid.to_string());
    let args = strings(&bounded_text(&folder.join("cmdline"))?);
    let status = bounded_text(&folder.join("status")).unwrap_or_default();
    let stat = bounded_text(&folder.join("stat")).unwrap_or_default();
    let started_at = boot
        .zip(start_ticks(&stat))
        .and_then(|(boot, ticks)| ticks.checked_mul(TICK_MICROS).and_then(|micros| boot.checked_add(micros)));
    Some(ProcessFacts { args, resident: resident(&status), started_at })
}

/// The sum of the resident memory in `/proc/PID/status`.
fn resident(status: &str) -> Option<u64> {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    };
    field("RssAnon")?.checked_add(field("RssFile")?)?.checked_add(field("RssShmem")?)
}

/// Field 22 of `/proc/PID/stat`. The name of the program, field 2, is in parentheses and can have any characters.
fn start_ticks(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// The states of files that a process reads. Without a process only missing files are found.
pub fn file_states(process: Option<(u32, &ProcessFacts)>, files: &[String]) -> Vec<FileState> {
    let maps =
        process.and_then(|(pid, _)| bounded_text(&Path::new("/proc").join(pid.to_string()).join("maps")));
    let maps = maps.unwrap_or_default();
    files.iter().map(|file| file_state(process, &maps, Path::new(file))).collect()
}

fn file_state(process: Option<(u32, &ProcessFacts)>, maps: &str, path: &Path) -> FileState {
    let now = match fs::metadata(path) {
        Ok(now) => now,
        Err(error) if error.kind() == ErrorKind::NotFound => return FileState::Missing,
        Err(_) => return FileState::Unknown,
    };
    let Some((pid, facts)) = process else { return FileState::Same };
    // The kernel lists the path behind symlinks.
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let real = real.to_string_lossy();
    let mut mapped = maps.lines().filter_map(Mapping::parse).filter_map(|mapping| {
        let rest = mapping.path.strip_prefix(&*real)?;
        matches!(rest, "" | " (deleted)").then_some((mapping, rest.is_empty()))
    });
    let Some(started) = facts.started_at else {
        return mapped.next().map_or(FileState::Unknown, |(mapping, exists)| {
            if exists && mapping.may_be(pid, &now) { FileState::Same } else { FileState::Replaced }
        });
    };
    let is_later = |seconds: i64, nanos: i64| {
        let micros =
            seconds.unsigned_abs().saturating_mul(1_000_000).saturating_add(nanos.unsigned_abs() / 1000);
        micros > started.saturating_add(TICK_MICROS)
    };
    let is_replaced = match mapped.next() {
        // The content of the mapped file changed if it was written in place.
        Some((mapping, true)) if mapping.may_be(pid, &now) => is_later(now.mtime(), now.mtime_nsec()),
        Some(_) => true,
        // A file can be renamed with an old time of its content.
        None => {
            let link = fs::symlink_metadata(path).ok();
            let link = link.filter(Metadata::is_symlink);
            is_later(now.ctime(), now.ctime_nsec())
                || link.is_some_and(|link| is_later(link.ctime(), link.ctime_nsec()))
        }
    };
    if is_replaced { FileState::Replaced } else { FileState::Same }
}

/// A mapped file: a line of `/proc/PID/maps`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Mapping<'m> {
    range: &'m str,
    device: &'m str,
    inode: u64,
    path: &'m str,
}

impl<'m> Mapping<'m> {
    /// Reads `START-END MODE OFFSET MAJOR:MINOR INODE PATH`. `None` if no file is mapped.
    fn parse(line: &'m str) -> Option<Self> {
        let mut words = line.splitn(6, ' ');
        let range = words.next()?;
        let device = words.nth(2)?;
        let inode = words.next()?.parse().ok()?;
        let path = words.next()?.trim_start();
        path.starts_with('/').then_some(Self { range, device, inode, path })
    }

    /// True if the mapped file is the file that the path names now. The list can have another device than `stat` on btrfs, and
    /// another inode on overlayfs: then only a comparison of two results of `stat` decides, which needs root.
    fn may_be(&self, pid: u32, now: &Metadata) -> bool {
        if self.inode == now.ino() {
            return true;
        }
        let link = Path::new("/proc").join(pid.to_string()).join("map_files").join(self.range);
        match fs::metadata(link) {
            Ok(mapped) => (mapped.dev(), mapped.ino()) == (now.dev(), now.ino()),
            Err(_) => self.device != device_text(now.dev()),
        }
    }
}

/// A device as `/proc/PID/maps` prints it.
fn device_text(device: u64) -> String {
    let major = ((device >> 8) & 0xfff) | ((device >> 32) & !0xfff);
    let minor = (device & 0xff) | ((device >> 12) & !0xff);
    format!("{major:02x}:{minor:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_proc_are_read() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 8100 9 10";
        assert_eq!(start_ticks(stat), Some(8100));
        assert_eq!(start_ticks(""), None);
        let status = "Name:\ta\nRssAnon:\t     100 kB\nRssFile:\t 20 kB\nRssShmem:\t 3 kB\n";
        assert_eq!(resident(status), Some(123 * 1024));
        assert_eq!(resident("Name:\ta\n"), None);
        let line = "7f00-7f10 r--s 00000000 fe:00 42                         /srv/my model.gguf (deleted)";
        let mapping = Mapping::parse(line).unwrap();
        assert_eq!((mapping.device, mapping.inode), ("fe:00", 42));
        assert_eq!(mapping.path, "/srv/my model.gguf (deleted)");
        assert_eq!(Mapping::parse("7f00-7f10 rw-p 00000000 00:00 0 "), None);
        assert_eq!(Mapping::parse("7f00-7f10 rw-p 00000000 00:00 0                  [heap]"), None);
        assert_eq!(device_text(0xfe00), "fe:00");
    }
}
