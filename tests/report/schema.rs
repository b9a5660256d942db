//! The JSON report against `report.schema.json`, which documents it.

use serde_json::{Value, json};

/// What of a value is not as a schema of that file says: the few words of JSON Schema that stand in it.
pub(crate) fn against(value: &Value, schema: &Value, root: &Value, at: &str) -> Vec<String> {
    if let Some(path) = schema["$ref"].as_str() {
        return against(value, root.pointer(path.trim_start_matches('#')).unwrap(), root, at);
    }
    let mut wrong = Vec::new();
    let is = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64(),
        Some(other) => unreachable!("{other}"),
        None => true,
    };
    let is_one = schema.get("enum").is_none_or(|all| all.as_array().unwrap().contains(value));
    if !is || !is_one || schema.get("const").is_some_and(|only| only != value) {
        wrong.push(format!("{at} is {value}"));
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (key, inner) in value.as_object().into_iter().flatten() {
        match properties.and_then(|all| all.get(key)) {
            Some(schema) => wrong.extend(against(inner, schema, root, &format!("{at}.{key}"))),
            None => wrong.push(format!("{at} has {key}")),
        }
    }
    for key in schema["required"].as_array().into_iter().flatten() {
        if value.get(key.as_str().unwrap()).is_none() {
            wrong.push(format!("{at} has no {key}"));
        }
    }
    for (n, inner) in value.as_array().into_iter().flatten().enumerate() {
        wrong.extend(against(inner, &schema["items"], root, &format!("{at}[{n}]")));
    }
    wrong
}

pub(crate) fn complaints(report: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(include_str!("report.schema.json")).unwrap();
    against(report, &schema, &schema, "report")
}

#[test]
fn every_word_of_the_schema_is_understood_here() {
    let schema = include_str!("report.schema.json");
    for word in ["oneOf", "anyOf", "pattern", "minimum", "format\"", "patternProperties", "allOf"] {
        assert!(!schema.contains(word), "{word}");
    }
}

#[test]
fn reports_are_as_the_schema_says() {
    let report = super::json::value();
    assert_eq!(complaints(&report), [""; 0]);
    let mut broken = report;
    broken["findings"][0]["severity"] = json!("fatal");
    broken["findings"][0]["primary"]["start"]["line"] = json!("1");
    broken["summary"]["more"] = json!(1);
    broken["not_checked"][0].as_object_mut().unwrap().remove("why");
    assert_eq!(complaints(&broken).len(), 4, "{:?}", complaints(&broken));
}
