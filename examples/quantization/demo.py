"""The whole way, as a user goes it: make a sandbox, send an experiment off five ways, compare.

Run from the repository's root with `make demo`. Everything it makes is below .demo/, but for the
images, runs and caches, which are where they always are (`sendoff config show`).
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

EXAMPLE = Path(__file__).absolute().parent
DEMO = Path(".demo")
PLOT = DEMO / "accuracy.png"
TOOLS = Path(sys.executable).parent


def main():
    started = time.monotonic()
    DEMO.mkdir(exist_ok=True)
    sandbox = make_sandbox(DEMO / "venv")
    path = [str(sandbox / "bin"), str(TOOLS), os.environ["PATH"]]
    os.environ |= {"VIRTUAL_ENV": str(sandbox), "PATH": os.pathsep.join(path)}
    plot = PLOT.absolute()
    print(f"\n$ cd {EXAMPLE.relative_to(Path.cwd())}", flush=True)
    os.chdir(EXAMPLE)

    call("sendoff sweep -p bits=2,3,4,6,8 -- python quantize.py --bits {bits}")
    metrics = [f"accuracy.{part}" for part in ("layer1", "layer2", "layer3", "all")]
    chosen = " ".join(f"-m {name}" for name in metrics)
    call(f"sendoff compare @last {chosen} --plot {os.path.relpath(plot)}")
    print(f"\n{time.monotonic() - started:.0f} s in all. The plot: {PLOT}. The digests:")
    for index in last_run()["indexes"]:
        print(f"  bits={index['parameters']['bits']}  {index['digest']}")


def make_sandbox(path):
    """A virtual environment with what the experiment needs, such as an agent would have."""
    requirements = EXAMPLE.relative_to(Path.cwd()) / "requirements.txt"
    marker = path / ".requirements"
    if marker.exists() and marker.read_bytes() == requirements.read_bytes():
        step(f"the sandbox {path} is there")
        return path.absolute()
    shutil.rmtree(path, ignore_errors=True)
    step(f"making the sandbox {path} from {requirements}")
    uv = str(TOOLS / "uv")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(path)], check=True)
    install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(path)]
    subprocess.run([*install, "-r", str(requirements)], check=True)
    marker.write_bytes(requirements.read_bytes())
    return path.absolute()


def step(text):
    print(text, flush=True)


def call(line):
    """Echo a command line and run it; its failure is ours."""
    print(f"\n$ {line}", flush=True)
    done = subprocess.run(shlex.split(line), check=False)
    if done.returncode:
        sys.exit(done.returncode)


def last_run():
    show = ["sendoff", "show", "@last", "--json"]
    return json.loads(subprocess.run(show, check=True, capture_output=True).stdout)


if __name__ == "__main__":
    main()
