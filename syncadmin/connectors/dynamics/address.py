"""What people paste as the organisation's address, brought to the one form the API and the sign-in know."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from syncadmin.connectors.errors import Refused

# Where the same environment is looked at, but its API is not.
_PORTALS = (
    "admin.powerplatform.microsoft.com",
    "admin.powerplatform.com",
    "make.powerapps.com",
    "apps.powerapps.com",
    "home.dynamics.com",
    "admin.dynamics.com",
    "portal.azure.com",
    "entra.microsoft.com",
    "login.microsoftonline.com",
)
_API_HOST = re.compile(r"^([^.]+)\.api\.(crm\d*\.)", re.IGNORECASE)
# Clouds whose organisations sign in elsewhere; the end of the host tells them apart.
_AUTHORITIES = (
    ("crm.dynamics.cn", "https://login.partner.microsoftonline.cn"),
    ("microsoftdynamics.us", "https://login.microsoftonline.us"),
    ("appsplatform.us", "https://login.microsoftonline.us"),
)
PUBLIC_CLOUD = "https://login.microsoftonline.com"
PORTAL = (
    "This is the address of a Microsoft portal, not of the organisation. Open the environment in the Power Platform "
    "admin center and copy its Environment URL, such as contoso.crm4.dynamics.com."
)


def normalised(address: str) -> str:
    """Scheme, host and port; path, query and the ``.api.`` of the API's own host are left out. Raises ``Refused``."""
    text = address.strip().strip("\"'<>").strip()
    if text and "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise Refused("The address cannot be read.", code="address") from None
    if not host or parts.scheme.lower() not in ("https", "http") or "@" in parts.netloc or " " in parts.netloc:
        raise Refused("The address must look like contoso.crm4.dynamics.com.", code="address")
    if host in _PORTALS or any(host.endswith(f".{portal}") for portal in _PORTALS):
        raise Refused(PORTAL, code="address")
    host = _API_HOST.sub(r"\1.\2", host)
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme.lower()}://{shown}" + (f":{port}" if port else "")


def authority_of(address: str) -> str:
    """Where the organisation at a normalised address signs in; the public cloud unless its domain says otherwise."""
    host = urlsplit(address).hostname or ""
    return next((authority for end, authority in _AUTHORITIES if host.endswith(end)), PUBLIC_CLOUD)


def tenant_of(pasted: str) -> str:
    """The tenant in what people paste for it: an id, a domain, or a sign-in address that has it in its path."""
    text = pasted.strip().strip("\"'<>").strip()
    if "://" in text:
        text = urlsplit(text).path.strip("/").partition("/")[0]
    return text.strip("/").lower() if re.fullmatch(r"[0-9A-Fa-f-]{36}", text.strip("/")) else text.strip("/")
