//! The configuration file: its content, and the verdicts about it.

use super::words::split;
use super::{STACK, config, mapping, stack, texts};
use crate::support::{assert_snapshot, compile};
use orchgen::plan::{Models, plan};
use serde_yaml::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;

#[test]
fn the_files_match_the_snapshots() {
    let compiled = stack();
    for gateway in ["front", "keyed"] {
        assert_snapshot!("llama_swap", &*format!("{gateway}.yaml"), config(&compiled, gateway).0);
    }
}

/// Each command has the words of the plan, with the port that llama-swap gives.
#[test]
fn commands_are_those_of_the_plan() {
    let compiled = stack();
    let plan = plan(compiled.checked().clone());
    for gateway in &plan.gateways {
        let Models::LlamaSwap(swap) = &gateway.models else { panic!("{}", gateway.name) };
        let (_, config) = config(&compiled, &gateway.name);
        for model in &swap.models {
            let role = &plan.roles[model.role];
            let macros = [("PORT", "5800"), ("env.ORCHGEN_KEY_FILE_1", "/etc/keys/own")];
            let command = split(config["models"][&*role.name]["cmd"].as_str().unwrap(), &macros);
            let placed = model.placement.iter().flat_map(|placement| {
                let options = placement.numactl();
                std::iter::once("numactl".to_owned()).chain(options).chain(["--".to_owned()])
            });
            let words = model.args.iter().map(|word| word.with_port(5800).text().to_owned());
            let expected = placed.chain([role.program.to_string()]).chain(words);
            assert_eq!(command, expected.collect::<Vec<_>>(), "{}", role.name);
            assert_eq!(command.iter().filter(|word| *word == "5800").count(), 1, "{}", role.name);
        }
    }
}

/// No reference of the file is dangling, and no name is there twice.
#[test]
fn all_names_are_those_of_models() {
    for gateway in ["front", "keyed"] {
        let (_, config) = config(&stack(), gateway);
        let models: Vec<String> =
            mapping(&config, &["models"]).keys().map(|name| name.as_str().unwrap().to_owned()).collect();
        let values = |path: &[&str]| mapping(&config, path).values().cloned().collect::<Vec<Value>>();
        let vars: BTreeSet<String> = mapping(&config, &["matrix", "vars"])
            .iter()
            .map(|(name, model)| {
                assert!(models.iter().any(|known| known == model.as_str().unwrap()));
                name.as_str().unwrap().to_owned()
            })
            .collect();
        for set in values(&["matrix", "sets"]) {
            assert!(set.as_str().unwrap().split(" & ").all(|name| vars.contains(name)), "{set:?}");
        }
        let preload = texts(&config["hooks"]["on_startup"]["preload"]);
        assert!(preload.iter().all(|name| models.contains(name)));
        let aliases =
            values(&["models"]).iter().flat_map(|model| texts(&model["aliases"])).collect::<Vec<_>>();
        let names: BTreeSet<&String> = models.iter().chain(&aliases).collect();
        assert_eq!(names.len(), models.len() + aliases.len(), "a name twice: {models:?} {aliases:?}");
    }
}

#[test]
fn a_role_that_shares_another_sets_its_own_requests() {
    let (_, config) = config(&stack(), "front");
    let chat = &config["models"]["chat"];
    assert_eq!(texts(&chat["aliases"]), ["exact", "same", "gpt-4o"]);
    let by_name = mapping(chat, &["filters", "setParamsByID"]);
    assert_eq!(by_name.keys().collect::<Vec<_>>(), ["exact"]);
    let expected: Value =
        serde_yaml::from_str("{temperature: 0, seed: 1, chat_template_kwargs: {enable_thinking: false}}")
            .unwrap();
    assert_eq!(by_name["exact"], expected);
}

/// A program that reads the names of a role finds only names with its settings.
#[test]
fn a_role_with_its_own_requests_has_only_its_own_name() {
    let stack: serde_json::Value = serde_json::from_str(&stack().files()["stack.json"].0).unwrap();
    let names = |role: &str| {
        let all = stack["roles"].as_array().unwrap();
        all.iter().find(|one| one["name"] == role).unwrap()["names"].clone()
    };
    assert_eq!(names("exact"), serde_json::json!(["exact"]));
    for role in ["chat", "same"] {
        assert_eq!(names(role), serde_json::json!(["chat", "same", "gpt-4o"]));
    }
}

/// llama-swap accepts its macro for the port in `proxy` only if the command has it.
#[test]
fn a_program_gets_a_port_from_a_variable() {
    let text = STACK.split("model \"chat\"").next().unwrap().to_owned()
        + "role \"x\" residency=\"hot\" gateway=\"front\" health=\"/h\" memory=\"1 GB\" { command \"/usr/bin/x\"; env PORT=\"{port}\" HOST=\"{host}\" }\n";
    let text = text.replace("gateway \"keyed\"", "// ").replace("engine \"other\"", "// ");
    let compiled = compile(&[("a.kdl", &text)]);
    let (_, config) = config(&compiled, "front");
    let model = &config["models"]["x"];
    assert!(
        model["cmd"].as_str().unwrap().ends_with(" -- /usr/bin/env PORT=${PORT} /usr/bin/x"),
        "{model:?}"
    );
    assert_eq!(texts(&model["env"]), ["HOST=127.0.0.1"]);
}

/// The macro replaces the port as a part of a word too.
#[test]
fn parts_of_words_get_the_port_of_llama_swap() {
    let role = |name: &str, rest: &str| {
        format!(
            "role \"{name}\" residency=\"hot\" gateway=\"front\" health=\"/h\" memory=\"1 GB\" {{ {rest} }}\n"
        )
    };
    let words = "\"--bind\" \"127.0.0.1:{port}\" \"-p\" \"{port}:8080\" \"it's:{port}\" \"--url=http://127.0.0.1:{port}/v1\" \"{host}:{port}\" \"${PORT}:{port}:#\" \"x{port}y\"";
    let text = STACK.split("model \"chat\"").next().unwrap().to_owned()
        + &role("x", &format!("command \"/usr/bin/x\" {words}; env URL=\"http://127.0.0.1:{{port}}/v1\""))
        + &role("y", "command \"/usr/bin/y\"; env AT=\"{host}:{port}\" B=\"a b:{port}\" C=\"x{port}\"");
    let text = text.replace("gateway \"keyed\"", "// ").replace("engine \"other\"", "// ");
    let compiled = compile(&[("a.kdl", &text)]);
    let (_, config) = config(&compiled, "front");
    let command = |name: &str| config["models"][name]["cmd"].as_str().unwrap();
    assert!(command("x").contains("--bind 127.0.0.1:${PORT}\n-p ${PORT}:8080 "), "{}", command("x"));
    let words = split(command("x"), &[("PORT", "5800")]);
    assert_eq!(
        words[words.len() - 9..],
        [
            "--bind",
            "127.0.0.1:5800",
            "-p",
            "5800:8080",
            "it's:5800",
            "--url=http://127.0.0.1:5800/v1",
            "127.0.0.1:5800",
            "${PORT}:5800:#",
            "x{port}y"
        ]
    );
    assert_eq!(texts(&config["models"]["x"]["env"]), ["URL=http://127.0.0.1:${PORT}/v1"]);
    let words = split(command("y"), &[("PORT", "5800")]);
    assert_eq!(words[words.len() - 4..], ["/usr/bin/env", "AT=127.0.0.1:5800", "B=a b:5800", "/usr/bin/y"]);
    assert_eq!(texts(&config["models"]["y"]["env"]), ["C=x{port}"]);
}

/// YAML reads them as text.
#[test]
fn words_that_look_like_other_types_are_quoted() {
    let text = STACK.replace(
        "{\\\"enable_thinking\\\": false}",
        "{\\\"a\\\": \\\"2025-01-01\\\", \\\"1_0\\\": \\\"<<\\\", \\\"on\\\": \\\"qq0qq\\\"}",
    );
    assert_ne!(text, STACK);
    let (text, config) = config(&compile(&[("a.kdl", &text)]), "front");
    for quoted in ["a: \"2025-01-01\"", "\"1_0\": \"<<\"", "\"on\": qq0qq"] {
        assert!(text.contains(&format!("            {quoted}\n")), "{text}");
    }
    let kwargs =
        mapping(&config["models"]["chat"], &["filters", "setParamsByID", "exact", "chat_template_kwargs"]);
    assert_eq!(kwargs["1_0"], "<<");
}

/// Variables are short, and differ even if the names of roles have the same letters.
#[test]
fn names_with_the_same_letters_get_different_variables() {
    let mut text = STACK.split("model \"chat\"").next().unwrap().to_owned()
        + "model \"m\" arch=\"qwen3\" size=\"1 GB\" file=\"/m.gguf\"\n";
    let names = ["a-b", "a_b", "ab", "a.b", "very-long-name-1", "very-long-name-2", "very-long-name-3"];
    for name in names {
        writeln!(text, "role \"{name}\" model=\"m\" residency=\"hot\" gateway=\"front\" context=512")
            .unwrap();
    }
    let text = text.replace("gateway \"keyed\"", "// ").replace("engine \"other\"", "// ");
    let compiled = compile(&[("a.kdl", &text)]);
    let (_, config) = config(&compiled, "front");
    let vars = mapping(&config, &["matrix", "vars"]);
    assert_eq!(vars.values().map(|name| name.as_str().unwrap()).collect::<Vec<_>>(), names);
    let vars: Vec<&str> = vars.keys().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(vars, ["ab", "ab2", "ab3", "ab4", "verylong", "verylon2", "verylon3"]);
}

mod tools {
    use super::*;
    use crate::outside::python_tool;
    use std::fs;

    /// The files that the schema of llama-swap (August 2026) rejects.
    fn rejected(files: &[(&str, String)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("schema.json"), include_str!("config-schema.json")).unwrap();
        let is_rejected = |(name, text): &&(&str, String)| {
            fs::write(folder.path().join(name), text).unwrap();
            let mut command = python_tool("check-jsonschema");
            command.args(["--schemafile", "schema.json", name]).current_dir(folder.path());
            !command.output().unwrap().status.success()
        };
        files.iter().filter(is_rejected).map(|(name, _)| (*name).to_owned()).collect()
    }

    #[test]
    fn the_schema_of_llama_swap_accepts_the_files() {
        let compiled = stack();
        let files = ["front.yaml", "keyed.yaml"];
        let files = files.map(|name| (name, config(&compiled, name.trim_end_matches(".yaml")).0));
        assert_eq!(rejected(&files), <[String; 0]>::default());
    }

    const GOOD: &str = "models:\n  code: {cmd: \"x --port ${PORT}\", ttl: 900, aliases: [coder]}\n  chat: {cmd: \"y --port ${PORT}\"}\n\
        matrix:\n  vars: {a: code, b: chat}\n  sets: {both: a & b}\nhooks: {on_startup: {preload: [code]}}\n";

    /// Faults with the verdicts of the loader of llama-swap (August 2026) and of its schema: true if it accepts the fault. The types
    /// of the target cannot write any of them.
    const FAULTS: &[(&str, &str, &str, bool, bool)] = &[
        ("unknown key of a model", "ttl:", "ttll:", true, true),
        ("unknown key", "matrix:", "matrx:", true, true),
        ("wrong type", "900", "soon", false, false),
        ("variable of no model", "a: code", "a: cod", false, true),
        ("set of no variable", "a & b", "a & c", false, true),
        ("unknown macro", "${PORT}", "${PROT}", false, true),
        ("groups and matrix", "matrix:", "groups: {g: {members: [code]}}\nmatrix:", false, false),
        ("model without a command", "cmd: \"y", "cmdd: \"y", false, false),
        ("alias of another model", "coder", "chat", true, true),
        ("start of an unknown model", "preload: [code]", "preload: [nobody]", true, true),
    ];

    /// The schema does not find all faults, so that the types of the target have to exclude them.
    #[test]
    fn the_verdicts_of_the_schema_are_those_recorded() {
        let names: Vec<String> = (0..FAULTS.len()).map(|n| format!("{n}.yaml")).collect();
        let mut files: Vec<(&str, String)> = vec![("good.yaml", GOOD.to_owned())];
        for ((_, from, to, ..), name) in FAULTS.iter().zip(&names) {
            assert!(GOOD.contains(from));
            files.push((name, GOOD.replace(from, to)));
        }
        let expected = FAULTS.iter().zip(&names).filter(|(fault, _)| !fault.4).map(|(_, name)| name.clone());
        assert_eq!(rejected(&files), expected.collect::<Vec<_>>());
        let both = FAULTS.iter().filter(|fault| fault.3 && fault.4).count();
        assert_eq!(both, 4, "faults that the loader and the schema accept");
    }
}
