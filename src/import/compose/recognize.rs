//! The image of a service, and the options that show a server of llama.cpp in an image with another name.

use super::files::Setting;
use super::image;
use super::service::{ServiceReader, last};
use crate::import::source::{Loss, Word};
use crate::import::words::Lined;

impl ServiceReader<'_, '_> {
    /// The image. Its text is empty for a service that is built.
    pub(super) fn image(&mut self, settings: &[Setting<'_>]) -> Word {
        let Some(part) = last(settings, "image") else { return Word::new("", self.server.at) };
        let before = self.server.losses.len();
        let word = Word { at: part.at(), ..self.lined(part, part.value).word() };
        let is_unset = self.server.losses.len() > before;
        if is_unset && (word.is_dynamic || image::is_incomplete(&word.text)) {
            let Loss { what, at, why } = self.server.losses.remove(before);
            let name = what.trim_start_matches(['$', '{']).trim_end_matches('}');
            let why = if word.is_dynamic {
                why
            } else {
                format!(
                    "the variable `{name}` is not set, so the name of the image is incomplete; put it into `.env`, or set it for the import"
                )
            };
            self.image_problem = Some(Loss { what: format!("image: {what}"), at, why });
        }
        word
    }

    /// A service with `build` and without `image`. Its image is known only to compose.
    pub(super) fn built(&mut self, settings: &[Setting<'_>]) {
        let Some(part) = last(settings, "build").filter(|_| last(settings, "image").is_none()) else {
            return;
        };
        let folder = part.value.get("context").map_or(part.value, |context| &context.value);
        let what = format!("build: {}", self.text(part, folder));
        let why = "its image is not known: write the name of the built image".to_owned();
        self.image_problem = Some(Loss { what: what.trim_end().to_owned(), at: part.at(), why });
    }

    /// True if the variables or the command have options of llama.cpp.
    pub(super) fn has_options(&self, command: &[Lined], image: &Word) -> bool {
        let is_model = |option: &Lined, value: &Lined| match option.text() {
            "-m" | "--model" => value.text().to_ascii_lowercase().ends_with(".gguf"),
            "-hf" | "-hfr" | "--hf-repo" => true,
            _ => false,
        };
        let is_given =
            command.iter().zip(command.iter().skip(1)).any(|(option, value)| is_model(option, value));
        self.has_option || (is_given && !image::is_other_engine(&image.text))
    }
}
