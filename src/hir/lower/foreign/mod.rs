//! Files that are no registry: text in another language, and configurations of other tools. Each is one finding.
//!
//! | file | content |
//! |---|---|
//! | `language` | JSON, TOML, INI, units of systemd, XML, scripts, KDL in a YAML file and YAML in a KDL file |
//! | `tables` | the sections of a TOML file as a registry |
//! | `tool` | configurations of other tools in YAML |

mod language;
mod tables;
mod tool;

pub use language::wrong_language;
pub(super) use tool::other_tool;
