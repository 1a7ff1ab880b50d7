"""The pod of a run: one container with the runner, under Pod Security's "restricted". Pure."""

from __future__ import annotations

from typing import Any

from dispatcher.kubernetes import placement, quantity
from dispatcher.kubernetes.admission import Choice
from dispatcher.kubernetes.affinity import node_affinity
from dispatcher.kubernetes.run_objects import FAILURES
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.tolerations import as_manifest, tolerations
from dispatcher.request import Request
from dispatcher.runner.pod_assignment import CREDENTIALS, RENEWED
from packer.image_paths import PREFIX, RUNNER_PROGRAM

CONTAINER = "command"
CONFIG, SCRATCH = "/etc/sendoff", "/sendoff"
COMMAND = (f"{PREFIX}/bin/python", "-I", "-S", RUNNER_PROGRAM, "pod")
_IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"
_HOME, _CACHE = f"{SCRATCH}/home", f"{SCRATCH}/home/.cache"
# The root file system is read-only, and images made for root keep caches where only root may write.
_PLACES = {
    "HOME": _HOME,
    "TMPDIR": "/tmp",  # noqa: S108 (the pod's own)
    "XDG_CACHE_HOME": _CACHE,
    "TORCH_HOME": f"{_CACHE}/torch",
    "TORCHINDUCTOR_CACHE_DIR": f"{_CACHE}/inductor",
    "TRITON_CACHE_DIR": f"{_CACHE}/triton",
    "HF_HOME": f"{_CACHE}/huggingface",
    "NUMBA_CACHE_DIR": f"{_CACHE}/numba",
    "MPLCONFIGDIR": f"{_CACHE}/matplotlib",
    "CUDA_CACHE_PATH": f"{_CACHE}/cuda",
    # The numeric user has no entry in /etc/passwd, and getpass.getuser() needs a name.
    "USER": "sendoff",
    "LOGNAME": "sendoff",
}


def renewed(secret: str) -> str:
    """The Secret with newer credentials than that which a Job was made with."""
    return f"{secret}-renewed"


class PodTemplate:
    """Renders the pod of a request. `image` is by digest, `secret` holds the runner's files."""

    def __init__(
        self, request: Request, choice: Choice, settings: ClusterSettings, image: str, secret: str
    ) -> None:
        self._request, self._choice, self._settings = request, choice, settings
        self._image, self._secret = image, secret

    def render(self, labels: dict[str, str]) -> dict[str, Any]:
        """The template, with these labels."""
        settings, choice = self._settings, self._choice
        user = settings.user
        spec = {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": round(self._request.grace + settings.flush),
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": user,
                "runAsGroup": user,
                "fsGroup": user,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [self._container()],
            "volumes": self._volumes(),
            "nodeSelector": placement.selector(settings),
            "tolerations": [as_manifest(x) for x in tolerations(choice.classes, settings)],
            "affinity": node_affinity(choice),
            "imagePullSecrets": [{"name": name} for name in settings.image_pull_secrets],
            "runtimeClassName": self._runtime_class(),
            "priorityClassName": settings.priority_class,
        }
        # What is empty is left out; what is false is meant.
        kept = {key: value for key, value in spec.items() if value or value is False}
        return {"metadata": {"labels": labels}, "spec": kept}

    def _container(self) -> dict[str, Any]:
        return {
            "name": CONTAINER,
            "image": self._image,
            "imagePullPolicy": "IfNotPresent",
            "command": list(COMMAND),
            "env": self._environment(),
            "resources": self._resources(),
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "volumeMounts": [
                {"name": "config", "mountPath": CONFIG, "readOnly": True},
                {"name": "scratch", "mountPath": SCRATCH},
                {"name": "scratch", "mountPath": "/tmp", "subPath": "tmp"},  # noqa: S108
                {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108
            ],
        }

    def _volumes(self) -> list[dict[str, Any]]:
        # Loaders of data share batches through /dev/shm, of which a container has 64 MB by default.
        shm = {"medium": "Memory", "sizeLimit": quantity.size(self._choice.memory // 2)}
        scratch = {"sizeLimit": quantity.size(self._settings.scratch)}
        sources = [
            {"secret": {"name": self._secret}},
            {
                "secret": {
                    "name": renewed(self._secret),
                    "items": [{"key": CREDENTIALS, "path": RENEWED}],
                    "optional": True,
                }
            },
        ]
        return [
            {"name": "config", "projected": {"sources": sources, "defaultMode": 0o440}},
            {"name": "scratch", "emptyDir": scratch},
            {"name": "shm", "emptyDir": shm},
        ]

    def _environment(self) -> list[dict[str, Any]]:
        fixed = {"SENDOFF_POD_CONFIG": CONFIG, **_PLACES}
        if not self._choice.classes:
            # CUDA bases ask for every GPU of the node, and the runtime gives them.
            fixed["NVIDIA_VISIBLE_DEVICES"] = "void"
        facts = {
            "SENDOFF_FAILURES": f"metadata.annotations['{FAILURES}']",
            "SENDOFF_IGNORED_FAILURES": f"metadata.annotations['{_IGNORED}']",
            "SENDOFF_NODE": "spec.nodeName",
            "SENDOFF_POD": "metadata.name",
        }
        return [
            *({"name": name, "value": value} for name, value in fixed.items()),
            *(
                {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
                for name, path in facts.items()
            ),
            *(self._secret_variable(name) for name in self._request.secrets),
        ]

    def _secret_variable(self, name: str) -> dict[str, Any]:
        where = self._settings.secrets.get(name, "")
        secret, _, key = where.partition("/")
        reference = {"name": secret or self._settings.secrets_from, "key": key or name}
        return {"name": name, "valueFrom": {"secretKeyRef": reference}}

    def _resources(self) -> dict[str, Any]:
        # Memory beyond the request is taken from others and ends in an eviction; cores are shared.
        memory = {"memory": quantity.size(self._choice.memory)}
        gpus = {each.resource: str(self._choice.count) for each in self._choice.classes[:1]}
        cpu = {"cpu": quantity.cores(self._choice.cpus)}
        return {"requests": {**cpu, **memory, **gpus}, "limits": {**memory, **gpus}}

    def _runtime_class(self) -> str:
        own = [each.runtime_class for each in self._choice.classes]
        return (own[0] or self._settings.runtime_class) if own else ""
