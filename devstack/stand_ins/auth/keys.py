"""The keys Auth signs with: newest first, kept in a private file so that tokens survive a restart."""

import base64
import hashlib
import json
import os
import re
import threading
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

ALGORITHM = "RS256"
KEY_BITS = 2048
EXPONENT = 65537
PEM_BLOCK = re.compile(rb"-----BEGIN [^-]+-----.+?-----END [^-]+-----\n?", re.DOTALL)


class Keyring:
    """RSA keys; the first signs, all of them are published, so that older tokens stay valid."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._path = path
        self._keys = _read(path) if path is not None and path.exists() else []
        if not self._keys:
            self.rotate()

    def rotate(self) -> str:
        """Put a new key in front, write the file, and return the new key's id."""
        with self._lock:
            self._keys = [generate_private_key(EXPONENT, KEY_BITS), *self._keys]
            if self._path is not None:
                _write(self._path, self._keys)
            return _kid(self._keys[0])

    def sign(self, claims: dict[str, Any]) -> str:
        """Return the claims as a compact JWT, with the key's id in the header."""
        key = self._keys[0]
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": _kid(key)})

    def published(self) -> dict[str, Any]:
        """Return the public halves as a JSON Web Key Set."""
        return {"keys": [_public(key) for key in self._keys]}


def _read(path: Path) -> list[RSAPrivateKey]:
    blocks = PEM_BLOCK.findall(path.read_bytes())
    keys = [serialization.load_pem_private_key(block, password=None) for block in blocks]
    return [key for key in keys if isinstance(key, RSAPrivateKey)]


def _write(path: Path, keys: list[RSAPrivateKey]) -> None:
    """Replace the file in one step; it is private from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.writelines(_pem(key) for key in keys)
    fresh.replace(path)


def _pem(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _public(key: RSAPrivateKey) -> dict[str, Any]:
    return {**_essentials(key), "kid": _kid(key), "use": "sig", "alg": ALGORITHM}


def _kid(key: RSAPrivateKey) -> str:
    """Return the key's thumbprint (RFC 7638): the same key has the same id after a restart."""
    canonical = json.dumps(_essentials(key), sort_keys=True, separators=(",", ":")).encode()
    return _base64url(hashlib.sha256(canonical).digest())


def _essentials(key: RSAPrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}


def _number(value: int) -> str:
    return _base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
