//! The context of a process, in tokens.

use super::argv::ArgvBuilder;
use super::{Devices, GpuSpec, Intent, ServerSpec, UncheckedIntent};
use crate::engine::Profile;
use crate::engine::llama::options::row_of;

/// The context of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextSpec {
    /// This number of tokens.
    Tokens(u32),
    /// The context for which the model was trained, if it is known.
    Trained(Option<u32>),
    /// The context that fits into memory, at least this number of tokens. `None` means the engine's minimum.
    Fit(Option<u32>),
}

impl Default for ContextSpec {
    fn default() -> Self {
        Self::Trained(None)
    }
}

impl ContextSpec {
    /// The number of tokens, if it is known.
    pub fn tokens(self) -> Option<u32> {
        match self {
            Self::Tokens(tokens) => Some(tokens),
            Self::Trained(tokens) => tokens,
            Self::Fit(_) => None,
        }
    }
}

/// The first build that fits the context of each slot. Earlier builds fit that of all slots together (`common/fit.cpp` of
/// llama.cpp b10435 and b11434).
const FITS_SLOTS: u32 = 11434;

/// Lets the engine fit the context of a server. With `-c` it would not, and with `-ngl` it would not fit the layers.
pub(super) fn write_fit(argv: &mut ArgvBuilder<'_>, spec: &ServerSpec<'_>, least: Option<u32>) {
    if spec.is_embedder {
        let why =
            "an embedder processes a whole request in one batch, so its context needs a number".to_owned();
        return argv.add_error(Intent::Context, why);
    }
    if spec.slots > 1 && !spec.shared {
        match argv.profile.build_number() {
            Some(build) if build < FITS_SLOTS => {
                let build = argv.build();
                let why = format!("`--fit` of {build} fits the context of all slots together, not of each");
                argv.add_error(Intent::Context, why);
            }
            Some(_) => {}
            None => {
                let why = "the number of the build is unknown: it may fit the context of all slots together"
                    .to_owned();
                argv.not_checked.push(UncheckedIntent { intent: Intent::Context, why });
            }
        }
    }
    write_fit_options(argv, spec.gpu.as_ref(), least);
}

/// Writes the options with which the engine fits the context.
pub(super) fn write_fit_options(argv: &mut ArgvBuilder<'_>, gpu: Option<&GpuSpec<'_>>, least: Option<u32>) {
    let origin = (Intent::Context, "context");
    let has_device = gpu.is_some_and(|gpu| gpu.devices != Devices::Host);
    let fits = has_device || fits_without_device(argv.profile);
    if argv.find_option(&["--fit-ctx"]).is_some() && !fits {
        let why = format!("`--fit` of {} fits only the memory of a GPU", argv.build());
        return argv.add_error(Intent::Context, why);
    }
    let default = row_of("fit-ctx").and_then(|row| row.default).map_or("", |default| default.value);
    let least = least.map_or_else(|| default.to_owned(), |least| least.to_string());
    if argv.write_option(origin, &["--fit-ctx"], least) {
        argv.write_option(origin, &["--fit"], "on");
    }
}

/// True if a build fits the context without a device. The build of March 2026 returns at once (`src/llama.cpp`); b9093 does
/// not (`common/fit.cpp`), and has an option that the earlier build lacks.
fn fits_without_device(profile: &Profile) -> bool {
    profile.option(profile.server(), "--cache-idle-slots").is_some()
}
