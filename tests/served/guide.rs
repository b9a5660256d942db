//! The commands of the guide that need systemd and a real llama-server, in the booted rig.
//!
//! A page runs as a whole, in order, in an empty folder. Tiny models have the names of the model files of the page.

use super::rig::{Rig, text};
use crate::guide::models;
use crate::guide::page::{Machine, Page};
use crate::guide::test_pages;
use std::fs;

/// The ports of the pages. In the rig they have another number, because it shares the ports of the machine.
const PORTS: [&str; 6] = ["8000", "8080", "8081", "8082", "8083", "8084"];

/// Commands that ask before they change something. No user answers in a test.
const ASKING: [&str; 2] = ["orchgen apply", "orchgen rollback"];

/// The rig with the folder of the page.
struct Booted(Rig);

impl Booted {
    fn of(page: &Page) -> Self {
        let rig = Rig::boot();
        fs::copy(crate::support::orchgen(), rig.root.join("usr/local/bin/orchgen")).unwrap();
        let models = rig.root.join("srv/models");
        let kept = rig.root.join("srv/tiny");
        fs::rename(&models, &kept).unwrap();
        fs::create_dir(&models).unwrap();
        for file in models::of_page(page.text()) {
            assert!(!file.served.is_empty(), "the rig has no tiny model for {}", file.name);
            fs::copy(kept.join(format!("{}.gguf", file.served)), models.join(file.name)).unwrap();
        }
        fs::create_dir(rig.root.join("srv/page")).unwrap();
        // A build in another folder than that of the distribution.
        let bin = rig.root.join("opt/llama.cpp/bin");
        fs::create_dir_all(&bin).unwrap();
        for program in ["llama-server", "llama-cli", "llama-completion"] {
            fs::copy(rig.root.join("usr/bin").join(program), bin.join(program)).unwrap();
        }
        Self(rig)
    }
}

/// A text of the page with the ports of the rig.
fn moved(text: &str) -> String {
    PORTS.iter().fold(text.to_owned(), |text, port| text.replace(port, &format!("1{port}")))
}

/// A text in which each row of spaces is one, because other numbers change the width of columns.
fn narrow(text: &str) -> String {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

impl Machine for Booted {
    fn has_systemd(&self) -> bool {
        true
    }

    fn write(&self, path: &str, text: &str) {
        self.0.write(&format!("/srv/page/{path}"), &moved(text), 0o644);
    }

    fn read(&self, path: &str) -> String {
        narrow(&fs::read_to_string(self.0.root.join("srv/page").join(path)).unwrap())
    }

    fn check(&self) {
        let check = self.0.run(&["sh", "-c", "cd /srv/page && exec orchgen check --deny warnings"]);
        assert!(check.status.success(), "{}", text(&check.stderr));
    }

    fn run(&self, commands: &str) -> (String, i32) {
        let commands = ASKING
            .iter()
            .fold(moved(commands), |text, asking| text.replace(asking, &format!("{asking} --yes")));
        let script = format!("exec 2>&1; cd /srv/page\n{}", commands.replace("sudo ", ""));
        let output = self.0.run(&["bash", "-euc", &script]);
        let all = text(&output.stdout);
        self.0.report(&format!("{commands}{all}"));
        (narrow(&all), output.status.code().unwrap_or(-1))
    }

    fn expected(&self, text: &str) -> String {
        narrow(&moved(text))
    }
}

#[track_caller]
fn run(name: &str) {
    let page = Page::read(name);
    page.run(&Booted::of(&page));
}

test_pages! {
    deploy "deploy"
    draft "draft"
    embedder "embedder"
    first_model "first-model"
    install "install"
    keys "keys"
    not_starting "not-starting"
    on_demand "on-demand"
    own_build "own-build"
}

/// The model file of the page about failures.
const MODEL: &str = "/srv/models/Qwen3-8B-Q4_K_M.gguf";

/// Commands that cause a failure and that remove its cause, with `MODEL` and a drop-in `D`, and the words of the message.
const FAILURES: &[(&str, &str, &str)] = &[
    ("mv MODEL /srv/kept", "mv /srv/kept MODEL", "No such file or directory"),
    ("chmod 600 MODEL", "chmod 644 MODEL", "Permission denied"),
    ("cp MODEL /srv/kept; truncate -s 300000 MODEL", "cp /srv/kept MODEL", "corrupted or incomplete"),
    (
        "printf '[Service]\nExecStart=\nExecStart=/usr/bin/llama-server --bogus\n' > D",
        "rm D",
        "invalid argument",
    ),
    ("printf '[Service]\nExecStart=\nExecStart=/usr/bin/missing\n' > D", "rm D", "203/EXEC"),
    ("printf '[Service]\nLoadCredential=api-key:/missing\n' > D", "rm D", "243/CREDENTIALS"),
];

/// The page about failures has the words of each message, and systemd prints them.
#[test]
fn failures_have_the_messages_of_the_page() {
    let page = Page::read("not-starting");
    let machine = Booted::of(&page);
    page.run(&machine);
    let rig = &machine.0;
    let folder = "/etc/systemd/system/home-chat.service.d";
    let filled =
        |command: &str| command.replace("MODEL", MODEL).replace(" D", &format!(" {folder}/fault.conf"));
    let bash = |command: String| text(&rig.run(&["bash", "-c", &format!("exec 2>&1\n{command}")]).stdout);
    for (cause, remedy, words) in FAILURES {
        bash(format!("mkdir -p {folder}; systemctl stop home-chat.service; {}", filled(cause)));
        let status = "systemctl status home-chat.service --no-pager -n 30";
        let output = bash(format!("systemctl daemon-reload; systemctl restart home-chat.service; {status}"));
        assert!(output.contains(words), "{cause}: {output}");
        assert!(page.text().contains(words), "the page has no `{words}`");
        rig.report(words);
        bash(format!("{}; systemctl daemon-reload; systemctl reset-failed", filled(remedy)));
    }
    let other = std::net::TcpListener::bind(("127.0.0.1", 18080)).unwrap();
    bash("systemctl restart home-chat.service".to_owned());
    assert!(rig.journal("home-chat.service").contains("already in use"));
    assert!(page.text().contains("already in use"));
    drop(other);
    bash("systemctl reset-failed; systemctl restart home-chat.service".to_owned());
    assert_eq!(rig.state("home-chat.service"), "active");
}
