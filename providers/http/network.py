"""Connections on which no step lasts beyond the end of the request it is for; the only module below the HTTP library.

The library bounds each step by itself: its time to read begins again with every byte, and nothing bounds the look-up
of a host's name. Here every step is given what is left of its request's time. A look-up cannot be stopped, so
connecting, which is rare, happens in a thread that can be left behind; nothing has been sent by then.
"""

import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from providers.http.deadline import Deadline


class Network(httpcore.NetworkBackend):
    """Opens the connections of one client. Thread-safe; close it when done."""

    def __init__(self, name: str, seconds: float) -> None:
        self._seconds, self._connecting, self._this = seconds, Deadline(name), threading.local()
        self._backend = httpcore.SyncBackend()

    def begin(self) -> None:
        """A request begins in this thread; its time runs from now."""
        self._this.ends = time.monotonic() + self._seconds

    def left(self) -> float:
        """Return the seconds left of this thread's request; 0 or less when they are over."""
        ends: float = self._this.ends
        return ends - time.monotonic()

    def close(self) -> None:
        """Let the idle threads end."""
        self._connecting.close()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Return a connection, made within what is left of the request's time."""

        def connect(abandoned: threading.Event) -> httpcore.NetworkStream:
            stream = self._backend.connect_tcp(host, port, seconds, local_address, socket_options)
            if abandoned.is_set():
                stream.close()
            return stream

        seconds = self.least(timeout, httpcore.ConnectTimeout)
        try:
            return _Bounded(self._connecting.within(seconds, connect), self)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None

    def least(self, timeout: float | None, over: type[Exception]) -> float:
        """Return the seconds the next step may take; raise `over` where none are left."""
        left = self.left()
        if left <= 0:
            raise over
        return left if timeout is None else min(timeout, left)


class _Bounded(httpcore.NetworkStream):
    """A connection each step of which is bounded by the request of the thread that takes it."""

    def __init__(self, stream: httpcore.NetworkStream, network: Network) -> None:
        self._stream, self._network = stream, network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._network.least(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._network.least(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        seconds = self._network.least(timeout, httpcore.ConnectTimeout)
        return _Bounded(self._stream.start_tls(ssl_context, server_hostname, seconds), self._network)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
