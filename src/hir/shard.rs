//! Names of the shards of a model.

/// The name of the first shard, for the name of a later one: `m-00001-of-00003.gguf` for `m-00002-of-00003.gguf`. llama.cpp
/// loads a model only from its first shard (b11434, `src/llama-model-loader.cpp`), and finds the others by their names.
pub fn first_shard(file: &str) -> Option<String> {
    let stem = file.strip_suffix(".gguf")?;
    let (rest, count) = stem.rsplit_once("-of-")?;
    let (prefix, number) = rest.rsplit_once('-')?;
    let is_number = |text: &str| text.len() == 5 && text.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number(number) || !is_number(count) {
        return None;
    }
    let number: u32 = number.parse().ok()?;
    (number > 1).then(|| format!("{prefix}-00001-of-{count}.gguf"))
}

/// The largest number of shards that a name is believed to have.
const MAX_SHARDS: u32 = 1000;

/// The names of all shards of a model, for the name of its first one. Only this name for a model of one file.
pub fn all_shards(file: &str) -> Vec<String> {
    let shards = file.strip_suffix(".gguf").and_then(|stem| {
        let (rest, count) = stem.rsplit_once("-of-")?;
        let prefix = rest.strip_suffix("-00001")?;
        let number = count.parse().ok().filter(|number| count.len() == 5 && *number <= MAX_SHARDS)?;
        Some((1..=number).map(|shard| format!("{prefix}-{shard:05}-of-{count}.gguf")).collect())
    });
    shards.unwrap_or_else(|| vec![file.to_owned()])
}
