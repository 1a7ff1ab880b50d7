"""What the target thinks of an order, asked before anything is packed."""

from __future__ import annotations

import threading

from msgspec.structs import replace

from dispatcher import targets
from dispatcher.request import Data, Request
from sendoff.session import Session


class Admission:
    """Asks in a thread where the target is far away: what is packed from is read meanwhile."""

    def __init__(self, session: Session, request: Request) -> None:
        """`request` may name images that do not exist yet."""
        self._target = targets.within(session.settings.namespace, request.target, session.places)
        self._request = request
        self._refusal: BaseException | None = None
        self._thread: threading.Thread | None = None
        if request.target == "local":
            self._ask()
        else:
            self._thread = threading.Thread(target=self._ask, name="admission", daemon=True)
            self._thread.start()

    def wait(self, patience: float | None = None) -> None:
        """Return once the target has agreed, or has said nothing for `patience` seconds.

        Raises:
            SendoffError: it refuses the order, or can't be asked.
        """
        if self._thread:
            self._thread.join(patience)
        if self._refusal:
            raise self._refusal

    def of_cuda(self, cuda: str) -> None:
        """Have it agree to the GPU driver that a CUDA version such as "12.4" needs, too.

        Raises:
            DriverTooOld
        """
        resources = self._request.resources
        if cuda and resources.gpu:
            resources = replace(resources, cuda=cuda)
            self._target.admit(replace(self._request, resources=resources))

    def of_data(self, data: tuple[Data, ...]) -> None:
        """Have it agree to what every command is given, before that is sent anywhere.

        Raises:
            InputsTooLarge, and what `wait` raises.
        """
        if data:
            self.wait()
            self._target.admit(replace(self._request, data=data))

    def _ask(self) -> None:
        try:
            self._target.admit(self._request)
        except Exception as refusal:  # noqa: BLE001 (`wait` raises it)
            self._refusal = refusal
