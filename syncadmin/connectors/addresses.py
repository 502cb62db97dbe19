"""Which addresses may be called: https, or http on this machine; nothing private unless the connection allows it.

An administrator types the address, so without this the server could be sent to look around its own network.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from syncadmin.connectors.errors import Refused

# The code of a refusal that an operator of this server may lift.
INSIDE = "private"
_PORTS = {"https": 443, "http": 80}
REMEDY = "Addresses inside a private network must be allowed for this connection explicitly."


def checked_base(address: str, *, allow_private: bool) -> SplitResult:
    """The connection's own address, its path without a closing slash. Raises ``Refused``."""
    parts = _split(address.strip())
    host = parts.hostname or ""
    if parts.query or parts.fragment:
        raise Refused("The address must not carry a query or a fragment.", code="address")
    if parts.scheme == "http" and not is_loopback(host):
        raise Refused("The address must begin with https://.", code="address")
    if not allow_private and is_inside(host):
        raise Refused(f"The address {host} lies inside a private network. {REMEDY}", code=INSIDE)
    return parts._replace(path=parts.path.rstrip("/"))


def resolved(base: SplitResult, path: str) -> str:
    """The absolute URL of a path below the base, or of a link that must lead below it. Raises ``Refused``."""
    if "://" not in path.partition("?")[0]:
        return f"{base.scheme}://{base.netloc}{base.path}/{path.lstrip('/')}"
    parts = _split(path)
    if _origin(parts) != _origin(base):
        raise Refused(
            f"A link leads away from {base.hostname} to {parts.hostname}; it is not followed.", code="address"
        )
    if not parts.path.startswith(base.path + "/") or ".." in parts.path.split("/"):
        raise Refused("A link leads out of the connection's own path; it is not followed.", code="address")
    return path


def is_inside(host: str) -> bool:
    """Whether a literal address or name belongs to this machine or a private, link-local or reserved network."""
    if is_loopback(host):
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False  # a name: its address is looked at when the connection stands
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return not address.ipv4_mapped.is_global
    return not address.is_global or address.is_multicast


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _split(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise Refused("The address cannot be read.", code="address") from error
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise Refused("The address must look like https://name.example.com.", code="address")
    if "@" in parts.netloc:
        raise Refused("The address must not carry a user name or password.", code="address")
    if any(character.isspace() or character == "\\" for character in parts.netloc + parts.path):
        raise Refused("The address contains blanks or backslashes.", code="address")
    return parts


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS[parts.scheme]
