"""Why a cluster is not even asked: what is wrong with a request. See `packer.errors`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from packer.errors import SendoffError

_GIB = 1 << 30


class GpuUnknown(SendoffError):
    """There is no GPU class of that name."""

    code, phase = "GPU_UNKNOWN", "admission"

    def __init__(self, name: str, near: Sequence[str], known: Sequence[str]) -> None:
        super().__init__(name, near, known)
        self.name, self.near, self.known = name, tuple(near), tuple(known)

    def what(self) -> str:
        return f"there is no GPU class {self.name!r}"

    def why(self) -> str:
        return f"did you mean {' or '.join(self.near)}?" if self.near else ""

    def evidence(self) -> str:
        return "there is: " + (", ".join(self.known) or "none")

    def fix(self) -> str:
        return f"--gpu {self.near[0]}" if self.near else "sendoff gpus lists what the cluster has"


class GpuNotHere(SendoffError):
    """The class is known, and no node of the cluster is of it."""

    code, phase = "GPU_UNKNOWN", "admission"

    def __init__(self, name: str, here: Sequence[str], products: Sequence[str] = ()) -> None:
        super().__init__(name, here, products)
        self.name, self.here, self.products = name, tuple(here), tuple(products)

    def what(self) -> str:
        return f"the cluster has no {self.name}"

    def why(self) -> str:
        return "no node has the labels and the resource of that class"

    def evidence(self) -> str:
        words = "it has: " + (", ".join(self.here) or "no GPU of a known class")
        return words + (f"; products: {', '.join(self.products)}" if self.products else "")

    def fix(self) -> str:
        if not self.here:
            return "sendoff gpus shows what the cluster's nodes say of themselves"
        return f"--gpu {self.here[0].partition(' ')[0]}; sendoff gpus shows what is free"


class NodesUnknown(SendoffError):
    """Nodes of a class have to be named one by one, and none of them is to be seen."""

    code, phase = "GPU_UNKNOWN", "admission"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def what(self) -> str:
        return f"nobody can say which nodes are of {self.name}"

    def why(self) -> str:
        return "the class has no labels, and no node with its resource is to be seen now"

    def fix(self) -> str:
        return (
            f"give it labels in [tool.sendoff.classes.{self.name}]; or come again when its nodes "
            "are there, as somebody who may list nodes"
        )


class KeptOff(SendoffError):
    """Every node that has the GPUs keeps the run's pods off with a taint or a label."""

    code, phase = "UNSCHEDULABLE", "admission"

    def __init__(self, name: str, taints: Sequence[str], labels: Sequence[str]) -> None:
        """`labels` are those of the nodes that the node selector does not take."""
        super().__init__(name, taints, labels)
        self.name, self.taints, self.labels = name, tuple(taints), tuple(labels)

    def what(self) -> str:
        return f"every node for {self.name} keeps the run's pods off"

    def why(self) -> str:
        reasons = ["their taints are not tolerated"] * bool(self.taints)
        reasons += ["the node selector does not take their labels"] * bool(self.labels)
        return ", or ".join(reasons)

    def evidence(self) -> str:
        return ", ".join((*self.taints, *self.labels))

    def fix(self) -> str:
        if not self.taints:
            return "ask for another class, or see node-selector in [tool.sendoff]"
        return "ask for leave to run there, then add to tolerations in [tool.sendoff]"


class PlatformUnfit(SendoffError):
    """No node that has the GPUs is of the platform that images are packed for."""

    code, phase = "PLATFORM_UNFIT", "admission"

    def __init__(self, name: str, needed: str, found: Sequence[str]) -> None:
        """`needed` and `found` are platforms: "linux/amd64"."""
        super().__init__(name, needed, found)
        self.name, self.needed, self.found = name, needed, tuple(found)

    def what(self) -> str:
        return f"no node for {self.name} is {self.needed}"

    def why(self) -> str:
        return f"they are {', '.join(self.found)}, and images are packed for linux/amd64"

    def fix(self) -> str:
        return "ask for another class: sendoff gpus shows what runs can go to"


class GpuClassInvalid(SendoffError):
    """A GPU class in the configuration cannot be read."""

    code, phase = "INVALID_SETTING", "configuration"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.reason = name, reason

    def what(self) -> str:
        return f"the GPU class {self.name!r} in the configuration cannot be read"

    def why(self) -> str:
        return self.reason

    def fix(self) -> str:
        return "see docs/kubernetes.md, GPU classes"


class Impossible(SendoffError):
    """No node could ever run it, however idle the cluster."""

    code, phase = "GPU_IMPOSSIBLE", "admission"

    def __init__(self, asked: str, most: str, nodes: Sequence[str]) -> None:
        super().__init__(asked, most, nodes)
        self.asked, self.most, self.nodes = asked, most, tuple(nodes)

    def what(self) -> str:
        return f"no node can ever give {self.asked}"

    def why(self) -> str:
        return f"the most that one node has is {self.most}"

    def evidence(self) -> str:
        return "\n".join(self.nodes)

    def fix(self) -> str:
        return "ask for less; sendoff gpus shows what there is"


class DriverTooOld(SendoffError):
    """The image needs a newer GPU driver than any node of the class has."""

    code, phase = "DRIVER_TOO_OLD", "admission"

    def __init__(self, needed: str, reason: str, found: Sequence[str]) -> None:
        super().__init__(needed, reason, found)
        self.needed, self.reason, self.found = needed, reason, tuple(found)

    def what(self) -> str:
        return f"the image needs the GPU driver {self.needed} or newer"

    def why(self) -> str:
        return self.reason

    def evidence(self) -> str:
        return "found: " + ", ".join(self.found)

    def fix(self) -> str:
        return (
            "use packages and a base for an older CUDA, or ask for the nodes' drivers to be updated"
        )


class CudaUnfit(SendoffError):
    """Programs built for a CUDA line that GPUs of the class can't run."""

    code, phase = "CUDA_UNFIT", "admission"

    def __init__(
        self, gpu: str, needing: str, line: str, reason: str, lines: Sequence[str]
    ) -> None:
        """`needing` is what is built for the line, such as "torch 2.5.1+cu118"."""
        super().__init__(gpu, needing, line, reason, lines)
        self.gpu, self.needing, self.line = gpu, needing, line
        self.reason, self.lines = reason, tuple(lines)

    def what(self) -> str:
        return f"{self.gpu} does not run CUDA {self.line}"

    def why(self) -> str:
        return self.reason

    def evidence(self) -> str:
        return self.needing

    def fix(self) -> str:
        if not self.lines:
            return "keep what is installed: --cuda none"
        return f"--cuda {self.lines[0]}; {self.gpu} runs CUDA {', '.join(self.lines)}"


class InputsTooLarge(SendoffError):
    """What a pod is given is more than it may write."""

    code, phase = "INPUTS_TOO_LARGE", "inputs"

    def __init__(self, size: int, limit: int, largest: Sequence[str]) -> None:
        """`size` and `limit` are in bytes."""
        super().__init__(size, limit, largest)
        self.size, self.limit, self.largest = size, limit, tuple(largest)

    def what(self) -> str:
        return f"the inputs are {self.size / _GIB:.1f} GiB, more than a pod has room for"

    def why(self) -> str:
        return f"scratch, which they are fetched to, is {self.limit / _GIB:.1f} GiB"

    def evidence(self) -> str:
        return "\n".join(self.largest)

    def fix(self) -> str:
        least = math.ceil(self.size / _GIB) + 1
        return f'let pods write more, where nodes have it: scratch = "{least}Gi" in [tool.sendoff]'
