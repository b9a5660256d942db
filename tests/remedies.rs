//! The helps: each line that a help asks the user to write removes its finding and adds no error, in KDL and in YAML.

use crate::language::{BASE, translate::translate};
use crate::support::{Compiled, compile};
use orchgen::catalogue::codes;
use orchgen::diag::{Diagnostic, Fix, Severity};
use std::collections::BTreeSet;

/// The files of a registry: names and texts.
type Files = Vec<(String, String)>;

fn compile_files(files: &Files) -> Compiled {
    compile(&files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>())
}

/// The bad examples of all pages with the base, in their own language and in the other one.
fn registries() -> Vec<(String, Files)> {
    let mut all = Vec::new();
    for code in codes().into_iter().filter(|code| code.number / 100 != 4) {
        for example in code.examples("Example").chunk_by(|_, next| next.language == "lock") {
            let [first, rest @ ..] = example else { continue };
            if first.language == "lock" {
                let lock = ("registry.lock".to_owned(), first.text.clone());
                all.push((code.name.to_owned(), vec![("base.kdl".to_owned(), BASE.to_owned()), lock]));
                continue;
            }
            let other = if first.language == "kdl" { "yaml" } else { "kdl" };
            let translated = translate(&first.language, &first.text);
            let own = (first.language.clone(), first.text.clone());
            for (language, text) in
                std::iter::once(own).chain(translated.map(|text| (other.to_owned(), text)))
            {
                let mut files = vec![("base.kdl".to_owned(), BASE.to_owned())];
                files.push((format!("example.{language}"), text));
                files.extend(rest.iter().map(|lock| ("registry.lock".to_owned(), lock.text.clone())));
                // The translation of a page may be another mistake, such as a second argument of KDL.
                if language == first.language || compile_files(&files).codes().contains(&code.name) {
                    all.push((format!("{} in {language}", code.name), files));
                }
            }
        }
    }
    all
}

/// The files with the edits of a fix.
fn apply(compiled: &Compiled, fix: &Fix) -> Files {
    let files = compiled.loaded.map.files().map(|(id, source)| {
        let mut edits: Vec<_> = fix.edits.iter().filter(|edit| edit.span.file == id).collect();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
        let text = edits.into_iter().fold(source.text().to_owned(), |mut text, edit| {
            text.replace_range(edit.span.range(), &edit.text);
            text
        });
        (source.name().to_owned(), text)
    });
    files.collect()
}

/// A finding without its place and its numbers: the code and the item.
fn key(finding: &Diagnostic) -> (&'static str, String) {
    let subject = finding.subject.as_ref().map(|subject| format!("{} {}", subject.kind, subject.name));
    (finding.code.name, subject.unwrap_or_default())
}

/// Why a fix does not solve its finding: the finding is still there, or there is a new error.
fn failure(before: &Compiled, finding: &Diagnostic, fix: &Fix) -> Option<String> {
    let files = apply(before, fix);
    let after = compile_files(&files);
    let count = |compiled: &Compiled| {
        compiled.findings.findings().iter().filter(|one| key(one) == key(finding)).count()
    };
    let known: BTreeSet<_> = before.findings.findings().iter().map(key).collect();
    let errors = after.findings.findings().iter();
    let mut new = errors.filter(|one| one.severity == Severity::Error && !known.contains(&key(one)));
    let problem = if count(&after) >= count(before) {
        "the finding stays".to_owned()
    } else {
        format!("new error: {}", new.next()?.message)
    };
    Some(format!("{}: {}: {problem}\n{}", finding.code, fix.title, files.last().unwrap().1))
}

/// The bad examples of the pages, and the cases of `remedies/cases.txt`, with the base. Each is in both languages.
fn all_registries() -> Vec<(String, Files)> {
    let mut all = registries();
    // Mistakes of the base itself.
    let stack = "stack \"page\" verified=\"2026-02-03\" engine=\"llama.cpp\"\n";
    let (before, after) = BASE.split_once("host \"box\"").unwrap();
    let without_host = before.to_owned() + after.split_once("\n}\n").unwrap().1;
    for (title, text) in
        [("no stack", BASE.replace(stack, "")), ("no host", without_host.replace(" host=\"box\"", ""))]
    {
        let yaml = translate("kdl", &text.replace(stack, "")).map(|text| ("base.yaml", text));
        for (name, text) in std::iter::once(("base.kdl", text)).chain(yaml) {
            all.push((title.to_owned(), vec![(name.to_owned(), text)]));
        }
    }
    let reserved = BASE.replace("stack \"page\"", "stack \"system\"");
    all.push(("a reserved name".to_owned(), vec![("base.kdl".to_owned(), reserved)]));
    let of_user = BASE.replace("stack \"page\"", "stack \"page\" scope=\"user\"");
    let of_root = of_user.replace("host \"box\"", "host \"box\" user=\"models\"");
    all.push(("a user for units of a user".to_owned(), vec![("base.kdl".to_owned(), of_root)]));
    for case in include_str!("remedies/cases.txt").split("\n\n").skip(1) {
        let kdl = Some(("kdl", case.to_owned()));
        let yaml = translate("kdl", case).map(|text| ("yaml", text));
        for (language, text) in kdl.into_iter().chain(yaml) {
            let base = ("base.kdl".to_owned(), BASE.to_owned());
            all.push((case.to_owned(), vec![base, (format!("case.{language}"), text)]));
        }
    }
    all.extend(registries_with_defaults());
    all
}

/// The cases of `remedies/defaults.txt`, of which the first line is the `defaults` of the stack of the base.
fn registries_with_defaults() -> Vec<(String, Files)> {
    let stack = "stack \"page\" verified=\"2026-02-03\" engine=\"llama.cpp\"";
    let mut all = Vec::new();
    for case in include_str!("remedies/defaults.txt").split("\n\n").skip(1) {
        let (defaults, roles) = case.split_once('\n').unwrap();
        let base = BASE.replace(stack, &format!("{stack} {{ defaults {{ {defaults} }} }}"));
        let yaml = translate("kdl", roles).unwrap();
        for (language, roles) in [("kdl", roles.to_owned()), ("yaml", yaml)] {
            let base = ("base.kdl".to_owned(), base.clone());
            all.push((case.to_owned(), vec![base, (format!("case.{language}"), roles)]));
        }
    }
    all
}

#[test]
fn each_case_is_a_mistake_in_both_languages() {
    for (title, files) in
        all_registries().into_iter().filter(|(_, files)| files.len() > 1 && files[1].0.starts_with("case"))
    {
        assert!(!compile_files(&files).findings.is_empty(), "{title}: {}", files[1].0);
    }
}

#[test]
fn each_line_of_a_help_removes_its_finding_and_adds_no_error() {
    let mut wrong = Vec::new();
    for (title, files) in all_registries() {
        let compiled = compile_files(&files);
        for finding in compiled.findings.findings() {
            let failed = finding.fixes.iter().filter_map(|fix| failure(&compiled, finding, fix));
            wrong.extend(failed.map(|why| format!("{title}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An item that is an alias in YAML gets the field next to the alias.
#[test]
fn a_field_of_an_alias_is_written_next_to_it() {
    for (alias, written) in [
        ("  two: *one\n", "  two: {<<: *one, port: 9001}\n"),
        ("  \"two\" : *one # the same\n", "  \"two\" : {<<: *one, port: 9001} # the same\n"),
    ] {
        let text = format!(
            "roles:\n  one: &one {{tier: A, residency: hot, model: plain, port: 9000, context: 4096}}\n{alias}"
        );
        let base = ("base.kdl".to_owned(), BASE.to_owned());
        let compiled = compile_files(&vec![base, ("case.yaml".to_owned(), text)]);
        let findings = compiled.findings.findings();
        let finding = findings.iter().find(|one| one.code.name == "port-conflict").unwrap();
        assert!(finding.help[0].contains("{<<: *one, port: 9001}`"), "{:?}", finding.help);
        let files = apply(&compiled, &finding.fixes[0]);
        assert!(files[1].1.ends_with(written), "{}", files[1].1);
        assert_eq!(failure(&compiled, finding, &finding.fixes[0]), None);
    }
}

/// Each mistake in the output targets of the stack has a help with the exact text, and following it solves the finding.
#[test]
fn a_mistake_in_the_output_targets_has_an_exact_help() {
    let (all, listed) = (
        "`systemd`, `router`, `llama-swap`, `quadlet`, `compose`, `bin`, `numactl`, `docs`, `report`, `stack-json`, `prometheus`, `deploy` and `kubernetes`",
        "add a value: one or several of",
    );
    let near = |text: &str| format!("write `{text}`; the values are {all}");
    for (language, mistake, help) in [
        ("kdl", "targets=\"systmd\"", near("targets=\"systemd\"")),
        ("kdl", "{ targets \"bin\" \"systmd\" }", near("\"systemd\"")),
        ("kdl", "targets=\"systemd,docs\"", "write `{ targets \"systemd\" \"docs\" }`".to_owned()),
        ("kdl", "{ targets \"bin\" \"docs bin\" }", "write `targets \"bin\" \"docs\"`".to_owned()),
        ("kdl", "{ targets \"docs\" \"bin\" \"docs\" }", "remove one `\"docs\"`".to_owned()),
        ("kdl", "{ targets }", format!("{listed} {all}")),
        ("kdl", "targets=\"all\"", "remove `targets`: the default is all except `kubernetes`".to_owned()),
        ("kdl", "{ targets { bin; docs } }", "write `targets \"bin\" \"docs\"`".to_owned()),
        ("kdl", "targets=\"nomad\"", format!("use one of {all}")),
        ("yaml", "targets: [systmd]", near("targets: systemd")),
        ("yaml", "targets: [bin, systmd]", near("systemd")),
        ("yaml", "targets: \"systemd, docs\"", "write `targets: [systemd, docs]`".to_owned()),
        ("yaml", "targets: [bin, docs|bin]", "write `targets: [bin, docs]`".to_owned()),
        ("yaml", "targets: [docs, bin, docs]", "remove one `docs`".to_owned()),
        ("yaml", "targets: []", format!("{listed} {all}")),
        ("yaml", "targets: [all]", "remove `targets`: the default is all except `kubernetes`".to_owned()),
        (
            "yaml",
            "targets: {bin: true, docs: true, numactl: false}",
            "write `targets: [bin, docs]`".to_owned(),
        ),
        ("yaml", "targets: {nomad: true}", format!("write one or several of {all}")),
    ] {
        let stack = "stack \"page\" verified=\"2026-02-03\" engine=\"llama.cpp\"";
        let (base, case) = match language {
            "kdl" => (BASE.replace(stack, ""), format!("{stack} {mistake}\n")),
            _ => (BASE.replace(stack, ""), format!("stack: {{name: page, engine: llama.cpp, {mistake}}}\n")),
        };
        let files = vec![("base.kdl".to_owned(), base), (format!("case.{language}"), case)];
        let compiled = compile_files(&files);
        let [finding] = compiled.findings.findings() else { panic!("{mistake}: {}", compiled.report()) };
        assert_eq!(finding.help[0], help, "{mistake}");
        for fix in &finding.fixes {
            assert_eq!(failure(&compiled, finding, fix), None, "{mistake}");
        }
    }
}

/// Removals next to insertions leave one separator, removed lists leave no key, and other values of a list stay.
#[test]
fn several_edits_of_an_item_leave_a_clean_text() {
    let yaml = |settings: &str| {
        format!(
            "roles:\n  ask: {{model: plain, tier: A, residency: hot, port: 9000, context: 4096{settings}}}\n"
        )
    };
    let kdl = |settings: &str| {
        format!(
            "role \"ask\" tier=\"A\" residency=\"hot\" model=\"plain\" {{ port 9000; context 4096{settings} }}\n"
        )
    };
    let shared = |settings: &str| format!("roles:\n  ask: {{tier: A, shares: basic{settings}}}\n");
    let lines = |settings: &str| {
        format!("roles:\n  ask:\n    tier: A\n    shares: basic\n{settings}    note: hello\n")
    };
    for (language, before, after) in [
        ("kdl", kdl("; options { parallel 4 }"), kdl("; slots 4")),
        ("kdl", kdl("; options { parallel 4; top-k 5 }"), kdl("; options { top-k 5 }; slots 4")),
        ("kdl", kdl("; options { \"temp=0.5\" }"), kdl("; options { temp 0.5 }")),
        ("yaml", yaml(", options: {\"temp=0.5\": true}"), yaml(", options: {temp: 0.5}")),
        ("yaml", yaml(", options: {parallel: 4, top-k: 5}"), yaml(", options: {top-k: 5}, slots: 4")),
        (
            "yaml",
            yaml(", option: [jinja, ubatch-size=4]"),
            yaml(", option: [jinja, {name: ubatch-size, value: 4}]"),
        ),
        ("yaml", shared(", option: [{name: jinja}, {name: metrics}]"), shared("")),
        ("yaml", lines("    option:\n      - {name: jinja}\n      - {name: metrics}\n"), lines("")),
    ] {
        let base = ("base.kdl".to_owned(), BASE.to_owned());
        let compiled = compile_files(&vec![base, (format!("case.{language}"), before.clone())]);
        let findings = compiled.findings.findings();
        let fix = findings.iter().find_map(|one| one.fixes.first());
        let fix = fix.unwrap_or_else(|| panic!("{before}: {}", compiled.report()));
        assert_eq!(apply(&compiled, fix)[1].1, after);
    }
}

/// An option in `defaults` is replaced there, so that it stays a default of all roles.
#[test]
fn a_help_for_a_default_changes_the_defaults() {
    let options = [
        ("option \"ctx-size\" 8192", "context 8192"),
        ("option \"mlock\"", "placement lock=#true"),
        ("option \"lora\" \"/srv/l1.gguf\"", "lora \"/srv/l1.gguf\""),
    ];
    for (option, written) in options {
        let stack = "stack \"page\" verified=\"2026-02-03\" engine=\"llama.cpp\"";
        let text = BASE.replace(stack, &format!("{stack} {{ defaults {{ slots 2; {option} }} }}"));
        let compiled = compile_files(&vec![("base.kdl".to_owned(), text)]);
        let findings = compiled.findings.findings();
        let finding = findings.iter().find(|one| one.message.starts_with("option ")).unwrap();
        let fix = finding.fixes.first().unwrap_or_else(|| panic!("{:?}", finding.help));
        let fixed = &apply(&compiled, fix)[0].1;
        assert!(fixed.contains(&format!("{{ slots 2; {written} }}")), "{fixed}");
    }
}

/// Several items have one place through YAML aliases, so a mistake there is one finding.
#[test]
fn a_mistake_at_an_anchor_is_one_finding() {
    let base = ("base.kdl".to_owned(), BASE.to_owned());
    for mistake in
        ["bogus: 3", "slots: many", "options: {tpo-k: 3}", "env: {A: \"$HOME/a\"}", "experts: {a: 1}"]
    {
        let text = format!(
            "roles:\n  one: &one {{tier: A, residency: hot, model: plain, port: 9000, context: 4096, {mistake}}}\n  \
             two: {{<<: *one, port: 9001}}\n  three: {{<<: *one, port: 9002}}\n"
        );
        let compiled = compile_files(&vec![base.clone(), ("case.yaml".to_owned(), text)]);
        let messages: Vec<&str> =
            compiled.findings.findings().iter().map(|finding| &*finding.message).collect();
        assert!(matches!(messages.as_slice(), [one] if one.contains("`one`")), "{mistake}: {messages:?}");
    }
}

/// The code spans of a help.
fn spans(help: &str) -> impl Iterator<Item = &str> {
    help.split('`').skip(1).step_by(2)
}

/// The beginnings of commands of a shell and of options.
const COMMANDS: &[&str] = &["orchgen ", "podman ", "numactl ", "llama-", "echo ", "-"];

/// Codes whose helps are texts without a fix so far.
const PLAIN: &[&str] = &["kdl-version-1", "kdl-syntax"];

/// The words at the beginning of a help that names a change.
const VERBS: &[&str] = &["write `", "add `", "remove `", "or write `", "or add `", "or remove `"];

/// A help that names a change, or that has a line to write, must be a fix. Other spans are commands, or texts of the
/// registry.
#[test]
fn each_line_of_a_help_is_a_fix() {
    let mut wrong = BTreeSet::new();
    for (_, files) in all_registries() {
        let compiled = compile_files(&files);
        for finding in compiled.findings.findings().iter().filter(|one| !PLAIN.contains(&one.code.name)) {
            let is_line = |span: &str| {
                span.contains([' ', '=', ':', '{', '"'])
                    && !COMMANDS.iter().any(|command| span.starts_with(command))
                    && !files.iter().any(|(_, text)| text.contains(span))
            };
            let is_fix = |help: &String| finding.fixes.iter().any(|fix| fix.title == *help);
            let has_line =
                |help: &String| VERBS.iter().any(|verb| help.starts_with(verb)) || spans(help).any(is_line);
            let lines = finding.help.iter().filter(|help| has_line(help) && !is_fix(help));
            wrong.extend(lines.map(|help| format!("{} {}: {help}", finding.code, finding.code.name)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

/// Codes whose helps name no change of the registry, each with the reason.
const WITHOUT_CHANGE: &[(&str, &str)] = &[
    ("not-utf8", "the file must be saved with another encoding"),
    ("file-too-large", "the file must be split"),
    ("yaml-syntax", "the text is not parsed, so the help names the characters to write"),
    ("kdl-syntax", "the text is not parsed, so the help names the characters to write"),
    ("several-documents", "one of the documents must be moved to another file"),
    ("bad-alias", "only the user knows the text of the anchor"),
    ("nesting-too-deep", "only the user knows what the levels mean"),
    ("unexpected-shape", "only the user knows what the parts mean"),
    ("unknown-context", "`orchgen lock` reads the trained context"),
    ("damaged-lock", "`orchgen lock` writes the lock"),
    ("unknown-lock-format", "`orchgen lock` writes the lock"),
    ("missing-one-shot", "the engine build has to change, or the command is left out"),
    ("unholdable-path", "the folder must be renamed"),
    ("unroutable-value", "only the user knows another name or value"),
    ("bad-image", "only the user knows the registry of the image"),
    ("image-without-digest", "only the registry of the image knows its digest"),
    ("unserved-image", "the base has no `targets`; another test follows the help"),
    ("uncontainable-value", "only the user knows another name or value"),
    ("kubernetes-cannot", "the base has no `targets`; another test follows the help"),
    ("kubernetes-name", "the base has no `targets`; another test follows the help"),
    ("kubernetes-differs", "the base has no `targets`; another test follows the help"),
    ("unschedulable-pods", "the base has no `targets`; another test follows the help"),
    ("interrupted-requests", "another build of the engine is needed"),
    ("over-node-memory", "only the user knows which other nodes are free for the roles"),
    ("locked-over-node", "only the user knows which other nodes are free for the roles"),
    ("misplaced-key-file", "the file must be moved"),
    ("unloadable-architecture", "only the file of the model has its architecture"),
    ("unsupported-model", "another build of the engine or another file is needed"),
    ("token-embeddings", "it is a note: the role may serve other requests"),
    ("literal-variable", "only the user knows the folder"),
    ("spoiled-yarn", "the role may drop the scaling or the override"),
    ("whole-reserve", "only the user knows how much the driver and the desktop need"),
    ("foreign-adapter", "only the user knows the file of the right adapter"),
    ("unreadable-profile", "`orchgen engine probe` writes the profile"),
    ("stale-baseline", "`orchgen check --update-baseline` writes the baseline"),
    ("missing-model", "the model file must be at its path"),
    ("unreadable-model", "the model file must be replaced"),
    ("stale-lock", "`orchgen lock` writes the lock"),
    ("missing-shard", "the missing files must be in the folder"),
    ("foreign-projector", "only the user knows the file of the right projector"),
    ("not-checked", "a fact is unknown"),
    ("edited-by-hand", "it is about a file of the output"),
    ("unlisted-file", "it is about a file of the output"),
    ("output-drift", "it is about a file of the output"),
    ("damaged-manifest", "it is about a file of the output"),
    ("not-a-file", "it is about a file of the output"),
    ("setting-lost", "it is about a source of an import"),
    ("setting-changed", "it is about a source of an import"),
];

#[test]
fn each_code_has_a_change_or_a_reason_why_not() {
    let mut with_change: BTreeSet<&str> = BTreeSet::new();
    for (_, files) in all_registries() {
        let compiled = compile_files(&files);
        let all = compiled.findings.findings().iter().filter(|finding| !finding.fixes.is_empty());
        with_change.extend(all.map(|finding| finding.code.name));
    }
    let is_exempt = |name: &str| WITHOUT_CHANGE.iter().any(|(exempt, _)| *exempt == name);
    let names = || codes().into_iter().map(|code| code.name);
    let wrong: Vec<&str> = names().filter(|name| with_change.contains(name) == is_exempt(name)).collect();
    assert!(wrong.is_empty(), "either without a change, or exempt without a need: {wrong:#?}");
    assert!(WITHOUT_CHANGE.iter().all(|(exempt, _)| names().any(|name| name == *exempt)));
}
