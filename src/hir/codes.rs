//! Codes 2xx: the shape of what was declared, and its names.

use crate::diag::Code;

/// All codes of this room.
pub static ALL: &[&Code] = &[
    &UNKNOWN_KIND,
    &UNKNOWN_FIELD,
    &MISSING_FIELD,
    &DUPLICATE_FIELD,
    &WRONG_TYPE,
    &BAD_QUANTITY,
    &OUT_OF_RANGE,
    &UNKNOWN_WORD,
    &BAD_NAME,
    &UNKNOWN_NAME,
    &DUPLICATE_NAME,
    &EMPTY_BLOCK,
    &CONFLICTING_FIELDS,
    &MISSING_ITEM,
    &NOT_SERVED,
];

declare_code! {
    /// ## What it finds
    /// A word at the top of a file that is no kind of thing.
    ///
    /// ## Why
    /// KDL writes kinds in the singular (`role "a" { .. }`), YAML in the plural (`roles: {a: {..}}`). A word that is neither
    /// would be skipped, and with it everything below it.
    ///
    /// ## Example
    /// ```kdl
    /// teir "X" title="Experiments"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// tier "X" title="Experiments"
    /// ```
    pub static UNKNOWN_KIND = 201, "unknown-kind", Error;
}

declare_code! {
    /// ## What it finds
    /// A field that the item or block does not have.
    ///
    /// ## Why
    /// A misspelt field would be left out without a word, and the engine's default would hold instead.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, contxt: 4096}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096}
    /// ```
    pub static UNKNOWN_FIELD = 202, "unknown-field", Error;
}

declare_code! {
    /// ## What it finds
    /// An item or block without a field that it needs.
    ///
    /// ## Why
    /// What is left out here would have to be guessed. A field that is near to a misspelt one is not reported as missing.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, context: 4096}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096}
    /// ```
    pub static MISSING_FIELD = 203, "missing-field", Error;
}

declare_code! {
    /// ## What it finds
    /// The same field twice: a YAML key twice, a KDL property twice, or a property and a child of one name.
    ///
    /// ## Why
    /// Only one of them could hold, and readers would disagree about which.
    ///
    /// ## Example
    /// ```kdl
    /// tier "X" title="one" { title "two" }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// tier "X" title="one"
    /// ```
    pub static DUPLICATE_FIELD = 204, "duplicate-field", Error;
}

declare_code! {
    /// ## What it finds
    /// A value of another type than its field's: text where a number belongs, a block where a word belongs.
    ///
    /// ## Why
    /// A field's type decides what a value means, never its spelling, so that YAML and KDL say the same: `"8080"` is text in
    /// both, and a port is a number.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port="9000" context=4096
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096
    /// ```
    pub static WRONG_TYPE = 205, "wrong-type", Error;
}

declare_code! {
    /// ## What it finds
    /// A quantity without a unit, or one that cannot be read: a size, a duration, a rate, a factor, a date, a list of CPUs.
    ///
    /// ## Why
    /// `GB` is 10^9 bytes and `GiB` is 2^30; between 640 of each lie 47 GB. A bare number leaves that to the reader.
    ///
    /// ## Example
    /// ```kdl
    /// residency "cold" title="rarely" start="on-demand" budget=640
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// residency "cold" title="rarely" start="on-demand" budget="640 GB"
    /// ```
    pub static BAD_QUANTITY = 206, "bad-quantity", Error;
}

declare_code! {
    /// ## What it finds
    /// A number outside what its field can hold, an empty text, a path that is not absolute, or a text that no argument of a
    /// process can hold.
    ///
    /// ## Why
    /// llama-server takes port 99999 and listens at 34463, because it keeps the lower 16 bits; others of these abort it.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 99999, context: 4096}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9999, context: 4096}
    /// ```
    pub static OUT_OF_RANGE = 207, "out-of-range", Error;
}

declare_code! {
    /// ## What it finds
    /// A word that is not one of those that its field takes.
    ///
    /// ## Why
    /// The field has a short list of meanings, and this is none of them.
    ///
    /// ## Example
    /// ```kdl
    /// residency "cold" title="rarely" start="on-request"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// residency "cold" title="rarely" start="on-demand"
    /// ```
    pub static UNKNOWN_WORD = 208, "unknown-word", Error;
}

declare_code! {
    /// ## What it finds
    /// An item without a name, or with one that no unit or file could have.
    ///
    /// ## Why
    /// Names become parts of unit names, file names and commands. They begin with a letter or a digit and go on with
    /// letters, digits, `.`, `_` and `-`.
    ///
    /// ## Example
    /// ```kdl
    /// tier "Tier X" title="Experiments"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// tier "X" title="Experiments"
    /// ```
    pub static BAD_NAME = 209, "bad-name", Error;
}

declare_code! {
    /// ## What it finds
    /// A name that nothing of the kind has.
    ///
    /// ## Why
    /// It is nearly always a misspelling, or an item that was renamed in one place and not in the other.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plian, port: 9000, context: 4096}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096}
    /// ```
    pub static UNKNOWN_NAME = 210, "unknown-name", Error;
}

declare_code! {
    /// ## What it finds
    /// Two items of one kind with the same name, in one file or in two.
    ///
    /// ## Why
    /// A registry is one namespace for each kind, whatever the number of files.
    ///
    /// ## Example
    /// ```kdl
    /// tier "X" title="one"
    /// tier "X" title="two"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// tier "X" title="one"
    /// tier "Y" title="two"
    /// ```
    pub static DUPLICATE_NAME = 211, "duplicate-name", Error;
}

declare_code! {
    /// ## What it finds
    /// A block with nothing in it.
    ///
    /// ## Why
    /// It says that something was meant and does not say what.
    ///
    /// ## Example
    /// ```kdl
    /// tier "X" title="Experiments" {
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// tier "X" title="Experiments"
    /// ```
    pub static EMPTY_BLOCK = 212, "empty-block", Error;
}

declare_code! {
    /// ## What it finds
    /// Two fields of one item that cannot hold together, as `port` and `ports`.
    ///
    /// ## Why
    /// Each is right alone; which of them is meant cannot be known.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, ports: 9000-9003, context: 4096}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, ports: 9000-9003, context: 4096}
    /// ```
    pub static CONFLICTING_FIELDS = 213, "conflicting-fields", Error;
}

declare_code! {
    /// ## What it finds
    /// A registry without something that every registry needs: a stack, a host, a store.
    ///
    /// ## Why
    /// The stack gives units their names and the engine, the host its memory and CPUs, the store the folder in which files
    /// are looked for.
    ///
    /// ## Instead
    /// Declare it, as in `stack "home" engine="llama.cpp"`, `host "box" memory="64 GB"` or `store "models" path="/srv/models"`.
    pub static MISSING_ITEM = 214, "missing-item", Error;
}

declare_code! {
    /// ## What it finds
    /// A setting of a process on a role that has none: one without a `residency`, or one that shares another's.
    ///
    /// ## Why
    /// A role without a residency is listed in the documents and not served; its port or context would have no effect.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, model: plain, port: 9000}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, model: plain}
    /// ```
    pub static NOT_SERVED = 215, "not-served", Error;
}
