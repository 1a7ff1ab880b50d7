"""The Dockerfile of an environment's layers: a pure function of how many there are.

What a layer holds is in a context of its own, so that changing one layer runs one step.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from packer.digest import Digest
from packer.layers.environment_plan import LayerPlan

INSTALLER = "installer"
"""The context with the program that installs a layer."""

_OUT = "/sendoff/out"


def context(number: int) -> str:
    """The name of the context of a layer."""
    return f"layer-{number:02}"


def render(plans: Sequence[LayerPlan], base: str, python: str) -> str:
    """A stage for each layer, on `base` by its interpreter `python`, and an image of them all.

    The image has nothing of the base: its layers are laid upon that later, as the native
    builder's are. No stage has a network, and none sees another's files.
    """
    parts = [f"FROM {base} AS base\nUSER 0\n"]
    parts += [_stage(number, plan, python) for number, plan in enumerate(plans)]
    copies = (f"COPY --link --from=made-{number:02} {_OUT}/ /" for number in range(len(plans)))
    parts.append("FROM scratch\n" + "".join(f"{line}\n" for line in copies))
    return "\n".join(parts)


def _stage(number: int, plan: LayerPlan, python: str) -> str:
    named = context(number)
    command = [python, "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py"]
    return (
        f"# {_words(plan)}\n"
        f"FROM base AS made-{number:02}\n"
        "RUN --network=none \\\n"
        f"    --mount=type=bind,from={INSTALLER},target=/sendoff/installer \\\n"
        f"    --mount=type=bind,from={named},target=/sendoff/layer \\\n"
        f"    {json.dumps([*command, '/sendoff/layer', _OUT])}\n"
    )


def _words(plan: LayerPlan) -> str:
    """What the layer has; a hash where its names are too many for a line."""
    words = plan.what
    if len(words) <= 90:  # noqa: PLR2004 (a line)
        return words
    return f"{words[:60]}… {Digest.of(words.encode()).hex[:8]}"
