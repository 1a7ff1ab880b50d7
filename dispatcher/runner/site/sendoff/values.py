"""Values as files: JSON where that says all, npz where there are arrays, else a pickle.

    NAME.json         plain JSON; what JSON has no word for is named in NAME.types.json
    NAME.types.json   JSON pointer (RFC 6901) → "tuple" or a NumPy scalar type such as "float32"
    NAME.npz          the arrays; with `value.json` in it where there is more than one array
    NAME.pkl          everything else

A value comes back exactly as it was, types and all; what can't is pickled. Only whoever wants a
value back unpickles it. The same code reads and writes on both sides: it is part of the image.
"""

from __future__ import annotations

import importlib
import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

JSON, TYPES, NPZ, PICKLE = ".json", ".types.json", ".npz", ".pkl"
_ARRAY, _TUPLE = "array", "tuple"
_ONLY = "array"
_STRUCTURE = "value.json"
_PLAIN = (bool, int, float, str)
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PINNED = os.path.join(os.path.dirname(__file__), "..", "..", "pickling")


class Opaque(Exception):
    """JSON and arrays do not say all of a value."""


class Plain:
    """A value taken apart: what is JSON, the types that JSON lacks, and arrays by pointer.

    Raises:
        Opaque
    """

    def __init__(self, value: Any) -> None:
        self.types: dict[str, str] = {}
        self.arrays: dict[str, Any] = {}
        self._numpy: Any = sys.modules.get("numpy")
        try:
            self.json = self._take(value, "")
        except RecursionError:
            raise Opaque from None

    def text(self) -> str:
        """The JSON.

        Raises:
            Opaque: a number is too long to be written.
        """
        try:
            return json.dumps(self.json)
        except ValueError:
            raise Opaque from None

    def _take(self, value: Any, at: str) -> Any:
        kind = type(value)
        if value is None or kind in _PLAIN:
            return value
        if kind in (list, tuple):
            if kind is tuple:
                self.types[at] = _TUPLE
            return [self._take(part, f"{at}/{place}") for place, part in enumerate(value)]
        if kind is dict:
            if not all(type(key) is str for key in value):
                raise Opaque
            return {key: self._take(part, f"{at}/{_escaped(key)}") for key, part in value.items()}
        return self._take_numpy(value, at)

    def _take_numpy(self, value: Any, at: str) -> Any:
        numpy = self._numpy
        if numpy is None:
            raise Opaque
        # Its place becomes a name in an archive.
        if at.isprintable() and type(value) is numpy.ndarray and value.dtype.kind in "biufcSUmM":
            self.types[at] = _ARRAY
            self.arrays[at] = value
            return None
        if not isinstance(value, numpy.generic):
            raise Opaque
        plain = value.item()
        if type(plain) not in _PLAIN[:3] or type(value) is not getattr(numpy, value.dtype.name, 0):
            raise Opaque
        self.types[at] = value.dtype.name
        return plain


def write(value: Any, stem: str, *, whole: bool = False) -> list[str]:
    """Write `value` to files whose paths begin with `stem`; the one to `read` comes first.

    With `whole`, a pickle has what __main__ defines in it, because the reader's is another one.

    Raises:
        Exception: it can't be pickled; whatever its classes raise.
    """
    try:
        plain = Plain(value)
        text = plain.text()
    except Opaque:
        _pickle(value, stem + PICKLE, whole=whole)
        return [stem + PICKLE]
    if plain.arrays:
        _write_arrays(plain, text, stem + NPZ)
        return [stem + NPZ]
    _write(stem + JSON, text)
    if not plain.types:
        return [stem + JSON]
    _write(stem + TYPES, json.dumps(plain.types))
    return [stem + JSON, stem + TYPES]


def read(path: str) -> Any:
    """The value in a file that `write` named first. A pickle is trusted: it may run anything.

    Raises:
        Exception: whatever the unpickled raises.
    """
    stem = path.removesuffix(NPZ).removesuffix(PICKLE).removesuffix(JSON)
    if path.endswith(NPZ):
        return _read_arrays(path)
    if path.endswith(PICKLE):
        with open(path, "rb") as stream:
            return unpickle(stream)
    with open(path, encoding="ascii") as stream:
        value = json.load(stream)
    if not os.path.exists(stem + TYPES):
        return value
    with open(stem + TYPES, encoding="ascii") as stream:
        return _restored(value, "", json.load(stream), {})


def unpickle(stream: Any) -> Any:
    """The value in a pickle, which cloudpickle may have made."""
    _have_cloudpickle()
    import pickle

    # Where it was pickled, what is the program here was imported, under one of these names.
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    for name in ("__mp_main__", *([spec.name] if spec else [])):
        sys.modules.setdefault(name, main)
    return pickle.load(stream)


def pickled(value: Any, *, whole: bool = False) -> bytes:
    """`value` as a pickle; see `write`.

    Raises:
        Exception: it can't be pickled; whatever its classes raise.
    """
    import io

    stream = io.BytesIO()
    _dump(value, stream, whole=whole)
    return stream.getvalue()


def _pickle(value: Any, path: str, *, whole: bool) -> None:
    try:
        with open(path, "wb") as stream:
            _dump(value, stream, whole=whole)
    except BaseException:
        os.unlink(path)
        raise


def _dump(value: Any, stream: Any, *, whole: bool) -> None:
    import pickle

    if not whole:
        try:
            pickle.dump(value, stream, protocol=5)
        except Exception:  # noqa: BLE001 (what is defined within a function, among others)
            stream.seek(0)
            stream.truncate()
        else:
            return
    _have_cloudpickle()
    cloudpickle: Any = importlib.import_module("cloudpickle")
    cloudpickle.dump(value, stream, protocol=5)


def _have_cloudpickle() -> None:
    """The version that whoever sends had, not the environment's: pickles of either are the other's
    only as long as cloudpickle's own functions are the same.
    """
    if "cloudpickle" in sys.modules or not os.path.isdir(_PINNED):
        return
    sys.path.insert(0, _PINNED)
    try:
        importlib.import_module("cloudpickle")
    finally:
        sys.path.remove(_PINNED)


def _write_arrays(plain: Plain, text: str, path: str) -> None:
    """A zip of .npy members, as `numpy.load` reads it. The same arrays give the same bytes."""
    import zipfile

    file_format: Any = importlib.import_module("numpy.lib.format")
    single = list(plain.arrays) == [""]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for at, array in plain.arrays.items():
            name = zipfile.ZipInfo(f"{_member(at)}.npy", _EPOCH)
            with archive.open(name, "w", force_zip64=True) as stream:
                file_format.write_array(stream, array, allow_pickle=False)
        if not single:
            structure = json.dumps({"value": json.loads(text), "types": plain.types})
            archive.writestr(zipfile.ZipInfo(_STRUCTURE, _EPOCH), structure)


def _read_arrays(path: str) -> Any:
    import zipfile

    file_format: Any = importlib.import_module("numpy.lib.format")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        structure: dict[str, Any] = {"value": None, "types": {"": _ARRAY}}
        if _STRUCTURE in names:
            structure = json.loads(archive.read(_STRUCTURE))
        arrays = {}
        for at, kind in structure["types"].items():
            if kind == _ARRAY:
                with archive.open(f"{_member(at)}.npy") as stream:
                    arrays[at] = file_format.read_array(stream, allow_pickle=False)
    return _restored(structure["value"], "", structure["types"], arrays)


def _member(at: str) -> str:
    return at[1:] if at else _ONLY


def _restored(value: Any, at: str, types: dict[str, str], arrays: dict[str, Any]) -> Any:
    kind = types.get(at)
    if kind == _ARRAY:
        return arrays[at]
    if isinstance(value, list):
        parts = [
            _restored(part, f"{at}/{place}", types, arrays) for place, part in enumerate(value)
        ]
        return tuple(parts) if kind == _TUPLE else parts
    if isinstance(value, dict):
        return {
            key: _restored(part, f"{at}/{_escaped(key)}", types, arrays)
            for key, part in value.items()
        }
    return getattr(importlib.import_module("numpy"), kind)(value) if kind else value


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as stream:
        stream.write(text)
