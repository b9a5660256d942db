//! Programs that start another program, and the settings that they change.

use crate::import::source::Word;

/// A program that starts another one.
pub(super) struct Wrapper {
    /// Its names.
    pub(super) names: &'static [&'static str],
    /// The letters of its options with a value.
    pub(super) valued: &'static str,
    /// The long names of its options with a value.
    pub(super) long: &'static [&'static str],
    /// Options with which it starts no program.
    pub(super) ends: &'static [&'static str],
    /// The maximum number of its words in front of the program.
    pub(super) positional: usize,
    /// The meaning of options that have a field: `user`, `folder`, `variable`, `manager`, `clear` or `silent`.
    pub(super) meanings: &'static [(&'static str, &'static str)],
    /// The report.
    pub(super) report: Report,
}

/// The report about a program that is removed.
#[derive(Clone, Copy)]
pub(super) enum Report {
    /// Always, with the reason.
    Always(&'static str),
    /// Only if it has options, with the reason.
    Options(&'static str),
    /// It selects the account.
    Account,
    /// It starts a unit.
    Unit,
}

impl Wrapper {
    /// The meaning of an option, or nothing.
    pub(super) fn meaning(&self, option: &str) -> &'static str {
        self.meanings.iter().find(|(name, _)| *name == option).map_or("", |(_, meaning)| meaning)
    }

    /// True if a word is no program but a value of the wrapper.
    pub(super) fn is_positional(&self, word: &Word) -> bool {
        let is_number = word.is_dynamic || word.text.parse::<i32>().is_ok();
        !self.names.contains(&"chrt") || is_number
    }
}

const PLAIN: Wrapper = Wrapper {
    names: &[],
    valued: "",
    long: &[],
    ends: &[],
    positional: 0,
    meanings: &[],
    report: Report::Always("the unit has no such setting"),
};

const NO_START: Report = Report::Options("the unit has no such setting");

/// All programs of this kind, except `env`, `numactl` and `taskset`.
pub(super) const WRAPPERS: &[Wrapper] = &[
    Wrapper { names: &["exec"], valued: "a", meanings: &[("-c", "clear")], report: NO_START, ..PLAIN },
    Wrapper { names: &["nohup", "builtin", "dumb-init", "catatonit"], report: NO_START, ..PLAIN },
    Wrapper {
        names: &["setsid"],
        meanings: &[("-f", "silent"), ("--fork", "silent"), ("-w", "silent"), ("--wait", "silent")],
        report: NO_START,
        ..PLAIN
    },
    Wrapper { names: &["tini", "docker-init"], valued: "pe", report: NO_START, ..PLAIN },
    Wrapper {
        names: &["command"],
        ends: &["-v", "-V"],
        meanings: &[("-p", "silent")],
        report: NO_START,
        ..PLAIN
    },
    Wrapper {
        names: &["time"],
        valued: "fo",
        long: &["--format", "--output"],
        report: Report::Always("it only measures; use `systemctl status` and the journal"),
        ..PLAIN
    },
    Wrapper {
        names: &["nice"],
        valued: "n",
        long: &["--adjustment"],
        report: Report::Always("the registry has no priority; add `Nice=` in a drop-in of the unit"),
        ..PLAIN
    },
    Wrapper {
        names: &["ionice"],
        valued: "cnpPu",
        long: &["--class", "--classdata", "--pid", "--pgid", "--uid"],
        ends: &["-p", "-P", "-u", "--pid", "--pgid", "--uid"],
        report: Report::Always(
            "the registry has no I/O priority; add `IOSchedulingClass=` in a drop-in of the unit",
        ),
        ..PLAIN
    },
    Wrapper {
        names: &["chrt"],
        valued: "TPD",
        long: &["--sched-runtime", "--sched-period", "--sched-deadline"],
        ends: &["-p", "-m", "--pid", "--max"],
        positional: 1,
        report: Report::Always(
            "the registry has no scheduling; add `CPUSchedulingPolicy=` in a drop-in of the unit",
        ),
        ..PLAIN
    },
    Wrapper {
        names: &["prlimit"],
        valued: "po",
        long: &["--pid", "--output"],
        ends: &["-p", "--pid"],
        report: Report::Always("the registry has no such limits; add `Limit…=` in a drop-in of the unit"),
        ..PLAIN
    },
    Wrapper {
        names: &["stdbuf"],
        valued: "ioe",
        long: &["--input", "--output", "--error"],
        report: Report::Always("the journal gets the output without such a buffer"),
        ..PLAIN
    },
    Wrapper {
        names: &["unbuffer", "systemd-cat"],
        valued: "tp",
        long: &["--identifier", "--priority"],
        report: Report::Always("the journal gets the output"),
        ..PLAIN
    },
    Wrapper {
        names: &["timeout"],
        valued: "ks",
        long: &["--kill-after", "--signal"],
        positional: 1,
        report: Report::Always("the registry has no limit; add `RuntimeMaxSec=` in a drop-in of the unit"),
        ..PLAIN
    },
    Wrapper {
        names: &["flock"],
        valued: "wEc",
        long: &["--wait", "--timeout", "--conflict-exit-code", "--command"],
        ends: &["-c", "--command"],
        positional: 1,
        report: Report::Always("systemd starts a unit only once"),
        ..PLAIN
    },
    Wrapper {
        names: &["screen"],
        valued: "cehpsStTX",
        ends: &["-X", "-r", "-R", "-x", "-ls", "-list", "-wipe"],
        report: Report::Always("systemd runs the server, and the journal has its output"),
        ..PLAIN
    },
    Wrapper {
        names: &["cgexec"],
        valued: "g",
        report: Report::Always("the unit has its own control group"),
        ..PLAIN
    },
    Wrapper {
        names: &["systemd-inhibit"],
        long: &["--what", "--who", "--why", "--mode"],
        report: Report::Always("the unit does not delay shutdown or sleep"),
        ..PLAIN
    },
    Wrapper {
        names: &["sudo"],
        valued: "CDgpRrTtUu",
        long: &[
            "--close-from",
            "--chdir",
            "--group",
            "--prompt",
            "--chroot",
            "--role",
            "--command-timeout",
            "--type",
            "--other-user",
            "--user",
        ],
        ends: &["-l", "-v", "-V", "-e", "-K"],
        meanings: &[("-u", "user"), ("--user", "user"), ("-D", "folder"), ("--chdir", "folder")],
        report: Report::Account,
        ..PLAIN
    },
    Wrapper { names: &["doas"], valued: "uC", meanings: &[("-u", "user")], report: Report::Account, ..PLAIN },
    Wrapper {
        names: &["runuser"],
        valued: "ugGswTc",
        long: &["--user", "--group", "--supp-group", "--shell", "--command", "--session-command"],
        ends: &["-c", "-l", "-", "--command", "--session-command", "--login"],
        meanings: &[("-u", "user"), ("--user", "user")],
        report: Report::Account,
        ..PLAIN
    },
    Wrapper {
        names: &["gosu", "su-exec", "setuidgid"],
        positional: 1,
        meanings: &[("", "user")],
        report: Report::Account,
        ..PLAIN
    },
    Wrapper {
        names: &["setpriv"],
        long: &[
            "--ambient-caps",
            "--inh-caps",
            "--bounding-set",
            "--ruid",
            "--euid",
            "--rgid",
            "--egid",
            "--reuid",
            "--regid",
            "--groups",
            "--securebits",
            "--pdeathsig",
            "--selinux-label",
            "--apparmor-profile",
        ],
        meanings: &[("--reuid", "user"), ("--reset-env", "clear")],
        report: Report::Account,
        ..PLAIN
    },
    Wrapper {
        names: &["systemd-run"],
        valued: "HMupE",
        long: &[
            "--host",
            "--machine",
            "--unit",
            "--property",
            "--description",
            "--slice",
            "--setenv",
            "--uid",
            "--gid",
            "--nice",
            "--working-directory",
            "--service-type",
            "--on-active",
            "--on-boot",
            "--on-calendar",
            "--on-startup",
            "--on-unit-active",
            "--on-unit-inactive",
            "--path-property",
            "--socket-property",
            "--timer-property",
            "--background",
        ],
        meanings: &[
            ("--user", "manager"),
            ("--uid", "user"),
            ("--working-directory", "folder"),
            ("--setenv", "variable"),
            ("-E", "variable"),
            ("--description", "silent"),
        ],
        report: Report::Unit,
        ..PLAIN
    },
];
