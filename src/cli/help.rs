//! Exit codes and examples below the options of `--help`. `src/cli/man.rs` makes sections of a man page from them.

/// The exit codes of commands that check a registry.
pub(super) const CHECK_CODES: &str = "Exit codes:
  0  success
  1  errors found (or warnings with `--deny warnings`), or output out of date
  2  usage or I/O error";

/// The exit codes of commands that report no findings.
pub(super) const CODES: &str = "Exit codes:\n  0  success\n  2  usage or I/O error";

pub(super) const MEMORY_CODES: &str = "Exit codes:
  0  success
  1  the registry has errors, for example an exceeded budget
  2  usage or I/O error";

pub(super) const BUILD: &str = "Examples:
  orchgen build                           compile registry/ into out/
  orchgen build --check                   compare out/ with the registry; write nothing
  orchgen build --only docs               write only the documents";

pub(super) const CHECK: &str = "Examples:
  orchgen check                           check registry/
  orchgen check --fix                     apply safe fixes
  orchgen check --watch                   check again after each change
  orchgen check --report human --report sarif=orchgen.sarif
                                          print findings, and write them as SARIF for code scanning
  orchgen check --baseline known.json --update-baseline
                                          accept today's findings, report only new ones";

pub(super) const LOCK: &str = "Examples:
  orchgen lock                            write registry/registry.lock
  orchgen lock --check                    compare the model files with the lock; write nothing
  orchgen lock --host big                 read the files of this host, keep the other facts";

pub(super) const INSPECT: &str = "Examples:
  orchgen inspect /srv/models/coder.gguf
  orchgen inspect /srv/models/coder.gguf --output-format json | jq .facts";

pub(super) const MEMORY: &str = "Examples:
  orchgen memory                          print the memory of each role, residency and host
  orchgen memory --fit coder              print the largest settings of the role that fit its GPUs";

pub(super) const ENGINE: &str = "Examples:
  orchgen engine list                     list the built-in profiles
  orchgen engine diff llama.cpp-b10434 llama.cpp-b11669
                                          list what an upgrade changes";

pub(super) const ENGINE_LIST: &str = "Examples:
  orchgen engine list
  orchgen engine list --output-format json | jq .";

pub(super) const ADD_CODES: &str = "Exit codes:
  0  success
  1  the item would cause an error: nothing is written
  2  usage or I/O error";

pub(super) const ADD: &str = "Examples:
  orchgen add model /srv/models/Qwen3-8B-Q4_K_M.gguf
  orchgen add role chat --model qwen3-8b";

pub(super) const INIT: &str = "Examples:
  orchgen init --from-host --models /srv/models
                                          write what this machine has, and the models of a folder
  orchgen init                            write an example: registry/stack.yaml and its JSON Schema
  orchgen init --format kdl               write registry/stack.kdl";

pub(super) const SCHEMA: &str = "Examples:
  orchgen schema --field role             list all fields of a role
  orchgen schema --field role.draft       describe a field, with examples in KDL and YAML
  orchgen schema > orchgen.schema.json    write the JSON Schema for an editor";

pub(super) const COMPLETIONS: &str = "Examples:
  source <(orchgen completions bash)      in ~/.bashrc
  source <(orchgen completions zsh)       in ~/.zshrc
  orchgen completions fish | source       in ~/.config/fish/config.fish";

pub(super) const MAN: &str = "Examples:
  orchgen man --out ~/.local/share/man/man1
                                          then `man orchgen-build` works
  orchgen man --out pages && man pages/orchgen-check.1";

/// The text below the options.
pub(super) fn after_options(codes: &str, examples: &str) -> String {
    format!("{codes}\n\n{examples}")
}
