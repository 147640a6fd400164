"""TLS in front of services on loopback that speak plain HTTP, with an authority made for the occasion."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import pathlib
import ssl
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def make_certificates(folder: pathlib.Path) -> None:
    """Writes `ca.pem`, and `server.pem` with its key, for `localhost`; curves as AWS's own endpoints use them."""

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def pem(key) -> bytes:
        return key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    now = datetime.datetime.now(datetime.UTC)
    authority, server = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def builder(subject: str, key) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("test authority"))
        made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
        return made.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=2))

    ca = builder("test authority", authority).add_extension(x509.BasicConstraints(True, None), critical=True)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    own = builder("localhost", server).add_extension(x509.SubjectAlternativeName(names), critical=False)
    own = own.add_extension(x509.BasicConstraints(False, None), critical=True)
    as_pem = serialization.Encoding.PEM
    ca_pem = ca.sign(authority, hashes.SHA256()).public_bytes(as_pem)
    (folder / "ca.pem").write_bytes(ca_pem)
    (folder / "server.pem").write_bytes(pem(server) + own.sign(authority, hashes.SHA256()).public_bytes(as_pem) + ca_pem)


def trusting(folder: pathlib.Path) -> pathlib.Path:
    """A file of roots: those of this machine, whose number costs time, and the one of `make_certificates`."""
    system = ssl.get_default_verify_paths().cafile
    bundle = folder / "roots.pem"
    bundle.write_text((pathlib.Path(system).read_text() if system else "") + (folder / "ca.pem").read_text())
    return bundle


@contextlib.contextmanager
def terminated(folder: pathlib.Path, services: dict[str, str]) -> Iterator[dict[str, str]]:
    """The `https` URLs, by name, at which these `http` services answer as long as the context lasts."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem")
    context.set_alpn_protocols(["http/1.1"])
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    async def listen(url: str) -> asyncio.Server:
        address = urlsplit(url)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, ssl.SSLError):
                while piece := await source.read(65_536):
                    sink.write(piece)
                    await sink.drain()
            sink.close()

        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            to_reader, to_writer = await asyncio.open_connection(address.hostname, address.port)
            await asyncio.gather(pump(reader, to_writer), pump(to_reader, writer))

        return await asyncio.start_server(forward, "127.0.0.1", 0, ssl=context)

    servers = {name: asyncio.run_coroutine_threadsafe(listen(url), loop).result() for name, url in services.items()}
    yield {name: f"https://localhost:{server.sockets[0].getsockname()[1]}" for name, server in servers.items()}
    loop.call_soon_threadsafe(loop.stop)
