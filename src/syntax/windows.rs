//! Paths of Windows.

/// The path that WSL gives to a path of Windows: `/mnt/c/models` for `C:\models`. `None` for any other text.
pub fn linux_path(text: &str) -> Option<String> {
    let mut letters = text.chars();
    let drive = letters.next().filter(char::is_ascii_alphabetic)?;
    if letters.next() != Some(':') || !matches!(letters.next(), None | Some('\\' | '/')) {
        return None;
    }
    let parts = text.get(2..)?.split(['\\', '/']).filter(|part| !part.is_empty());
    let drive = format!("/mnt/{}", drive.to_ascii_lowercase());
    Some(std::iter::once(drive.as_str()).chain(parts).collect::<Vec<_>>().join("/"))
}
