//! Writes YAML from serializable types.

use super::RenderError;
use serde::Serialize;

/// The YAML text of a value. `subject` is what the file describes.
pub(super) fn to_yaml(subject: &str, value: &impl Serialize) -> Result<String, RenderError> {
    let mut text = serde_yaml::to_string(value).map_err(|why| RenderError::new(subject, &why.to_string()))?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}
