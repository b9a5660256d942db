//! Codes 1xx: the text is not well formed.

use crate::diag::Code;

/// All codes of this room.
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
    /// YAML and KDL are defined over Unicode text. A byte that is not part of it has no meaning, and guessing one would
    /// put a wrong name or path into a unit.
    ///
    /// ## Instead
    /// Save the file as UTF-8, as with `iconv -f ISO-8859-1 -t UTF-8`.
    pub static NOT_UTF8 = 101, "not-utf8", Error;
}

declare_code! {
    /// ## What it finds
    /// A registry file of more than 64 MiB.
    ///
    /// ## Why
    /// A registry of that size is nearly always something else that ended up in the folder, such as a model or a log.
    ///
    /// ## Instead
    /// Move it out of the folder, or split the registry over several files.
    pub static FILE_TOO_LARGE = 102, "file-too-large", Error;
}

declare_code! {
    /// ## What it finds
    /// Text that is not YAML 1.2.
    ///
    /// ## Why
    /// What cannot be read cannot be checked. The rest of the file, from the next key at the margin on, is read all the
    /// same, and so are the items of the section that end before the fault. After 100 such faults reading stops.
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
    /// Text that is not KDL 2.0.
    ///
    /// ## Why
    /// What cannot be read cannot be checked. Reading goes on at the next line, `;` or brace, so that one slip is one finding.
    /// Where braces do not pair up, the indentation decides which of them is missing.
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
    /// A file written in version 1 of KDL, where `true`, `false` and `null` stand without a `#`, raw strings begin with `r`, or
    /// the first line says `/- kdl-version 1`.
    ///
    /// ## Why
    /// Registries are KDL 2.0. The two versions look alike and differ in what a bare word means, so there is one finding
    /// for the file and not one for each word.
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
    /// A registry is one namespace; a `---` in the middle of a file usually comes from pasting two files together.
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
    /// A field's type decides what its value means. An annotation would be a second opinion that nobody reads.
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
    /// A YAML alias that has no anchor, that stands inside its own anchor, or that would unfold to very many nodes.
    ///
    /// ## Why
    /// Aliases and merge keys are copies. A few lines of nested ones can stand for more nodes than memory has, so a file
    /// may copy ten times as many nodes as it has written and 10000 more, and never more than 100000. An anchor has to
    /// stand before its aliases.
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
    /// Blocks nested more than 64 deep.
    ///
    /// ## Why
    /// The language needs six levels. Deeper text is damaged or hostile.
    ///
    /// ## Instead
    /// Close the blocks where they end.
    pub static NESTING_TOO_DEEP = 109, "nesting-too-deep", Error;
}

declare_code! {
    /// ## What it finds
    /// YAML that is well formed but has no counterpart in the language: a list inside a list, a key that is not a word, a
    /// merge key `<<` that is given no mapping, a file that is not a mapping.
    ///
    /// ## Why
    /// The same registry can be written in KDL, which has names, values and blocks, and nothing else.
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
