#!/usr/bin/env python3
"""Ask a real llama-server what it makes of every ordered pair of models: serve.py ROOT FOLDER RESULTS.json

ROOT is a root folder with /usr/bin/llama-server, FOLDER the models in it, as seen inside. The result has for each
pair `fits`, `falls back` (ready, without speculation) or what the server said when it ended.
"""
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LOST = ("failed to initialize speculative decoding context", "speculative decoding not supported by this context")
READY = "listening on http"
PORTS = 21000


def ask(root, target, draft, port):
    command = ["chroot", root, "/usr/bin/llama-server", "-m", target, "-md", draft, "--spec-type", "draft-simple",
               "-c", "256", "-np", "1", "-t", "1", "--no-warmup", "--cache-ram", "0", "--fit", "off",
               "--host", "127.0.0.1", "--port", str(port)]
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LC_ALL": "C"}
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", env=env)
    lost, last = False, ""
    try:
        for line in server.stdout:
            last = line.strip() or last
            lost = lost or any(words in line for words in LOST)
            if READY in line:
                return "falls back" if lost else "fits"
        return f"ended with {server.wait()}: {last}"
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def main():
    root, folder, results = sys.argv[1:4]
    names = sorted(path.name for path in Path(root + folder).glob("*.gguf"))
    pairs = [(target, draft) for target in names for draft in names]
    workers = max(1, (os.cpu_count() or 1))

    def one(numbered):
        number, (target, draft) = numbered
        port = PORTS + number % 900
        return ask(root, f"{folder}/{target}", f"{folder}/{draft}", port)

    with ThreadPoolExecutor(workers) as pool:
        said = list(pool.map(one, enumerate(pairs)))
    rows = [{"target": t, "draft": d, "server": s} for (t, d), s in zip(pairs, said)]
    Path(results).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
