//! Options that place a model on GPUs: the fields of `placement` and `draft` do the same.

use super::gpus::{assert_role, findings};

/// The message of an owned option.
fn owned(option: &str, spelling: &str) -> String {
    format!("option `{option}` of role `r`: the field `placement` sets `{spelling}`")
}

/// A value in KDL, or nothing for a switch.
fn option(name: &str, value: &str) -> String {
    if value.is_empty() { format!("option \"{name}\"") } else { format!("option \"{name}\" value={value}") }
}

#[test]
fn an_option_becomes_fields_of_the_placement() {
    for (name, spelling, value, fields) in [
        ("device", "--device", "\"CUDA1\"", "gpu=\"CUDA1\""),
        ("dev", "-dev", "\"none\"", "gpu=\"none\""),
        ("ngl", "-ngl", "99", "gpu=\"CUDA0,CUDA1\""),
        ("ngl", "-ngl", "-1", "gpu=\"CUDA0,CUDA1\""),
        ("ngl", "-ngl", "\"all\"", "gpu=\"CUDA0,CUDA1\""),
        ("ngl", "-ngl", "0", "gpu=\"none\""),
        ("n-gpu-layers", "--n-gpu-layers", "20", "gpu=\"CUDA0,CUDA1\" layers=20"),
        ("gpu-layers", "--gpu-layers", "\"auto\"", "gpu=\"CUDA0,CUDA1\" layers=\"fit\""),
        ("ts", "-ts", "\"3,1\"", "gpu=\"CUDA0,CUDA1\" split=\"3:1\""),
        ("tensor-split", "--tensor-split", "\"3/1/1\"", "gpu=\"CUDA0,CUDA1,Vulkan0\" split=\"3:1:1\""),
        ("sm", "-sm", "\"tensor\"", "gpu=\"CUDA0,CUDA1\" split-mode=\"tensor\""),
        ("sm", "-sm", "\"layer\"", "gpu=\"CUDA0,CUDA1\""),
        ("sm", "-sm", "\"none\"", "gpu=\"CUDA0\""),
        ("cpu-moe", "--cpu-moe", "", "gpu=\"CUDA0,CUDA1\" cpu-experts=\"all\""),
        ("n-cpu-moe", "--n-cpu-moe", "12", "gpu=\"CUDA0,CUDA1\" cpu-experts=12"),
        ("no-kv-offload", "--no-kv-offload", "", "gpu=\"CUDA0,CUDA1\" kv=\"host\""),
        ("kv-offload", "-nkvo", "#false", "gpu=\"CUDA0,CUDA1\" kv=\"host\""),
    ] {
        let role = format!("model=\"moe\" {{ {} }}", option(name, value));
        let help = format!("write `placement {fields}` instead of this option");
        assert_role(&role, &[("owned-option", &owned(name, spelling), &[&help])]);
    }
}

#[test]
fn several_options_become_one_placement() {
    const SAME: &str = "remove this option: the fields declare the same";
    for (options, fields) in [
        (
            &[("device", "\"CUDA0,CUDA1\""), ("tensor-split", "\"3,1\""), ("n-gpu-layers", "20")][..],
            "gpu=\"CUDA0,CUDA1\" layers=20 split=\"3:1\"",
        ),
        (&[("n-cpu-moe", "12"), ("n-gpu-layers", "\"all\"")], "gpu=\"CUDA0,CUDA1\" cpu-experts=12"),
        (&[("split-mode", "\"none\""), ("main-gpu", "1")], "gpu=\"CUDA1\""),
        (&[("device", "\"none\""), ("n-gpu-layers", "99")], "gpu=\"none\""),
        (&[("n-gpu-layers", "0"), ("no-kv-offload", "")], "gpu=\"none\""),
    ] {
        let text: Vec<String> = options.iter().map(|(name, value)| option(name, value)).collect();
        let found = findings(&format!("role \"r\" port=9000 model=\"moe\" {{ {} }}", text.join("; ")));
        let helps: Vec<&str> = found.iter().map(|(_, _, help)| &*help[0]).collect();
        let first = format!("write `placement {fields}` instead of this option");
        let rest = options.iter().skip(1).map(|_| SAME);
        assert_eq!(helps, std::iter::once(&*first).chain(rest).collect::<Vec<_>>(), "{options:?}");
    }
}

#[test]
fn a_role_with_a_placement_keeps_it() {
    for (options, placement, help) in [
        ("option \"ngl\" value=20", "gpu=\"CUDA1\"", "write `layers=20` instead of this option"),
        ("option \"ngl\" value=0", "gpu=\"CUDA1\"", "write `layers=0` instead of this option"),
        ("option \"ngl\" value=99", "gpu=\"CUDA1\"", "remove this option: the fields declare the same"),
        (
            "option \"ngl\" value=99",
            "gpu=\"CUDA1\" layers=7",
            "write `layers=\"all\"` instead of this option",
        ),
        (
            "option \"ts\" value=\"2,1\"",
            "gpu=\"CUDA1,CUDA0\"",
            "write `split=\"2:1\"` instead of this option",
        ),
        (
            "option \"device\" value=\"CUDA0\"",
            "gpu=\"CUDA1\"",
            "write `gpu=\"CUDA0\"` instead of this option",
        ),
    ] {
        let found =
            findings(&format!("role \"r\" port=9000 model=\"moe\" {{ {options}; placement {placement} }}"));
        let [(code, _, helps)] = &*found else { panic!("{found:?}") };
        assert_eq!((*code, &*helps[0]), ("owned-option", help), "{options}, {placement}");
    }
}

/// No line is suggested that would be another mistake.
#[test]
fn values_without_a_field_have_a_text_as_help() {
    for (options, start) in [
        ("option \"ngl\" value=\"many\"", "use `layers` of the field `placement`"),
        ("option \"ts\" value=\"1,x\"", "use `split` of the field `placement`"),
        ("option \"ts\" value=\"1,1,1,1,1,1,1\"", "use `split` of the field `placement`"),
        (
            "option \"main-gpu\" value=9; option \"split-mode\" value=\"none\"",
            "use `gpu` of the field `placement`",
        ),
        ("option \"device\" value=\"CUDA9\"", "`CUDA9` is no GPU of host `h`, which has `CUDA0`, `CUDA1`, "),
    ] {
        let found = findings(&format!("role \"r\" port=9000 model=\"moe\" {{ {options} }}"));
        let (code, _, helps) = &found[0];
        assert_eq!(*code, "owned-option");
        assert!(helps[0].starts_with(start), "{options}: {helps:?}");
    }
    for options in
        ["option \"ngl\" value=99", "option \"device\" value=\"CUDA0\"", "option \"main-gpu\" value=1"]
    {
        let found = findings(&format!("role \"r\" port=9000 model=\"moe\" host=\"bare\" {{ {options} }}"));
        let [(code, _, helps)] = &*found else { panic!("{found:?}") };
        let start = "declare the GPUs in host `bare`: each `gpu` has the name and the memory that ";
        assert!(*code == "owned-option" && helps[0].starts_with(start), "{options}: {helps:?}");
    }
}

#[test]
fn options_of_a_draft_become_its_fields() {
    for (draft, options, written) in [
        ("draft \"d\"", "option \"device-draft\" value=\"CUDA1\"", "draft \"d\" gpu=\"CUDA1\""),
        ("draft \"d\"", "option \"devd\" value=\"none\"", "draft \"d\" gpu=\"none\""),
        ("draft \"d\" gpu=\"CUDA1\"", "option \"ngld\" value=9", "draft \"d\" gpu=\"CUDA1\" layers=9"),
        (
            "draft \"d\" gpu=\"CUDA1\" layers=3",
            "option \"spec-draft-n-max\" value=8",
            "draft \"d\" max=8 gpu=\"CUDA1\" layers=3",
        ),
        (
            "draft \"d\" gpu=\"CUDA1\"",
            "option \"cpu-moe-draft\"",
            "draft \"d\" gpu=\"CUDA1\" cpu-experts=\"all\"",
        ),
        ("draft \"d\"", "option \"ngld\" value=99", "draft \"d\""),
    ] {
        let found = findings(&format!("role \"r\" port=9000 model=\"m\" {{ {draft}; {options} }}"));
        let help = format!("write `{written}` instead of this option");
        assert!(found.iter().any(|(_, _, helps)| helps[0] == help), "{options}: {found:?}");
    }
    // Without a GPU, the number of layers would have no effect.
    let found = findings("role \"r\" port=9000 model=\"m\" { draft \"d\"; option \"ngld\" value=9 }");
    assert_eq!(found[0].2[0], "use `layers` of the field `draft`", "{found:?}");
}
