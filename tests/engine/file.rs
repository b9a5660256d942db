//! Profile files: they hold what the facts hold.

use orchgen::engine::Profile;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// What our files say beyond the facts' profiles, with its source: `--host` is split at commas (LLAMA.md 6.2, b11434
/// `tools/server/server-http.cpp`).
const ADDED: &[(&str, &str, &str)] = &[("b11434", "--host", "separator"), ("b11669", "--host", "separator")];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine/profiles")
}

fn facts() -> PathBuf {
    crate::support::shared("engine/profiles")
}

fn object(path: &Path) -> Map<String, Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let Value::Object(object) = serde_json::from_str(&text).unwrap() else { panic!("{}", path.display()) };
    object
}

/// The options by name and programs, each with its fields.
fn options(file: &Map<String, Value>) -> Vec<Map<String, Value>> {
    let options = file["options"].as_array().unwrap().iter();
    options.map(|option| option.as_object().unwrap().clone()).collect()
}

#[test]
fn nothing_of_the_facts_is_lost_and_nothing_is_invented() {
    let mut compared = 0;
    for name in Profile::names().iter().filter(|name| !name.ends_with("-fork")) {
        let (mut ours, mut theirs) =
            (object(&folder().join(format!("{name}.json"))), object(&facts().join(format!("{name}.json"))));
        let pairs = options(&ours).into_iter().zip(options(&theirs));
        assert_eq!(options(&ours).len(), options(&theirs).len(), "{name}");
        for (mut our, their) in pairs {
            for (build, option, field) in ADDED {
                if name.ends_with(build) && our["names"].as_array().unwrap().iter().any(|n| n == option) {
                    assert!(our.remove(*field).is_some(), "{name} {option} {field}");
                }
            }
            assert_eq!(our, their, "{name}");
            compared += 1;
        }
        ours.remove("options");
        theirs.remove("options");
        assert_eq!(ours, theirs, "{name}");
    }
    assert_eq!(compared, 311 + 330 + 248 + 356 + 286);
}
