//! Codes 4xx: the disk said no, or `out` is not what the registry says.

use crate::diag::Code;

/// All codes of this room.
pub static ALL: &[&Code] = &[&EDITED_BY_HAND, &UNLISTED_FILE, &OUTPUT_DRIFT, &DAMAGED_MANIFEST, &NOT_A_FILE];

declare_code! {
    /// ## What it finds
    /// A file below `out` that a build wrote and somebody changed afterwards.
    ///
    /// ## Why
    /// The next build would take the change back without a word. A change that matters belongs where it lasts: in the
    /// registry, or for a unit in a drop-in such as `/etc/systemd/system/NAME.service.d/local.conf`. A file that the
    /// registry no longer makes is kept for the same reason.
    ///
    /// ## Instead
    /// Move the edit there. Then `orchgen build --force` overwrites the file, or removes it where nothing makes it any
    /// more; `orchgen diff` shows what would be lost.
    pub static EDITED_BY_HAND = 401, "edited-by-hand", Error;
}

declare_code! {
    /// ## What it finds
    /// A file at a path that a build would write, with other bytes, that no build has written.
    ///
    /// ## Why
    /// The manifest `out/.orchgen-manifest.json` lists what builds wrote. What it does not list is somebody else's. A
    /// file that already has the very bytes of the build is taken over without a word.
    ///
    /// ## Instead
    /// Move the file elsewhere, or give it up with `orchgen build --force`. Where the manifest was lost, restore it from
    /// version control.
    pub static UNLISTED_FILE = 402, "unlisted-file", Error;
}

declare_code! {
    /// ## What it finds
    /// With `orchgen build --check`: a file below `out` that is missing, differs from what the registry says, has the
    /// wrong mode, or is stale because nothing makes it any more.
    ///
    /// ## Why
    /// `out` is committed. What is reviewed there should be what the registry says, and what is installed from there too.
    ///
    /// ## Instead
    /// Run `orchgen build` and commit what it changes. Of modes only "executable or not" counts here, which is what
    /// git keeps.
    pub static OUTPUT_DRIFT = 403, "output-drift", Error;
}

declare_code! {
    /// ## What it finds
    /// A manifest `out/.orchgen-manifest.json` that cannot be read: merged by hand, cut short, written by a newer
    /// orchgen, or with paths that lead out of the folder.
    ///
    /// ## Why
    /// It says which files builds wrote, and so which may be overwritten and removed. Without it nothing is safe to touch.
    ///
    /// ## Instead
    /// Restore it with `git checkout -- out/.orchgen-manifest.json` and run `orchgen build`; after a merge, take either
    /// side. `orchgen build --force` writes every file and the manifest anew, and leaves stale files lying.
    pub static DAMAGED_MANIFEST = 404, "damaged-manifest", Error;
}

declare_code! {
    /// ## What it finds
    /// A folder, symlink, fifo, socket or device where a file would be written, or something else where a folder would be.
    ///
    /// ## Why
    /// Writing through a symlink would change a file elsewhere, and a folder may hold what somebody needs.
    ///
    /// ## Instead
    /// Move it elsewhere. `orchgen build --force` replaces all but folders; symlinks are replaced and never followed. The
    /// folder `out` itself may be a symlink.
    pub static NOT_A_FILE = 405, "not-a-file", Error;
}
