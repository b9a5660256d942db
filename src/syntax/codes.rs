//! Codes 1xx: syntax errors and unsupported syntax.

use crate::diag::Code;

/// All codes of this module.
pub static ALL: &[&Code] = &[
    &NOT_UTF8,
    &FILE_TOO_LARGE,
    &YAML_SYNTAX,
    &KDL_SYNTAX,
    &KDL_VERSION_1,
    &SEVERAL_DOCUMENTS,
    &TYPE_ANNOTATION,
    &BAD_ALIAS,
    &NESTING_TOO_DEEP,
    &UNEXPECTED_SHAPE,
];

declare_code! {
    /// ## What it finds
    /// A registry file whose bytes are not UTF-8.
    ///
    /// ## Why
    /// YAML and KDL files are Unicode text. If orchgen guessed the encoding, a wrong name or path could end up in a
    /// unit.
    ///
    /// ## Instead
    /// Save the file as UTF-8. For example, `iconv -f ISO-8859-1 -t UTF-8` converts a Latin-1 file.
    pub static NOT_UTF8 = 101, "not-utf8", Error;
}

declare_code! {
    /// ## What it finds
    /// A registry file larger than 64 MiB.
    ///
    /// ## Why
    /// A file of that size is almost never a registry. More likely, a model or a log was saved in the registry folder.
    ///
    /// ## Instead
    /// Move the file out of the folder, or split the registry into several files.
    pub static FILE_TOO_LARGE = 102, "file-too-large", Error;
}

declare_code! {
    /// ## What it finds
    /// A syntax error in a YAML 1.2 file.
    ///
    /// ## Why
    /// orchgen cannot check text that it cannot parse. It keeps the items before the error, skips the rest of the
    /// top-level key with the error, and continues at the next top-level key. It stops after 100 syntax errors in a
    /// file.
    ///
    /// ## Example
    /// ```yaml
    /// tiers:
    ///   X: {title: "never closed}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// tiers:
    ///   X: {title: "closed"}
    /// ```
    pub static YAML_SYNTAX = 103, "yaml-syntax", Error;
}

declare_code! {
    /// ## What it finds
    /// A syntax error in a KDL 2.0 file.
    ///
    /// ## Why
    /// orchgen cannot check text that it cannot parse. It continues at the next line, `;` or brace, so that one mistake
    /// gives one finding. If the braces do not match, a node that is not indented begins a new item.
    ///
    /// ## Example
    /// ```kdl
    /// tier "X" title="never closed
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// tier "X" title="closed"
    /// ```
    pub static KDL_SYNTAX = 104, "kdl-syntax", Error;
}

declare_code! {
    /// ## What it finds
    /// A file in version 1 of KDL: `true`, `false` or `null` without a `#`, a raw string that begins with `r`, or the
    /// first line `/- kdl-version 1`.
    ///
    /// ## Why
    /// Registries are KDL 2.0. The two versions look alike, but bare words such as `true` have different meanings.
    /// orchgen reports this once per file, not once per word.
    ///
    /// ## Example
    /// ```kdl
    /// pair target="plain" lookup=true
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// pair target="plain" lookup=#true
    /// ```
    pub static KDL_VERSION_1 = 105, "kdl-version-1", Error;
}

declare_code! {
    /// ## What it finds
    /// A YAML file with more than one document.
    ///
    /// ## Why
    /// All files of a registry share one namespace, so several documents have no use. A `---` inside a file usually
    /// comes from pasting two files together.
    ///
    /// ## Example
    /// ```yaml
    /// tiers: {X: {title: "first"}}
    /// ---
    /// tiers: {Y: {title: "second"}}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// tiers:
    ///   X: {title: "first"}
    ///   Y: {title: "second"}
    /// ```
    pub static SEVERAL_DOCUMENTS = 106, "several-documents", Error;
}

declare_code! {
    /// ## What it finds
    /// A KDL type annotation or a YAML tag.
    ///
    /// ## Why
    /// The type of the field decides how its value is interpreted. An annotation would have no effect.
    ///
    /// ## Example
    /// ```kdl
    /// tier "X" title=(string)"annotated"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// tier "X" title="plain"
    /// ```
    pub static TYPE_ANNOTATION = 107, "type-annotation", Error;
}

declare_code! {
    /// ## What it finds
    /// A YAML alias without an anchor, inside its own anchor, or with too many copied nodes.
    ///
    /// ## Why
    /// Aliases and merge keys copy nodes, and a few lines of nested aliases can expand to more nodes than fit in
    /// memory. Therefore a file with `n` nodes may copy at most `10 * n + 10000` nodes, and never more than 100000. An
    /// anchor must be defined before its aliases.
    ///
    /// ## Example
    /// ```yaml
    /// tiers: {X: *nowhere}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// tiers: {X: &here {title: "one"}, Y: *here}
    /// ```
    pub static BAD_ALIAS = 108, "bad-alias", Error;
}

declare_code! {
    /// ## What it finds
    /// Blocks that are nested more than 64 levels deep.
    ///
    /// ## Why
    /// The registry language needs six levels. Deeper nesting means that the file is damaged or malicious.
    ///
    /// ## Instead
    /// Close each block where it ends.
    pub static NESTING_TOO_DEEP = 109, "nesting-too-deep", Error;
}

declare_code! {
    /// ## What it finds
    /// Valid YAML that the registry language does not support: a list inside a list, a mapping or list as a key, a
    /// merge key `<<` whose value is not a mapping, or a file that is not a mapping.
    ///
    /// ## Why
    /// Every registry can be written in YAML and in KDL, and KDL has only names, values and blocks.
    ///
    /// ## Example
    /// ```yaml
    /// tiers: {X: {title: [["nested"]]}}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// tiers: {X: {title: "flat"}}
    /// ```
    pub static UNEXPECTED_SHAPE = 110, "unexpected-shape", Error;
}
