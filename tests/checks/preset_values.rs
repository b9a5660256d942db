//! Values of roles behind a gateway that a preset file cannot carry.

use super::gateways::{FRONT, UNUSED, assert_helps, model, only, routed, with_defaults};
use super::{assert_codes, compile_with_base, label_texts, single_finding};
use crate::language::BASE;
use crate::support::compile;

/// The text under the first label, the message and the help of `unroutable-value`.
#[track_caller]
fn unroutable(text: &str) -> (String, String, String) {
    let compiled = compile_with_base(&(FRONT.to_owned() + text));
    let all = compiled.findings.findings();
    let mut found = all.iter().filter(|finding| finding.code.name == "unroutable-value");
    let finding = found.next().unwrap_or_else(|| panic!("{}", compiled.report()));
    assert!(found.next().is_none(), "{}", compiled.report());
    let label = label_texts(&compiled, finding)[0].1.clone();
    (label, finding.message.clone(), finding.help.join("; "))
}

#[test]
fn a_path_cannot_begin_a_comment_in_a_preset_file() {
    let of_model = |rest: &str| model("m", rest) + &routed("x", "").replace("\"plain\"", "\"m\"");
    for (text, label, path) in [
        (of_model("file=\"a#b.gguf\""), "\"a#b.gguf\"", "/srv/models/a#b.gguf"),
        (of_model("file=\"/srv/a#b.gguf\""), "\"/srv/a#b.gguf\"", "/srv/a#b.gguf"),
        (
            of_model("file=\"a.gguf\" { projector \"p#.gguf\" size=\"1 GB\" }"),
            "\"p#.gguf\"",
            "/srv/models/p#.gguf",
        ),
        (model("d", "file=\"d#.gguf\"") + &routed("x", "draft=\"d\""), "\"d#.gguf\"", "/srv/models/d#.gguf"),
        (routed("x", "template=\"/srv/t#.jinja\""), "\"/srv/t#.jinja\"", "/srv/t#.jinja"),
        (routed("x", "lora=\"/srv/l#.gguf\""), "\"/srv/l#.gguf\"", "/srv/l#.gguf"),
        (
            routed("x", "{ lora \"/srv/first.gguf\"; lora \"/srv/l#.gguf\" }"),
            "\"/srv/l#.gguf\"",
            "/srv/l#.gguf",
        ),
    ] {
        let (found, message, help) = unroutable(&text);
        assert_eq!(found, label);
        assert_eq!(
            message,
            format!(
                "the preset file of a gateway cannot have the path `{path}` of role `x`: `#` starts a comment"
            )
        );
        assert_eq!(help, "rename the file or folder, or use a symbolic link with another name");
        assert_eq!(unroutable(&text.replace('#', ";")).0, label.replace('#', ";"));
        // A process with its own port gets its options on the command line.
        assert_codes(&[], &text.replace("gateway=\"front\"", "port=9000"));
    }
}

#[test]
fn a_path_of_a_store_is_reported_at_the_store() {
    let base = BASE.replace("path=\"/srv/models\"", "path=\"/srv/c#\"");
    let text = FRONT.to_owned() + &routed("x", "") + &routed("y", "").replace("\"plain\"", "\"tiny\"");
    let compiled = compile(&[("base.kdl", &base), ("case.kdl", &text)]);
    let finding = only(&compiled);
    assert_eq!(label_texts(&compiled, &finding), [("base.kdl".to_owned(), "\"/srv/c#\"".to_owned())]);
}

#[test]
fn other_values_may_be_unroutable_too() {
    let (label, message, help) = unroutable(&routed("x", "alias=\"c#\""));
    assert_eq!((&*label, &*help), ("\"c#\"", "write another alias"));
    assert_eq!(
        message,
        "the preset file of a gateway cannot have the alias `c#` of role `x`: `#` starts a comment"
    );
    let option = |value: &str| {
        routed("x", &format!("{{ option \"chat-template\" value=\"{{% if a %}}{value}{{% endif %}}\" }}"))
    };
    let other = "write another value, or give the role its own `port` instead of `gateway`";
    for (value, why) in [("#", "`#` starts a comment"), ("\\n", "a line break ends the value")] {
        let (_, message, help) = unroutable(&option(value));
        assert!(message.starts_with("the preset file of a gateway cannot have the value `"), "{message}");
        assert!(message.ends_with(&format!("of role `x`: {why}")), "{message}");
        assert_eq!(help, other);
    }
    let overrides = "{ override \"general.author\" value=\"me\"; override \"general.name\" value=\"c#\" }";
    let (label, message, _) = unroutable(&routed("x", overrides));
    assert_eq!(label, "\"c#\"");
    assert!(message.contains("cannot have the override `c#` of role `x`"), "{message}");
    // Blanks at the ends of an alias are another mistake, with or without a gateway.
    let blank = FRONT.to_owned() + &routed("x", "alias=\" c\"");
    assert_codes(&["out-of-range"], &blank);
    assert_helps(&blank, &[("write `alias=\"c\"`", &[])]);
    // A title is a comment of the preset file.
    let titled = model("m", "file=\"m.gguf\"").replace("\"M\"", "\"M # ;\"");
    assert_codes(&[], &(FRONT.to_owned() + &titled + &routed("x", "").replace("\"plain\"", "\"m\"")));
}

#[test]
fn an_unroutable_default_is_reported_once() {
    let text = FRONT.to_owned() + &routed("x", "") + &routed("y", "");
    let compiled = with_defaults("template \"/srv/t#.jinja\"", &text);
    let finding = only(&compiled);
    assert_eq!(finding.code.name, "unroutable-value");
    assert_eq!(finding.subject.unwrap().kind, "stack");
}

#[test]
fn a_section_has_each_option_once_with_one_value() {
    let one = |options: &str| FRONT.to_owned() + &routed("x", &format!("{{ {options} }}"));
    let bias = one("option \"logit-bias\" \"1+1\"; option \"logit-bias\" \"2-1\"");
    assert_eq!(
        single_finding(&bias).message,
        "option `logit-bias` of role `x`: `--logit-bias` is given twice; behind the router the engine uses the last value"
    );
    assert_helps(&bias, &[("remove the first one, which has no effect", &[])]);
    let vectors = one("option \"control-vector\" \"/a.gguf\"; option \"control-vector\" \"/b.gguf\"");
    assert_eq!(single_finding(&vectors).help[0], "write all values in one option, separated by commas");
    assert_codes(&[], &one("option \"control-vector\" \"/a.gguf,/b.gguf\""));
    let several = one("option \"control-vector-layer-range\" \"1 2\"");
    assert_eq!(
        single_finding(&several).message,
        "role `x` cannot use `option`: `--control-vector-layer-range` has several values, and behind the router an option has at most one"
    );
    assert_helps(
        &several,
        &[("remove this option", &[]), ("or write `port=8100` in the role instead of `gateway`", UNUSED)],
    );
}
