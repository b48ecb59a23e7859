"""TLS by certificate files: who connects, what is wrong with the files, and new ones at SIGHUP."""

import asyncio
import os
import signal
import ssl
from pathlib import Path

import pytest

from midipool.errors import Unavailable
from midipool_server import access_service
from midipool_server.settings import Settings

# Two certificates for localhost, good until 2126, and their keys, which guard nothing.
CERT_1 = """\
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUPhXpj4Xz04lfRp6kKN68c4phnCQwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODE5MTcwNloYDzIxMjYxMTA0
MTkxNzA2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARNYxhai30h2kgXFBgqhA4m9Hv6DKkBSuZYzdaIZ8fw8taDziEA2Y2a
t9P8XYvTij/y1VwJt9YYKFq+pUQBK2bto28wbTAdBgNVHQ4EFgQUSgCazlTEudGN
d2cc2iukG6+OpqAwHwYDVR0jBBgwFoAUSgCazlTEudGNd2cc2iukG6+OpqAwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhAI2eWxLDos8z3Vnu80W5q/N/HbVScDi8gnTqRIsRmL1BAiBS
rp4S/NhLzuA+M3JEL13urXnlMpNQazMqcHXdrtwUPw==
-----END CERTIFICATE-----
"""
KEY_1 = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgOH3SPHhiwaME0c3q
0UeNrZM2m8oklKe1epsAX3sEC82hRANCAARNYxhai30h2kgXFBgqhA4m9Hv6DKkB
SuZYzdaIZ8fw8taDziEA2Y2at9P8XYvTij/y1VwJt9YYKFq+pUQBK2bt
-----END PRIVATE KEY-----
"""
CERT_2 = """\
-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUVNuv0fzfJ9ZbUpADHxtULKzI2lIwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODE5MTcwNloYDzIxMjYxMTA0
MTkxNzA2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAREqMeGcMcevKnk7v9EwFzse6NxvGtkRsf/9/z8Dn6m+CokJCeG3MGq
q/02HI4e2EuQDac1ruOLPSLMicQM2tiio28wbTAdBgNVHQ4EFgQUodQxZoKlmZNx
4VRKqPpFqW6xSqswHwYDVR0jBBgwFoAUodQxZoKlmZNx4VRKqPpFqW6xSqswDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgOKlCBKfKZRv6zRZ7RHx4ALA1ByuUDYU/VKFURydSi10CIGgG
IKdNyieU6lXtE2xRHWMnGwLkZbLVo80eWYXS3Es9
-----END CERTIFICATE-----
"""
KEY_2 = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgD10kYtsOtOQ+spQo
gGyRLuE9yVLiHM7U1eX3pVRBxmKhRANCAAREqMeGcMcevKnk7v9EwFzse6NxvGtk
Rsf/9/z8Dn6m+CokJCeG3MGqq/02HI4e2EuQDac1ruOLPSLMicQM2tii
-----END PRIVATE KEY-----
"""


def settings(folder: Path, cert: str, key: str) -> Settings:
    files = folder / "cert.pem", folder / "key.pem"
    for file, text in zip(files, (cert, key), strict=True):
        file.write_text(text)
    return Settings(tls_cert=str(files[0]), tls_key=str(files[1]))


async def shown(port: int, trusted: str) -> bytes | None:
    """The certificate that a client sees there that trusts one; raises SSLError."""
    context = ssl.create_default_context(cadata=trusted)
    _, writer = await asyncio.open_connection("localhost", port, ssl=context)
    try:
        certificate: ssl.SSLObject = writer.get_extra_info("ssl_object")
        return certificate.getpeercert(True)
    finally:
        writer.close()


async def test_it_serves_with_the_certificate_and_with_a_new_one_after_sighup(
    tmp_path: Path,
) -> None:
    context = access_service.tls(settings(tmp_path, CERT_1, KEY_1))
    assert context is not None
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    try:
        assert await shown(port, CERT_1) == ssl.PEM_cert_to_DER_cert(CERT_1)
        settings(tmp_path, CERT_2, KEY_2)
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert await shown(port, CERT_2) == ssl.PEM_cert_to_DER_cert(CERT_2)
        # One that is broken is not taken.
        settings(tmp_path, "nonsense", KEY_1)
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0)
        assert await shown(port, CERT_2) is not None
    finally:
        server.close()
        await server.wait_closed()
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)


@pytest.mark.parametrize(
    ("cert", "key"), [(CERT_1, KEY_2), (CERT_1, "nonsense"), ("", KEY_1), (KEY_1, CERT_1)]
)
async def test_files_that_do_not_do_are_named(tmp_path: Path, cert: str, key: str) -> None:
    with pytest.raises(Unavailable, match=r"--tls-cert .*cert\.pem, --tls-key .*key\.pem"):
        access_service.tls(settings(tmp_path, cert, key))


async def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No such file"):
        access_service.tls(Settings(tls_cert=str(tmp_path / "c"), tls_key=str(tmp_path / "k")))


def test_without_a_certificate_there_is_no_tls() -> None:
    assert access_service.tls(Settings()) is None
