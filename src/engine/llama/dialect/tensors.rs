//! Values of `--override-tensor`: patterns of tensor names with buffer types (llama.cpp b11434, `common/arg.cpp`).

use super::argv::ArgvBuilder;
use super::options::OptionFault;
use super::{FaultKind, is_device_name, pattern};
use crate::engine::OptionRecord;

/// The buffer type of the main memory.
const MAIN_MEMORY: &str = "CPU";

/// Checks a value, if the option takes patterns with buffer types.
pub(super) fn check(
    argv: &ArgvBuilder<'_>,
    option: &OptionRecord,
    spelling: &str,
    value: &str,
) -> Result<(), OptionFault> {
    if option.value.as_deref() != Some("<tensor name pattern>=<buffer type>,...") {
        return Ok(());
    }
    let bad = |why: String, help: String| {
        let why = format!("the value of `{spelling}` {why}");
        OptionFault::with(FaultKind::BadValue, why, help)
    };
    for part in value.split(',') {
        let Some((pattern, buffer)) = part.split_once('=') else {
            let why = format!("has no `=` with a buffer type in `{part}`");
            // The pattern itself has a comma.
            if value.contains(',') && pattern::fault(part).is_some() {
                return Err(bad(
                    why,
                    "write the pattern without `,`: the engine splits the value there".to_owned(),
                ));
            }
            return Err(bad(why, format!("write `{}={MAIN_MEMORY}`", part.trim())));
        };
        if [pattern, buffer].iter().any(|text| text.trim() != *text) {
            let why = format!("has a blank around `{}`, which no tensor and no buffer type has", part.trim());
            return Err(bad(why, format!("write `{}`", without_blanks(value))));
        }
        if pattern.is_empty() || buffer.is_empty() {
            let why = format!("needs a pattern and a buffer type around `=`, not `{part}`");
            return Err(bad(why, "write a pattern and a buffer type, such as `exps=CPU`".to_owned()));
        }
        if let Some((why, help)) = pattern::fault(pattern) {
            return Err(bad(format!("has the pattern `{pattern}`, in which {why}"), help.to_owned()));
        }
        check_buffer(argv.gpus.as_deref(), buffer).map_err(|(why, help)| bad(why, help))?;
    }
    Ok(())
}

/// The value without blanks at the ends of its patterns and buffer types.
fn without_blanks(value: &str) -> String {
    let part = |part: &str| part.split('=').map(str::trim).collect::<Vec<_>>().join("=");
    value.split(',').map(part).collect::<Vec<_>>().join(",")
}

/// Checks that a host with these GPUs has a buffer type. The engine knows the default buffer type of each device: of the
/// CPU, the GPUs, and the devices of `--rpc`. Nothing is checked if the GPUs are unknown.
fn check_buffer(gpus: Option<&[String]>, buffer: &str) -> Result<(), (String, String)> {
    let Some(gpus) = gpus.filter(|_| buffer != MAIN_MEMORY && !buffer.starts_with("RPC")) else {
        return Ok(());
    };
    if buffer.eq_ignore_ascii_case(MAIN_MEMORY) && !gpus.is_empty() {
        return Err((format!("names the buffer type `{buffer}`"), format!("write `{MAIN_MEMORY}`")));
    }
    match gpus.first() {
        None => {
            let why = format!("names the buffer type `{buffer}`, and the host declares no `gpu`");
            let help =
                format!("write `{MAIN_MEMORY}` instead of `{buffer}`, or declare each `gpu` of the host");
            Err((why, help))
        }
        Some(first) if is_device_name(buffer) && !gpus.iter().any(|gpu| gpu == buffer) => {
            let why = format!("names the buffer type `{buffer}`, which is no GPU of the host");
            Err((why, format!("write `{first}` instead of `{buffer}`")))
        }
        Some(_) => Ok(()),
    }
}
