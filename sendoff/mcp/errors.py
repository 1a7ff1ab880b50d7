"""What keeps the MCP server from starting. See `packer.errors` for the form."""

from __future__ import annotations

from packer.errors import SendoffError


class SdkMissing(SendoffError):
    """The official SDK is not installed."""

    code, phase = "MCP_UNAVAILABLE", "configuration"

    def __init__(self, missing: str) -> None:
        super().__init__(missing)
        self.missing = missing

    def what(self) -> str:
        return "the MCP server needs the official SDK"

    def why(self) -> str:
        return f"there is no module {self.missing}"

    def fix(self) -> str:
        return "python -m pip install 'sendoff[mcp]'"


class TokenMissing(SendoffError):
    """Nobody said which token clients have to send."""

    code, phase, exit_code = "MCP_TOKEN", "configuration", 2

    def __init__(self, seen: str) -> None:
        super().__init__(seen)
        self.seen = seen

    def what(self) -> str:
        return "there is no token that clients have to send"

    def why(self) -> str:
        return "whoever can call the server can run commands as you"

    def evidence(self) -> str:
        return self.seen

    def fix(self) -> str:
        return "export SENDOFF_MCP_TOKEN=$(openssl rand -hex 32), or name a file: --token-file FILE"


class TokenWeak(SendoffError):
    """A token that can be guessed."""

    code, phase, exit_code = "MCP_TOKEN", "configuration", 2

    def __init__(self, length: int, shortest: int) -> None:
        super().__init__(length, shortest)
        self.length, self.shortest = length, shortest

    def what(self) -> str:
        return f"the token has {self.length} letters, and needs {self.shortest}"

    def why(self) -> str:
        return "whoever guesses it can run commands as you"

    def fix(self) -> str:
        return "export SENDOFF_MCP_TOKEN=$(openssl rand -hex 32)"


class PortTaken(SendoffError):
    """The server can't listen there."""

    code, phase = "MCP_PORT", "configuration"

    def __init__(self, host: str, port: int, said: str) -> None:
        super().__init__(host, port, said)
        self.host, self.port, self.said = host, port, said

    def what(self) -> str:
        return f"can't listen on {self.host}, port {self.port}"

    def why(self) -> str:
        return self.said

    def fix(self) -> str:
        return "take another: sendoff mcp --http --port 0"
