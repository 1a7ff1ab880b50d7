"""What retargeting looks for anew, keeps and drops: environments described by data."""

from __future__ import annotations

import pytest

from packer.environment import target
from packer.environment.cuda import CudaWish
from packer.environment.environment import Environment
from packer.errors import DistUnresolvable
from packer.retargeting.plan import Retargeting, plan
from tests.described import description

CUDA = CudaWish(lines=("12.8", "12.6"))
AMD64 = "linux/amd64"


def planned(found: Environment, wish: CudaWish = CUDA, platform: str = AMD64) -> Retargeting | None:
    wanted = target.of(found.interpreter, platform)
    return plan(found, wanted, wish, description.names(found))


def described(*distributions: dict[str, object], platform: str = "linux-x86_64") -> Environment:
    table = {"platform": platform, "python": "3.11.9", "distribution": list(distributions)}
    return description.read(table)


def dist(name: str, version: str, *requires: str, **more: object) -> dict[str, object]:
    return {"name": name, "version": version, "requires": requires, **more}


def show(found: Retargeting) -> str:
    lines = [f"{found.source} → {found.target}, CUDA {' '.join(found.lines)}"]
    lines += [f"families: {' '.join(each.name for each in found.building)}"]
    lines += ["asked for:", *(f"  {each}" for each in found.requirements(found.lines[0]))]
    lines += ["looked for anew:", *(f"  {each}" for each in sorted(found.replaced))]
    lines += ["come and go:", *(f"  {each}" for each in sorted(found.parts))]
    lines += ["dropped:", *(f"  {name}: {why}" for name, why in sorted(found.dropped.items()))]
    lines += ["kept:", *(f"  {each}" for each in sorted(found.kept))]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", description.NAMES)
def test_described_environments(golden, name: str) -> None:
    found = planned(description.environment(name))
    assert found
    golden(f"retargeting/{name}.txt", show(found))


def test_without_cuda_only_another_platform_changes_anything() -> None:
    nothing = CudaWish()
    assert planned(description.environment("linux-amd64-cpu"), nothing) is None
    found = planned(description.environment("macos-arm64"), nothing)
    assert found
    assert found.lines == ("",)
    assert found.requirements("")[:2] == ["torch==2.9.1+cpu", "torchvision==0.24.1+cpu"]


def test_an_environment_without_a_family_has_no_build_for_cuda() -> None:
    numpy = described(dist("numpy", "2.3.4"))
    assert planned(numpy) is None
    foreign = planned(numpy, platform="linux/arm64")
    assert foreign
    assert not foreign.requirements("12.8")


def plain_cuda(runtime: str) -> Environment:
    need = f'nvidia-cuda-runtime-cu12=={runtime}; platform_system == "Linux"'
    return described(
        dist("torch", "2.9.1", need, "triton==3.5.1", "sympy"),
        dist("nvidia-cuda-runtime-cu12", runtime),
        dist("nvidia-ml-py", "13.580.65"),
        dist("triton", "3.5.1"),
        dist("sympy", "1.14.0"),
    )


def test_a_build_for_cuda_stays_unless_another_line_is_asked_for() -> None:
    assert planned(plain_cuda("12.8.90")) is None
    assert planned(plain_cuda("11.8.89")) is None
    assert planned(plain_cuda("12.8.90"), CudaWish(lines=("12.8",), asked=True)) is None
    found = planned(plain_cuda("12.8.90"), CudaWish(lines=("13.0",), asked=True))
    assert found
    assert found.requirements("13.0") == ["torch==2.9.1+cu130"]
    assert found.parts == {"nvidia-cuda-runtime-cu12", "triton"}
    assert found.kept == {"nvidia-ml-py", "sympy"}


def test_parts_that_others_need_stay() -> None:
    found = planned(
        described(
            dist("torch", "2.9.1+cu126", "nvidia-nccl-cu12==2.27.5", "triton==3.5.1"),
            dist("nvidia-nccl-cu12", "2.27.5"),
            dist("triton", "3.5.1"),
            dist("xgboost", "3.0.5", "nvidia-nccl-cu12"),
        ),
        CudaWish(lines=("12.8",), asked=True),
    )
    assert found
    assert found.parts == {"triton"}
    assert found.kept == {"nvidia-nccl-cu12", "xgboost"}
    # The new torch may bring another version, which both then use.
    assert found.fixed == {"xgboost"}


def test_jax_gets_its_plugin_by_an_extra() -> None:
    jax = described(
        dist("jax", "0.6.2", "jaxlib<=0.6.2", "numpy"),
        dist("jaxlib", "0.6.2", "numpy"),
        dist("numpy", "2.3.4"),
    )
    found = planned(jax)
    assert found
    assert found.requirements("12.8") == ["jax[cuda12]==0.6.2"]
    assert not found.replaced
    assert found.excluded() == ["jaxlib", "numpy"]


def test_cupy_has_the_major_in_its_name() -> None:
    cupy = described(dist("cupy-cuda11x", "13.6.0", "numpy"), dist("numpy", "2.3.4"))
    assert planned(cupy) is None
    found = planned(cupy, CudaWish(lines=("12.8",), asked=True))
    assert found
    assert found.requirements("12.8") == ["cupy-cuda12x==13.6.0"]
    assert found.replaced == {"cupy-cuda11x"}


def test_lines_go_with_the_builds_that_stay() -> None:
    both = described(
        dist("torch", "2.9.1+cpu"),
        dist("jax", "0.6.2", 'jax-cuda12-plugin==0.6.2; extra == "cuda12"'),
        dist("jaxlib", "0.6.2"),
        dist("jax-cuda12-plugin", "0.6.2"),
    )
    found = planned(both, CudaWish(lines=("13.0", "12.8")))
    assert found
    assert [each.name for each in found.building] == ["torch"]
    assert found.lines == ("12.8",)


@pytest.mark.parametrize(
    ("torch", "words"),
    [
        (
            dist("torch", "2.9.1", source={"url": "https://git/torch", "vcs_info": {"vcs": "git"}}),
            "a build of its own",
        ),
        (dist("torch", "2.9.1+cpu", native="torch/_C.so", changed=True), "changed by hand"),
    ],
)
def test_what_no_index_has_is_refused_by_name(torch: dict[str, object], words: str) -> None:
    with pytest.raises(DistUnresolvable, match=words) as refused:
        planned(described(torch))
    assert refused.value.name == "torch"
    assert "--cuda none" in refused.value.fix()
