"""Where an account is and who we are there: what people paste is brought to one form."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_MUNCHKIN = re.compile(r"\d{3}-[A-Za-z]{3}-\d{3}")
# What the vendor's admin screen shows behind the host, and what people copy along with it.
_TAILS = re.compile(r"/+(?:rest|identity|bulk)(?:/.*)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MarketoConfig:
    """One custom service of one Marketo account.

    ``base_url`` may be the endpoint or identity address as the admin screen shows it, a host, or only the
    Munchkin id. ``identity_url`` is needed only where signing in happens on another host. ``partition`` is where
    new people are created. ``allow_private`` admits addresses inside a private network.
    """

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    identity_url: str = ""
    allow_private: bool = False
    partition: str = ""

    @property
    def root(self) -> str:
        """Scheme and host, without ``/rest``, ``/identity`` or a closing slash; not checked for being reachable."""
        return normalised(self.base_url)

    @property
    def identity_root(self) -> str:
        return normalised(self.identity_url) if self.identity_url.strip() else self.root

    @property
    def account(self) -> str:
        """The Munchkin id if the host carries one, else the host."""
        host = urlsplit(self.root).netloc
        label = host.partition(".")[0]
        return label.upper() if _MUNCHKIN.fullmatch(label) else host


def normalised(address: str) -> str:
    """An address or Munchkin id as ``scheme://host[:port][/path]``."""
    text = address.strip().strip("\"'<>")
    if _MUNCHKIN.fullmatch(text):
        return f"https://{text.upper()}.mktorest.com"
    # A host alone; http must be written out, and is accepted on this machine only.
    if text and "://" not in text:
        text = f"https://{text}"
    scheme, mark, rest = text.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{mark}{host}" + _TAILS.sub("", f"{slash}{path}").rstrip("/")
