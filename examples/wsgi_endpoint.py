"""Receive webhooks with the standard library: a WSGI application that verifies before it reads.

    WEBHOOK_SECRET=whsec_… python examples/wsgi_endpoint.py

The body is read as bytes and goes to the verifier as it came; nothing parses it before. A refusal
is one answer for every reason, with the reason in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from wsgiref.simple_server import make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from hookseal import Secret, VerificationError, Verified, Verifier

MAX_BODY_BYTES = 1024 * 1024

log = logging.getLogger("webhooks")


def read_body(environ: WSGIEnvironment) -> bytes:
    """The request's body, or a little more than the verifier will take of it."""
    length = environ.get("CONTENT_LENGTH") or "0"
    size = int(length) if length.isdecimal() else 0
    body: bytes = environ["wsgi.input"].read(min(size, MAX_BODY_BYTES + 1))
    return body


def read_headers(environ: WSGIEnvironment) -> dict[str, bytes]:
    """The request's headers. WSGI hands bytes over as latin-1 text; this undoes it."""
    return {
        name.removeprefix("HTTP_").replace("_", "-"): value.encode("latin-1")
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }


def application(verifier: Verifier, handle: Callable[[Verified], object]) -> WSGIApplication:
    """Makes the application. `handle` takes a `Verified`, so that nothing else can reach it."""

    def receive(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            event = verifier.verify(read_body(environ), read_headers(environ))
        except VerificationError as error:
            log.warning("refused (%s): %s", error.code, error)
            status, text = HTTPStatus(error.status_hint), error.public_message
        else:
            handle(event)
            status, text = HTTPStatus.OK, "taken"
        start_response(f"{status.value} {status.phrase}", [("Content-Type", "text/plain")])
        return [text.encode()]

    return receive


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    verifier = Verifier(Secret.from_env("WEBHOOK_SECRET"), max_body_bytes=MAX_BODY_BYTES)
    app = application(verifier, lambda event: log.info("took %s", event))
    with make_server("127.0.0.1", 8000, app) as server:
        log.info("listening on http://127.0.0.1:8000")
        server.serve_forever()
