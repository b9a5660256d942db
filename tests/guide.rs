//! The guide is correct: each registry compiles without findings, in KDL as in YAML, each command runs, and each text that
//! follows is its output.
//!
//! Blocks of commands with the word `rig` run in [`served`](crate::served), because they need systemd and a real llama-server.

mod blocks;
mod links;
pub(crate) mod models;
pub(crate) mod page;
mod quick;

use page::{Page, pages};
use quick::Folder;

/// Runs the commands of a page that need no systemd, and compares their output.
#[track_caller]
fn run(name: &str) {
    let page = Page::read(name);
    let folder = Folder::of(&page);
    page.run(&folder);
    page.check_registry(folder.lock());
}

/// A test for each page, and the list of these pages.
macro_rules! test_pages {
    ($($test:ident $name:literal)*) => {
        pub(crate) const PAGES: &[&str] = &[$($name),*];

        $(#[test]
        fn $test() {
            run($name);
        })*
    };
}

pub(crate) use test_pages;

test_pages! {
    containers "containers"
    deploy "deploy"
    draft "draft"
    embedder "embedder"
    first_model "first-model"
    from_llama_swap "from-llama-swap"
    from_systemd "from-systemd"
    glossary "glossary"
    gpu_and_cpu "gpu-and-cpu"
    install "install"
    keys "keys"
    kubernetes "kubernetes"
    metrics "metrics"
    not_starting "not-starting"
    numa "numa"
    on_demand "on-demand"
    one_gpu "one-gpu"
    other_servers "other-servers"
    own_build "own-build"
    two_hosts "two-hosts"
    vision "vision"
}

#[test]
fn each_page_has_a_test() {
    assert_eq!(pages(), PAGES.iter().map(|name| (*name).to_owned()).collect());
}

/// A title, a paragraph with the goal of the page, sections, and links to what to read next.
#[test]
fn pages_have_one_form() {
    for name in pages() {
        let page = Page::read(&name);
        let lines: Vec<&str> = page.text.lines().collect();
        assert!(lines[0].starts_with("# "), "{name}");
        assert!(lines[2].starts_with("At the end, "), "{name}: {}", lines[2]);
        assert!((40..=150).contains(&lines.len()), "{name}: {} lines", lines.len());
        let next = page.text.split("\n## Next\n").nth(1).unwrap_or_else(|| panic!("{name}: no `## Next`"));
        assert!((1..=3).contains(&next.matches("](").count()), "{name}: {next}");
    }
}

/// Each page with commands for the rig has a test there.
#[test]
fn commands_for_the_rig_run_in_the_rig() {
    let needing: Vec<String> = pages().into_iter().filter(|name| Page::read(name).needs_rig()).collect();
    assert_eq!(needing, crate::served::GUIDE_PAGES);
}
