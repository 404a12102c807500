"""A provider behind a certificate of one's own authority: that authority is trusted, and only it."""

import datetime as dt
import ipaddress
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from flows.commands.cli import execute
from providers.http import carrier

pytestmark = pytest.mark.usefixtures("impatient")


def signed(name, key, *, by=None, authority=False, address="127.0.0.1", ends=1):
    """A certificate of `key` for `address`, which ends in so many days, signed by the authority (certificate, key) or by itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by[0].subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=9))
        .not_valid_after(now + dt.timedelta(days=ends))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if by:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        made = made.add_extension(names, critical=False)
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


@contextmanager
def guarded(folder, **leaf):
    """Yield the address of a lender behind a certificate of the authority in `ours.pem`; `theirs.pem` is another one."""
    ours = authority(folder / "ours.pem", "our authority")
    authority(folder / "theirs.pem", "another authority")
    key = ec.generate_private_key(ec.SECP256R1())
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "leaf.pem").write_bytes(
        signed("lender", key, by=ours, **leaf).public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, *private)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "leaf.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}/api"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def doctor_on(folder, url, capsys, own=""):
    """What the doctor says of the lender at `url`, with a line of its section more."""
    file = folder / "planrecon.toml"
    file.write_text(f'[providers.totality]\nbase_url = "{url}"\ntoken = "canary-token-1"\n{own}')
    execute(["doctor", "--config", str(file)])
    said = capsys.readouterr()
    return next((line for line in said.out.splitlines() if " totality: " in line), said.out + said.err)


@pytest.mark.fault(11)
def test_a_private_authority_is_trusted_where_ca_file_names_it_and_no_other_is(tmp_path, capsys):
    (tmp_path / "empty.pem").write_text("no certificate in here\n")
    with guarded(tmp_path) as url:
        said = {
            # a relative path starts at the configuration's folder
            name: doctor_on(tmp_path, url, capsys, f'ca_file = "{name}"\n' if name else "")
            for name in ("ours.pem", "theirs.pem", "empty.pem", "absent.pem", None)
        }
    assert said["ours.pem"].startswith("ok ")
    assert f"{url} answers" in said["ours.pem"]
    for name in ("theirs.pem", None):
        assert said[name].startswith("fix ")
        assert "certificate was refused" in said[name]
        assert "ca_file" in said[name]
    assert "it holds no certificate" in said["empty.pem"]
    assert "No such file" in said["absent.pem"]


@pytest.mark.fault(11)
@pytest.mark.parametrize("leaf", [{"address": "127.0.0.9"}, {"ends": -1}], ids=["another name", "out of date"])
def test_a_certificate_of_a_trusted_authority_that_does_not_fit_is_refused(tmp_path, capsys, leaf):
    with guarded(tmp_path, **leaf) as url:
        said = doctor_on(tmp_path, url, capsys, 'ca_file = "ours.pem"\n')
        # no key switches the check off
        assert "unknown key 'providers.totality.verify'" in doctor_on(tmp_path, url, capsys, "verify = false\n")
    assert said.startswith("fix ")
    assert "certificate was refused" in said


@pytest.fixture
def forgetful():
    """The authorities are read anew, before the test and after it: a process keeps them."""
    carrier._trusting_the_public.cache_clear()
    yield
    carrier._trusting_the_public.cache_clear()


@pytest.mark.fault(11, 12)
@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("own", ["", 'ca_file = "theirs.pem"\n'], ids=["none of its own", "another of its own"])
def test_an_authority_that_only_the_environment_names_is_not_trusted(tmp_path, capsys, monkeypatch, own):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ours.pem"))
    with guarded(tmp_path) as url:
        said = doctor_on(tmp_path, url, capsys, own)
    assert said.startswith("fix ")
    assert "certificate was refused" in said
