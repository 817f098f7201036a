"""What Kaggle, or the way to it, can refuse: one class for each, so that each gets its own words and next step."""

from __future__ import annotations

from toolkit.errors import AccessError


class NotFoundError(AccessError):
    """Kaggle has nothing of that name, or nothing that this person may know of."""


class VersionError(NotFoundError):
    """The thing is there, the version asked for is not."""


class PrivateError(AccessError):
    """The thing is there, or may be, and this person may not read it."""


class RulesError(AccessError):
    """The competition's rules have not been accepted, which only a person can do, on its page."""


class ConsentError(AccessError):
    """The model's terms have not been agreed to, which only a person can do, on its page."""


class CredentialsError(AccessError):
    """Credentials are missing, malformed or refused."""


class RateLimitError(AccessError):
    """Kaggle asks to wait for longer than is sensible."""


class NetworkError(AccessError):
    """Kaggle cannot be reached: no network, no name, no answer, a cut connection."""


class ProxyError(NetworkError):
    """The proxy between here and Kaggle does not let through."""


class ServerError(AccessError):
    """Kaggle has trouble of its own, or answers what nobody understands."""


class OfflineError(AccessError):
    """``--offline`` was asked for, and the thing is not complete on this disk."""


class DamagedError(AccessError):
    """What arrived is not what Kaggle says it sent."""


class SpaceError(AccessError):
    """The disk has no room for what is to arrive."""
