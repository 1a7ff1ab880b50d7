from __future__ import annotations

import json

import pytest

from packer.digest import Digest
from packer.images.descriptor import MANIFEST, Descriptor
from packer.registry import artifact as artifacts
from packer.registry.artifact import Artifact

SUBJECT = Descriptor(digest=Digest("sha256:" + "1" * 64), size=7, media_type=MANIFEST)
BILL = Artifact(kind="application/spdx+json", data=b'{"a":1}', name="bill.json")
STATEMENT = Artifact(
    kind="application/vnd.in-toto+json", data=b"{}", annotations={"in-toto.io/predicate-type": "p"}
)


def test_manifests(golden) -> None:
    made = [json.loads(artifacts.manifest(each, SUBJECT)) for each in (BILL, STATEMENT)]
    golden("artifacts.json", json.dumps(made, indent=1) + "\n")


def test_a_list_is_extended_and_the_rest_of_it_stays() -> None:
    entries = [
        artifacts.referrer(each, artifacts.manifest(each, SUBJECT)) for each in (BILL, STATEMENT)
    ]
    first = json.loads(artifacts.extended(None, entries[0]))
    first |= {"annotations": {"by": "others"}}
    first["manifests"][0]["platform"] = {"os": "unknown"}
    second = json.loads(artifacts.extended(first, entries[1]))
    assert second["annotations"] == {"by": "others"}
    assert second["manifests"][0] == first["manifests"][0]
    assert artifacts.listed(second) == tuple(entries)
    assert json.loads(artifacts.extended(second, entries[1])) == second


def test_the_tag_of_a_list() -> None:
    assert artifacts.tag(SUBJECT.digest) == "sha256-" + "1" * 64


@pytest.mark.parametrize("index", [[], {}, {"manifests": [{}]}, {"manifests": [{"digest": "x"}]}])
def test_what_is_no_list(index: object) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        artifacts.listed(index)
