"""The audit fails on a known vulnerability, and where nothing was looked up."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from supply.audit import KNOWN, LOCK, dependencies, main

RECORDED = json.loads(Path(__file__).with_name("advisories.json").read_text(encoding="utf-8"))
"""Two advisories as the service tells them, shortened: of the release that is always asked about, and of an old Jinja."""
HASH = f"--hash=sha256:{1:064d}"
SOUND = (
    f"jinja2==3.1.6 \\\n    {HASH}\nhttpx==0.28.1 \\\n    {HASH}\nnever==1 ; sys_platform == 'never' \\\n    {HASH}\n"
)


def as_recorded(asked):
    """The advisories that hold for one release, as the service answers."""
    name, version = asked["package"]["name"], asked["version"]
    told = [one for one in RECORDED if one["affected"][0]["package"]["name"] == name]
    return {"vulns": told} if (name, version) in {KNOWN, ("jinja2", "3.1.2")} else {}


def nothing_known(_asked):
    return {}


@pytest.fixture
def audited(tmp_path, capsys):
    """Audits a lock by a service on this machine that answers each question so; no service for no answer."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()

    def audit(text, answer):
        class Service(BaseHTTPRequestHandler):
            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                body = json.dumps(answer(asked)).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_about):
                """Say nothing."""

        server.RequestHandlerClass = Service
        lock = tmp_path / "requirements.lock"
        lock.write_text(text)
        port = server.server_address[1] if answer else 9
        code = main(lock, ["--osv-url", f"http://127.0.0.1:{port}/query", "--cache-dir", str(tmp_path / "cache")])
        said = capsys.readouterr()
        return code, said.out + said.err

    yield audit
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_lock_without_a_known_vulnerability_passes_and_tells_how_much_was_looked_up(audited):
    assert audited(SOUND, as_recorded) == (0, "2 dependencies audited, none with a known vulnerability\n")


@pytest.mark.fault(72)
def test_a_known_vulnerability_fails_with_the_release_that_mends_it(audited):
    code, said = audited(SOUND.replace("3.1.6", "3.1.2"), as_recorded)
    assert (code, said) == (1, "jinja2 3.1.2: CVE-2024-22195, mended in 3.1.3\n")


@pytest.mark.fault(72)
@pytest.mark.parametrize(
    ("text", "answer", "words"),
    [
        (SOUND, None, "ConnectionError"),
        (SOUND, nothing_known, "does not know what is wrong with django 3.2.0"),
        ("", as_recorded, "names no dependency"),
    ],
    ids=["no network", "a service that knows nothing", "an empty lock"],
)
def test_where_nothing_was_audited_the_audit_fails(audited, text, answer, words):
    code, said = audited(text, answer)
    assert (code, said.startswith("nothing was audited: ")) == (1, True), said
    assert words in said


def test_the_lock_is_read_whole_and_names_no_host():
    found = dict(dependencies(LOCK))
    assert len(found) > 150
    assert found["httpx"] == "0.28.1"
    assert "//" not in LOCK.read_text(encoding="utf-8")
