//! The commands of the guide that need systemd and a real llama-server, in the booted rig.
//!
//! A page runs as a whole, in order, in an empty folder. Tiny models have the names of the model files of the page.

use super::rig::{Rig, text};
use crate::guide::models;
use crate::guide::page::{Machine, Page};
use std::fs;

/// The pages with such commands.
pub(crate) const PAGES: &[&str] =
    &["deploy", "draft", "embedder", "first-model", "install", "keys", "not-starting", "on-demand"];

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
        let commands = ASKING.iter().fold(moved(commands), |text, asking| text.replace(asking, &format!("{asking} --yes")));
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
    page.run(&Booted::of(&page), |_| true);
}

macro_rules! pages {
    ($($test:ident $name:literal)*) => {
        $(#[test]
        fn $test() {
            run($name);
        })*

        #[test]
        fn each_page_is_run() {
            assert_eq!(PAGES, [$($name),*]);
        }
    };
}

pages! {
    deploy "deploy"
    draft "draft"
    embedder "embedder"
    first_model "first-model"
    install "install"
    keys "keys"
    not_starting "not-starting"
    on_demand "on-demand"
}
