//! Files of a role in addition to its models: the chat template and adapters.

use super::argv::ArgvBuilder;
use super::{Intent, OptionPath};
use crate::engine::{Access, OptionRecord, Word};

const TEMPLATE: &[&str] = &["--chat-template-file"];
const ADAPTERS: &[&str] = &["--lora-scaled"];

/// Writes the chat template. `ik_llama.cpp` accepts only known templates unless `--jinja` is before it (8337e4cd3,
/// `common/common.cpp`). llama.cpp has jinja on by default, so its `--jinja` has a negative form.
pub(super) fn write_template(argv: &mut ArgvBuilder<'_>, template: &str, accepted: &[&OptionRecord]) {
    if argv.find_option(&["--jinja"]).is_some_and(|(_, option)| option.negative.is_empty()) {
        argv.write_unless_set(&["--jinja"], None, accepted);
    }
    if argv.write_option((Intent::Template, "template"), TEMPLATE, Word::path(template, Access::Read)) {
        argv.paths.push(read_file(template));
    }
}

/// Writes the adapters with their scales. The engine splits the value at commas and colons (llama.cpp b11434,
/// `common/arg.cpp`).
pub(super) fn write_adapters(argv: &mut ArgvBuilder<'_>, adapters: &[(&str, f64)]) {
    for (at, (file, _)) in adapters.iter().enumerate() {
        if file.contains([',', ':', '"']) {
            let why = format!("the engine splits the path `{}` at `,`, `:` and `\"`", file.escape_debug());
            argv.add_error(Intent::Adapter(at), why);
        }
    }
    let takes_two = argv.find_option(ADAPTERS).filter(|(_, option)| option.arity() == 2);
    if let Some((spelling, option)) = takes_two {
        for (file, scale) in adapters {
            argv.written.push((option, "lora"));
            argv.push(option, spelling.into(), Some(Word::path(file, Access::Read)));
            argv.args.push(scale.to_string().into());
        }
    } else if !adapters.is_empty() {
        let items: Vec<String> = adapters.iter().map(|(file, scale)| format!("{file}:{scale}")).collect();
        argv.write_option((Intent::Adapter(0), "lora"), ADAPTERS, items.join(","));
    }
    argv.paths.extend(adapters.iter().map(|(file, _)| read_file(file)));
}

/// Writes the template and the adapters if the program has the options, and lists the others as left out.
pub(super) fn write_possible(
    argv: &mut ArgvBuilder<'_>,
    template: Option<&str>,
    adapters: &[(&str, f64)],
    accepted: &[&OptionRecord],
) {
    match template {
        Some(template) if argv.find_option(TEMPLATE).is_some() => write_template(argv, template, accepted),
        Some(_) => argv.left_out.extend(TEMPLATE.first().map(|name| (*name).into())),
        None => {}
    }
    if adapters.is_empty() || argv.find_option(ADAPTERS).is_some() {
        write_adapters(argv, adapters);
    } else {
        argv.left_out.extend(ADAPTERS.first().map(|name| (*name).into()));
    }
}

fn read_file(path: &str) -> OptionPath {
    OptionPath { path: path.into(), access: Access::Read, is_folder: false, option: None }
}
