"""GPU facts and use, asked of NVIDIA's driver (NVML) through ctypes; nothing to install."""

from __future__ import annotations

import ctypes
import os
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LIBRARY = "libnvidia-ml.so.1"
_DEVICES = ("/dev/nvidiactl", "/proc/driver/nvidia", "/dev/dxg")
_PERIOD = 0.5
# A driver that was silent for longer has not said that there was nothing to do.
_SILENCE = 10.0
_NAME = 96


class _Utilization(ctypes.Structure):
    _fields_ = [("gpu", ctypes.c_uint), ("memory", ctypes.c_uint)]


class _Memory(ctypes.Structure):
    _fields_ = [
        ("total", ctypes.c_ulonglong),
        ("free", ctypes.c_ulonglong),
        ("used", ctypes.c_ulonglong),
    ]


def present() -> bool:
    """Whether this machine looks as if it had a driver; costs no library.

    Where the loader was told of a folder that has the driver's library, that counts as well.
    """
    return any(os.path.exists(path) for path in (*_DEVICES, *_told_of()))


def _told_of() -> list[str]:
    """Where the loader is told to look for the driver's library."""
    folders = filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(":"))
    return [f"{folder}/{_LIBRARY}" for folder in folders]


def facts(patience: float = 10.0) -> list[dict[str, Any]]:
    """Name, memory in bytes and driver version of each GPU of this machine.

    None of them where the driver says nothing for so many seconds.
    """
    if not present():
        return []
    gpus = Gpus(None)
    gpus.finish(patience)
    return list(gpus.facts)


class Gpus:
    """The GPUs the command can see, watched from a thread of its own.

    A driver that hangs holds up nothing but the thread. Use is that of the whole device; memory is
    what came on top of what was in use when the watch began.
    """

    def __init__(self, visible: str | None, idle_share: float = 0) -> None:
        """`visible` is as in CUDA_VISIBLE_DEVICES; below `idle_share` of its time a GPU is idle."""
        self._visible = visible
        self.idle_share = idle_share
        self._seen = 0.0
        self._idle_since: float | None = None
        self._stop = threading.Event()
        self._busy: list[float] = []
        self._peak = 0
        self._baseline: dict[int, int] = {}
        self.facts: list[dict[str, Any]] = []
        """Name, memory in bytes and driver version of each."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self, patience: float = _PERIOD) -> dict[str, float | int]:
        """As in the manifest's `usage`: mean share of time busy, the peak of memory in bytes.

        Nothing where the driver said nothing. `patience` is how many seconds it may still take.
        """
        self._stop.set()
        self._thread.join(patience)
        if not self.facts or not self._busy:
            return {}
        busy = round(sum(self._busy) / len(self._busy), 4)
        return {"gpu_busy": busy, "gpu_memory_peak": self._peak}

    def idle(self) -> float:
        """For how many seconds now every GPU has been idle; 0 where the driver does not say."""
        since, now = self._idle_since, time.monotonic()
        if since is None or now - self._seen > _SILENCE:
            return 0.0
        return now - since

    def _run(self) -> None:
        try:
            # The loader itself heeds the variable only as it was at the start of this process.
            nvml = ctypes.CDLL(next(filter(os.path.exists, _told_of()), _LIBRARY))
        except OSError:
            return
        if nvml.nvmlInit_v2():
            return
        handles = self._handles(nvml)
        while handles:
            self._sample(nvml, handles)
            if self._stop.wait(_PERIOD):
                break
        nvml.nvmlShutdown()

    def _handles(self, nvml: ctypes.CDLL) -> list[ctypes.c_void_p]:
        count = ctypes.c_uint()
        if nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)):
            return []
        driver = ctypes.create_string_buffer(_NAME)
        nvml.nvmlSystemGetDriverVersion(driver, _NAME)
        handles = []
        for number in range(count.value):
            handle = ctypes.c_void_p()
            if nvml.nvmlDeviceGetHandleByIndex_v2(number, ctypes.byref(handle)):
                continue
            name, uuid = (ctypes.create_string_buffer(_NAME) for _ in range(2))
            nvml.nvmlDeviceGetName(handle, name, _NAME)
            nvml.nvmlDeviceGetUUID(handle, uuid, _NAME)
            if self._sees(number, uuid.value.decode()):
                handles.append(handle)
                self.facts.append(
                    {
                        "name": name.value.decode(),
                        "memory": _memory(nvml, handle).total,
                        "driver": driver.value.decode(),
                    }
                )
        return handles

    def _sees(self, number: int, uuid: str) -> bool:
        if self._visible is None or self._visible == "all":
            return True
        names = self._visible.split(",")
        return str(number) in names or any(name and uuid.startswith(name) for name in names)

    def _sample(self, nvml: ctypes.CDLL, handles: list[ctypes.c_void_p]) -> None:
        use = _Utilization()
        shares, used = [], 0
        for number, handle in enumerate(handles):
            if nvml.nvmlDeviceGetUtilizationRates(handle, ctypes.byref(use)) == 0:
                shares.append(use.gpu / 100)
            memory = _memory(nvml, handle).used
            used += memory - self._baseline.setdefault(number, memory)
        if shares:
            self._busy.append(sum(shares) / len(shares))
        self._note(max(shares) if len(shares) == len(handles) else None)
        self._peak = max(self._peak, used)

    def _note(self, busiest: float | None) -> None:
        """Keep since when all are idle, of which only an unbroken row of samples is a proof."""
        now = time.monotonic()
        broken = now - self._seen > _SILENCE
        if busiest is None or busiest >= self.idle_share:
            self._idle_since = None
        elif self._idle_since is None or broken:
            self._idle_since = now
        self._seen = now


def _memory(nvml: ctypes.CDLL, handle: ctypes.c_void_p) -> _Memory:
    memory = _Memory()
    nvml.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory))
    return memory
