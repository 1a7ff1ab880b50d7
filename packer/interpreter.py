"""A Python interpreter: which it is and where it keeps its packages."""

from __future__ import annotations

from packer.record import Record


class Interpreter(Record, frozen=True):
    """What one interpreter says of itself. Paths are absolute paths of this machine."""

    executable: str
    version: str
    """Full version, such as "3.11.7"."""
    prefix: str
    """`sys.prefix`: the virtual environment, or the installation."""
    base_executable: str
    """The interpreter a virtual environment was made from; itself outside one."""
    purelib: str
    platlib: str
    scripts: str
    cache_tag: str
    """Such as "cpython-311": part of the name of each .pyc."""
    magic: str
    """Hex of `importlib.util.MAGIC_NUMBER`: the bytecode's format."""
    platform: str
    """`sysconfig.get_platform()`: "linux-x86_64"."""

    @property
    def minor(self) -> str:
        """Such as "3.11"."""
        return ".".join(self.version.split(".")[:2])
