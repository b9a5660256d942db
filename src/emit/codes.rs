//! Codes 4xx: the output folder differs from the registry, or has conflicts.

use crate::diag::Code;

/// All codes of this module.
pub static ALL: &[&Code] = &[&EDITED_BY_HAND, &UNLISTED_FILE, &OUTPUT_DRIFT, &DAMAGED_MANIFEST, &NOT_A_FILE];

declare_code! {
    /// ## What it finds
    /// A file below `out` that a build wrote, and that was edited manually afterwards.
    ///
    /// ## Why
    /// Without this error, the next build would silently overwrite the edit. A permanent change belongs in the
    /// registry. A unit can also be changed with a drop-in such as `/etc/systemd/system/NAME.service.d/local.conf`.
    /// For the same reason, orchgen does not remove an edited file that the registry no longer generates.
    ///
    /// ## Instead
    /// Move the edit into the registry, or for a unit into a drop-in. Then run `orchgen build --force` to overwrite the
    /// file, or to remove it if it is no longer generated. If `out` is in version control, `git diff` shows the edit.
    pub static EDITED_BY_HAND = 401, "edited-by-hand", Error;
}

declare_code! {
    /// ## What it finds
    /// A file that no build wrote, at the path of a generated file and with other content.
    ///
    /// ## Why
    /// The manifest `out/.orchgen-manifest.json` lists the files that builds wrote. orchgen does not overwrite other
    /// files. If the file already has exactly the generated content, orchgen silently adopts it.
    ///
    /// ## Instead
    /// Move the file elsewhere, or overwrite it with `orchgen build --force`. If the manifest was lost, restore it from
    /// version control.
    pub static UNLISTED_FILE = 402, "unlisted-file", Error;
}

declare_code! {
    /// ## What it finds
    /// With `orchgen build --check`: a file below `out` that is missing, is out of date, has the wrong mode, or is
    /// stale (the registry no longer generates it).
    ///
    /// ## Why
    /// The folder `out` is in version control. The files that are reviewed and installed must agree with the registry.
    ///
    /// ## Instead
    /// Run `orchgen build` and commit the changes. Only the executable bit of the mode is checked, because git does not
    /// store the others.
    pub static OUTPUT_DRIFT = 403, "output-drift", Error;
}

declare_code! {
    /// ## What it finds
    /// A manifest `out/.orchgen-manifest.json` that is invalid: merged manually, truncated, written by a newer orchgen,
    /// or with paths outside the folder.
    ///
    /// ## Why
    /// The manifest lists the files that builds wrote, which orchgen may overwrite and remove. Without it, no file is
    /// safe to change.
    ///
    /// ## Instead
    /// Restore it with `git checkout -- out/.orchgen-manifest.json` and run `orchgen build`. After a merge, use the
    /// version of either side. `orchgen build --force` rewrites all files and the manifest, but does not remove stale
    /// files. With `--only`, the manifest is never rewritten, because it also lists the files of other targets.
    pub static DAMAGED_MANIFEST = 404, "damaged-manifest", Error;
}

declare_code! {
    /// ## What it finds
    /// A folder, symlink, fifo, socket or device at the path of a generated file, or an entry that is not a folder at
    /// the path of a required folder.
    ///
    /// ## Why
    /// Writing through a symlink would change a file elsewhere, and a folder may contain files of the user.
    ///
    /// ## Instead
    /// Move the entry elsewhere. `orchgen build --force` replaces everything except folders. Symlinks are replaced,
    /// never followed. The folder `out` itself may be a symlink.
    pub static NOT_A_FILE = 405, "not-a-file", Error;
}
