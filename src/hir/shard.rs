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
