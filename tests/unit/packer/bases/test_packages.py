from __future__ import annotations

import json
from collections.abc import Callable

from packer.bases import contents, packages, sbom
from packer.bases.packages import Package
from packer.bases.sbom import Subject
from packer.digest import Digest
from packer.images.layout import Layout
from tests.unit.packer.bases.conftest import member

STATUS = b"""\
Package: libc6
Status: install ok installed
Source: glibc (2.36-9)
Architecture: amd64
Version: 2.36-9+deb12u10
Description: GNU C Library
 Package: not-a-field
 .

Package: tzdata
Status: install ok installed
Architecture: all
Version: 2025b-0+deb12u1

Package: gone
Status: deinstall ok config-files
Version: 1
"""
RELEASE = b'PRETTY_NAME="Debian GNU/Linux 12"\nVERSION_ID="12"\nID=debian\n'
DIGEST = Digest("sha256:" + "4" * 64)


def test_what_dpkg_has_installed() -> None:
    found = list(packages.of_dpkg(STATUS.decode()))
    assert found == [
        Package(name="libc6", version="2.36-9+deb12u10", architecture="amd64", source="glibc"),
        Package(name="tzdata", version="2025b-0+deb12u1", architecture="all"),
    ]


def test_all_of_an_image(image: Callable[..., Digest], layout: Layout, golden) -> None:
    digest = image(
        member("./var/lib/dpkg/status", STATUS),
        member("usr/lib/os-release", RELEASE),
        member("usr/local/cuda/nvidia_cuda_nvcc-13.0.88.dist-info/METADATA", b"Name: x"),
        member("usr/lib/python3/dist-packages/lib2to3-1.0.dist-info/METADATA", b""),
    )
    python = Package(name="cpython", version="3.12.1", kind="generic")
    found = packages.of_image(layout, contents.read(layout, digest), python)
    assert found.distribution == "debian-12"
    assert [each.name for each in found.packages] == [
        "libc6",
        "tzdata",
        "cpython",
        "nvidia-cuda-nvcc",
    ]
    subject = Subject(title="cpu:3.12", digest=DIGEST, created=1735787045)
    made = json.loads(sbom.document(subject, found, "sendoff-1.0"))
    golden("bases/sbom.json", json.dumps(made, indent=1) + "\n")


def test_package_urls() -> None:
    libc = Package(name="libstdc++6", version="1:12.2", architecture="amd64")
    assert (
        sbom.purl(libc, "debian-12")
        == "pkg:deb/debian/libstdc%2B%2B6@1%3A12.2?arch=amd64&distro=debian-12"
    )
    assert sbom.purl(Package(name="cpython", version="3.12.1", kind="generic"), "debian-12") == (
        "pkg:generic/cpython@3.12.1"
    )
