"""A stub of the purge interfaces of Cloudflare and Fastly, after their public documents, on the loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "a token of the test"


@dataclass
class Stub:
    """What it was asked, and what it answers next: (status, headers, body) each once, then successes."""

    url: str = ""
    calls: list[tuple[str, dict[str, str], dict[str, object]]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], dict[str, object]]] = field(default_factory=list)

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], dict[str, object]]:
        """As the services do: what is planned, a refusal of a wrong token or too many names, or a success."""
        parsed: dict[str, object] = json.loads(body) if body else {}
        self.calls.append((path, headers, parsed))
        if self.answers:
            return self.answers.pop(0)
        if path.startswith("/client/v4/zones/"):
            if headers.get("authorization") != f"Bearer {TOKEN}":
                return 403, {}, {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}]}
            tags = parsed.get("tags", [])
            if not isinstance(tags, list) or len(tags) > 30:
                return 400, {}, {"success": False, "errors": [{"code": 1094, "message": "too many tags"}]}
            return 200, {}, {"success": True, "errors": [], "messages": [], "result": {"id": "1"}}
        if headers.get("fastly-key") != TOKEN:
            return 401, {}, {"msg": "Provided credentials are missing or invalid"}
        keys = parsed.get("surrogate_keys", [])
        if not isinstance(keys, list) or len(keys) > 256:
            return 400, {}, {"msg": "Too many keys"}
        return 200, {}, {"status": "ok"} if path.endswith("purge_all") else dict.fromkeys(keys, "108-1391560174-974124")


@contextmanager
def cdn_stub() -> Iterator[Stub]:
    """One, while the block runs."""
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, answer = stub.answer(self.path, headers, body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
