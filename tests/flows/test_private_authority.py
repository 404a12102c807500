"""A provider behind a certificate of one's own authority: that authority is trusted, and only it."""

import datetime as dt
import ipaddress
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from flows.commands.cli import execute

pytestmark = pytest.mark.usefixtures("impatient")


def signed(name, key, *, by=None, authority=False):
    """A certificate of `key`, signed by the authority (certificate, key) or by itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by[0].subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if by:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        made = made.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return made.sign(by[1] if by else key, hashes.SHA256())


def authority(path, name):
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = signed(name, key, authority=True)
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return certificate, key


class Empty(BaseHTTPRequestHandler):
    """Every list is empty."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_about):
        """Say nothing."""


@pytest.fixture
def guarded(tmp_path):
    """The address of a lender behind a certificate of the authority in `ours.pem`; `theirs.pem` is another one."""
    ours = authority(tmp_path / "ours.pem", "our authority")
    authority(tmp_path / "theirs.pem", "another authority")
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = tmp_path / "leaf.pem"
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    leaf.write_bytes(
        signed("lender", key, by=ours).public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, *private)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}/api"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_private_authority_is_trusted_where_ca_file_names_it_and_no_other_is(guarded, tmp_path, capsys):
    (tmp_path / "empty.pem").write_text("no certificate in here\n")
    said = {}
    for name in ("ours.pem", "theirs.pem", "empty.pem", "absent.pem", None):
        own = f'ca_file = "{name}"\n' if name else ""  # a relative path starts at the configuration's folder
        file = tmp_path / "planrecon.toml"
        file.write_text(f'[providers.totality]\nbase_url = "{guarded}"\ntoken = "canary-token-1"\n{own}')
        execute(["doctor", "--config", str(file)])
        said[name] = next(line for line in capsys.readouterr().out.splitlines() if " totality: " in line)
    assert said["ours.pem"].startswith("ok ")
    assert f"{guarded} answers" in said["ours.pem"]
    for name in ("theirs.pem", None):
        assert said[name].startswith("fix ")
        assert "certificate was refused" in said[name]
        assert "ca_file" in said[name]
    assert "it holds no certificate" in said["empty.pem"]
    assert "No such file" in said["absent.pem"]
