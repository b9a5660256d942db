//! Names with other characters.

/// Letters with a usual spelling in ASCII. Other letters with an accent are not replaced.
const LETTERS: &[(&str, &str)] = &[
    ("ä", "ae"),
    ("ö", "oe"),
    ("ü", "ue"),
    ("Ä", "Ae"),
    ("Ö", "Oe"),
    ("Ü", "Ue"),
    ("ß", "ss"),
    ("àáâãå", "a"),
    ("ç", "c"),
    ("èéêë", "e"),
    ("ìíîï", "i"),
    ("ñ", "n"),
    ("òóôõø", "o"),
    ("ùúû", "u"),
    ("ýÿ", "y"),
    ("ÀÁÂÃÅ", "A"),
    ("Ç", "C"),
    ("ÈÉÊË", "E"),
    ("ÌÍÎÏ", "I"),
    ("Ñ", "N"),
    ("ÒÓÔÕØ", "O"),
    ("ÙÚÛ", "U"),
    ("æ", "ae"),
    ("œ", "oe"),
    ("šś", "s"),
    ("žźż", "z"),
    ("čć", "c"),
    ("ł", "l"),
    ("ń", "n"),
    ("ę", "e"),
    ("ą", "a"),
];

/// The most similar name of letters, digits, `.`, `_` and `-`. `None` if no letter or digit is left, or if letters of
/// another script are lost.
pub(in crate::hir::lower) fn similar(name: &str) -> Option<String> {
    let mut similar = String::new();
    for c in name.trim().chars() {
        match LETTERS.iter().find(|(letters, _)| letters.contains(c)) {
            Some((_, letters)) => similar.push_str(letters),
            None if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') => similar.push(c),
            None if c.is_alphanumeric() => return None,
            None if similar.ends_with('-') => {}
            None => similar.push('-'),
        }
    }
    let begins_well = similar.trim_start_matches(['.', '_', '-']);
    let ends_well = begins_well.trim_end_matches('-');
    let short: String = ends_well.chars().take(128).collect();
    (!short.is_empty()).then_some(short)
}

/// The name, or the name with a number that nothing else has.
pub(in crate::hir::lower) fn unused(name: String, is_used: impl Fn(&str) -> bool) -> String {
    let numbered = (2..1000).map(|number| format!("{name}-{number}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| !is_used(name)).unwrap_or(name)
}
