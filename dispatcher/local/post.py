"""What whoever starts a run tells its supervisor."""

from __future__ import annotations

from packer import parcel

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket

FREE = b"f"
"""What a supervisor says that has nothing to do, on the line on which posts come."""


class Post:
    """One run to be looked after."""

    def __init__(
        self,
        *,
        run: str,
        places: tuple[str, ...],
        root: str,
        protected: tuple[str, ...],
        lasting: float,
        variables: dict[bytes, bytes],
    ) -> None:
        self.run = run
        self.places = places
        """Paths of layout, store, cache and state."""
        self.root, self.protected = root, protected
        """The environment's folder of the first index, and those that nothing may write to that
        is started; both are empty where the run's images are not ready."""
        self.lasting = lasting
        """Seconds for which another run is waited for after it."""
        self.variables = variables
        """The environment variables of whoever starts it."""

    @property
    def store(self) -> str:
        """The directory that is the store."""
        return self.places[1]

    @property
    def cache(self) -> str:
        """The folder of what was unpacked."""
        return self.places[-2]

    @property
    def state(self) -> str:
        """The folder of all that is known of runs on this machine."""
        return self.places[-1]

    def send(self, line: _socket.socket, lock: int) -> None:
        """Hand it over, and the run's lock.

        Raises:
            OSError: nobody takes it.
        """
        parcel.send(line, vars(self), (lock,))

    @classmethod
    def take(cls, line: _socket.socket) -> tuple[Post, int]:
        """What is handed over, and the run's lock.

        Raises:
            EOFError, OSError: there is nothing more.
        """
        value, (lock,) = parcel.receive(line)
        return cls(**value), lock
