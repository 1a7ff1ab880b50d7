"""Package indexes on the loopback device: real wheels, a real server, one folder for each index."""

from __future__ import annotations

import hashlib
import zipfile
from base64 import b64encode, urlsafe_b64encode
from io import BytesIO

from tests.web_server import Handler, WebServer

MISSING, FOUND, UNAUTHORIZED, FAILING = 404, 200, 401, 503
LINUX = "cp311-cp311-manylinux_2_28_x86_64"
NVIDIA = "py3-none-manylinux_2_27_x86_64"
_METADATA = ".metadata"


class Indexes(WebServer):
    """Several indexes of one server (PEP 503 and 658, as PyTorch's: hashes, and no sizes)."""

    def __init__(self) -> None:
        self.wheels: dict[str, dict[str, bytes]] = {}
        """Folder ("whl/cu124") → file name → what is served."""
        self.asked: list[str] = []
        self.hashes: dict[str, str] = {}
        """File name → the sha256 that the index tells, where it is not the true one."""
        self.lost: set[str] = set()
        """Names of files that are listed and not there."""
        self.failing: set[str] = set()
        """Ends of paths that are answered with 503."""
        self.logins: dict[str, str] = {}
        """Folder → "user:password" that all below it asks for (RFC 7617)."""
        served = self

        class Pages(Handler):
            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                served.asked.append(f"{self.command} {self.path}")
                if refused := served._refused(self.path, self.headers.get("Authorization", "")):
                    self.answer(refused, b"")
                    return
                data = served._answer(self.path.strip("/"))
                self.answer(MISSING if data is None else FOUND, data or b"", "text/html")

        super().__init__(Pages)

    def add(self, folder: str, filename: str, data: bytes) -> None:
        """Have an index offer a wheel, or a source archive."""
        self.wheels.setdefault(folder, {})[filename] = data

    def fetched(self) -> list[str]:
        """Names of the wheels that were read; what a wheel's metadata says is told beside it."""
        files = [each for each in self.asked if each.startswith("GET") and each.endswith(".whl")]
        return [each.rpartition("/")[2] for each in files]

    def _refused(self, path: str, authorization: str) -> int:
        """The status of a refusal; 0 for none."""
        if any(path.strip("/").endswith(each) for each in self.failing):
            return FAILING
        login = next(
            (self.logins[each] for each in self.logins if path.startswith(f"/{each}/")), ""
        )
        wanted = login and "Basic " + b64encode(login.encode()).decode()
        return UNAUTHORIZED if wanted and authorization != wanted else 0

    def _answer(self, path: str) -> bytes | None:
        folder, _, name = path.rpartition("/")
        offered = self.wheels.get(folder, {})
        if name.endswith((".whl", ".tar.gz")):
            return None if name in self.lost else offered.get(name)
        if name.endswith(_METADATA):
            beside = offered.get(name.removesuffix(_METADATA))
            return metadata(beside) if beside else None
        links = [
            f'<a href="/{folder}/{each}#sha256={self.hashes.get(each) or sha256(data)}"'
            f"{_told_beside(each, data)}>{each}</a>"
            for each, data in offered.items()
            if each.partition("-")[0].replace("_", "-").lower() == name
        ]
        return (
            f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode() if links else None
        )


def sha256(data: bytes) -> str:
    """Hex."""
    return hashlib.sha256(data).hexdigest()


def _told_beside(filename: str, data: bytes) -> str:
    """What a link says of a wheel's metadata (PEP 658)."""
    if not filename.endswith(".whl"):
        return ""
    return f' data-dist-info-metadata="sha256={sha256(metadata(data))}"'


def metadata(data: bytes) -> bytes:
    """The METADATA of a wheel."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return archive.read(name)


def wheel(
    name: str,
    version: str,
    tag: str = "py3-none-any",
    *,
    requires: tuple[str, ...] = (),
    files: dict[str, str] | None = None,
) -> tuple[str, bytes]:
    """A small wheel: its file name and its bytes."""
    module = name.replace("-", "_")
    stem = f"{module}-{version}"
    content = {
        **({f"{module}/__init__.py": f"version = {version!r}\n"} if files is None else files),
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {each}\n" for each in requires)
        + "Provides-Extra: cuda12\n",
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\n"
        f"Root-Is-Purelib: {str(tag.endswith('any')).lower()}\nTag: {tag}\n",
    }
    record = ""
    for path, text in content.items():
        digest = urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    content[f"{stem}.dist-info/RECORD"] = record + f"{stem}.dist-info/RECORD,,\n"
    data = BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in content.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return f"{stem}-{tag}.whl", data.getvalue()


def pytorch(served: Indexes) -> None:
    """Have `served` play PyTorch's index (`whl`) and a package index (`simple`).

    torch 2.9.1 for CUDA 12.6, 12.8 and 13.0, and without; on the package index for 12.8.
    """
    for line, runtime, version in (
        ("cu126", "nvidia-cuda-runtime-cu12", "12.6.77"),
        ("cu128", "nvidia-cuda-runtime-cu12", "12.8.90"),
        ("cu130", "nvidia-cuda-runtime", "13.0.48"),
    ):
        needs = (f"{runtime}=={version}", "triton==3.5.1", "sympy")
        served.add(f"whl/{line}", *wheel("torch", f"2.9.1+{line}", LINUX, requires=needs))
        vision = wheel("torchvision", f"0.24.1+{line}", LINUX, requires=(f"torch==2.9.1+{line}",))
        served.add(f"whl/{line}", *vision)
        served.add("simple", *wheel(runtime, version, NVIDIA))
    served.add("whl/cpu", *wheel("torch", "2.9.1+cpu", LINUX, requires=("sympy",)))
    served.add("whl/cpu", *wheel("torchvision", "0.24.1+cpu", LINUX, requires=("torch",)))
    needs = ("nvidia-cuda-runtime-cu12==12.8.90", "triton==3.5.1", "sympy")
    served.add("simple", *wheel("torch", "2.9.1", LINUX, requires=needs))
    served.add("simple", *wheel("torchvision", "0.24.1", LINUX, requires=("torch==2.9.1",)))
    served.add("simple", *wheel("triton", "3.5.1", LINUX))
    served.add("simple", *wheel("sympy", "1.14.0"))
    served.add("simple", *wheel("greenlet", "3.5.6", LINUX))
    served.add("simple", *wheel("jeepney", "0.9.0"))
    served.add("simple", *wheel("secretstorage", "3.5.0", requires=("jeepney", "cryptography")))
    served.add("simple", *wheel("cryptography", "50.0.2", LINUX))


def settings(served: Indexes) -> dict[str, str]:
    """Variables with which pip and uv look there, and nowhere else."""
    place = served.url + "/simple"
    return {"PIP_INDEX_URL": place, "UV_DEFAULT_INDEX": place, "PIP_FIND_LINKS": "", "UV_INDEX": ""}
