"""Redis behind TLS, as platforms rent it: with a certificate that nobody vouches for, and with one that is checked."""

import datetime as dt
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from boot import broker as brokers
from boot.services import connect
from boot.settings import Settings
from clients.redis_door import address
from shop.ports.events import StreamUnavailable
from tests.rules.source import PRODUCT, ROOT, python_files

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class TlsRedis:
    url: str
    certificate: Path


@pytest.fixture(name="tls", scope="module")
def _tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsRedis]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server with TLS on this machine (Debian: apt-get install redis-server)")
    folder = tmp_path_factory.mktemp("redis")
    certificate = _certificate(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--port", "0", "--tls-port", str(port), "--tls-cert-file", "server.pem", "--tls-key-file", "server.key"]
    words += ["--tls-ca-cert-file", "server.pem", "--tls-auth-clients", "no", "--requirepass", "secret", "--save", ""]
    server = subprocess.Popen([program, *words], cwd=folder, stdout=subprocess.DEVNULL)
    url = f"rediss://:secret@127.0.0.1:{port}/0"
    try:
        _until_it_answers(url)
        yield TlsRedis(url, certificate)
    finally:
        server.terminate()
        server.wait(10)


def test_everything_that_speaks_to_redis_bears_a_certificate_it_signed_itself(
    tls: TlsRedis, settings_with: Callable[..., Settings]
) -> None:
    services = connect(settings_with(redis_url=tls.url, redis_tls_verify=False), name="test")
    assert services.limits.alive()
    assert services.limits.take("of the test", limit=2, per_s=60).remaining == 1
    services.events.append(b"{}", events=1, received_at=NOON)
    assert services.events.length() == 1
    services.answers.keep("an answer", b"of an hour", for_s=60)
    assert services.answers.find("an answer") == b"of an hour"
    assert brokers.connect(services.settings).memory_policy() == "noeviction"
    services.db.close()


def test_by_default_such_a_certificate_is_refused(tls: TlsRedis, settings_with: Callable[..., Settings]) -> None:
    services = connect(settings_with(redis_url=tls.url), name="test")
    assert not services.limits.alive()
    with pytest.raises(StreamUnavailable):
        services.events.length()
    services.db.close()


def test_the_signers_certificate_can_be_named_in_the_address(
    tls: TlsRedis, settings_with: Callable[..., Settings]
) -> None:
    url = f"{tls.url}?ssl_ca_certs={tls.certificate}"
    services = connect(settings_with(redis_url=url, redis_tls_verify=False), name="test")
    assert services.limits.alive()
    services.db.close()


def test_an_address_that_says_how_it_is_checked_is_left_alone() -> None:
    assert address("rediss://h/1?ssl_ca_certs=f", verify=False) == "rediss://h/1?ssl_ca_certs=f"


def test_an_address_without_tls_is_left_alone() -> None:
    assert address("redis://:p@h:6379/2", verify=False) == "redis://:p@h:6379/2"


def test_an_address_keeps_what_it_says_besides() -> None:
    said = address("rediss://:p%2F@h:6379/2?client_name=shop", verify=False)
    assert said == "rediss://:p%2F@h:6379/2?client_name=shop&ssl_cert_reqs=none&ssl_check_hostname=false"


def test_there_is_no_second_door() -> None:
    opening = re.compile(r"\bRedis\.from_url\(|\bredis\.Redis\(")
    opened = [str(path) for path in python_files(*PRODUCT) if opening.search((ROOT / path).read_text(encoding="utf-8"))]
    assert opened == ["clients/redis_door.py"]


def _certificate(folder: Path) -> Path:
    """One that signs itself, for the loopback address, and its key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis of a test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    path = folder / "server.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


def _until_it_answers(url: str) -> None:
    patient = Retry(ConstantBackoff(0.05), 200)
    with redis.Redis.from_url(address(url, verify=False), retry=patient, retry_on_error=[redis.ConnectionError]) as one:
        one.ping()
