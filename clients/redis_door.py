"""The one way to Redis, for every client and the broker, also where TLS has a certificate that nobody vouches for."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import redis

UNCHECKED = {"ssl_cert_reqs": "none", "ssl_check_hostname": "false"}
"""As redis-py reads them in an address. The connection is encrypted all the same; whose it is, nobody knows."""


def address(url: str, *, verify: bool) -> str:
    """The address that `open_redis` takes. `verify` False: the certificate of a TLS server is not checked, unless the
    address itself says how it shall be."""
    parts = urlsplit(url)
    asked = dict(parse_qsl(parts.query))
    if verify or parts.scheme != "rediss" or any(name.startswith("ssl_") for name in asked):
        return url
    return urlunsplit(parts._replace(query=urlencode({**asked, **UNCHECKED})))


def open_redis(address: str, *, within_s: float, connect_within_s: float | None = None, **options: Any) -> redis.Redis:
    """A client that connects at its first command. `within_s` bounds the silence of each answer; `options` are
    redis-py's own."""
    return redis.Redis.from_url(
        address, socket_timeout=within_s, socket_connect_timeout=connect_within_s or within_s, **options
    )
