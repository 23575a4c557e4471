"""Over TLS: a store with a certificate that is trusted, and one with a certificate that is not."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from statuette import ConfigurationError
from statuette.ports.storage import StorageUnavailable
from statuette.testing.fault_proxy import FaultProxy
from statuette.testing.servers.s3 import S3Access
from statuette.testing.servers.seaweedfs import SeaweedServer

from .conftest import OpenStorage


def certified(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey, *, authority: bool
) -> bytes:
    """A certificate for an hour, as PEM."""
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def authority() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def authority_file(authority: ec.EllipticCurvePrivateKey, tmp_path: Path) -> Path:
    file = tmp_path / "authority.pem"
    file.write_bytes(certified("our-authority", authority, "our-authority", authority, authority=True))
    return file


@pytest.fixture
def server_tls(authority: ec.EllipticCurvePrivateKey, tmp_path: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    file = tmp_path / "localhost.pem"
    file.write_bytes(
        certified("localhost", key, "our-authority", authority, authority=False)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
async def encrypted(seaweed_server: SeaweedServer, server_tls: ssl.SSLContext) -> AsyncIterator[S3Access]:
    """SeaweedFS behind TLS."""
    async with FaultProxy(seaweed_server.port, tls=server_tls) as proxy:
        yield msgspec.structs.replace(seaweed_server.access, url=f"https://localhost:{proxy.port}")


async def test_an_authority_of_ones_own_can_be_trusted(
    open_storage: OpenStorage, encrypted: S3Access, authority_file: Path
) -> None:
    storage = open_storage(encrypted, certificate_authority_file=str(authority_file))

    await storage.check()
    await storage.put("a/b", b"x", media_type="image/png")

    assert await storage.read("a/b") == b"x"
    assert await storage.purge_versions("a/") == 0


async def test_a_certificate_that_nobody_vouches_for_is_refused(open_storage: OpenStorage, encrypted: S3Access) -> None:
    storage = open_storage(encrypted)

    for call in (storage.put("a/b", b"x", media_type="image/png"), storage.purge_versions("a/")):
        with pytest.raises(StorageUnavailable, match=r"is not trusted.*`certificate_authority_file` of the plugin s3"):
            await call
    with pytest.raises(ConfigurationError, match="is not trusted"):
        await storage.check()


async def test_a_host_that_does_not_exist_is_named(open_storage: OpenStorage, seaweed: S3Access) -> None:
    nowhere = msgspec.structs.replace(seaweed, url="https://no-such-store.invalid")
    storage = open_storage(nowhere)

    for call in (storage.read("a/b"), storage.purge_versions("a/")):
        with pytest.raises(StorageUnavailable, match=r"(no-such-store\.invalid).*(is not known|cannot be reached)"):
            await call
