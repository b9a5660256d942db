//! The findings about files, addresses and resources of pods.

use super::findings::{changed, sum};
use crate::support::Compiled;
use orchgen::diag::Diagnostic;

const KEY: &str = " key-file=\"/etc/keys/chat\"";

/// The stack with more lines in its role.
fn with(lines: &str) -> Compiled {
    changed(&[(KEY, &format!("{KEY} {{ {lines} }}"))])
}

/// The only finding with a code.
#[track_caller]
fn only<'c>(compiled: &'c Compiled, code: &str) -> &'c Diagnostic {
    let all = compiled.findings.findings().iter().filter(|finding| finding.code.name == code);
    let [finding] = all.collect::<Vec<_>>()[..] else { panic!("{}", compiled.report()) };
    finding
}

/// A written folder is a mount, and a mount hides the folder of the image.
#[test]
fn an_option_cannot_hide_a_folder_of_the_image() {
    let separate = "write the file to a separate folder, such as `/var/log/llama`";
    let cases = [
        (
            "option \"log-file\" \"/app/server.log\"",
            "option `log-file` of role `chat` names `/app/server.log`, but a mount of `/app` would hide that folder of the image",
            separate,
        ),
        (
            "option \"log-file\" \"/server.log\"",
            "option `log-file` of role `chat` names `/server.log`, but a pod cannot write in `/`",
            separate,
        ),
        (
            "env LLAMA_ARG_LOG_FILE=\"/usr/bin/server.log\"",
            "variable `LLAMA_ARG_LOG_FILE` of role `chat` names `/usr/bin/server.log`, but a mount of `/usr/bin` would hide that \
             folder of the image",
            separate,
        ),
        (
            "option \"slot-save-path\" \"/opt/rocm/\"",
            "option `slot-save-path` of role `chat` names `/opt/rocm/`, but a mount of `/opt/rocm` would hide that folder of the \
             image",
            "write a separate folder, such as `/var/lib/llama`",
        ),
        (
            "option \"path\" \"/usr/lib\"",
            "option `path` of role `chat` names `/usr/lib`, but a mount of `/usr/lib` would hide that folder of the image",
            "move the files to a separate folder, such as `/srv/llama`",
        ),
    ];
    for (lines, message, help) in cases {
        let compiled = with(lines);
        let finding = only(&compiled, "kubernetes-cannot");
        assert_eq!((&*finding.message, &*finding.help[0]), (message, help));
    }
    let compiled = with("option \"log-file\" \"/var/log/llama/server.log\"");
    assert!(!compiled.codes().contains(&"kubernetes-cannot"), "{}", compiled.report());
}

/// Each peer counts, and those of variables too.
#[test]
fn each_peer_is_compared_with_this_machine() {
    for (lines, what) in [
        (
            "option \"rpc\" \"10.0.0.7:50052,localhost:50052\"",
            "option `rpc` of role `chat` connects to `localhost`",
        ),
        (
            "env LLAMA_ARG_RPC=\"10.0.0.7:50052,127.0.0.2:50052\"",
            "variable `LLAMA_ARG_RPC` of role `chat` connects to `127.0.0.2`",
        ),
    ] {
        let compiled = with(lines);
        let finding = only(&compiled, "kubernetes-cannot");
        assert_eq!(finding.message, format!("{what}, which is the pod itself"));
    }
}

/// The same folder is read from the claim on each host.
#[test]
fn a_claim_is_in_the_folder_of_its_host() {
    let store = |path: &str| {
        changed(&[(
            "path=\"/srv/models\" claim=\"models\"",
            &format!("path=\"/usr\" claim=\"models\" {{ mount \"box\" path=\"{path}\" }}"),
        )])
    };
    let compiled = store("/data/models");
    assert!(!compiled.codes().contains(&"kubernetes-cannot"), "{}", compiled.report());
    let compiled = store("/usr");
    let finding = only(&compiled, "kubernetes-cannot");
    assert_eq!(
        finding.message,
        "the model files of role `chat` are in `/usr`, which would hide that folder of the image"
    );
}

/// The kubelet and the pods of the cluster need a CPU.
#[test]
fn pods_leave_a_cpu_free() {
    let compiled = with("placement threads=8");
    let finding = sum(&compiled);
    assert_eq!(
        (&*finding.message, &*finding.help[0]),
        (
            "the pods of host `box` that start at boot request all 8 CPUs, but the kubelet and pods of the cluster need some",
            "write `threads=7` in role `chat`"
        )
    );
    let compiled = with("placement threads=7");
    assert!(!compiled.codes().contains(&"unschedulable-pods"), "{}", compiled.report());
}

/// The device plugin selects the GPU of a pod.
#[test]
fn a_pod_may_get_a_smaller_gpu() {
    let gpus = |second: &str, own: &str| {
        changed(&[
            (
                "gpu \"CUDA0\" memory=\"24 GB\"",
                &format!("gpu \"CUDA0\" memory=\"24 GB\"; gpu \"CUDA1\" memory=\"{second}\""),
            ),
            (KEY, &format!("{KEY} {{ placement gpu=\"{own}\" }}")),
        ])
    };
    let compiled = gpus("12 GB", "CUDA0");
    let finding = sum(&compiled);
    assert_eq!(
        (&*finding.message, &*finding.help[0]),
        (
            "the pod of role `chat` may get a GPU with 12 GB instead of 24 GB: the device plugin of `nvidia.com/gpu` selects it",
            "let the device plugin of host `box` offer only GPUs of one size, or name all of them in `gpu` of `placement`: \
             `CUDA0,CUDA1`"
        )
    );
    for equal in [gpus("24 GB", "CUDA0"), gpus("12 GB", "CUDA1"), gpus("12 GB", "CUDA0,CUDA1")] {
        assert!(!equal.codes().contains(&"unschedulable-pods"), "{}", equal.report());
    }
}

/// The file permissions of a node do not change for a pod.
#[test]
fn a_written_folder_of_the_node_needs_permissions() {
    let writes = "option \"log-file\" \"/srv/models/server.log\"";
    let message = "the pod of role `chat` writes to `/srv/models`, a folder of its node: user 65532 must be able to write there";
    let compiled = changed(&[(" claim=\"models\"", ""), (KEY, &format!("{KEY} {{ {writes} }}"))]);
    let all = compiled.findings.findings();
    let finding = all.iter().find(|finding| finding.message == message);
    let finding = finding.unwrap_or_else(|| panic!("{}", compiled.report()));
    assert_eq!(finding.help[0], "run `chgrp 65532 /srv/models` and `chmod g+w /srv/models` on the node");
    assert!(with(writes).findings.is_empty(), "a claim gets the group of the pod");
}

/// The runtime of a container cannot create a folder in a volume that it cannot write.
#[test]
fn a_volume_in_a_claim_needs_a_folder() {
    let compiled = with("option \"log-file\" \"/srv/models/logs/server.log\"");
    let all = compiled.findings.findings();
    let finding = all.iter().find(|finding| finding.message.contains("mounts another volume"));
    let finding = finding.unwrap_or_else(|| panic!("{}", compiled.report()));
    assert_eq!(finding.help, ["create the folder `/srv/models/logs` in the claim `models`"]);
    let text = &compiled.files()["kubernetes/chat.yaml"].0;
    let comment = "# /srv/models/logs must exist in the volume of /srv/models, because the pod mounts another volume there.";
    assert!(text.contains(comment), "{text}");
}

/// Variables of the host are not always those of a pod.
#[test]
fn variables_with_paths_and_gpus_are_notes() {
    let message = |lines: &str| only(&with(lines), "kubernetes-differs").message.clone();
    assert_eq!(
        message("placement gpu=\"CUDA0\"; env CUDA_VISIBLE_DEVICES=\"GPU-1\""),
        "the pod of role `chat` does not get the variable `CUDA_VISIBLE_DEVICES`: the device plugin selects its GPUs"
    );
    assert_eq!(
        message("env LD_LIBRARY_PATH=\"/usr/lib:/opt/llama/lib\""),
        "variable `LD_LIBRARY_PATH` of role `chat` names `/opt/llama/lib`, which its pod has only if the image has it"
    );
    for lines in [
        "env LD_LIBRARY_PATH=\"/app:/usr/lib\"",
        "env LLAMA_CACHE=\"/tmp/cache\"",
        "env CUDA_VISIBLE_DEVICES=\"\"",
    ] {
        assert!(with(lines).findings.is_empty(), "{}", with(lines).report());
    }
}
