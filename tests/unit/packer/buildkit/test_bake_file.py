from __future__ import annotations

import json
from pathlib import Path

from packer.buildkit import bake_file
from packer.buildkit.build import Build, Output, Secret


def test_builds_become_targets(golden) -> None:
    builds = {
        "cpu": Build(
            dockerfile="FROM scratch\n",
            context=Path("/base-images/cpu"),
            output=Output.pushed("registry.example/base/cpu:1"),
            arguments={"ROOT": "debian:12", "WORDS": "${HOME} and %{if}"},
            secrets=(Secret(name="token", variable="TOKEN"), Secret(name="key", file=Path("/k"))),
            platform="linux/amd64",
            cache="registry.example/cache:base",
        ),
        "cuda": Build(dockerfile="FROM scratch\n", target="last", fresh=True),
    }
    files = {name: Path(f"/build/{name}.Dockerfile") for name in builds}
    made = json.loads(bake_file.render(builds, files, Path("/build/empty")))
    golden("buildkit/bake.json", json.dumps(made, indent=1, sort_keys=True) + "\n")


def test_a_field_with_a_comma_is_quoted() -> None:
    assert bake_file.joined({"type": "local", "dest": '/a,"b"'}) == 'type=local,"dest=/a,""b"""'


def test_a_secret_without_a_source_is_the_variable_of_its_name() -> None:
    assert bake_file.secret(Secret(name="TOKEN")) == "id=TOKEN,env=TOKEN"
