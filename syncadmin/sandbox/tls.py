"""A throw-away certificate authority for clients that accept only https."""

from __future__ import annotations

import ssl
from pathlib import Path


def context(folder: Path) -> ssl.SSLContext:
    """A server context for localhost and 127.0.0.1. `folder/ca.pem` is what a client has to trust.

    The authority is made once and kept, so that a client's trust survives a restart.
    """
    import trustme  # needed only with --tls; production has no use for it

    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "ca.pem", folder / "ca-key.pem"
    if certificate.exists() and key.exists():
        authority = trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    else:
        authority = trustme.CA()
        key.touch(mode=0o600)
        authority.private_key_pem.write_to_path(str(key))
        authority.cert_pem.write_to_path(str(certificate))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(server)
    return server
