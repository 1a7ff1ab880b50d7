"""Manifests of indexes whose runner wrote none, and the slow start of a run.

Everything here is rare: it is imported late, in the functions, and has the time to be.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatcher.local.plan import Plan
    from dispatcher.places import Places
    from dispatcher.run import Failure, Manifest, Run, State


class Failures:
    """Commits for the supervisor of one run. `places` are layout, store, cache and state."""

    def __init__(self, run: str, places: tuple[str, ...]) -> None:
        self._run_id, self._paths = run, places

    def prepare(self) -> Plan | None:
        """Make the run's images ready; None where they can't be, and every index says why."""
        from dispatcher import diagnosis
        from dispatcher.local.preparation import Preparation
        from packer.errors import SendoffError

        run = self._run()
        try:
            return Preparation(run.request, self._places()).prepare()
        except SendoffError as error:
            for index in range(len(run.request.inputs)):
                self._commit(index, 0, "failed", diagnosis.of_error(error))
        return None

    def cancelled(self, index: int, attempt: int = 0) -> None:
        """An index was cancelled before its command was started."""
        self._commit(index, attempt, "cancelled", None)

    def unprepared(self, index: int, error: OSError, folder: str) -> None:
        """There is no working directory for an index."""
        from dispatcher import diagnosis

        self._commit(index, 0, "failed", diagnosis.of_workspace(error, folder))

    def runner_ended(self, index: int, attempt: int, status: int, kept: str) -> None:
        """A runner ended without a commit; see `diagnosis.of_runner`."""
        from dispatcher import diagnosis

        memory = self._run().request.resources.memory
        failure = diagnosis.of_runner(self._run_id, status, kept, memory)
        manifest = self._interrupted(index, attempt, failure)
        if manifest:
            self._put(manifest)
        else:
            self._commit(index, attempt, "failed", failure)

    def _interrupted(self, index: int, attempt: int, failure: Failure) -> Manifest | None:
        """What an interrupted attempt had come to."""
        import msgspec

        from dispatcher.store import Runs

        found = Runs.at(self._places()).interrupted(self._run_id, index, attempt)
        return msgspec.structs.replace(found, failure=failure) if found else None

    def _commit(self, index: int, attempt: int, state: State, failure: Failure | None) -> None:
        import msgspec

        from dispatcher.run import unreported

        manifest = unreported(self._run(), index, attempt, self._started(index, attempt))
        self._put(msgspec.structs.replace(manifest, state=state, failure=failure))

    def _started(self, index: int, attempt: int) -> str:
        """Since when the attempt was under way; empty where its runner did not come to say so."""
        from dispatcher.store import Runs

        found = Runs.at(self._places()).started(self._run_id, index, attempt)
        return found.started if found else ""

    def _put(self, manifest: Manifest) -> None:
        from dispatcher.store import Runs
        from packer import disk, record

        places = self._places()
        try:
            Runs.at(places).commit(manifest)
        except OSError:
            # The store takes nothing: what became of the index is known on this machine at least.
            path = places.supervisor(self._run_id) / f"{manifest.index}.json"
            disk.replace(path, record.encode(manifest))

    def _run(self) -> Run:
        from dispatcher.store import Runs

        return Runs.at(self._places()).run(self._run_id)

    def _places(self) -> Places:
        from pathlib import Path

        from dispatcher.places import Places

        layout, store, cache, state = self._paths
        return Places(layout=Path(layout), store=store, cache=Path(cache), state=Path(state))
