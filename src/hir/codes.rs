//! Codes 2xx: the shape and the names of declared items.

use crate::diag::Code;

/// All codes of this module.
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
    &LATER_SHARD,
];

declare_code! {
    /// ## What it finds
    /// A word at the top level of a file that is not a kind of item.
    ///
    /// ## Why
    /// Kinds are singular in KDL (`role "a" { .. }`) and plural in YAML (`roles: {a: {..}}`). Without this error,
    /// orchgen would ignore an unknown word and everything below it.
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
    /// Without this error, orchgen would silently ignore a misspelt field, and its default would apply.
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
    /// An item or a block without a required field.
    ///
    /// ## Why
    /// The field has no default. A required field is not reported as missing if the item has an unknown field with a
    /// similar name: fix the misspelt field first.
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
    /// A field that occurs twice: the same YAML key, the same KDL property, or a KDL property and a child node of the
    /// same name. Also a value that a list has twice.
    ///
    /// ## Why
    /// Only one of the values can apply, and it is not clear which one is intended. In a list, the second value has no
    /// effect, so another value may have been intended.
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
    /// A value of the wrong type, for example a string instead of a number, or a block instead of a word.
    ///
    /// ## Why
    /// The type of the field decides how a value is interpreted, not the spelling of the value. So YAML and KDL behave
    /// alike: `"8080"` is a string in both, and a port is a number.
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
    /// A quantity that cannot be parsed, or that has no unit. Quantities are sizes, durations, rates, factors, dates
    /// and lists of CPUs.
    ///
    /// ## Why
    /// `GB` is 10^9 bytes, and `GiB` is 2^30 bytes: 640 GiB is 47 GB more than 640 GB. A number without a unit is
    /// ambiguous.
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
    /// A number outside the range of its field, an empty string, a path that is not absolute, or a string that cannot be
    /// an argument of a process.
    ///
    /// ## Why
    /// llama-server accepts port 99999 and listens on 34463, because it keeps only the lower 16 bits. Other values
    /// abort llama-server.
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
    /// A word that the field does not accept.
    ///
    /// ## Why
    /// The field accepts only a fixed list of words, and this word is not in the list.
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
    /// An item without a name, or with a name that is not valid in the names of units and files.
    ///
    /// ## Why
    /// Names become parts of unit names, file names and commands. A name starts with a letter or a digit, followed by
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
    /// A reference to an item that does not exist.
    ///
    /// ## Why
    /// The name is probably misspelt, or the item was renamed without its references.
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
    pub static UNKNOWN_NAME = 210, "unknown-name", Error, absent Item;
}

declare_code! {
    /// ## What it finds
    /// Two items of one kind with the same name, in one file or in two.
    ///
    /// ## Why
    /// All files of a registry share one namespace for each kind.
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
    /// A block or a list without content.
    ///
    /// ## Why
    /// An empty block or list has no effect, so it is probably incomplete.
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
    /// Two fields of one item that exclude each other, such as `port` and `ports`. Also a `set` of a gateway with a role that is
    /// not behind it.
    ///
    /// ## Why
    /// Each field is valid alone, but orchgen cannot know which one is intended.
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
    /// A registry without a required item: a stack, a host or a store.
    ///
    /// ## Why
    /// The stack declares the first part of all unit names and the default engine. The host declares the memory and the
    /// CPUs. The store declares the folder of the model files.
    ///
    /// ## Instead
    /// Declare the item. For example, in KDL: `stack "home" engine="llama.cpp"`, `host "box" memory="64 GB"` or
    /// `store "models" path="/srv/models"`. In YAML: `stack: {name: home, engine: llama.cpp}`,
    /// `hosts: {box: {memory: 64 GB}}` or `stores: {models: {path: /srv/models}}`.
    pub static MISSING_ITEM = 214, "missing-item", Error, absent Item;
}

declare_code! {
    /// ## What it finds
    /// A setting of a server process on a role without its own process: a role without a `residency`, or a role with
    /// `shares`. Also a role without a `residency` if the `defaults` have a `gateway`.
    ///
    /// ## Why
    /// A role without a residency is listed in the documents, but not served. A port or context of such a role has no
    /// effect. The built-in residencies `hot` and `warm` exist only if the registry declares none.
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

declare_code! {
    /// ## What it finds
    /// A model file whose name is that of a later shard, such as `m-00002-of-00003.gguf`.
    ///
    /// ## Why
    /// Only the first shard has the metadata of the model. llama-server finds the other shards by their names, and exits if
    /// it gets one of them (`src/llama-model-loader.cpp` of llama.cpp).
    ///
    /// ## Example
    /// ```yaml
    /// models:
    ///   big: {family: qwen2, title: Big, quant: Q4_K_M, size: 90 GB, file: big-00002-of-00003.gguf}
    /// roles:
    ///   extra: {tier: A, model: big}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// models:
    ///   big: {family: qwen2, title: Big, quant: Q4_K_M, size: 90 GB, file: big-00001-of-00003.gguf}
    /// roles:
    ///   extra: {tier: A, model: big}
    /// ```
    pub static LATER_SHARD = 219, "later-shard", Error;
}
