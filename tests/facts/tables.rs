//! The tables of types, compared with those of the Python package `gguf`.

mod tools {
    use crate::outside::python;
    use orchgen::facts::{file_types, tensor_types};

    /// The rows that a Python script prints as JSON.
    fn rows<T: serde::de::DeserializeOwned>(script: &str) -> Vec<T> {
        let output = python().args(["-c", script]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let rows: Vec<T> = serde_json::from_slice(&output.stdout).unwrap();
        assert!(rows.len() > 30, "{} rows", rows.len());
        rows
    }

    #[test]
    fn tensor_types_are_those_of_gguf() {
        let expected: Vec<(u32, String, u64, u64)> = rows(
            "import gguf, json
print(json.dumps([(t.value, t.name.lower(), *gguf.GGML_QUANT_SIZES[t]) for t in gguf.GGMLQuantizationType]))",
        );
        for (id, name, block, bytes) in expected {
            let known = tensor_types().iter().find(|tensor_type| tensor_type.id == id).unwrap();
            // gguf counts the two scales of `block_q8_1` as f32; `ggml/src/ggml-common.h` (b11434) has them as f16.
            let bytes = if name == "q8_1" { bytes - 4 } else { bytes };
            assert_eq!((known.name.to_lowercase(), known.block, known.bytes), (name, block, bytes));
        }
    }

    #[test]
    fn file_types_are_those_of_gguf() {
        let mut expected: Vec<(u32, String)> =
            rows("import gguf, json; print(json.dumps([(t.value, t.name) for t in gguf.LlamaFileType]))");
        expected.retain(|(_, name)| name != "GUESSED");
        let known: Vec<_> = file_types().collect();
        for (id, name) in expected {
            let name = name.trim_start_matches("ALL_").trim_start_matches("MOSTLY_");
            assert!(known.contains(&(id, name)), "{id} {name}");
        }
    }
}
