//! The name of a unit: `PREFIX@INSTANCE.SUFFIX`.

/// The name of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnitName {
    /// The name without its suffix.
    pub(crate) stem: String,
    /// The suffix, such as `service`.
    pub(crate) suffix: &'static str,
}

impl UnitName {
    /// A name from the name of a file.
    pub(crate) fn new(file_name: &str, suffix: &'static str) -> Self {
        let stem = file_name.strip_suffix(suffix).and_then(|stem| stem.strip_suffix('.'));
        Self { stem: stem.unwrap_or(file_name).to_owned(), suffix }
    }

    /// The part in front of `@`.
    pub(crate) fn prefix(&self) -> &str {
        self.stem.split_once('@').map_or(&self.stem, |(prefix, _)| prefix)
    }

    /// The part after `@`.
    pub(crate) fn instance(&self) -> Option<&str> {
        self.stem.split_once('@').map(|(_, instance)| instance)
    }

    /// True for a template, which has no instance after `@`.
    pub(crate) fn is_template(&self) -> bool {
        self.instance() == Some("")
    }

    /// An instance of the template.
    pub(crate) fn with_instance(&self, instance: &str) -> Self {
        Self { stem: format!("{}@{instance}", self.prefix()), suffix: self.suffix }
    }

    /// The part of the prefix after its last `-`.
    pub(super) fn last_part(&self) -> &str {
        self.prefix().rsplit_once('-').map_or(self.prefix(), |(_, last)| last)
    }

    /// The path that the instance, or the prefix, is made from.
    pub(super) fn path(&self) -> Option<String> {
        let text = self.unescaped(self.instance().unwrap_or(self.prefix()))?;
        Some(format!("/{}", text.trim_start_matches('/')))
    }

    /// Replaces `-` by `/`, and `\x2d` by its character.
    #[expect(clippy::unused_self, reason = "it is part of what a name means")]
    pub(super) fn unescaped(&self, text: &str) -> Option<String> {
        let mut bytes = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some((digits, after)) =
                rest.strip_prefix("\\x").and_then(|after| after.split_at_checked(2))
            {
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = after;
                continue;
            }
            let (kept, after) = rest.split_at(first.len_utf8());
            bytes.extend_from_slice(if first == '-' { b"/" } else { kept.as_bytes() });
            rest = after;
        }
        String::from_utf8(bytes).ok()
    }

    /// The folders with drop-ins for the unit, the most specific first.
    pub(crate) fn drop_in_folders(&self) -> Vec<String> {
        let mut folders = Vec::new();
        let mut add = |stem: &str| {
            folders.push(format!("{stem}.{}.d", self.suffix));
            // A name of a file has at most 255 bytes, so that this is short.
            for (at, _) in stem.match_indices('-').collect::<Vec<_>>().into_iter().rev().take(256) {
                let start = stem.get(..=at).unwrap_or_default();
                folders.push(format!("{start}.{}.d", self.suffix));
            }
        };
        add(&self.stem);
        if self.instance().is_some_and(|instance| !instance.is_empty()) {
            add(&format!("{}@", self.prefix()));
        }
        folders.push(format!("{}.d", self.suffix));
        folders
    }
}
