//! The names of devices in a command line and in its environment.

use crate::engine::Word;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The options whose value is a list of devices, or of tensor names with devices, and their environment variables (llama.cpp
/// b12032, `common/arg.cpp`).
const NAMES: &[&str] = &[
    "device",
    "spec-draft-device",
    "device-draft",
    "mmproj-device",
    "override-tensor",
    "ot",
    "spec-draft-override-tensor",
    "override-tensor-draft",
    "otd",
    "LLAMA_ARG_DEVICE",
    "LLAMA_ARG_OVERRIDE_TENSOR",
    "MTMD_BACKEND_DEVICE",
];

/// The devices in the value of an option or a variable: `CUDA1` and `CUDA0` of `CUDA1,CUDA0`, and `CUDA1` of `exps=CUDA1`.
pub fn devices_in<'v>(name: &str, value: &'v str) -> impl Iterator<Item = &'v str> {
    let is_known = names_devices(name);
    value.split(',').filter(move |_| is_known).map(|part| divided(part).1)
}

/// The arguments with other names of devices.
pub fn rename_devices(args: &Arc<[Word]>, names: &BTreeMap<String, String>) -> Arc<[Word]> {
    let before = std::iter::once("").chain(args.iter().map(Word::text));
    let renamed = before.zip(args.iter()).map(|(option, word)| {
        if option.starts_with('-') && names_devices(option) {
            Word::from(rename_devices_in(option, word.text(), names).into_owned())
        } else {
            word.clone()
        }
    });
    renamed.collect()
}

/// The value of an option or a variable with other names of devices.
pub fn rename_devices_in<'v>(name: &str, value: &'v str, names: &BTreeMap<String, String>) -> Cow<'v, str> {
    if !names_devices(name) {
        return Cow::Borrowed(value);
    }
    let part = |part: &str| {
        let (pattern, device) = divided(part);
        format!("{pattern}{}", names.get(device).map_or(device, String::as_str))
    };
    Cow::Owned(value.split(',').map(part).collect::<Vec<_>>().join(","))
}

fn names_devices(name: &str) -> bool {
    NAMES.contains(&name.trim_start_matches('-'))
}

/// The part of a value up to its `=`, and the device after it.
fn divided(part: &str) -> (&str, &str) {
    part.split_at(part.rfind('=').map_or(0, |at| at + 1))
}
