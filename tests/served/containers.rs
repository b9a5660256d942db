//! A container with a real llama-server, as podman's quadlet and the script start it. The image has the programs of the rig.
//!
//! The container is in no cgroup, because a machine without controllers of cgroup v2 cannot limit one. podman does not wait for
//! the health check, because the timer for it needs a booted systemd: the test runs it. Everything else is as in
//! the unit and the script: network, published port, mounts, secret, read-only root, capabilities and health check.

use super::rig::{Rig, text};
use crate::outside;
use crate::support::{compile, repository};
use std::fs;
use std::process::Command;

const REGISTRY: &str = r#"
stack "rig"
engine "image" profile="llama.cpp-b11669" image="localhost/image:1"
model "coder" file="/srv/models/target.gguf"
role "code" model="coder" port=18080 context=512 key-file="/srv/keys/code"
"#;

/// The files of the image: the server, its back ends, curl, and their libraries.
const FILES: &str = "b=/usr/lib/x86_64-linux-gnu/ggml/backends0; \
    { printf '%s\\n' /usr/bin/llama-server /usr/bin/curl \"$b\"/libggml-cpu-*.so /lib64/ld-linux-x86-64.so.2; \
    ldd /usr/bin/llama-server /usr/bin/curl \"$b\"/libggml-cpu-x64.so | sed -n 's/.* => \\(\\S*\\) .*/\\1/p'; } | sort -u";

/// Starts the container, and prints the answers of the server and the rights of its process.
const SCRIPT: &str = r#"
ip link set lo up
podman import -q --change 'ENTRYPOINT ["/usr/bin/llama-server"]' /mnt/image.tar localhost/image:1 >/dev/null
mkdir /srv/models /srv/keys
cp /mnt/target.gguf /srv/models
printf 'a-key\n' >/srv/keys/code
START
for _ in {1..300}; do
  # Before podman forwards the port, it only reserves it: a connection then gets no answer.
  [[ $(curl -s --max-time 1 -o /dev/null -w '%{http_code}' http://127.0.0.1:18080/health) == 200 ]] && break
  sleep 0.1
done
curl -s -o /dev/null -w '%{http_code}\n' http://127.0.0.1:18080/v1/models
curl -s -H 'Authorization: Bearer a-key' http://127.0.0.1:18080/v1/chat/completions \
  -d '{"messages":[{"role":"user","content":"hello"}],"max_tokens":4,"ignore_eos":true}'
echo
pid=$(podman inspect --format '{{.State.Pid}}' rig-code)
while read -r name value; do
  case $name in CapEff: | CapBnd: | NoNewPrivs:) printf '%s %s\n' "$name" "$value" ;; esac
done <"/proc/$pid/status"
while read -r _ _ _ _ path options _; do
  case $path in / | /srv/models) printf '%s %s\n' "$path" "${options%%,*}" ;; esac
done <"/proc/$pid/mountinfo"
END
"#;

/// The unit: podman starts the container in the background.
const UNIT: [&str; 2] = [
    "podman secret create rig-code-api-key /srv/keys/code >/dev/null\n\
     argv=(UNIT_ARGV)\n\
     podman run \"${argv[@]}\" >/dev/null",
    "podman healthcheck run rig-code && echo healthy",
];

/// The script: it runs until it gets a signal, and podman removes the container.
const FOREGROUND: [&str; 2] = [
    "trap 'cat /tmp/log >&2' EXIT\nPATH=/mnt/shim:$PATH /mnt/out/bin/code &>/tmp/log &",
    "kill $!\nwait $! && echo \"stopped$(podman ps --all --quiet)\"",
];

/// A podman that starts each container in no cgroup.
const SHIM: &str =
    "#!/bin/bash\n[[ $1 != run ]] || set -- run --cgroups=disabled \"${@:2}\"\nexec /usr/bin/podman \"$@\"\n";

#[test]
fn a_container_serves_its_model() {
    let rig = Rig::unbooted();
    let folder = outside::folder();
    let compiled = compile(&[("stack.kdl", REGISTRY)]);
    let unit = &compiled.files()["quadlet/rig-code.container"].0;
    outside::write(&folder.path().join("units/rig-code.container"), unit, 0o644);
    outside::write(&folder.path().join("shim/podman"), SHIM, 0o755);
    compiled.write(&folder.path().join("out"));
    fs::copy(rig.root.join("srv/models/target.gguf"), folder.path().join("target.gguf")).unwrap();
    let files = rig.chroot(&["bash", "-c", FILES]).output().unwrap();
    let mut tar = Command::new("tar");
    tar.arg("-C")
        .arg(&rig.root)
        .args(["--dereference", "--hard-dereference", "-cf"])
        .arg(folder.path().join("image.tar"));
    tar.args(text(&files.stdout).lines().map(|path| path.trim_start_matches('/')));
    let output = tar.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    rig.report("the image is complete");
    for suite in ["trixie", "sid"] {
        let podman = |script: &str| {
            let mut command = Command::new("timeout");
            command.arg("60").arg(repository().join("tests/podman"));
            command.args(["run", suite]).arg(folder.path()).arg(script).output().unwrap()
        };
        let made = format!(
            "mkdir /mnt/{suite}; QUADLET_UNIT_DIRS=/mnt/units /usr/libexec/podman/quadlet /mnt/{suite}"
        );
        assert!(podman(&made).status.success());
        let dump = outside::systemd_dump(&folder.path().join(suite), "rig-code.service");
        let argvs = dump.argvs();
        let run = argvs.iter().find(|argv| argv.get(1).is_some_and(|word| word == "run")).unwrap();
        let changed = |word: &String| match word.as_str() {
            "--cgroups=split" => "--cgroups=disabled".to_owned(),
            "--sdnotify=healthy" => "--sdnotify=conmon".to_owned(),
            other => other.replace("$$", "$"),
        };
        let words = run.iter().skip(2).map(changed);
        let words: Vec<String> =
            words.map(|word| orchgen::render::quote::shell(&word).into_owned()).collect();
        let [start, end] = UNIT;
        let start = start.replace("UNIT_ARGV", &words.join(" "));
        for (start, end, last) in
            [(start.as_str(), end, "healthy"), (FOREGROUND[0], FOREGROUND[1], "stopped")]
        {
            let output = podman(&SCRIPT.replace("START", start).replace("END", end));
            let found = text(&output.stdout);
            assert!(output.status.success(), "{suite}: {found}{}", text(&output.stderr));
            assert_served(&found, last);
        }
        rig.report(&format!("the containers of {suite} served"));
    }
}

/// Asserts that a server answered with its sandbox, and that the script ended with this line.
#[track_caller]
fn assert_served(found: &str, last: &str) {
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(lines[0], "401", "{found}");
    assert!(lines[1].contains("\"completion_tokens\":4"), "{found}");
    let no_rights = "0000000000000000";
    let rights = [&format!("CapEff: {no_rights}"), &format!("CapBnd: {no_rights}"), "NoNewPrivs: 1"];
    assert_eq!(lines[2..5], rights, "{found}");
    assert!(lines.contains(&"/ ro") && lines.contains(&"/srv/models ro"), "{found}");
    assert_eq!(lines.last(), Some(&last), "{found}");
}
