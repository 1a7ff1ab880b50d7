"""Where an S3 store is: `http(s)://host[:port]/bucket[/prefix]`."""

from __future__ import annotations

REGION = "us-east-1"
"""What MinIO answers to unless it was told otherwise."""

_SCHEMES = ("http", "https")
# S3, "Bucket naming rules", with what older buckets may have.
_SHORTEST, _LONGEST = 3, 63
_BUCKET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_")
_PRIVATE_NAMES = (".svc", ".local", ".internal", ".localhost")


class S3Address:
    """The parts of a store's URL.

    Raises:
        ValueError: `url` is no such URL; the words say why.
    """

    def __init__(self, url: str, region: str = "") -> None:
        scheme, _, rest = url.partition("://")
        self.host, _, path = rest.partition("/")
        """With the port, where one is given."""
        self.bucket, _, self.prefix = path.strip("/").partition("/")
        if scheme not in _SCHEMES:
            raise ValueError(f"{url!r} does not begin with http:// or https://")
        if not self.host or "@" in self.host:
            raise ValueError(f"{scheme}://… has no host, or more before it than a store's URL has")
        if not self.bucket:
            raise ValueError(f"{url!r} names no bucket: {scheme}://{self.host}/BUCKET")
        if not _SHORTEST <= len(self.bucket) <= _LONGEST or not _BUCKET.issuperset(self.bucket):
            raise ValueError(f"{self.bucket!r} is no name of a bucket")
        if any(letter in path for letter in "?#\\") or "//" in path:
            raise ValueError(f"{url!r} has more than a bucket and a prefix")
        self.secure = scheme == "https"
        self.region = region or REGION
        self.endpoint = f"{scheme}://{self.host}"

    @property
    def url(self) -> str:
        """The URL without a "/" at its end."""
        return "/".join(filter(None, (self.endpoint, self.bucket, self.prefix)))

    def name(self, key: str) -> str:
        """The object's name of a key: `prefix/key`, with what S3 or XML can't carry escaped.

        No two keys have the same name. Keys that hold such letters come from file names alone.
        """
        name = f"{self.prefix}/{key}" if self.prefix else key
        if name.isprintable() and name.isascii() and "%" not in name and "\\" not in name:
            return name
        return "".join(map(_escaped, name))

    def key(self, name: str) -> str:
        """The key of an object's name; what was escaped stays so."""
        return name[len(self.prefix) + 1 :] if self.prefix else name

    def exposed(self) -> bool:
        """Whether credentials and results would cross an open network in clear text."""
        return not self.secure and not _private(self.host)


def is_s3(address: str) -> bool:
    """Whether a store's address is a URL, and not a directory."""
    return "://" in address


def _escaped(letter: str) -> str:
    if letter in "%\\" or not (letter.isprintable() or letter == " "):
        return "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogateescape"))
    return letter


def _private(host: str) -> bool:
    """Whether a host is this machine, or in a network of its own."""
    import ipaddress

    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return "." not in name or name.endswith(_PRIVATE_NAMES)
    return address.is_private
