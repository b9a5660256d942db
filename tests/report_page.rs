//! The report: one HTML page about a stack, as a file of `out/` and as a command.

use crate::support::{Compiled, compile, compile_folder, orchgen, repository};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

const MINIMAL: &str = include_str!("report_page/minimal.kdl");
const TWO_HOSTS: &str = include_str!("report_page/two-hosts.kdl");
const HOSTILE: &str = include_str!("report_page/hostile.kdl");

/// A stack with 60 roles on two GPUs and the host.
fn many_roles() -> String {
    let mut text = MINIMAL.lines().take(3).fold(String::new(), |text, line| text + line + "\n");
    text += "host \"box\" memory=\"900 GB\" { gpu \"CUDA0\" memory=\"400 GB\"; gpu \"CUDA1\" memory=\"400 GB\" }\n";
    for number in 0..60 {
        let gpu = ["CUDA0", "CUDA1", "none"][number % 3];
        let (residency, port) = (["hot", "warm"][number % 2], 8000 + number);
        writeln!(
            text,
            "role \"role-{number}\" model=\"chat\" port={port} context=4096 residency=\"{residency}\" {{ placement gpu=\"{gpu}\" }}"
        )
        .unwrap();
    }
    text
}

/// The stacks of the browser tests, each with its name.
pub(crate) fn stacks() -> Vec<(&'static str, String)> {
    vec![
        ("minimal", MINIMAL.to_owned()),
        ("two-hosts", TWO_HOSTS.to_owned()),
        ("hostile", HOSTILE.to_owned()),
        ("many-roles", many_roles()),
        ("nothing", "stack \"home\"\n".to_owned()),
    ]
}

/// Runs a command with a registry of one file. Returns the status, standard output and standard error.
#[track_caller]
fn run(text: &str, words: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("registry")).unwrap();
    fs::write(folder.path().join("registry/stack.kdl"), text).unwrap();
    let output = Command::new(orchgen()).args(words).current_dir(folder.path()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The page of a registry, which may have errors.
#[track_caller]
pub(crate) fn page(text: &str) -> String {
    let (status, page, error) = run(text, &["report", "-o", "-"]);
    assert!(status < 2, "{error}");
    page
}

/// The values of an attribute, in the order of the page.
fn values<'p>(page: &'p str, attribute: &str) -> Vec<&'p str> {
    let start = format!(" {attribute}=\"");
    page.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

fn names(compiled: &Compiled) -> Vec<String> {
    let roles = compiled.checked().registry().roles.iter();
    roles.map(|role| role.head.name.value.to_string()).collect()
}

#[test]
fn the_file_of_a_build_is_the_page_of_the_command() {
    let compiled = compile(&[("registry/stack.kdl", MINIMAL)]);
    let (written, is_executable) = compiled.files().remove("report.html").unwrap();
    assert_eq!(written, page(MINIMAL));
    assert!(!is_executable);
}

#[test]
fn the_page_of_this_repository_is_small_and_names_each_role() {
    let compiled = compile_folder(&repository().join("registry"));
    let page = compiled.files().remove("report.html").unwrap().0;
    assert!(page.len() < 300_000, "{} bytes", page.len());
    assert!(!page.contains(repository().to_str().unwrap()));
    let ids = values(&page, "id");
    for name in names(&compiled) {
        assert_eq!(ids.iter().filter(|id| **id == format!("role-{name}")).count(), 1, "{name}");
    }
    let links = values(&page, "href").into_iter().filter_map(|link| link.strip_prefix('#'));
    for link in links {
        assert!(ids.contains(&link), "#{link} is on no element");
    }
}

#[test]
fn the_bars_are_the_sums_of_the_command_memory() {
    let mut known = 0;
    for text in [MINIMAL.to_owned(), TWO_HOSTS.replace("port=8101", "port=8120"), many_roles()] {
        let page = page(&text);
        let (_, json, _) = run(&text, &["memory", "--output-format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&json).unwrap();
        let mut bars = BTreeMap::new();
        let mut host = "";
        for row in page.split("<tr data-place=\"").skip(1) {
            let row = format!(" data-place=\"{row}");
            let value = |name: &str| values(&row, name)[0].to_owned();
            let number = |name: &str| value(name).parse::<u64>().unwrap();
            let segments = row.split("</svg>").next().unwrap().split("<rect").skip(1);
            let parts = segments.filter(|rect| rect.contains("s-computed") || rect.contains("s-stated"));
            let sum: u64 = parts.map(|rect| values(rect, "data-bytes")[0].parse::<u64>().unwrap()).sum();
            assert_eq!(sum, number("data-bytes"));
            if value("data-place") == "host" {
                host = report["hosts"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .find_map(|host| {
                        let name = host["host"].as_str().unwrap();
                        (name == value("data-name")).then_some(name)
                    })
                    .unwrap();
            }
            let sums = (sum, number("data-over"), number("data-services"), number("data-growth"));
            assert!(bars.insert((host, value("data-place"), value("data-name")), sums).is_none());
        }
        for host in report["hosts"].as_array().unwrap() {
            let name = host["host"].as_str().unwrap();
            let (used, over, services, growth) = bars[&(name, "host".to_owned(), name.to_owned())];
            // Without the memory of a model, the sum of the host is not known, and the bar has what is.
            if let Some(bytes) = host["bytes"].as_u64() {
                known += 1;
                assert_eq!(bytes, used);
                assert_eq!(host["may_grow_to"].as_u64(), Some(used + growth));
            }
            assert_eq!((host["over"].as_u64(), host["services"].as_u64()), (Some(over), Some(services)));
            for gpu in host["gpus"].as_array().unwrap() {
                let key = (name, "gpu".to_owned(), gpu["name"].as_str().unwrap().to_owned());
                assert_eq!(
                    (gpu["bytes"].as_u64(), gpu["over"].as_u64()),
                    (Some(bars[&key].0), Some(bars[&key].1))
                );
            }
        }
    }
    assert!(known > 1, "{known} known sums");
}

#[test]
fn the_topology_has_each_role_once() {
    for (text, boxes) in [(MINIMAL.to_owned(), 1), (TWO_HOSTS.to_owned(), 8), (many_roles(), 6)] {
        let page = page(&text);
        let counts: Vec<usize> = values(&page, "data-roles").iter().map(|n| n.parse().unwrap()).collect();
        let roles = text.matches("role \"").count() - text.matches("shares=").count();
        assert_eq!((counts.len(), counts.iter().sum::<usize>()), (boxes, roles));
    }
}

#[test]
fn texts_of_the_registry_are_no_markup() {
    let page = page(HOSTILE);
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("onerror=alert(3)>"));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("{{ 7 * 7 }}"));
    assert_eq!(page.matches("</style>").count(), 1);
}

#[test]
fn a_registry_with_errors_has_a_page() {
    let text =
        MINIMAL.to_owned() + "role \"broken\" model=\"unknown\" port=8081 residency=\"hot\" context=4096\n";
    let (status, page, error) = run(&text, &["report", "--out", "-"]);
    assert_eq!((status, &*error), (1, "1 role, 1 error, 0 warnings\n"));
    assert!(page.contains("The registry has 1 error."));
    assert!(page.contains("id=\"role-chat\"") && !page.contains("id=\"role-broken\""));
    assert!(page.contains("stack.kdl:5:21") && page.contains("<mark>&quot;unknown&quot;</mark>"), "{page}");
    assert!(page.contains("orchgen explain ORC"));
}

#[test]
fn each_finding_is_linked_from_its_role() {
    let page = page(TWO_HOSTS);
    let row = page.split("<tr id=\"role-again\"").nth(1).unwrap().split("</tr>").next().unwrap();
    let target = values(row, "href").into_iter().find_map(|link| link.strip_prefix("#finding-")).unwrap();
    assert!(page.contains(&format!("id=\"finding-{target}\"")));
    assert!(row.contains("error ORC302") && row.contains("note ORC331"), "{row}");
    // The findings have the most severe first.
    let severities = page.split("class=\"card finding ").skip(1).map(|rest| rest.split('"').next().unwrap());
    let rank = |severity: &str| ["error", "warning", "note"].iter().position(|known| *known == severity);
    let ranks: Vec<usize> = severities.map(|severity| rank(severity).unwrap()).collect();
    assert!(ranks.is_sorted() && ranks.first() == Some(&0) && ranks.contains(&1), "{ranks:?}");
}

#[test]
fn a_secret_is_not_on_the_page() {
    let key = "hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567";
    let text = MINIMAL.replace("residency", &format!("api-key=\"{key}\" residency"));
    assert!(!page(&text).contains(key));
}

#[test]
fn the_page_has_no_time_and_no_folder() {
    // The registry has one date.
    let first = page(TWO_HOSTS).replacen("2026-02-03", "", 1);
    let shape: String = first.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    for time in ["9999-99-99", "99:99:99", "99.99.9999"] {
        assert!(!shape.contains(time), "{time}");
    }
    assert!(!first.contains("/tmp/") && !first.contains("registry/stack.kdl"));
    let policy = "content=\"default-src 'none'; style-src 'unsafe-inline'\"";
    assert!(first.contains(policy) && !first.contains("<script") && !first.contains("src="));
}

#[test]
fn the_command_writes_report_html() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("registry")).unwrap();
    fs::write(folder.path().join("registry/stack.kdl"), MINIMAL).unwrap();
    let run =
        |words: &[&str]| Command::new(orchgen()).args(words).current_dir(folder.path()).output().unwrap();
    let output = run(&["report"]);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "report.html: 1 role, 0 errors, 0 warnings\n");
    assert!(output.status.success() && output.stdout.is_empty());
    assert!(fs::read_to_string(folder.path().join("report.html")).unwrap().starts_with("<!DOCTYPE html>"));
    assert!(run(&["report", "--quiet"]).stderr.is_empty());
    assert_eq!(run(&["report", "--out", "registry"]).status.code(), Some(2));
    assert!(Path::new(&folder.path().join("registry/stack.kdl")).is_file());
}

/// The row of a role in a table, from its first cell.
#[track_caller]
fn row_of<'p>(page: &'p str, start: &str) -> &'p str {
    let rest = page.split(start).nth(1).unwrap_or_else(|| panic!("no {start}"));
    rest.split("</tr>").next().unwrap()
}

/// The text of a cell, without its elements.
#[track_caller]
fn cell(row: &str, label: &str) -> String {
    let rest = row.split(&format!("data-label=\"{label}\">")).nth(1).unwrap();
    let cell = rest.split("</td>").next().unwrap();
    let parts = cell.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    parts.collect::<Vec<_>>().concat()
}

fn checks(page: &str, role: &str) -> String {
    cell(row_of(page, &format!("<tr id=\"role-{role}\"")), "Checks")
}

#[test]
fn errors_beyond_the_list_are_in_the_column_of_checks() {
    // Each pair of roles has the same port, so the list of the page is full before the last roles.
    let mut text = MINIMAL.to_owned();
    for number in 0..450 {
        let port = 8100 + number / 2;
        writeln!(text, "role \"r{number}\" model=\"chat\" port={port} context=4096 residency=\"hot\"")
            .unwrap();
    }
    let page = page(&text);
    assert!(page.contains("further finding"));
    let without = (0..450).filter(|number| !checks(&page, &format!("r{number}")).contains("error")).count();
    assert!(without <= 225, "{without} roles without an error");
    assert!(page.contains("<a class=\"tag error\" href=\"#findings\">error</a>"));
}

#[test]
fn a_role_has_the_checks_of_its_host_and_gateway() {
    let page = page(TWO_HOSTS);
    // The error is about the host of these roles, and the unknown memory about its GPUs.
    for role in ["chat", "helper", "reviewer"] {
        assert_eq!(checks(&page, role), "error ORC5013 not checked", "{role}");
    }
    // A role that is only listed has no process to check.
    let listed = MINIMAL.to_owned()
        + "model \"other\" arch=\"qwen3\" size=\"8 GB\" file=\"/srv/models/other.gguf\"\nrole \"spare\" model=\"other\"\n";
    assert_eq!(checks(&self::page(&listed), "spare"), "");
}

#[test]
fn each_file_is_read_once() {
    let text = "stack \"home\" engine=\"llama.cpp\"
engine \"llama.cpp\" profile=\"llama.cpp-b11669\" bin=\"/opt/llama.cpp/bin\"
host \"box\" { numa 0 cpus=\"0-7\"; numa 1 cpus=\"8-15\" }
store \"models\" path=\"/srv/models\" speed=\"1 GB/s\"
model \"a\" arch=\"qwen3\" size=\"8 GB\" file=\"a.gguf\" store=\"models\"
model \"b\" arch=\"qwen3\" size=\"20 GB\" file=\"b.gguf\" store=\"models\"
model \"small\" arch=\"qwen3\" size=\"1 GB\" file=\"small.gguf\" store=\"models\"
role \"a\" model=\"a\" port=8080 context=8192 residency=\"hot\" { draft \"small\"; }
role \"b\" model=\"b\" port=8081 context=8192 residency=\"hot\" { draft \"small\"; }
role \"again\" model=\"a\" port=8082 context=8192 residency=\"hot\"
";
    let page = page(text);
    let times = |page: &str, role: &str| {
        let row = row_of(page, &format!("<tr><th scope=\"row\"><a href=\"#role-{role}\""));
        (cell(row, "Reading"), cell(row, "After"))
    };
    let known = |reading: &str, after: &str| (reading.to_owned(), after.to_owned());
    assert_eq!(times(&page, "a"), known("9.0 s", "9.0 s"));
    assert_eq!(times(&page, "b"), known("21 s", "29 s"));
    assert_eq!(times(&page, "again"), known("8.0 s", "29 s"));
    assert!(page.contains("<dt>Models</dt><dd>3</dd>"));
    // Interleaved roles read in random order, for which the speed of the store is not known.
    let random = text
        .replace("{ draft \"small\"; }\nrole \"again\"", "{ placement numa=\"interleave\" }\nrole \"again\"");
    let page = self::page(&random);
    assert_eq!(times(&page, "a"), known("9.0 s", "9.0 s"));
    assert_eq!(times(&page, "b"), known("not known", "not known"));
    assert_eq!(times(&page, "again"), known("8.0 s", "not known"));
}

#[test]
fn the_bars_of_nodes_name_roles_that_are_not_counted() {
    let page = page(TWO_HOSTS);
    let nodes: Vec<&str> = page.split("<tr data-place=\"node\"").skip(1).collect();
    let notes = |number: usize| {
        let notes = nodes[number].split("<div class=\"notes\">").nth(1).unwrap();
        notes.split("</div>").next().unwrap()
    };
    // The instances of `embed` share one file, and the first that reads a page decides its node.
    for (node, roles) in [(0, "embed, large"), (1, "embed, again, large")] {
        assert!(notes(node).contains("Not counted: 1 role without a fixed node."), "{}", notes(node));
        assert!(notes(node).contains(&format!("Not checked: {roles}.")), "{}", notes(node));
    }
}

#[test]
fn a_gateway_serves_the_roles_that_share() {
    let page = page(TWO_HOSTS);
    let serves =
        page.split("<span class=\"set\">Serves</span>").nth(1).unwrap().split("</li>").next().unwrap();
    for name in ["chat", "gpt-4o-mini", "helper", "coder", "reviewer"] {
        assert!(serves.contains(&format!("<span class=\"tag\">{name}</span>")), "{name}: {serves}");
    }
}

#[test]
fn an_address_is_listed_once() {
    let text = MINIMAL
        .replace("residency=\"hot\"", "residency=\"hot\" { listen \"127.0.0.1\" \"10.0.0.5\" \"0.0.0.0\"; }")
        + "host \"box\" address=\"10.0.0.5\"\n";
    let page = page(&text);
    let row = row_of(&page, "<tr id=\"role-chat\"");
    assert_eq!(values(row, "href")[..2], ["http://127.0.0.1:8080", "http://10.0.0.5:8080"], "{row}");
    assert_eq!(row.matches("http://10.0.0.5:8080</a>").count(), 1);
}
