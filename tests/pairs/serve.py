#!/usr/bin/env python3
"""Start llama-server with every ordered pair of models: serve.py ROOT FOLDER RESULTS.json

ROOT is a root folder with /usr/bin/llama-server, FOLDER the folder of the models inside it. The result has for each
pair `fits`, `falls back` (ready, without speculation) or the exit status and last line of the server.
"""
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FALLBACK_MESSAGES = ("failed to initialize speculative decoding context", "speculative decoding not supported by this context")
READY = "listening on http"
PORTS = 21000


def serve(root, target, draft, port):
    command = ["chroot", root, "/usr/bin/llama-server", "-m", target, "-md", draft, "--spec-type", "draft-simple",
               "-c", "256", "-np", "1", "-t", "1", "--no-warmup", "--cache-ram", "0", "--fit", "off",
               "--host", "127.0.0.1", "--port", str(port)]
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LC_ALL": "C"}
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", env=env)
    falls_back, last = False, ""
    try:
        for line in server.stdout:
            last = line.strip() or last
            falls_back = falls_back or any(words in line for words in FALLBACK_MESSAGES)
            if READY in line:
                return "falls back" if falls_back else "fits"
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

    def run_pair(numbered):
        number, (target, draft) = numbered
        port = PORTS + number % 900
        return serve(root, f"{folder}/{target}", f"{folder}/{draft}", port)

    with ThreadPoolExecutor(workers) as pool:
        outcomes = list(pool.map(run_pair, enumerate(pairs)))
    rows = [{"target": t, "draft": d, "server": s} for (t, d), s in zip(pairs, outcomes)]
    Path(results).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
