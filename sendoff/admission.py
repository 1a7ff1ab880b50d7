"""What the target thinks of an order, asked before anything is packed or built."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from dispatcher import targets
from dispatcher.request import Data, Request, Resources
from packer.errors import SendoffError
from packer.progress import Progress
from sendoff.session import Session

if TYPE_CHECKING:
    from dispatcher.kubernetes.cluster_facts import ClusterFacts

_PATIENCE = 5.0
"""Seconds for a cluster that packing could do without."""


class Consent(Protocol):
    """Whoever has to agree to images before they are made."""

    def wait(self) -> None:
        """Return once nothing is against packing. Raises: what is."""

    def of_images(self, cuda: str, driver: str) -> None:
        """Have it agree to images for a CUDA version ("12.4", "13"), on a base that wants a driver.

        Either may be empty.

        Raises:
            DriverTooOld
        """


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

    def of_images(self, cuda: str, driver: str) -> None:
        """As `Consent`."""
        resources = self._request.resources
        if (cuda or driver) and resources.gpu:
            resources = replace(resources, cuda=cuda, driver=driver)
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


class DriverAdmission:
    """Asks a cluster for its nodes' drivers, for images that nobody sends off yet.

    Whatever else a run needs may come later; and a cluster that can't be asked refuses nothing.
    """

    def __init__(self, session: Session, progress: Progress) -> None:
        self._settings, self._gpu = session.cluster(), session.settings.gpu
        self._progress = progress
        self._facts: ClusterFacts | None = None
        self._silence = ""
        self._thread = threading.Thread(target=self._ask, name="drivers", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Nothing but drivers is against packing, and those only where images need them."""

    def of_images(self, cuda: str, driver: str) -> None:
        """As `Consent`."""
        from dispatcher.kubernetes import cluster, drivers
        from dispatcher.kubernetes.admission import Admission as ClusterAdmission
        from dispatcher.kubernetes.refusals import DriverTooOld

        needed = drivers.needed(cuda, driver)
        if not needed:
            return
        self._progress.start("asking the nodes for their drivers")
        self._thread.join()
        self._progress.done(self._silence)
        judge = ClusterAdmission(cluster.catalogue(self._settings), self._facts, self._settings)
        try:
            judge.admit(Resources(gpu=self._gpu), needed)
        except DriverTooOld:
            raise
        except SendoffError:
            # What else is in the way of a run is told to whoever starts one.
            return

    def _ask(self) -> None:
        from dispatcher.kubernetes import cluster
        from dispatcher.kubernetes.client import Client

        try:
            self._facts = cluster.facts(Client(self._settings, _PATIENCE), usage=False)
            self._silence = "" if self._facts else "they can't be listed: nobody knows"
        except SendoffError as error:
            self._silence = f"nobody knows: {error.what()}"


def driver_admission(session: Session, progress: Progress) -> DriverAdmission | None:
    """Who is asked about images for a GPU class; None where nobody tells of drivers."""
    from sendoff.cuda_choice import is_cpu

    settings = session.settings
    if settings.target != "kubernetes" or is_cpu(settings.gpu):
        return None
    return DriverAdmission(session, progress)
