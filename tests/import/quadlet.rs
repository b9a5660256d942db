//! The reader of container units. The expected command lines follow those that `quadlet --dryrun` of podman 6.1 prints.

use orchgen::import::quadlet::{is_quadlet, read};
use orchgen::import::source::{FixedSurroundings, Program, Reader, Server, Sources, Start};
use proptest::prelude::*;

fn sources_of(files: &[(&str, &str)]) -> Sources {
    let texts = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let variables = [("HOME".to_owned(), "/home/ida".to_owned())].into();
    let around = FixedSurroundings { files: texts, variables };
    let mut reader = Reader::new(&around);
    let (path, text) = files[0];
    let file = reader.add_file(path, text);
    read(&mut reader, file);
    reader.found
}

fn container(text: &str) -> Server {
    let text = format!("[Container]\n{text}\n[Install]\nWantedBy=default.target\n");
    sources_of(&[("units/z.container", &text)]).servers[0].clone()
}

fn args(server: &Server) -> Vec<&str> {
    server.args.iter().map(|word| word.text.as_str()).collect()
}

fn losses(server: &Server) -> Vec<String> {
    server.losses.iter().map(|loss| format!("{} {}", loss.at.line, loss.what)).collect()
}

fn image(server: &Server) -> (&str, Option<&str>) {
    let Program::Image { image, tool } = &server.program else { panic!("no image") };
    (&image.text, tool.as_ref().map(|word| word.text.as_str()))
}

#[test]
fn container_with_everything_is_read() {
    let env = "# c\nA=\"quoted\"\nB=2\nHOST\n";
    let text = "[Container]\nImage=ghcr.io/x/llama.cpp:server-cuda\nEnvironmentFile=z.env\nEnvironment=B=3 \"C=x y\" D=%n\nExec=-m /m/a.gguf \\\n  --chat-template-kwargs '{\"a\": 1}' %% \\x41\nVolume=./m:/m:ro\nVolume=../up:/u\nVolume=%h:/c\nVolume=named:/n\nVolume=/anonymous\nMount=type=bind,src=/s,dst=/t\nPublishPort=127.0.0.1:9000:8080/tcp\nPublishPort=[::1]:9001:8080\nPublishPort=9002-9003:1-2\nPublishPort=8080\nPublishPort=5:5/udp\nWorkingDir=/m\nNetwork=net.network\n[Service]\nRestart=always\n";
    let sources = sources_of(&[("units/z.container", text), ("units/z.env", env)]);
    let server = &sources.servers[0];
    assert_eq!(image(server), ("ghcr.io/x/llama.cpp:server-cuda", None));
    assert_eq!(args(server), ["-m", "/m/a.gguf", "--chat-template-kwargs", "{\"a\": 1}", "%", "A"]);
    let variables: Vec<String> =
        server.env.iter().map(|(name, value)| format!("{name}={}", value.text)).collect();
    assert_eq!(variables, ["A=\"quoted\"", "B=3", "C=x y", "D=z.service"]);
    let mounts = [("/m", "units/m"), ("/u", "up"), ("/c", "/root"), ("/t", "/s")];
    assert_eq!(server.mounts, mounts.map(|(inside, host)| (inside.to_owned(), host.to_owned())));
    let published: Vec<_> =
        server.published.iter().map(|one| (&*one.host, one.port, one.inside, one.at.line)).collect();
    let expected = [
        ("127.0.0.1", 9000, 8080, 13),
        ("::1", 9001, 8080, 14),
        ("0.0.0.0", 9002, 1, 15),
        ("0.0.0.0", 9003, 2, 15),
    ];
    assert_eq!(published, expected);
    assert_eq!((server.gpus, server.start.0, server.is_user), (Some("CUDA"), Start::Manual, false));
    let expected = [
        "4 HOST",
        "16 PublishPort=8080",
        "17 PublishPort=5:5/udp",
        "21 Restart=always",
        "2 Image=ghcr.io/x/llama.cpp:server-cuda",
        "7 Volume=./m:/m:ro",
        "8 Volume=../up:/u",
        "9 Volume=%h:/c",
        "10 Volume=named:/n",
        "11 Volume=/anonymous",
        "12 Mount=type=bind,src=/s,dst=/t",
        "19 Network=net.network",
    ];
    assert_eq!(losses(server), expected);
}

#[test]
fn image_with_all_tools_takes_the_server_first() {
    let server = container("Image=ghcr.io/x/llama.cpp:full-rocm\nExec=--server -c 5");
    assert_eq!((args(&server), server.gpus), (vec!["-c", "5"], Some("ROCm")));
    assert!(server.unreadable.is_none() && server.is_user);
    assert_eq!(losses(&server), ["2 Image=ghcr.io/x/llama.cpp:full-rocm"]);
    let server = container("Image=ghcr.io/x/llama.cpp:full\nExec=--run -c 5");
    assert_eq!((args(&server), server.unreadable.is_some()), (vec!["--run", "-c", "5"], true));
    assert!(container("Image=ghcr.io/x/llama.cpp:light\nExec=-c 5").unreadable.is_some());
}

#[test]
fn entrypoint_is_the_program() {
    let server = container("Image=x\nEntrypoint=[\"/app/s\", \"-v\"]\nExec=-c 5");
    assert_eq!((image(&server).1, args(&server)), (Some("/app/s"), vec!["-v", "-c", "5"]));
    let server = container("Image=x\nEntrypoint=/a\nEntrypoint=/app/s\nExec=-c 5\nExec=-c 6");
    assert_eq!((image(&server).1, args(&server)), (Some("/app/s"), vec!["-c", "6"]));
}

#[test]
fn variables_of_exec_are_those_of_the_service() {
    let text = "[Service]\nEnvironment=A=1\n[Container]\nImage=x\nEnvironment=B=2\nExec=${A} x${B} $$A\n";
    let sources = sources_of(&[("z.container", text)]);
    let server = &sources.servers[0];
    assert_eq!(args(server), ["1", "x", "$A"]);
    let expected = ["2 Environment=A", "6 Exec=: variable A", "6 Exec=: variable B", "4 Image=x"];
    assert_eq!(losses(server), expected);
}

#[test]
fn unreadable_exec_is_reported() {
    for exec in ["Exec=\"open", "Exec=a \\q", "Exec=a \\;"] {
        assert!(container(&format!("Image=x\n{exec}")).unreadable.is_some(), "{exec}");
    }
    assert!(container("Exec=a").unreadable.is_some());
    assert!(container("Rootfs=/x\nExec=a").unreadable.is_some());
}

#[test]
fn devices_show_the_kind_of_gpu() {
    let kind = |text: &str| container(&format!("Image=x\n{text}")).gpus;
    assert_eq!(kind("AddDevice=nvidia.com/gpu=all"), Some("CUDA"));
    assert_eq!(kind("AddDevice=/dev/dri\nAddDevice=/dev/kfd"), Some("ROCm"));
    assert_eq!(kind("AddDevice=/dev/dri /dev/kfd"), Some("ROCm"));
    assert_eq!(kind("AddDevice=-/dev/dri/renderD128"), Some("Vulkan"));
    assert_eq!(kind("PodmanArgs=--gpus all"), Some("CUDA"));
    assert_eq!(kind("AddDevice=/dev/fuse"), None);
}

#[test]
fn words_for_podman_are_read_and_reported() {
    let server = container("Image=x\nPodmanArgs=-p 1:2 --volume=/a:/b -e X=1 --env=Y=2 --cpus 4");
    assert_eq!((server.published[0].port, server.published[0].inside), (1, 2));
    assert_eq!(server.mounts, [("/b".to_owned(), "/a".to_owned())]);
    let names: Vec<&str> = server.env.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["X", "Y"]);
    assert_eq!(losses(&server).iter().filter(|loss| loss.contains("PodmanArgs")).count(), 1);
}

#[test]
fn container_units_are_recognized() {
    assert!(is_quadlet("[Unit]\n[Container]\nImage=x\n"));
    assert!(!is_quadlet("[Service]\nExecStart=/bin/s\n"));
}

proptest! {
    #[test]
    fn any_container_is_read(text in "([a-z$%{}\\\\\"';=:,./0-9 \n-]|Exec=|Volume=|PublishPort=|Environment=|Mount=|\\[){0,60}") {
        sources_of(&[("z.container", &format!("[Container]\nImage=llama.cpp:full\n{text}\n"))]);
    }
}
