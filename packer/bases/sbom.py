"""The bill of materials of a base: SPDX 2.3 in JSON. A pure function of the image."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from packer.bases.packages import Package, Packages
from packer.digest import Digest
from packer.record import Record

MEDIA_TYPE = "application/spdx+json"

_NOT_SAID = "NOASSERTION"


class Subject(Record, frozen=True):
    """The image that it is about."""

    title: str
    """ "cpu:3.11"."""
    digest: Digest
    created: int
    """Seconds since 1970: that of the image, so that the same image has the same bill."""


def document(subject: Subject, found: Packages, tool: str) -> bytes:
    """The document; `tool` is who writes it: "sendoff-1.0"."""
    image = {
        **_package("SPDXRef-image", subject.title, str(subject.digest)),
        "primaryPackagePurpose": "CONTAINER",
        "checksums": [{"algorithm": "SHA256", "checksumValue": subject.digest.hex}],
    }
    listed = [_entry(number, each, found) for number, each in enumerate(found.packages)]
    contained = [_relation("SPDXRef-image", "CONTAINS", each["SPDXID"]) for each in listed]
    created = datetime.fromtimestamp(subject.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    content = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": subject.title,
        "documentNamespace": f"urn:sendoff:spdx:{subject.digest}",
        "creationInfo": {"created": created, "creators": [f"Tool: {tool}"]},
        "packages": [image, *listed],
        "relationships": [
            _relation("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-image"),
            *contained,
        ],
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def purl(package: Package, distribution: str) -> str:
    """The package URL (github.com/package-url/purl-spec)."""
    name, version = quote(package.name, safe=""), quote(package.version, safe="")
    if package.kind != "deb":
        return f"pkg:{package.kind}/{name}@{version}"
    vendor = distribution.partition("-")[0] or "debian"
    query = f"arch={package.architecture}" if package.architecture else ""
    query += f"&distro={distribution}" if distribution else ""
    return f"pkg:deb/{vendor}/{name}@{version}?{query.lstrip('&')}".rstrip("?")


def _entry(number: int, package: Package, found: Packages) -> dict[str, Any]:
    word = re.sub(r"[^A-Za-z0-9.-]", "-", package.name)
    entry = _package(f"SPDXRef-{package.kind}-{number}-{word}", package.name, package.version)
    entry["externalRefs"] = [
        {
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": purl(package, found.distribution),
        }
    ]
    if package.source:
        entry["sourceInfo"] = f"built from the source package {package.source}"
    return entry


def _package(identifier: str, name: str, version: str) -> dict[str, Any]:
    return {
        "SPDXID": identifier,
        "name": name,
        "versionInfo": version,
        "downloadLocation": _NOT_SAID,
        "filesAnalyzed": False,
        "licenseConcluded": _NOT_SAID,
        "licenseDeclared": _NOT_SAID,
        "copyrightText": _NOT_SAID,
    }


def _relation(first: str, kind: str, second: str) -> dict[str, str]:
    return {"spdxElementId": first, "relationshipType": kind, "relatedSpdxElement": second}
