"""Watches that break: faults 6 and 7 of the design's list, on real objects."""

from __future__ import annotations

import queue
import threading
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from dispatcher.kubernetes.errors import ApiForbidden
from dispatcher.kubernetes.listing import everything
from dispatcher.kubernetes.objects import Event
from dispatcher.kubernetes.paths import Paths
from dispatcher.kubernetes.watch import Timing, Watch
from tests.faults.faults import Answer, Stall

QUICK = Timing(silence=1, window=60, relist=600, pause=0.05, longest_pause=0.2)
MANY = Timing(silence=1, window=1, relist=600, pause=0.05, longest_pause=0.2)


class Names:
    """The names of the ConfigMaps that a watch has seen, in another thread, as they are now."""

    def __init__(self, watch) -> None:
        self.watch, self.now = watch, set()
        self.heard: queue.Queue = queue.Queue()
        self.listed = 0
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def _follow(self) -> None:
        try:
            for change in self.watch.changes():
                names = {each.metadata.name for each in change.objects}
                if change.kind == "listed":
                    self.now, self.listed = names, self.listed + 1
                elif change.kind == "deleted":
                    self.now -= names
                else:
                    self.now |= names
                self.heard.put(change.kind)
        except Exception as error:  # noqa: BLE001 (shown to the test)
            self.heard.put(error)


@contextmanager
def watching(lab, proxy, timing=QUICK):
    """ConfigMaps with the label of this test; decoded as events, which have metadata too."""
    paths = Paths(lab.namespace)
    path = paths.secrets.replace("secrets", "configmaps")
    client = lab.through(proxy, "admin").client(patience=5)
    names = Names(Watch(client, path, Event, {"labelSelector": "test=watch"}, timing))
    lab.until(lambda: names.listed)
    yield names
    names.watch.close()
    names.thread.join(10)
    assert not names.thread.is_alive()


def make(lab, *names: str) -> None:
    lab.apply(
        *(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": name, "labels": {"test": "watch"}},
            }
            for name in names
        )
    )


@pytest.fixture(autouse=True)
def clean(lab):
    lab.kubectl("delete", "configmap", "-l", "test=watch")


def test_what_is_made_and_deleted_is_seen(lab, proxy):
    make(lab, "one")
    with watching(lab, proxy) as names:
        assert names.now == {"one"}
        make(lab, "two")
        lab.until(lambda: names.now == {"one", "two"})
        lab.kubectl("delete", "configmap", "one")
        lab.until(lambda: names.now == {"two"})
        assert names.listed == 1


def test_a_half_open_watch_is_noticed_and_nothing_is_missed(lab, proxy):
    with watching(lab, proxy) as names:
        make(lab, "before")
        lab.until(lambda: "before" in names.now)
        proxy.freeze()
        make(lab, "meanwhile")
        lab.kubectl("delete", "configmap", "before")
        lab.until(lambda: names.now == {"meanwhile"}, seconds=10)
        assert names.listed == 1, "it went on from where it was"


def test_a_stalled_watch_is_noticed(lab, proxy):
    proxy.on("GET", "watch=1", Stall(after=10), times=1)
    with watching(lab, proxy) as names:
        make(lab, "one")
        lab.until(lambda: names.now == {"one"}, seconds=10)


def test_a_cut_connection_is_resumed(lab, proxy):
    with watching(lab, proxy) as names:
        for number in range(3):
            make(lab, f"n{number}")
            lab.until(lambda: len(names.now) == number + 1)  # noqa: B023
            proxy.cut()
        assert names.listed == 1


def test_a_version_that_is_too_old_means_a_new_list_deletions_included(lab, proxy):
    make(lab, "old", "stays")
    with watching(lab, proxy) as names:
        gone = Answer(410, body=b'{"kind":"Status","code":410,"reason":"Expired"}')
        proxy.on("GET", "watch=1", gone, times=1)
        proxy.refuse()
        proxy.cut()
        lab.kubectl("delete", "configmap", "old")
        make(lab, "new")
        proxy.heal()
        proxy.on("GET", "watch=1", gone, times=1)
        lab.until(lambda: names.now == {"stays", "new"}, seconds=10)
        assert names.listed >= 2


def test_an_error_in_the_middle_of_a_watch_is_a_new_list_too(lab, proxy):
    line = b'{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}\n'
    proxy.on("GET", "watch=1", Answer(200, body=line), times=1)
    make(lab, "one")
    with watching(lab, proxy) as names:
        lab.until(lambda: names.listed == 2)
        assert names.now == {"one"}


def test_a_login_page_instead_of_a_watch_is_got_over(lab, proxy):
    page = proxy.on("GET", "watch=1", Answer(200, body=b"<html>\nlog in\n</html>\n"), times=2)
    with watching(lab, proxy) as names:
        lab.until(lambda: len(page.met) == 2)
        make(lab, "one")
        lab.until(lambda: names.now == {"one"})


def test_a_window_that_ends_is_followed_by_another(lab, proxy):
    with watching(lab, proxy, MANY) as names:
        lab.until(lambda: len(proxy.seen("GET", "watch=1")) > 2)
        make(lab, "one")
        lab.until(lambda: names.now == {"one"})
        assert names.listed == 1


def test_bookmarks_move_it_on_where_nothing_changes(lab, proxy):
    timing = Timing(silence=5, window=4, relist=600)
    with watching(lab, proxy, timing) as names:
        # Not of the selection, so only a bookmark can tell of the time that has passed.
        lab.kubectl("create", "configmap", f"other-{lab.digest.hex[:4]}")
        lab.until(lambda: len(versions(proxy)) > 1, seconds=20)
        assert names.listed == 1
    lab.kubectl("delete", "configmap", f"other-{lab.digest.hex[:4]}")


def versions(proxy) -> set[str]:
    """From where watches were asked to go on."""
    return {
        parse_qs(urlsplit(each.target).query)["resourceVersion"][0]
        for each in proxy.seen("GET", "watch=1")
    }


def test_a_list_comes_again_after_a_time(lab, proxy):
    timing = Timing(silence=1, window=1, relist=1, pause=0.05, longest_pause=0.2)
    with watching(lab, proxy, timing) as names:
        lab.until(lambda: names.listed >= 3, seconds=15)


def test_what_is_forbidden_ends_it(lab, proxy):
    client = lab.through(proxy).client()
    watch = Watch(client, Paths("kube-system").pods, Event, {}, QUICK)
    with pytest.raises(ApiForbidden):
        list(watch.changes())
    assert len(proxy.log) == 1


def test_an_api_server_that_restarts_is_waited_for(lab, proxy):
    with watching(lab, proxy) as names:
        proxy.refuse()
        proxy.cut()
        lab.until(lambda: proxy.port)
        proxy.heal()
        make(lab, "after")
        lab.until(lambda: names.now == {"after"})


def test_a_list_of_many_pages_is_of_one_instant(lab, proxy, monkeypatch):
    from dispatcher.kubernetes import listing

    monkeypatch.setattr(listing, "PAGE", 2)
    make(lab, *"abcde")
    path = Paths(lab.namespace).secrets.replace("secrets", "configmaps")
    client = lab.through(proxy, "admin").client()
    query = {"labelSelector": "test=watch"}
    listed = everything(client, path, Event, query)
    assert [each.metadata.name for each in listed.items] == list("abcde")
    assert listed.version
    assert len(proxy.log) == 3
    gone = Answer(410, body=b'{"kind":"Status","code":410,"reason":"Expired"}')
    proxy.on("GET", "continue=", gone, times=1)
    assert len(everything(client, path, Event, query).items) == 5
