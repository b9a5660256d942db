//! Removal of unused `allow` nodes: the text around them stays well-formed and unchanged.

use super::{apply_fixes, assert_fixed};
use orchgen::cli::fix::FixLevel;

const CODE: &str = "unused-allow";

#[track_caller]
fn yaml(before: &str, after: &str) {
    for [from, to] in [["", ""], ["\n", "\r\n"]] {
        let lines = |text: &str| if from.is_empty() { text.to_owned() } else { text.replace(from, to) };
        assert_fixed("yaml", CODE, &lines(before), &lines(after));
    }
    let end = |text: &str| text.trim_end_matches('\n').to_owned();
    assert_fixed("yaml", CODE, &end(before), &end(after));
}

#[track_caller]
fn kdl(before: &str, after: &str) {
    for [from, to] in [["", ""], ["\n", "\r\n"]] {
        let lines = |text: &str| if from.is_empty() { text.to_owned() } else { text.replace(from, to) };
        assert_fixed("kdl", CODE, &lines(before), &lines(after));
    }
    let end = |text: &str| text.trim_end_matches('\n').to_owned();
    assert_fixed("kdl", CODE, &end(before), &end(after));
}

#[test]
fn allow_is_removed_from_a_yaml_block() {
    yaml(
        "families:\n  odd:\n    arch: qwen3moe # why\n    allow: {code: unknown-architecture, because: ours}\n    label: x\n",
        "families:\n  odd:\n    arch: qwen3moe # why\n    label: x\n",
    );
    yaml(
        "families:\n  odd:\n    arch: qwen3moe\n    # above\n    allow:\n      code: unknown-architecture\n      because: 'ours'\n  # below\n  other: {arch: qwen2}\n",
        "families:\n  odd:\n    arch: qwen3moe\n    # above\n  # below\n  other: {arch: qwen2}\n",
    );
    yaml(
        "families:\n  odd:\n    allow:\n    - code: unknown-architecture\n      because: >-\n        ours,\n        as it is\n    arch: qwen3moe\n",
        "families:\n  odd:\n    arch: qwen3moe\n",
    );
    yaml(
        "families:\n  odd:\n    arch: qwen3moe\n    allow: {code: unknown-architecture, because: ours} # behind\n",
        "families:\n  odd:\n    arch: qwen3moe\n    # behind\n",
    );
    yaml(
        "bans:\n  - allow: {code: unknown-architecture, because: ours}\n    target: plain\n    draft: tiny\n    failure: none\n",
        "bans:\n  - target: plain\n    draft: tiny\n    failure: none\n",
    );
}

#[test]
fn allow_is_removed_from_a_yaml_flow_mapping() {
    yaml(
        "families: {odd: {arch: qwen3moe, allow: {code: unknown-architecture, because: ours}, label: x}} # end\n",
        "families: {odd: {arch: qwen3moe, label: x}} # end\n",
    );
    yaml(
        "families: {odd: {allow: [{code: unknown-architecture, because: ours}], arch: qwen3moe}}\n",
        "families: {odd: {arch: qwen3moe}}\n",
    );
    yaml(
        "families: {odd: {arch: qwen3moe, allow: {code: unknown-architecture, because: ours}}}\n",
        "families: {odd: {arch: qwen3moe}}\n",
    );
    yaml(
        "families:\n  odd: {\n    arch: qwen3moe, # why\n    allow: {code: unknown-architecture, because: ours},\n    }\n",
        "families:\n  odd: {\n    arch: qwen3moe, # why\n    }\n",
    );
    yaml(
        "{\"families\": {\"odd\": {\"arch\": \"qwen3moe\", \"allow\": {\"code\": \"unknown-architecture\", \"because\": \"ours\"}}}}\n",
        "{\"families\": {\"odd\": {\"arch\": \"qwen3moe\"}}}\n",
    );
}

/// One of several `allow` nodes is used, because the architecture is unknown.
#[test]
fn unused_members_of_a_yaml_list_are_removed() {
    let block = |members: &[&str]| {
        let members: Vec<String> = members.iter().map(|member| format!("      - {member}\n")).collect();
        let members = members.concat();
        format!("families:\n  odd:\n    arch: our-own\n    allow: # several\n{members}    label: x\n")
    };
    let used = "{code: unknown-architecture, because: ours}";
    let flow = "{code: ORC302, because: none} # one";
    let lines = "code: ORC301\n        because: none";
    yaml(&block(&[used, flow]), &block(&[used]).replace("    label", "      # one\n    label"));
    yaml(&block(&[lines, used]), &block(&[used]));
    yaml(&block(&[used, lines]), &block(&[used]));
    yaml(&block(&[lines, used, lines]), &block(&[used]));
    let between =
        |members: &[&str]| format!("families: {{odd: {{arch: our-own, allow: [{}]}}}}\n", members.join(", "));
    let flow = "{code: ORC302, because: none}";
    yaml(&between(&[used, flow]), &between(&[used]));
    yaml(&between(&[flow, used]), &between(&[used]));
    yaml(&between(&[flow, used, flow]), &between(&[used]));
    yaml(&between(&[flow, flow, used]), &between(&[used]));
}

#[test]
fn a_list_of_which_all_members_are_unused_is_removed() {
    let all = |list: &str| format!("families:\n  odd:\n    arch: qwen3moe\n{list}    label: x\n");
    yaml(
        &all(
            "    allow:\n      - {code: ORC301, because: a}\n      - {code: ORC302, because: b}\n      - {code: ORC303, because: c}\n",
        ),
        &all(""),
    );
    yaml(&all("    allow: [{code: ORC301, because: a}, {code: ORC302, because: b}]\n"), &all(""));
    kdl(
        "family \"odd\" arch=\"qwen3moe\" {\n    allow \"ORC301\" because=\"a\"\n    allow \"ORC302\" because=\"b\"\n}\n",
        "family \"odd\" arch=\"qwen3moe\"\n",
    );
    kdl(
        "family \"odd\" arch=\"qwen3moe\" { allow \"ORC301\" because=\"a\"; allow \"ORC302\" because=\"b\" } // end\n",
        "family \"odd\" arch=\"qwen3moe\" // end\n",
    );
}

#[test]
fn allow_is_removed_from_kdl_children() {
    kdl(
        "family \"odd\" arch=\"qwen3moe\" {\n    label \"x\" // why\n    allow \"unknown-architecture\" because=\"ours\"\n}\n",
        "family \"odd\" arch=\"qwen3moe\" {\n    label \"x\" // why\n}\n",
    );
    kdl(
        "family \"odd\" {\n    allow { code \"unknown-architecture\"; because \"ours\" } // behind\n    arch qwen3moe\n}\n",
        "family \"odd\" {\n    // behind\n    arch qwen3moe\n}\n",
    );
    kdl(
        "family \"odd\" { arch \"qwen3moe\"; allow \"unknown-architecture\" because=\"ours\"; label \"x\" }\n",
        "family \"odd\" { arch \"qwen3moe\"; label \"x\" }\n",
    );
    kdl(
        "family \"odd\" { allow \"unknown-architecture\" because=#\"ours\"#; arch \"qwen3moe\" }\n",
        "family \"odd\" { arch \"qwen3moe\" }\n",
    );
    kdl(
        "family \"odd\" {\n    allow \"unknown-architecture\" because=\"ours\"; arch \"qwen3moe\"\n}\n",
        "family \"odd\" {\n    arch \"qwen3moe\"\n}\n",
    );
    kdl(
        "family \"odd\" { arch \"qwen3moe\"; allow \"unknown-architecture\" because=\"ours\" }\n",
        "family \"odd\" { arch \"qwen3moe\"; }\n",
    );
    kdl(
        "family \"odd\" {\n    arch \"qwen3moe\"\n    allow \"unknown-architecture\" because=\"ours\"; // behind\n}\n",
        "family \"odd\" {\n    arch \"qwen3moe\"\n    // behind\n}\n",
    );
}

#[test]
fn an_emptied_kdl_block_is_removed() {
    let after = "family \"odd\" arch=\"qwen3moe\" // behind\ntier \"Z\" title=\"z\"\n";
    for block in [
        "{ allow \"unknown-architecture\" because=\"ours\" }",
        "{\n    allow \"unknown-architecture\" because=\"ours\"\n}",
        "{\n\n    allow \"unknown-architecture\" because=\"ours\";\n\n}",
    ] {
        let before = after.replace(" // behind", &format!(" {block} // behind"));
        kdl(&before, after);
    }
}

/// Safe fixes do not remove comments.
#[test]
fn comments_inside_an_allow_are_removed_only_by_unsafe_fixes() {
    for (language, before, after) in [
        (
            "kdl",
            "family \"odd\" arch=\"qwen3moe\" {\n    // ours\n    allow \"unknown-architecture\" because=\"ours\"\n}\n",
            "family \"odd\" arch=\"qwen3moe\"\n",
        ),
        (
            "yaml",
            "families:\n  odd:\n    arch: qwen3moe\n    allow: # ours\n      code: unknown-architecture\n      because: ours\n",
            "families:\n  odd:\n    arch: qwen3moe\n",
        ),
    ] {
        assert_eq!(apply_fixes(language, before, FixLevel::Safe), before);
        assert_eq!(apply_fixes(language, before, FixLevel::Unsafe), after);
    }
}

/// A YAML anchor may have aliases, and a KDL slashdash hides a part of the node. The user has to edit both.
#[test]
fn anchored_and_partly_disabled_nodes_are_kept() {
    let anchored = "families:\n  odd: {arch: qwen3moe, allow: &a {code: unknown-architecture, because: ours}}\n  other: {arch: our-own, allow: *a}\n";
    assert_eq!(apply_fixes("yaml", anchored, FixLevel::Unsafe), anchored);
    let dashed =
        "family \"odd\" arch=\"qwen3moe\" {\n    allow \"unknown-architecture\" /-x=1 because=\"ours\"\n}\n";
    assert_eq!(apply_fixes("kdl", dashed, FixLevel::Unsafe), dashed);
}

#[test]
fn comment_markers_inside_strings_are_not_comments() {
    for (language, before, after) in [
        (
            "kdl",
            "family \"odd\" arch=\"qwen3moe\" { allow \"unknown-architecture\" because=\"// \\\" /- /* ours\" }\n",
            "family \"odd\" arch=\"qwen3moe\"\n",
        ),
        (
            "yaml",
            "families: {odd: {arch: qwen3moe, allow: {code: unknown-architecture, because: \" # & * ours\"}}}\n",
            "families: {odd: {arch: qwen3moe}}\n",
        ),
    ] {
        assert_eq!(apply_fixes(language, before, FixLevel::Safe), after);
    }
}
