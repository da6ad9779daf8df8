"""What ``hookseal.compat`` stands in for: packages, their modules, and the names in them."""

from __future__ import annotations

import os
from typing import NamedTuple

__all__ = ["MIRRORS", "PEERS", "Mirror", "Peer", "Versions"]


class Mirror(NamedTuple):
    """A module that has a counterpart.

    Attributes:
        peer: The distribution that it is of.
        path: Where its counterpart is, behind that of the peer: "" or ".webhooks".
        names: What of it the counterpart has.
        is_whole: Whether the counterpart has all that the module exports.
    """

    peer: str
    path: str
    names: frozenset[str]
    is_whole: bool = False


class Peer(NamedTuple):
    """A distribution.

    Attributes:
        series: The beginnings of the versions that are mirrored, each with its module.
        private: Names by which its users reach into it.
        is_whole: Whether verifying is all that it is for.
    """

    series: dict[str, str]
    private: frozenset[str]
    is_whole: bool = False


_PRIVATE = frozenset({"_whsecret", "_SECRET_PREFIX", "_Webhook__verify_timestamp"})

PEERS = {
    "standardwebhooks": Peer({"1.1": "hookseal.compat.standardwebhooks"}, _PRIVATE, is_whole=True),
    "svix": Peer(
        {"2": "hookseal.compat.svix", "1": "hookseal.compat.svix1"}, _PRIVATE | {"_inner"}
    ),
    "gidgethub": Peer({"6": "hookseal.compat.github"}, frozenset()),
}

_WEBHOOK = frozenset({"Webhook", "WebhookVerificationError"})

MIRRORS = {
    "standardwebhooks": Mirror("standardwebhooks", "", _WEBHOOK, is_whole=True),
    "standardwebhooks.exceptions": Mirror(
        "standardwebhooks", ".exceptions", frozenset({"WebhookVerificationError"}), is_whole=True
    ),
    "standardwebhooks.webhooks": Mirror(
        "standardwebhooks",
        ".webhooks",
        _WEBHOOK | {"EmptyWebhookSecretError", "hmac_data"},
    ),
    # Of the packages that do much more than verify, one module is all there is to mirror.
    "svix": Mirror("svix", "", _WEBHOOK),
    "svix.webhooks": Mirror("svix", ".webhooks", _WEBHOOK, is_whole=True),
    "gidgethub.sansio": Mirror("gidgethub", "", frozenset({"validate_event"})),
}


class Versions:
    """Which version of each peer the sources are written for."""

    def __init__(self, svix: str | None = None) -> None:
        """Takes the major version of svix, if the user has named it."""
        self._named = {} if svix is None else {"svix": svix}
        self._installed: dict[str, str | None] = {}

    def module(self, peer: str) -> str | None:
        """The counterpart of the version in use; None if none is known to be it."""
        series = PEERS[peer].series
        version = self._version(peer)
        if version is None:
            # Where there is one counterpart, there is one that could be meant.
            return next(iter(series.values())) if len(series) == 1 else None
        for beginning, module in series.items():
            if f"{version}.".startswith(f"{beginning}."):
                return module
        return None

    def reason(self, peer: str) -> str:
        """Why there is no such counterpart."""
        version = self._version(peer)
        series = PEERS[peer].series
        if version is None:
            modules = ", ".join(f"{module} for {one}.x" for one, module in series.items())
            named = " or ".join(f"--{peer} {one}" for one in series)
            return f"{peer} is not installed here, and its versions differ ({modules}): say {named}"
        known = " and ".join(f"{one}.x" for one in series)
        return f"{peer} {version} is installed here, and {known} is what there is a counterpart of"

    def vendored(self, peer: str, path: str) -> str | None:
        """A package of that name beside a file or above it, which it may import instead."""
        folder = os.path.dirname(os.path.realpath(path))
        while True:
            for found in (os.path.join(folder, f"{peer}.py"), os.path.join(folder, peer)):
                if os.path.isfile(found) or os.path.isfile(os.path.join(found, "__init__.py")):
                    return found
            above = os.path.dirname(folder)
            if above == folder:
                return None
            folder = above

    def _version(self, peer: str) -> str | None:
        if peer in self._named:
            return self._named[peer]
        if peer not in self._installed:
            from importlib.metadata import PackageNotFoundError, version

            try:
                self._installed[peer] = version(peer)
            except PackageNotFoundError:
                self._installed[peer] = None
        return self._installed[peer]
