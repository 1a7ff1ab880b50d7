"""What goes wrong with registries. Their own words are always among the evidence."""

from __future__ import annotations

from packer.errors import SendoffError


class RegistryError(SendoffError):
    """Root of all errors about registries."""

    phase = "registry"


class ReferenceInvalid(RegistryError):
    """A text that names no image and no repository."""

    code, exit_code = "REFERENCE_INVALID", 2

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text, reason)
        self.text, self.reason = text, reason

    def what(self) -> str:
        return f"{self.text!r} names nothing in a registry"

    def why(self) -> str:
        return self.reason

    def fix(self) -> str:
        return "write it as registry.example.com/team/project"


class RegistryAuth(RegistryError):
    """The registry, or who gives out its tokens, does not let us in or not do this."""

    code = "REGISTRY_AUTH"

    def __init__(self, where: str, action: str, login: str, said: str, *, known: bool) -> None:
        """`action` is "push to" or "read"; `login` says where the login came from, empty for none;
        `known` whether the registry accepts who we are, but not what we want.
        """
        super().__init__(where, action, login, said)
        self.where, self.action, self.login, self.said = where, action, login, said
        self.known = known

    def what(self) -> str:
        return f"no right to {self.action} {self.where}"

    def why(self) -> str:
        if not self.login:
            return f"{self._host} asks for a login, and there is none for it"
        if self.known:
            return f"the login from {self.login} lacks that right"
        return f"{self._host} does not accept the login from {self.login}"

    def evidence(self) -> str:
        return self.said

    def fix(self) -> str:
        if self.login and self.known:
            return f"ask who runs {self._host} for the right to {self.action} {self.where}"
        return f"docker login {self._host}"

    @property
    def _host(self) -> str:
        return self.where.partition("/")[0]


class LoginUnreadable(RegistryError):
    """Docker's configuration, or a credential helper it names, gives no login."""

    code = "REGISTRY_LOGIN_UNREADABLE"

    def __init__(self, host: str, said: str) -> None:
        super().__init__(host, said)
        self.host, self.said = host, said

    def what(self) -> str:
        return f"the login for {self.host} cannot be read"

    def why(self) -> str:
        return "docker's configuration or its credential helper failed"

    def evidence(self) -> str:
        return self.said

    def fix(self) -> str:
        return f"docker login {self.host}"


class RegistryUnreachable(RegistryError):
    """No connection to the registry's host, again and again."""

    code, retryable = "REGISTRY_UNREACHABLE", True

    def __init__(self, host: str, address: str, said: str) -> None:
        super().__init__(host, address, said)
        self.host, self.address, self.said = host, address, said

    def what(self) -> str:
        return f"{self.host} cannot be reached"

    def why(self) -> str:
        return "its name is unknown, it is down, or a network lies between"

    def evidence(self) -> str:
        return self.said

    def fix(self) -> str:
        return f"check name and network: curl -i {self.address}/v2/"


class RegistryUntrusted(RegistryError):
    """The connection is not encrypted, or not with a certificate that this machine trusts."""

    code = "REGISTRY_UNTRUSTED"

    def __init__(self, host: str, said: str, *, plain: bool) -> None:
        """`plain`: the registry does not speak TLS at all."""
        super().__init__(host, said)
        self.host, self.said, self.plain = host, said, plain

    def what(self) -> str:
        return f"the connection to {self.host} is not secure"

    def why(self) -> str:
        if self.plain:
            return "it speaks plain http, which is used only where it is asked for"
        return "its certificate is not one that this machine trusts"

    def evidence(self) -> str:
        return self.said

    def fix(self) -> str:
        if self.plain:
            return f"if that is meant: export SENDOFF_REGISTRY_INSECURE={self.host}"
        return "name the certificate of its authority: export SENDOFF_REGISTRY_CA=ca.pem"


class PushInterrupted(RegistryError):
    """Connections broke, or the registry had no time, for longer than we wait."""

    code, retryable = "PUSH_INTERRUPTED", True

    def __init__(self, repository: str, what: str, said: str, patience: float) -> None:
        super().__init__(repository, what, said, patience)
        self.repository, self.item, self.said = repository, what, said
        self.patience = patience

    def what(self) -> str:
        return f"the push to {self.repository} was interrupted"

    def why(self) -> str:
        return f"{self.item} did not get through for {self.patience:g} s"

    def evidence(self) -> str:
        return self.said

    def fix(self) -> str:
        return "the same command again goes on from here; what has arrived is not sent again"


class PullInterrupted(PushInterrupted):
    """The same, while reading."""

    code = "PULL_INTERRUPTED"

    def what(self) -> str:
        return f"reading from {self.repository} was interrupted"

    def fix(self) -> str:
        return "the same command again, when the registry answers"


class DigestGone(RegistryError):
    """The registry does not have what a digest or a tag names."""

    code = "DIGEST_GONE"

    def __init__(self, repository: str, target: str, said: str = "") -> None:
        super().__init__(repository, target, said)
        self.repository, self.target, self.said = repository, target, said

    def what(self) -> str:
        return f"{self.target} is not in {self.repository}"

    def why(self) -> str:
        return "it was removed, or was never pushed there"

    def evidence(self) -> str:
        return self.said

    def fix(self) -> str:
        return "push it again: sendoff pack"


class BaseUnknown(DigestGone):
    """The base image's name stands for nothing."""

    code = "BASE_UNKNOWN"

    def what(self) -> str:
        sign = "@" if self.target.startswith("sha256:") else ":"
        return f"there is no base image {self.repository}{sign}{self.target}"

    def why(self) -> str:
        return ""

    def fix(self) -> str:
        return "check the name of the base image"


class PlatformMissing(RegistryError):
    """The base image exists, but not for the platform that is packed for."""

    code = "PLATFORM_MISSING"

    def __init__(self, image: str, platform: str, found: tuple[str, ...]) -> None:
        super().__init__(image, platform, found)
        self.image, self.platform, self.found = image, platform, found

    def what(self) -> str:
        return f"{self.image} has no image for {self.platform}"

    def evidence(self) -> str:
        return "it has " + (", ".join(self.found) or "none")

    def fix(self) -> str:
        return "choose a base image that has one"


class AnswerAltered(RegistryError):
    """The registry sent other bytes than those that were asked for."""

    code, retryable = "BLOB_ALTERED", True

    def __init__(self, digest: str, actual: str, repository: str) -> None:
        super().__init__(digest, actual, repository)
        self.digest, self.actual, self.repository = digest, actual, repository

    def what(self) -> str:
        return f"{self.repository} sent other bytes than {self.digest}"

    def why(self) -> str:
        return "they were altered where they are kept, or on their way"

    def evidence(self) -> str:
        return f"they have the digest {self.actual}"

    def fix(self) -> str:
        return "try again; if it stays, tell who runs the registry: the image must be pushed anew"


class AnswerUnreadable(RegistryError):
    """What answers is no registry, or its answer breaks the specification."""

    code = "REGISTRY_UNREADABLE"

    def __init__(self, where: str, said: str) -> None:
        super().__init__(where, said)
        self.where, self.said = where, said

    def what(self) -> str:
        return f"{self.where} does not answer as a registry does"

    def evidence(self) -> str:
        return self.said

    def fix(self) -> str:
        return "check the name of the registry, and any proxy in between"


class ReferrersContended(RegistryError):
    """Others write the same list of what refers to an image, again and again."""

    code, retryable = "REFERRERS_CONTENDED", True

    def __init__(self, repository: str, tag: str) -> None:
        super().__init__(repository, tag)
        self.repository, self.tag = repository, tag

    def what(self) -> str:
        return f"what refers to an image of {self.repository} could not be listed"

    def why(self) -> str:
        return "this registry has no referrers API, and others write the list at the same time"

    def evidence(self) -> str:
        return f"tag {self.tag}"

    def fix(self) -> str:
        return "the same command again, when the others are done"


class RegistryReadOnly(RegistryError):
    """The registry takes nothing, or not now."""

    code, retryable = "REGISTRY_READ_ONLY", True

    def __init__(self, repository: str, said: str) -> None:
        super().__init__(repository, said)
        self.repository, self.said = repository, said

    def what(self) -> str:
        return f"{self.repository} takes no uploads"

    def why(self) -> str:
        return "the registry is read-only: a mirror, or closed while it is cleaned up"

    def evidence(self) -> str:
        return self.said

    def fix(self) -> str:
        return "wait until it is open again, or name another registry"


class RegistryRefused(RegistryError):
    """Any other answer that will not change by asking again."""

    code = "REGISTRY_REFUSED"

    def __init__(self, where: str, asked: str, status: int, said: str) -> None:
        super().__init__(where, asked, status, said)
        self.where, self.asked, self.status, self.said = where, asked, status, said

    def what(self) -> str:
        return f"{self.where} refused: {self.asked}"

    def why(self) -> str:
        if self.status == _TOO_LARGE:
            return "something before the registry limits the size of a request"
        return f"it answered {self.status}"

    def evidence(self) -> str:
        return self.said

    def fix(self) -> str:
        if self.status == _TOO_LARGE:
            return "have its owner raise that limit (nginx: client_max_body_size 0)"
        if "NAME_UNKNOWN" in self.said:
            return f"create it first, or have its owner do so: {self.where}"
        return f"ask who runs {self.where.partition('/')[0]}, with these words"


class RedirectRefused(RegistryError):
    """The registry sends us elsewhere, to where our login must not go."""

    code = "REGISTRY_REDIRECTED"

    def __init__(self, host: str, location: str, reason: str) -> None:
        super().__init__(host, location, reason)
        self.host, self.location, self.reason = host, location, reason

    def what(self) -> str:
        return f"{self.host} sends us to another address"

    def why(self) -> str:
        return self.reason

    def evidence(self) -> str:
        return self.location

    def fix(self) -> str:
        return "name the registry by the address it sends to, or have its owner set its public one"


_TOO_LARGE = 413
