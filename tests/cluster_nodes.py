"""An API server on the loopback device that knows nodes and nothing else."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

NODES, FOUND, MISSING = "/api/v1/nodes", 200, 404


class ClusterNodes:
    """Serves the nodes that it is given."""

    def __init__(self, *nodes: dict[str, Any]) -> None:
        self.nodes = list(nodes)
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                there = self.path.partition("?")[0] == NODES
                listed = {"kind": "NodeList", "metadata": {}, "items": served.nodes}
                data = json.dumps(listed if there else {"kind": "Status"}).encode()
                self.send_response(FOUND if there else MISSING)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def kubeconfig(self, path: Path) -> Path:
        """A kubeconfig for it, written to `path`."""
        server = f"http://127.0.0.1:{self._server.server_port}"
        config = {
            "clusters": [{"name": "here", "cluster": {"server": server}}],
            "users": [{"name": "me", "user": {"token": "mine"}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
            "current-context": "here",
        }
        path.write_text(json.dumps(config))
        return path
