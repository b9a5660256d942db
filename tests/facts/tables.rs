//! The tables of types against the facts that they were made from.

use crate::support::shared;
use orchgen::facts::{file_types, tensor_types};

fn rows(file: &str, list: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(shared(file)).unwrap();
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let rows = all[list].as_array().unwrap().clone();
    assert!(rows.len() > 30, "{file} has {} rows", rows.len());
    rows
}

#[test]
fn tensor_types_are_those_of_the_engine() {
    let known: Vec<_> = rows("engine/llama-b11434-ggml-types.json", "types")
        .iter()
        .map(|row| {
            let number = |key: &str| row[key].as_u64().unwrap();
            let id = u32::try_from(number("id")).unwrap();
            (id, row["name"].as_str().unwrap().to_owned(), number("block_size"), number("bytes_per_block"))
        })
        .collect();
    let ours: Vec<_> = tensor_types().iter().map(|t| (t.id, t.name.to_owned(), t.block, t.bytes)).collect();
    assert_eq!(ours, known);
}

#[test]
fn file_types_are_those_of_the_engine() {
    let known: Vec<_> = rows("engine/llama-b11434-ftypes.json", "ftypes")
        .iter()
        .map(|row| (row["id"].as_u64().unwrap(), row["name"].as_str().unwrap().to_owned()))
        .collect();
    let ours: Vec<_> = file_types().map(|(id, name)| (u64::from(id), name.to_owned())).collect();
    assert_eq!(ours, known);
}
