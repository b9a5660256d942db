//! Profiles: the built-in files, and errors in profile files of users.

use super::{ik_profile, profile, profiles};
use orchgen::engine::{ClosedList, Profile, ProfileError, ProfileFile, Switch};

fn folder() -> std::path::PathBuf {
    crate::support::repository().join("src/engine/llama/profiles")
}

fn parse(json: &str) -> Result<Profile, ProfileError> {
    Profile::parse("mine", json, Profile::built_in)
}

#[test]
fn every_file_is_built_in_and_parses() {
    let mut files: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let mut names: Vec<String> = Profile::built_in_names().iter().map(|name| (*name).to_owned()).collect();
    names.sort();
    assert_eq!(files, names);
    for profile in profiles().into_iter().chain([ik_profile()]) {
        assert!(profile.has_tool("llama-server"), "{}", profile.name());
        assert!(profile.option("llama-server", "--model").is_some());
        assert_eq!(profile.name(), format!("{}-{}", profile.family().name(), profile.build()));
    }
    assert!(Profile::built_in("llama.cpp-b1").is_none());
}

#[test]
fn a_profile_file_is_sorted_with_one_option_per_line() {
    for name in Profile::built_in_names() {
        let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        let lines = text.lines().filter(|line| line.starts_with("  {\"names\":"));
        let mut titles = Vec::new();
        for line in lines {
            let option: serde_json::Value = serde_json::from_str(line.trim().trim_end_matches(',')).unwrap();
            let names: Vec<&str> =
                option["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            let title = names.iter().find(|name| name.starts_with("--")).unwrap_or(&names[0]);
            titles.push(title.trim_start_matches('-').to_owned());
        }
        assert!(titles.is_sorted(), "{name}");
        let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(whole["options"].as_array().unwrap().len(), titles.len(), "{name}: one line per option");
        let extends = whole["extends"].as_str();
        assert!(extends.is_none_or(|base| Profile::built_in(base).is_some()), "{name}");
    }
}

#[test]
fn a_profile_file_is_written_with_the_bytes_that_were_read() {
    for name in Profile::built_in_names() {
        let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        let mut file = ProfileFile::parse(&text).unwrap();
        assert_eq!(file.to_json(), text, "{name}");
        file.sort();
        assert_eq!(file.to_json(), text, "{name} is not sorted");
    }
    let empty = r#"{"engine":"llama.cpp","build":"x","source":"y","tools":[],"options":[]}"#;
    let text = ProfileFile::parse(empty).unwrap().to_json();
    assert_eq!(ProfileFile::parse(&text).unwrap().to_json(), text);
    let other = empty.replace("llama.cpp", "vllm");
    assert!(ProfileFile::parse(&other).unwrap_err().to_string().contains("not `vllm`"));
}

#[test]
fn each_profile_has_the_number_of_options_of_its_build() {
    let count = |name: &str| {
        let profile = profile(name);
        let own = |option: &&orchgen::engine::OptionRecord| profile.tool_accepts("llama-server", option);
        (profile.options().len(), profile.options().iter().filter(own).count())
    };
    assert_eq!(count("2026-03-22-g49bfddeca"), (311, 212));
    assert_eq!(count("2026-03-fork"), (312, 213));
    assert_eq!(count("b9093"), (330, 239));
    assert_eq!(count("b10434"), (248, 248));
    assert_eq!(count("b11434"), (356, 256));
    assert_eq!(count("b12032"), (323, 261));
    assert_eq!(count("b11669"), (286, 258));
}

#[test]
fn each_profile_has_the_closed_lists_of_its_build() {
    let count = |name: &str| {
        let profile = Profile::built_in(name).unwrap();
        ClosedList::ALL.map(|list| profile.lists().get(list).map_or(0, <[String]>::len))
    };
    assert_eq!(count("llama.cpp-2026-03-22-g49bfddeca"), [123, 76, 33, 33]);
    assert_eq!(count("llama.cpp-2026-03-fork"), [123, 76, 33, 33]);
    assert_eq!(count("llama.cpp-b9093"), [126, 79, 45, 34]);
    assert_eq!(count("llama.cpp-b10434"), [142, 87, 58, 35]);
    assert_eq!(count("llama.cpp-b11434"), [154, 92, 63, 35]);
    assert_eq!(count("llama.cpp-b11669"), [158, 93, 68, 35]);
    assert_eq!(count("llama.cpp-b12032"), [167, 0, 0, 0]);
    assert_eq!(count("ik_llama.cpp-8337e4cd3"), [86, 82, 26, 91]);
    for list in ClosedList::ALL {
        for name in Profile::built_in_names() {
            let words = Profile::built_in(name).unwrap().lists().get(list).unwrap_or_default();
            assert!(words.windows(2).all(|pair| pair[0] < pair[1]), "{name}: {}", list.field());
        }
    }
    let names: Vec<&str> = orchgen::facts::tensor_types().iter().map(|kind| kind.name).collect();
    for name in Profile::built_in_names() {
        let types = &Profile::built_in(name).unwrap().lists().tensor_types;
        assert!(types.iter().all(|kind| names.contains(&kind.as_str())), "{name}");
    }
}

#[test]
fn an_option_is_found_by_any_spelling() {
    let build = profile("b11434");
    for name in ["-c", "--ctx-size", "ctx-size", "c", "--ctx_size", "ctx_size"] {
        assert_eq!(build.option("llama-server", name).unwrap().title(), "--ctx-size", "{name}");
    }
    assert!(build.option("llama-server", "-ctx-size").is_none());
    let (option, spelling, switch) = build.find("llama-server", "no-repack").unwrap();
    assert_eq!((option.title(), spelling, switch), ("--repack", "--no-repack", Switch::Off));
    assert!(build.option("llama-server", "--image").is_none());
    assert!(build.option("llama-cli", "--image").is_some());
    // Two programs have different options with the same name.
    assert_ne!(
        build.option("llama-imatrix", "--output-format"),
        build.option("llama-batched-bench", "--output-format")
    );
    assert_eq!(
        build.first_spelling("llama-server", &["--draft-max", "--spec-draft-n-max"]),
        Some("--spec-draft-n-max")
    );
    assert_eq!(build.first_spelling("llama-server", &["--mlock"]), None);
    let names = build.option_names("llama-server");
    assert!(names.contains(&"--no-repack") && !names.contains(&"--draft-max") && !names.contains(&"--image"));
}

#[test]
fn the_fork_adds_to_the_march_build() {
    let (fork, march) = (profile("2026-03-fork"), profile("2026-03-22-g49bfddeca"));
    for tool in ["llama-server", "llama-cli", "llama-speculative"] {
        assert_eq!(fork.option(tool, "--lookup-ngram-min").unwrap().value.as_deref(), Some("N"));
        assert!(march.option(tool, "--lookup-ngram-min").is_none());
    }
    assert!(fork.option("llama-completion", "--lookup-ngram-min").is_none());
    assert!(fork.has_tool("llama-qwen2vl-cli") && !march.has_tool("llama-qwen2vl-cli"));
    assert_eq!(fork.option_names("llama-qwen2vl-cli"), march.option_names("llama-mtmd-cli"));
    assert!(fork.tools().any(|tool| tool == "llama-qwen2vl-cli"));
}

#[test]
fn a_profile_file_can_extend_and_override_a_built_in_one() {
    let json = r#"{"engine":"llama.cpp","build":"mine","source":"me","extends":"llama.cpp-b9093","tools":{},
        "options":[{"names":["--mlock"],"value":null,"tools":["llama-server"],"removed":"use --lock"}]}"#;
    let mine = parse(json).unwrap();
    assert_eq!(mine.first_spelling("llama-server", &["--mlock"]), None);
    assert_eq!(mine.first_spelling("llama-cli", &["--mlock"]), Some("--mlock"));
    assert_eq!(mine.first_spelling("llama-server", &["--spec-draft-n-max"]), Some("--spec-draft-n-max"));
}

#[test]
fn errors_in_a_profile_file_have_clear_messages() {
    let file = |rest: &str| format!(r#"{{"engine":"llama.cpp","build":"x","source":"y",{rest}}}"#);
    let error = |rest: &str| parse(&file(rest)).unwrap_err().to_string();
    assert!(parse("nonsense").unwrap_err().to_string().contains("line 1 column"));
    assert!(
        error(r#""tools":[],"options":[{"names":["-x"],"tools":"*","sort":1}]"#)
            .contains("unknown field `sort`")
    );
    assert_eq!(
        error(r#""extends":"llama.cpp-b1","tools":{},"options":[]"#),
        "the profile `mine` extends `llama.cpp-b1`, which is not a known profile"
    );
    assert!(
        error(r#""tools":{"a":{"as":"b"}},"options":[]"#)
            .contains("declares `a` as `b`, a program that it does not list")
    );
    assert!(error(r#""tools":["a"],"options":[{"names":["x"],"tools":"*"}]"#).contains("begins with a dash"));
    assert!(
        error(r#""tools":["a"],"options":[{"names":[],"tools":"*"}]"#).contains("each option needs a name")
    );
    let twice = r#""tools":["a"],"options":[{"names":["-x"],"tools":"*"},{"names":["-x"],"tools":["a"]}]"#;
    assert!(error(twice).contains("two options named `-x`"));
}
