"""What a `DataLoader` and one of its workers say to each other, over a pair of sockets."""

import collections
import contextlib
import pickle
import select
import socket
import struct
import threading
from multiprocessing.reduction import ForkingPickler

HEADER = struct.Struct("!Q")


class Channel:
    """Objects to and from another process.

    Sending never waits for the other side: what the socket does not take at once is sent by a thread, which lives only while there is
    something left. An exception on pickling reaches who sends; the end of the other process is an EOFError, at once.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._left: collections.deque[memoryview] = collections.deque()
        self._lock = threading.Lock()

    @classmethod
    def pair(cls) -> tuple["Channel", "Channel"]:
        first, second = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        return cls(first), cls(second)

    def __reduce__(self):
        return Channel, (self._connection,)

    def fileno(self) -> int:
        return self._connection.fileno()

    def end(self) -> None:
        """Ends what both sides have, whatever copies of an end other processes hold (forks of this one)."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self.close()

    def close(self) -> None:
        """Closes this process's copy of the end."""
        self._connection.close()

    def send(self, value) -> None:
        """Sends an object; nothing of it where it does not pickle."""
        content = ForkingPickler.dumps(value)
        rest = memoryview(b"".join((HEADER.pack(len(content)), content)))
        with self._lock:
            idle = not self._left
            if idle:
                rest = rest[self._send_what_fits(rest) :]
            if rest:
                self._left.append(rest)
                if idle:
                    threading.Thread(target=self._send_rest, daemon=True).start()

    def _send_what_fits(self, content: memoryview) -> int:
        try:
            return self._connection.send(content, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except ConnectionError:
            raise EOFError from None

    def _send_rest(self) -> None:
        while True:
            try:
                self._connection.sendall(self._left[0])
            except OSError:
                return  # (the other side is gone, which whoever receives finds out)
            with self._lock:
                self._left.popleft()
                if not self._left:
                    return

    def receive(self):
        """The next object, waited for."""
        (size,) = HEADER.unpack(self._read(HEADER.size))
        return pickle.loads(self._read(size))

    def _read(self, size: int) -> bytearray:
        content = bytearray(size)
        rest = memoryview(content)
        while rest:
            try:
                count = self._connection.recv_into(rest)
            except ConnectionError:
                count = 0
            if count == 0:
                raise EOFError
            rest = rest[count:]
        return content


def wait(channels, timeout: float | None = None) -> list:
    """Those of some channels (or file descriptors) from which there is something to read, or which have ended; none after `timeout`
    seconds."""
    poll = select.poll()
    known = {}
    for channel in channels:
        number = channel if isinstance(channel, int) else channel.fileno()
        known[number] = channel
        poll.register(number, select.POLLIN)
    return [known[number] for number, _ in poll.poll(None if timeout is None else timeout * 1000)]
