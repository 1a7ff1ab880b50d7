from __future__ import annotations

from packer.building.choice import Choice
from packer.building.image_settings import ImageSettings
from packer.building.plan import plan
from packer.environment.environment_report import EnvironmentReport
from packer.environment.lock import FilesPin, Lock, PinnedFile, WheelPin


def lock() -> Lock:
    wheels = tuple(
        WheelPin(name=name, version="1.7", filename=f"{name}.whl", sha256="0" * 64, size=1)
        for name in ("crcmod", "six")
    )
    file = PinnedFile(path="a.py", size=1, sha256="0" * 64)
    return Lock(
        python="3.11.2",
        platform="linux/amd64",
        wheels=wheels,
        files=(FilesPin(name="a", version="1", files=(file,), origin="files"),),
        overlay=(file,),
    )


def test_native_is_for_data_and_buildkit_for_what_is_run() -> None:
    report = EnvironmentReport(built={"crcmod": "crcmod-1.7.tar.gz"})
    steps = ImageSettings(apt=("file", "curl"), run=("make",))
    told = [
        (each.builder, each.takes, each.makes) for each in plan(lock(), report, steps, Choice())
    ]
    assert told == [
        ("buildkit", "apt: file, curl", "base"),
        ("buildkit", "run: make", "base"),
        ("buildkit", "crcmod-1.7.tar.gz", "wheel crcmod 1.7"),
        ("native", "2 wheels, 1 distribution as files, 1 changed file", "3 layers"),
        ("native", "project, runner, command", "run image"),
    ]


def test_a_whole_environment_can_be_buildkit_s() -> None:
    told = plan(lock(), EnvironmentReport(), ImageSettings(), Choice(whole=True))
    assert [each.builder for each in told] == ["buildkit", "native"]
