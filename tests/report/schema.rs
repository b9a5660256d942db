//! The JSON report matches `report.schema.json`, which documents it.

use serde_json::{Value, json};

/// The differences between a value and a schema. Supports only the JSON Schema keywords that `report.schema.json` uses.
pub(crate) fn mismatches(value: &Value, schema: &Value, root: &Value, at: &str) -> Vec<String> {
    if let Some(path) = schema["$ref"].as_str() {
        return mismatches(value, root.pointer(path.trim_start_matches('#')).unwrap(), root, at);
    }
    let mut wrong = Vec::new();
    let has_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64(),
        Some(other) => unreachable!("{other}"),
        None => true,
    };
    let is_listed = schema.get("enum").is_none_or(|all| all.as_array().unwrap().contains(value));
    if !has_type || !is_listed || schema.get("const").is_some_and(|only| only != value) {
        wrong.push(format!("{at} is {value}"));
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (key, inner) in value.as_object().into_iter().flatten() {
        match properties.and_then(|all| all.get(key)) {
            Some(schema) => wrong.extend(mismatches(inner, schema, root, &format!("{at}.{key}"))),
            None => wrong.push(format!("{at} has {key}")),
        }
    }
    for key in schema["required"].as_array().into_iter().flatten() {
        if value.get(key.as_str().unwrap()).is_none() {
            wrong.push(format!("{at} has no {key}"));
        }
    }
    for (n, inner) in value.as_array().into_iter().flatten().enumerate() {
        wrong.extend(mismatches(inner, &schema["items"], root, &format!("{at}[{n}]")));
    }
    wrong
}

/// The differences between a report and `report.schema.json`.
pub(crate) fn validation_errors(report: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(include_str!("report.schema.json")).unwrap();
    mismatches(report, &schema, &schema, "report")
}

#[test]
fn the_schema_uses_only_supported_keywords() {
    let schema = include_str!("report.schema.json");
    for keyword in ["oneOf", "anyOf", "pattern", "minimum", "format\"", "patternProperties", "allOf"] {
        assert!(!schema.contains(keyword), "{keyword} is not supported by this test");
    }
}

#[test]
fn reports_match_the_schema() {
    let report = super::json::value();
    assert_eq!(validation_errors(&report), [""; 0]);
    let mut broken = report;
    broken["findings"][0]["severity"] = json!("fatal");
    broken["findings"][0]["primary"]["start"]["line"] = json!("1");
    broken["summary"]["more"] = json!(1);
    broken["not_checked"][0].as_object_mut().unwrap().remove("why");
    assert_eq!(validation_errors(&broken).len(), 4, "{:?}", validation_errors(&broken));
}
