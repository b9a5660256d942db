//! Stores that only some hosts have: the paths of files by host, and roles on a host without the store.

use super::{assert_codes, compile_with_base, single_finding};
use crate::support::lower;
use orchgen::hir::{Host, Id};
use proptest::prelude::*;
use std::fmt::Write as _;

const HOSTS: &str =
    "host \"far\" memory=\"64 GB\"\nhost \"near\" memory=\"64 GB\"\nservice \"db\" host=\"near\"\n";
const UNMOUNTED: &[&str] = &["unmounted-store"];

/// A role on `far` with a model of the store `disk`, which has these mounts.
fn stack(mounts: &str, model: &str, role: &str) -> String {
    let mounts = if mounts.is_empty() { String::new() } else { format!("{{ {mounts} }}") };
    format!(
        "{HOSTS}store \"disk\" path=\"/srv/disk\" {mounts}\nmodel \"moved\" family=\"qwen2\" quant=\"q\" size=\"1 GB\" \
         store=\"disk\" {model}\nrole \"x\" tier=\"A\" residency=\"hot\" port=9000 context=4096 host=\"far\" {role}\n"
    )
}

#[test]
fn a_role_needs_the_stores_of_its_files() {
    let plain = |mounts: &str| stack(mounts, "file=\"moved.gguf\"", "model=\"moved\"");
    for mounts in ["", "mount \"far\"", "mount \"near\"; mount \"far\" path=\"/mnt\""] {
        assert_codes(&[], &plain(mounts));
    }
    assert_codes(UNMOUNTED, &plain("mount \"near\""));
    // An absolute path is on all hosts, but a relative projector is not.
    let absolute = "file=\"/srv/other/moved.gguf\"";
    assert_codes(&[], &stack("mount \"near\"", absolute, "model=\"moved\""));
    let projector = format!("{absolute} {{ projector \"mmproj.gguf\" }}");
    assert_codes(UNMOUNTED, &stack("mount \"near\"", &projector, "model=\"moved\""));
    // The projector of a draft is not read.
    let draft = stack("mount \"near\"", &projector, "model=\"plain\" draft=\"moved\"");
    assert_codes(&[], &draft);
    let draft = draft.replace(absolute, "file=\"moved.gguf\"");
    let finding = single_finding(&draft);
    assert_eq!(finding.code.name, "unmounted-store");
    assert_eq!(
        finding.message,
        "the draft of role `x` is model `moved`, whose store `disk` is not on host `far`"
    );
}

#[test]
fn an_unknown_host_gives_one_finding() {
    let text = stack("mount \"nearr\"; mount \"box\"", "file=\"m.gguf\"", "model=\"moved\"");
    assert_codes(&["unknown-name"], &text);
    assert_codes(
        &["duplicate-field"],
        &stack("mount \"far\"; mount \"far\"", "file=\"m.gguf\"", "model=\"moved\""),
    );
}

#[test]
fn the_help_names_the_mount_the_host_and_the_store() {
    let text = stack("mount \"near\"", "file=\"m.gguf\"", "model=\"moved\"");
    assert_eq!(
        single_finding(&text).help,
        [
            "write `mount \"far\"` in store `disk`; add `path` if the folder on `far` is not `/srv/disk`",
            "or write `host=\"near\"` in role `x`",
            "or write `store=\"models\"` in model `moved`, if its files are there",
        ]
    );
    let behind = text.replace("port=9000 context=4096 host=\"far\"", "gateway=\"front\" context=4096");
    let behind = behind + "gateway \"front\" port=9000 host=\"far\"\n";
    assert_eq!(single_finding(&behind).help[1], "or write `host=\"near\"` in gateway `front`");
    // No other store is on the host, and no host has the stores of both models.
    let all = format!("{HOSTS}host \"third\" memory=\"64 GB\"\n")
        + "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11434\" bin=\"/opt/bin\"\n\
           store \"a\" path=\"/a\" { mount \"near\"; }\nstore \"b\" path=\"/b\" { mount \"third\"; }\n\
           model \"one\" arch=\"qwen2\" quant=\"q\" size=\"2 GB\" store=\"a\" file=\"one.gguf\"\n\
           model \"two\" arch=\"qwen2\" quant=\"q\" size=\"1 GB\" store=\"b\" file=\"two.gguf\"\n\
           role \"x\" model=\"one\" draft=\"two\" port=9000 context=4096 host=\"far\"\n";
    let compiled = crate::support::compile(&[("all.kdl", &all)]);
    let errors: Vec<_> =
        compiled.findings.findings().iter().filter(|one| one.code.name == "unmounted-store").collect();
    assert_eq!(errors.len(), 2, "{}", compiled.report());
    assert!(errors.iter().all(|one| one.help.len() == 1), "{}", compiled.report());
}

#[test]
fn a_mount_is_written_next_to_the_others() {
    let hosts = "hosts: {far: {memory: 64 GB}, near: {memory: 64 GB}}\nservices: {db: {host: near}}\n";
    let used = "models: {moved: {family: qwen2, quant: q, size: 1 GB, store: disk, file: m.gguf}}\n\
        roles: {x: {tier: A, residency: hot, model: moved, port: 9000, context: 4096, host: far}}\n";
    for (before, after) in [
        ("mount: box", "mount: [box, far]"),
        ("mount: [box, near]", "mount: [box, near, far]"),
        ("mount: {host: box, path: /mnt}", "mount: [{host: box, path: /mnt}, far]"),
        ("mount: [{host: box}]", "mount: [{host: box}, far]"),
        (
            "mount:\n      - {host: box}\n      - near # the second\n    title: T",
            "mount:\n      - {host: box}\n      - near # the second\n      - far\n    title: T",
        ),
        (
            "mount:\n    - host: box\n      path: /mnt\n    title: T",
            "mount:\n    - host: box\n      path: /mnt\n    - far\n    title: T",
        ),
    ] {
        let store =
            |mount: &str| format!("{hosts}stores:\n  disk:\n    path: /srv/disk\n    {mount}\n{used}");
        let base = crate::language::BASE;
        let compiled = crate::support::compile(&[("base.kdl", base), ("case.yaml", &store(before))]);
        assert_eq!(compiled.codes(), UNMOUNTED, "{}", compiled.report());
        let finding = &compiled.findings.findings()[0];
        let [edit] = finding.fixes[0].edits.as_slice() else { panic!("{before}: {:?}", finding.fixes) };
        let mut text = store(before);
        text.replace_range(edit.span.range(), &edit.text);
        assert_eq!(text, store(after), "{:?}", finding.help);
    }
}

#[test]
fn paths_and_load_times_are_those_of_the_host() {
    let text = stack(
        "mount \"near\" path=\"/near\"; mount \"far\" path=\"/far\" speed=\"100 MB/s\"",
        "file=\"m.gguf\"",
        "model=\"moved\"",
    )
    .replace("path=\"/srv/disk\"", "path=\"/srv/disk\" speed=\"1 GB/s\"");
    let second =
        "role \"y\" tier=\"A\" residency=\"hot\" model=\"moved\" port=9000 context=4096 host=\"near\"\n";
    let compiled = compile_with_base(&(text + second));
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    assert!(compiled.arguments("x").contains("-m /far/m.gguf"), "{}", compiled.arguments("x"));
    assert!(compiled.arguments("y").contains("-m /near/m.gguf"), "{}", compiled.arguments("y"));
    let files = compiled.files();
    // 1 GB at 100 MB/s, and at 1 GB/s, plus one minute.
    for (unit, folder, limit) in
        [("far/page-x.service", "/far", "70s"), ("near/page-y.service", "/near", "61s")]
    {
        let text = &files[&format!("systemd/{unit}")].0;
        assert!(text.contains(folder) && !text.contains("/srv/disk"), "{text}");
        assert!(text.contains(&format!("TimeoutStartSec={limit}")), "{text}");
    }
}

#[test]
fn the_preset_of_a_gateway_has_the_paths_of_its_host() {
    for kind in ["router\"", "llama-swap\" bin=\"/usr/local/bin/llama-swap\""] {
        let gateways: String = ["near", "far"].iter().fold(String::new(), |mut all, host| {
            writeln!(all, "gateway \"g-{host}\" port=9000 host=\"{host}\" kind=\"{kind}").unwrap();
            writeln!(all, "role \"r-{host}\" tier=\"A\" residency=\"hot\" model=\"moved\" gateway=\"g-{host}\" context=4096")
                .unwrap();
            all
        });
        let text = stack(
            "mount \"near\" path=\"/near\"; mount \"far\" path=\"/far\"",
            "file=\"m.gguf\"",
            "model=\"moved\"",
        );
        let text = text
            .lines()
            .filter(|line| !line.starts_with("role"))
            .fold(gateways, |all, line| all + line + "\n");
        let compiled = compile_with_base(&text);
        assert!(!compiled.findings.has_errors(), "{}", compiled.report());
        let files = compiled.files();
        for (host, other) in [("near", "far"), ("far", "near")] {
            let (_, (text, _)) = files
                .iter()
                .find(|(path, (text, _))| path.contains(&format!("/g-{host}.")) && text.contains("m.gguf"))
                .unwrap_or_else(|| panic!("{:?}", files.keys()));
            assert!(
                text.contains(&format!("/{host}/m.gguf")) && !text.contains(&format!("/{other}/")),
                "{text}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    /// The path of a file is below the folder of the store on that host, in the folder of the repository.
    #[test]
    fn the_path_of_a_file_is_that_of_its_host(
        mounts in proptest::collection::vec(proptest::option::of("/[a-z]{1,8}/?"), 1..5),
        named in proptest::collection::vec(any::<bool>(), 5),
        has_repo in any::<bool>(),
        is_absolute in any::<bool>(),
    ) {
        let mut text = "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11434\" bin=\"/opt/bin\"\n".to_owned();
        let mut blocks = String::new();
        for (n, path) in mounts.iter().enumerate() {
            writeln!(text, "host \"h{n}\" memory=\"64 GB\"").unwrap();
            if named[n] {
                let path = path.as_ref().map(|path| format!(" path={path:?}")).unwrap_or_default();
                write!(blocks, "mount \"h{n}\"{path}; ").unwrap();
            }
        }
        let file = if is_absolute { "/abs/m.gguf" } else { "q/m.gguf" };
        let repo = if has_repo { "repo=\"org/name\"" } else { "" };
        let block = if blocks.is_empty() { String::new() } else { format!("{{ {blocks} }}") };
        writeln!(text, "store \"d\" path=\"/base\" {block}\nmodel \"m\" arch=\"qwen2\" file={file:?} {repo}").unwrap();
        let (registry, compiled) = lower(&[("a.kdl", &text)]);
        prop_assert!(!compiled.findings.has_errors(), "{text}\n{}", compiled.report());
        let model = registry.models.iter().next().unwrap();
        let has_mounts = named[..mounts.len()].contains(&true);
        for ((id, _), (n, path)) in registry.hosts.entries().zip(mounts.iter().enumerate()) {
            let id: Id<Host> = id;
            let folder = path.as_deref().filter(|_| named[n]).unwrap_or("/base").trim_end_matches('/');
            let expected = match (is_absolute, has_repo) {
                (true, _) => file.to_owned(),
                (false, true) => format!("{folder}/org/name/{file}"),
                (false, false) => format!("{folder}/{file}"),
            };
            prop_assert_eq!(registry.path_of(model, file, id), expected, "{}", text);
            prop_assert_eq!(registry.is_file_on(model, file, id), is_absolute || !has_mounts || named[n], "{}", text);
        }
    }
}
