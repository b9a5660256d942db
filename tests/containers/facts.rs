//! The facts of a container, read back from the file of each target.

use crate::outside::split_words;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that the targets have of a container.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) image: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) ports: Vec<String>,
    /// True if the path is only read.
    pub(crate) mounts: BTreeMap<String, bool>,
    pub(crate) devices: Vec<String>,
    pub(crate) memory: Option<String>,
    pub(crate) cpus: Option<String>,
    pub(crate) secret: Option<String>,
    pub(crate) ulimits: BTreeSet<String>,
    /// Read-only root, temporary folder, dropped capabilities, no new privileges.
    pub(crate) sandbox: Vec<String>,
    /// The command and the times. Scripts have none.
    pub(crate) health: Vec<String>,
}

/// The facts of a unit of podman. It is read as podman and systemd do: first words, then `%%` and `$$`.
pub(crate) fn of_quadlet(text: &str) -> Facts {
    let text = text.replace("\\\n", " ");
    let settings: Vec<(&str, &str)> =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect();
    let all = |key: &str| -> Vec<String> {
        settings.iter().filter(|(own, _)| *own == key).map(|(_, value)| (*value).to_owned()).collect()
    };
    let one = |key: &str| all(key).pop().unwrap_or_else(|| panic!("no {key} in {text}"));
    let unescaped = |word: String| word.replace("%%", "%").replace("$$", "$");
    let words =
        |key: &str| all(key).into_iter().flat_map(|line| words(&line)).map(unescaped).collect::<Vec<_>>();
    let options = words("PodmanArgs");
    let option = |name: &str| options.iter().find_map(|option| option.strip_prefix(name).map(str::to_owned));
    let plain = all("Volume").into_iter().map(|line| {
        let [source, target, mode] = line.split(':').collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert_eq!(source, target);
        (source.to_owned(), mode == "ro")
    });
    let quoted = options.iter().filter_map(|option| option.strip_prefix("--mount=type=bind,")).map(mount);
    Facts {
        image: one("Image"),
        args: words("Exec"),
        env: words("Environment").iter().map(|one| pair(one)).collect(),
        ports: all("PublishPort"),
        mounts: plain.chain(quoted).collect(),
        devices: all("AddDevice"),
        memory: option("--memory="),
        cpus: option("--cpuset-cpus="),
        secret: all("Secret").pop().map(|secret| secret.replace(",type=mount,target=", ":")),
        ulimits: all("Ulimit").iter().map(|limit| limit.rsplit_once(':').unwrap().0.to_owned()).collect(),
        sandbox: vec![
            one("ReadOnly"),
            one("Tmpfs"),
            one("DropCapability").to_uppercase(),
            one("NoNewPrivileges"),
        ],
        health: serde_json::from_str::<Vec<String>>(&one("HealthCmd"))
            .unwrap()
            .into_iter()
            .chain(["HealthInterval", "HealthTimeout", "HealthRetries", "HealthStartPeriod"].map(one))
            .collect(),
    }
}

/// The words of a setting. The ones of the dump of systemd are quoted in the same way.
fn words(line: &str) -> Vec<String> {
    let (mut single, mut is_quoted, mut is_escaped) = (String::new(), false, false);
    for c in line.trim().chars() {
        // One space between words.
        if c != ' ' || is_quoted || !single.ends_with(' ') {
            single.push(c);
        }
        is_quoted ^= c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
    }
    split_words(&single)
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap();
    (name.to_owned(), value.to_owned())
}

/// A record of CSV with quoted fields: source, destination and mode.
fn mount(record: &str) -> (String, bool) {
    let (paths, mode) = record.rsplit_once(",ro=").unwrap();
    let field = |text: &str| text.replace("\"\"", "\"");
    let (source, target) = paths.split_once("\",\"destination=").unwrap();
    let source = field(source.strip_prefix("\"source=").unwrap());
    assert_eq!(source, field(target.strip_suffix('"').unwrap()));
    (source, mode == "true")
}

/// The name and the facts of a container, from the words that its script prints. The file with the keys is its secret.
pub(crate) fn of_script(words: &[String]) -> (String, Facts) {
    assert_eq!(words[..3], ["podman", "run", "--rm"]);
    let end = words.iter().position(|word| !word.starts_with("--") && *word != "podman" && *word != "run");
    let end = end.unwrap();
    let mut options = words[3..end].to_vec();
    let mut all = |name: &str| {
        let start = format!("{name}=");
        let (own, others) = options.iter().cloned().partition(|word: &String| word.starts_with(&start));
        options = others;
        let own: Vec<String> = own;
        own.iter().map(|word| word.replacen(&start, "", 1)).collect::<Vec<_>>()
    };
    let name = all("--name").pop().unwrap();
    let mut facts = Facts {
        image: words[end].clone(),
        args: words[end + 1..].to_vec(),
        env: all("--env").iter().map(|one| pair(one)).collect(),
        ports: all("--publish"),
        devices: all("--device"),
        memory: all("--memory").pop(),
        cpus: all("--cpuset-cpus").pop(),
        ulimits: all("--ulimit").iter().map(|limit| limit.rsplit_once(':').unwrap().0.to_owned()).collect(),
        sandbox: ["--tmpfs", "--cap-drop", "--security-opt"].iter().flat_map(|name| all(name)).collect(),
        ..Facts::default()
    };
    assert_eq!(facts.sandbox, ["/tmp", "all", "no-new-privileges"]);
    facts.sandbox = ["true", "/tmp", "ALL", "true"].map(str::to_owned).into();
    assert_eq!(all("--memory-swap").pop(), facts.memory);
    all("--cpuset-mems");
    all("--group-add");
    for record in all("--mount") {
        let record = record.strip_prefix("type=bind,").unwrap();
        if let Some(source) = record.strip_suffix(",destination=/run/secrets/api-key,ro=true") {
            assert_eq!(source, name.replace("big-stack-", "source=/etc/keys/"));
            facts.secret = Some(format!("{name}-api-key:api-key"));
        } else if record.starts_with('"') {
            facts.mounts.extend([mount(record)]);
        } else {
            let (paths, mode) = record.rsplit_once(",ro=").unwrap();
            let (source, target) = paths.split_once(",destination=").unwrap();
            assert_eq!(source.strip_prefix("source="), Some(target));
            facts.mounts.insert(target.to_owned(), mode == "true");
        }
    }
    assert_eq!(options, ["--pull=never", "--no-healthcheck", "--read-only"]);
    (name, facts)
}

/// The facts of all services of a compose file, by the names of their containers.
pub(crate) fn of_compose(text: &str) -> BTreeMap<String, Facts> {
    let project: Value = serde_yaml::from_str(text).unwrap();
    let services = project["services"].as_object().unwrap().values();
    services.map(|service| (text_of(&service["container_name"]), of_service(service))).collect()
}

/// The facts of a service, from the file or from `docker-compose config --format json`.
pub(crate) fn of_service(service: &Value) -> Facts {
    let list = |key: &str| service[key].as_array().map_or(&[][..], Vec::as_slice);
    let texts = |key: &str| list(key).iter().map(text_of).collect::<Vec<_>>();
    let volumes = list("volumes").iter().map(|volume| {
        assert_eq!((&volume["type"], &volume["source"]), (&json!("bind"), &volume["target"]));
        assert_ne!(volume["bind"]["create_host_path"], json!(true));
        (text_of(&volume["source"]), volume["read_only"].as_bool().unwrap_or(false))
    });
    let secret = |secret: &Value| format!("{}:{}", text_of(&secret["source"]), text_of(&secret["target"]));
    let health = &service["healthcheck"];
    let test = health["test"].as_array().unwrap();
    assert_eq!(test[0], "CMD");
    let times = ["interval", "timeout", "retries", "start_period"].map(|key| text_of(&health[key]));
    let env = service["environment"].as_object();
    let ulimits = service["ulimits"].as_object().unwrap();
    let no_new = text_of(&list("security_opt")[0]).replace("no-new-privileges:", "");
    Facts {
        image: text_of(&service["image"]),
        args: texts("command"),
        env: env.into_iter().flatten().map(|(name, value)| (name.clone(), text_of(value))).collect(),
        ports: list("ports").iter().map(port).collect(),
        mounts: volumes.collect(),
        devices: list("devices").iter().map(device).collect(),
        memory: service["mem_limit"].as_str().map(str::to_owned),
        cpus: service["cpuset"].as_str().map(str::to_owned),
        secret: list("secrets").first().map(secret),
        ulimits: ulimits.iter().map(|(name, limit)| format!("{name}={}", limit_of(limit))).collect(),
        sandbox: vec![
            text_of(&service["read_only"]),
            text_of(&list("tmpfs")[0]),
            text_of(&list("cap_drop")[0]),
            no_new,
        ],
        health: test[1..].iter().map(text_of).chain(times).collect(),
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| text.replace("$$", "$"))
}

/// A port in the form of the file: docker-compose prints an object.
fn port(value: &Value) -> String {
    if value.is_string() {
        return text_of(value);
    }
    ["host_ip", "published", "target"].map(|key| text_of(&value[key])).join(":")
}

fn device(value: &Value) -> String {
    if value.is_string() { text_of(value) } else { text_of(&value["source"]) }
}

/// A limit: docker-compose prints the limit 0 as an object without values.
fn limit_of(value: &Value) -> String {
    if *value == json!({}) { "0".to_owned() } else { text_of(value) }
}
