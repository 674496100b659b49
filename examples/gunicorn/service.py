"""A WSGI service that counts the bytes of an upload, and logs the beginning and the end of each upload."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer with the number of bytes in the request's body (PEP 3333)."""
    print("upload begun", file=sys.stderr, flush=True)
    body = environ["wsgi.input"].read()
    print("upload done", file=sys.stderr, flush=True)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{len(body)} bytes\n".encode()]
