//! The registries and reports as users see them.

use super::workspace::Workspace;
use crate::support::assert_snapshot;

#[test]
fn registries_of_two_cases_in_both_languages() {
    for (name, file) in [("swap-plain", "config.yaml"), ("compose", "compose.yaml")] {
        for language in ["kdl", "yaml"] {
            let workspace = Workspace::of_case(name);
            workspace.import(&[file, "--format", language], &[]);
            assert_snapshot!("import", format!("{name}.{language}"), workspace.registry());
        }
    }
}

#[test]
fn the_report_for_users() {
    let workspace = Workspace::of_case("unit-dropins");
    let output = workspace.run(&["import", "granite-llm.service", "--profile", "b11669"]);
    assert_snapshot!("import", "unit-dropins.txt", String::from_utf8(output.stderr).unwrap());
}
