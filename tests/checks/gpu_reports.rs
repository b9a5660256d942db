//! Stacks from bug reports and forums, in the fields for GPUs. Each was served wrongly, or refused without a reason.

use crate::support::{Compiled, compile};

const HEAD: &str = r#"
stack "home" engine="e" { defaults { context 8192 } }
engine "e" profile="llama.cpp-b11669" bin="/usr/bin"
engine "august" profile="llama.cpp-b10434" bin="/opt/august"
"#;

fn compiled(text: &str) -> Compiled {
    compile(&[("a.kdl", &format!("{HEAD}{text}"))])
}

/// The codes of the findings, except unused engines.
fn codes(text: &str) -> Vec<&'static str> {
    let compiled = compiled(text);
    compiled.codes().into_iter().filter(|code| !matches!(*code, "unused-item" | "caches-over-host")).collect()
}

fn host(memory: &str, gpus: &str) -> String {
    format!("host \"box\" memory=\"{memory}\" cpus=\"0-15\" smt=2 {{ {gpus} }}\n")
}

fn model(size: &str) -> String {
    format!("model \"m\" arch=\"qwen3moe\" size=\"{size}\" file=\"/m/m.gguf\"\n")
}

const CARD: &str = "gpu \"CUDA0\" memory=\"24 GB\" title=\"RTX 3090\"";
const ON_CARD: &str = "role \"r\" model=\"m\" port=9000 { placement gpu=\"CUDA0\" }\n";

/// The unit once had `PrivateDevices=yes` next to `--n-gpu-layers 99`.
#[test]
fn a_unit_does_not_hide_the_gpu_of_its_role() {
    let text = host("64 GB", CARD) + &model("10 GB") + ON_CARD;
    assert_eq!(codes(&text), [""; 0]);
    let files = compiled(&text).files();
    let (_, (unit, _)) = files.iter().find(|(path, _)| path.ends_with("home-r.service")).unwrap();
    assert!(
        unit.contains("\nDeviceAllow=char-nvidia* rw\n") && !unit.contains("\nPrivateDevices="),
        "{unit}"
    );
    assert!(unit.contains("--device CUDA0 \\\n    --n-gpu-layers all "), "{unit}");
    let hidden = text.replace("port=9000", "port=9000 hardening=\"strict\"");
    assert_eq!(codes(&hidden), ["hidden-gpu"]);
    // Options of the command line are owned by the fields, also on a host without GPUs.
    let options = "role \"r\" model=\"m\" port=9000 { option \"gpu-layers\" value=99; option \"device\" value=\"CUDA0\" }\n";
    for gpus in [CARD, ""] {
        let text = host("64 GB", gpus).replace("{  }", "") + &model("10 GB") + options;
        assert_eq!(codes(&text), ["owned-option"; 2], "{gpus}");
    }
    // The name is that of a device, not of a product.
    let named = text.replace("CUDA0", "rtx");
    assert_eq!(codes(&named), ["unknown-device"]);
}

#[test]
fn a_model_that_is_larger_than_the_card_is_an_error() {
    for (size, expected) in [("22 GB", &[][..]), ("50 GB", &["over-gpu-memory"])] {
        assert_eq!(codes(&(host("64 GB", CARD) + &model(size) + ON_CARD)), expected, "{size}");
    }
    // It fits into RAM.
    let in_ram = ON_CARD.replace(" { placement gpu=\"CUDA0\" }", "");
    assert_eq!(codes(&(host("64 GB", CARD) + &model("50 GB") + &in_ram)), [""; 0]);
    let line = compiled(&(host("64 GB", CARD) + &model("50 GB") + &in_ram)).arguments("r");
    assert!(line.contains("--device none") && !line.contains("-layers"), "{line}");
}

#[test]
fn what_is_on_a_card_does_not_count_as_ram() {
    // The RAM of these hosts is smaller than the models.
    for (memory, gpus, size) in [
        ("16 GB", CARD.to_owned(), "18.6 GB"),
        ("16 GB", format!("{CARD}; gpu \"CUDA1\" memory=\"24 GB\""), "40 GB"),
        ("64 GB", "gpu \"CUDA0\" memory=\"80 GB\"".to_owned(), "62 GB"),
    ] {
        let names = if gpus.contains("CUDA1") { "CUDA0,CUDA1" } else { "CUDA0" };
        let role = ON_CARD.replace("\"CUDA0\"", &format!("\"{names}\""));
        let text = host(memory, &gpus) + &model(size) + &role;
        assert_eq!(codes(&text), [""; 0], "{size}");
        let without = text.replace(&format!(" {{ placement gpu=\"{names}\" }}"), "");
        assert_eq!(codes(&without), ["over-host-memory"], "{size}");
    }
}

#[test]
fn a_card_that_the_host_lacks_is_an_error() {
    let base = host("128 GB", CARD) + &model("20 GB");
    for (placement, expected) in [
        ("gpu=\"CUDA3\"", "unknown-name"),
        ("gpu=\"CUDA0\" split=\"1:1:1\"", "conflicting-fields"),
        ("split=\"1:1:1\"", "conflicting-fields"),
    ] {
        let role = format!("role \"r\" model=\"m\" port=9000 {{ placement {placement} }}\n");
        assert_eq!(codes(&(base.clone() + &role)), [expected], "{placement}");
    }
}

#[test]
fn a_slow_cache_type_is_a_warning() {
    let text = host("64 GB", CARD) + &model("5 GB");
    let role = ON_CARD
        .replace("port=9000", "port=9000 engine=\"august\" cache-type=\"q5_1\" flash-attention=\"on\"");
    assert_eq!(codes(&(text.clone() + &role)), ["slow-cache-type"]);
    // Later builds have attention for this type.
    assert_eq!(codes(&(text.clone() + &role.replace("august", "e"))), [""; 0]);
    assert_eq!(codes(&(text + &role.replace("q5_1", "q4_0"))), [""; 0]);
}

#[test]
fn a_fitted_context_also_fits_the_layers() {
    let role = "role \"r\" model=\"m\" port=9000 { context \"fit\" least=60000; placement gpu=\"CUDA0\" }\n";
    let text = host("64 GB", &CARD.replace("24 GB\"", "24 GB\" reserve=\"2 GiB\"")) + &model("1 GB") + role;
    assert_eq!(codes(&text), [""; 0]);
    let line = compiled(&text).arguments("r");
    for words in ["--fit on", "--fit-ctx 60000", "--fit-target 2048", "--device CUDA0"] {
        assert!(line.contains(words), "{words}: {line}");
    }
    assert!(!line.contains("-layers") && !line.contains("--fit off"), "{line}");
    // The options alone are refused: the fields set them.
    let options = "role \"r\" model=\"m\" port=9000 { option \"fit-ctx\" value=60000; option \"fit-target\" value=\"1024\" }\n";
    let found = codes(&(host("64 GB", CARD) + &model("1 GB") + options));
    assert!(!found.is_empty(), "{found:?}");
}
