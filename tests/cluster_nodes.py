"""An API server on the loopback device that knows nodes and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.web_server import Handler, WebServer

NODES, FOUND, MISSING = "/api/v1/nodes", 200, 404


class ClusterNodes(WebServer):
    """Serves the nodes that it is given."""

    def __init__(self, *nodes: dict[str, Any]) -> None:
        self.nodes = list(nodes)
        served = self

        class Nodes(Handler):
            def do_GET(self) -> None:
                there = self.path.partition("?")[0] == NODES
                listed = {"kind": "NodeList", "metadata": {}, "items": served.nodes}
                data = json.dumps(listed if there else {"kind": "Status"}).encode()
                self.answer(FOUND if there else MISSING, data, "application/json")

        super().__init__(Nodes)

    def kubeconfig(self, path: Path) -> Path:
        """A kubeconfig for it, written to `path`."""
        config = {
            "clusters": [{"name": "here", "cluster": {"server": self.url}}],
            "users": [{"name": "me", "user": {"token": "mine"}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
            "current-context": "here",
        }
        path.write_text(json.dumps(config))
        return path
