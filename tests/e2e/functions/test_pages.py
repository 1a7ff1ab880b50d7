"""What README.md and docs/functions.md show without saying that it is run: it is run here."""

from __future__ import annotations

import re

from tests.e2e.functions.conftest import ROOT, Workbench

HYDRA = """
import hydra

@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def train(cfg):
    with open(hydra.core.hydra_config.HydraConfig.get().runtime.output_dir + "/lr", "w") as stream:
        stream.write(str(cfg.lr))

if __name__ == "__main__":
    train()
"""


def shown(page: str, containing: str) -> str:
    """The one block of a page, without a language, in which that stands."""
    fence = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    blocks = fence.findall((ROOT / page).read_text())
    (found,) = [text for kind, text in blocks if not kind and containing in text]
    return str(found)


def test_the_decorator_of_the_readme(bench: Workbench) -> None:
    block = shown("README.md", "@sendoff.remote(")
    plain = [line.partition("#")[0].strip() for line in block.splitlines()]
    verbs = [f"print({line})\n" for line in plain if line.startswith(("train", "list"))]
    definition = block[: block.index("\ntrain(")]
    bench.write("shown.py", f"import sendoff\n{definition}\n{''.join(verbs)}")
    low, middle, high = [{"loss": (lr - 1e-3) ** 2} for lr in (1e-4, 3e-4, 1e-3)]
    here, there, side_by_side = bench.ran("shown.py").splitlines()
    assert here == there == str(middle)
    assert side_by_side == str([low, middle, high])


def test_joblib_as_shown(bench: Workbench) -> None:
    bench.write("work.py", "def train(lr):\n    return lr * 2\n")
    block = shown("docs/functions.md", "sendoff.joblib.register()")
    bench.write("shown.py", f"from work import train\nrates = [1, 2]\n{block}print(results)\n")
    assert bench.ran("shown.py") == "[2, 4]\n"
    assert len(bench.json("show", "@last")["indexes"]) == 2


def test_hydra_as_shown(bench: Workbench) -> None:
    bench.write("train.py", HYDRA)
    bench.write("conf/config.yaml", "lr: 1\n")
    program, *words = shown("docs/functions.md", "hydra/launcher=sendoff").split()
    assert program == "python"
    done = bench.run(*words, PYTHONWARNINGS="default")
    assert done.returncode == 0, done.stderr
    rates = [path.read_text() for path in sorted(bench.project.glob("multirun/*/*/*/lr"))]
    assert rates == ["0.1", "0.01"]
