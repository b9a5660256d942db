#!/usr/bin/env python3
"""The usual way without orchgen: PyYAML, a few checks by hand, Jinja2. baseline.py REGISTRY OUT

The speed benchmark compares `orchgen check` with it. It reads the generated YAML registries (tests/registries.rs), stops
at the first mistake, knows no places and quotes nothing, so it does less than orchgen. Needs PyYAML and Jinja2.
"""
import sys
from collections import defaultdict
from pathlib import Path

import yaml
from jinja2 import Environment, StrictUndefined

TEMPLATES = {
    "systemd/{name}.service": """[Unit]
Description={{ name }}: {{ model.title }}

[Service]
ExecStart={{ command | join(" ") }}
NUMAPolicy=interleave
NUMAMask=all
Restart=on-failure
Slice=bench-{{ role.residency }}.slice

[Install]
WantedBy=multi-user.target
""",
    "bin/{name}": """#!/bin/sh
exec {{ command | join(" ") }} "$@"
""",
    "numactl/{name}": """#!/bin/sh
exec numactl --interleave=all -- "$@"
""",
}
REFERENCE = """# Model Reference
{% for tier, rows in tiers.items() %}
## {{ tier }}

| Role | Model | Quant | Port |
|------|-------|-------|------|
{% for name, role, model in rows %}| {{ name }} | {{ model.title }} | {{ model.quant }} | {{ role.port }} |
{% endfor %}{% endfor %}"""


def read(folder):
    merged = defaultdict(dict)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in sorted(folder.glob("*.yaml")):
        with path.open() as file:
            sections = yaml.load(file, loader)
        for kind, section in sections.items():
            if isinstance(section, dict):
                merged[kind].update(section)
    return merged


def check(registry):
    models, listeners, sizes = registry["models"], set(), defaultdict(int)
    for name, role in registry["roles"].items():
        for used in (role["model"], role.get("draft", {}).get("model")):
            if used and used not in models:
                sys.exit(f"{name}: there is no model {used}")
        listener = role["host"], role["port"]
        if listener in listeners:
            sys.exit(f"{name}: port {role['port']} is taken")
        listeners.add(listener)
        sizes[role["residency"]] += int(models[role["model"]]["size"].split()[0])
    for residency, size in sizes.items():
        if size > int(registry["residencies"][residency]["budget"].split()[0]):
            sys.exit(f"{residency} is over its budget")


def command(role, models):
    model = models[role["model"]]
    words = ["/opt/llama.cpp/bin/llama-server", "-m", model["file"], "--port", str(role["port"])]
    words += ["-c", str(role["context"] * role["slots"]), "-np", str(role["slots"])]
    words += ["-t", str(role["placement"]["threads"])]
    if draft := role.get("draft"):
        words += ["-md", models[draft["model"]]["file"], "--spec-draft-n-max", str(draft["max"])]
    if experts := role.get("experts"):
        words += ["--override-kv", f"{model['family']}.expert_used_count=int:{experts}"]
    return words


def write(registry, out):
    environment = Environment(undefined=StrictUndefined)
    templates = {path: environment.from_string(text) for path, text in TEMPLATES.items()}
    for folder in ("systemd", "bin", "numactl", "docs"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    models, tiers = registry["models"], defaultdict(list)
    for name, role in registry["roles"].items():
        model = models[role["model"]]
        tiers[role["tier"]].append((name, role, model))
        for pattern, template in templates.items():
            path = out / pattern.format(name=name)
            path.write_text(template.render(name=name, role=role, model=model, command=command(role, models)))
            path.chmod(0o644 if path.suffix else 0o755)
    reference = environment.from_string(REFERENCE).render(tiers=tiers)
    (out / "docs/MODEL_REFERENCE.md").write_text(reference)


def main():
    source, out = map(Path, sys.argv[1:3])
    registry = read(source)
    check(registry)
    write(registry, out)


if __name__ == "__main__":
    main()
