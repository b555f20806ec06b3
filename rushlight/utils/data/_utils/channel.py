"""What a `DataLoader` and one of its workers say to each other, over a pair of sockets."""

import array
import collections
import contextlib
import functools
import io
import os
import pickle
import select
import socket
import struct
import threading
from multiprocessing.reduction import ForkingPickler

from rushlight import multiprocessing
from rushlight.multiprocessing.reductions import reduce_storage, shared, storage_over_descriptor
from rushlight.storage import UntypedStorage

HEADER = struct.Struct("!QI")  # the bytes of the content, the open files
MOST_FILES = 253  # that Linux takes with one message
_arriving = threading.local()


class _Pickler(ForkingPickler):
    """Pickles for the other process. Shared memory goes along as open files: nobody has to ask for it, so that whoever sent it may end."""

    def __init__(self, file, memories: list) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        if multiprocessing.get_sharing_strategy() == "file_descriptor":
            self.dispatch_table[UntypedStorage] = functools.partial(_reduce, memories)


def _reduce(memories: list, storage):
    if len(storage) == 0 or len(memories) == MOST_FILES:
        return reduce_storage(storage)
    memory = shared(storage)
    if memory.file < 0:
        return reduce_storage(storage)
    memories.append(memory)
    return _arrived, (memory.size,)


def _arrived(size: int):
    """The storage over the next file of the message that is being read."""
    return storage_over_descriptor(_arriving.files.popleft(), size)


class Channel:
    """Objects to and from another process.

    Sending never waits for the other side: what the socket does not take at once is sent by a thread, which lives only while there is
    something left. An exception on pickling reaches who sends; the end of the other process is an EOFError, at once.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._left: collections.deque[tuple[memoryview, list]] = collections.deque()
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
        memories: list = []
        content = io.BytesIO(bytes(HEADER.size))
        content.seek(HEADER.size)
        _Pickler(content, memories).dump(value)
        rest = content.getbuffer()
        HEADER.pack_into(rest, 0, len(rest) - HEADER.size, len(memories))
        with self._lock:
            idle = not self._left
            if idle:
                rest, memories = self._send_some(rest, memories, socket.MSG_DONTWAIT)
            if rest:
                self._left.append((rest, memories))
                if idle:
                    threading.Thread(target=self._send_rest, daemon=True).start()

    def _send_some(self, rest: memoryview, memories: list, flags: int = 0) -> tuple[memoryview, list]:
        """What is left after some was sent: files go with the first byte."""
        files = array.array("i", [memory.file for memory in memories])
        beside = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)] if files else []
        try:
            count = self._connection.sendmsg([rest], beside, flags)
        except BlockingIOError:
            return rest, memories
        except ConnectionError:
            raise EOFError from None
        return rest[count:], []

    def _send_rest(self) -> None:
        while True:
            rest, memories = self._left[0]
            try:
                while rest:
                    rest, memories = self._send_some(rest, memories)
            except (EOFError, OSError):
                return  # (the other side is gone, which whoever receives finds out)
            with self._lock:
                self._left.popleft()
                if not self._left:
                    return

    def receive(self):
        """The next object, waited for."""
        header, files = self._read_header()
        size, count = HEADER.unpack(header)
        try:
            content = self._read(size)
            if len(files) < count:
                raise RuntimeError(
                    "Too many open files. Communication with the workers is no longer possible. Please increase the limit using `ulimit -n` "
                    "in the shell or change the sharing strategy by calling `torch.multiprocessing.set_sharing_strategy('file_system')` at "
                    "the beginning of your code"
                )
            _arriving.files = files
            return pickle.loads(content)
        finally:
            for file in files:
                os.close(file)

    def _read_header(self) -> tuple[bytes, collections.deque]:
        """The first bytes of a message, and the files that come with them."""
        try:
            header, beside, _, _ = self._connection.recvmsg(HEADER.size, socket.CMSG_SPACE(4 * MOST_FILES))
        except ConnectionError:
            raise EOFError from None
        if not header:
            raise EOFError
        files: collections.deque = collections.deque()
        for level, kind, content in beside:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                files.extend(array.array("i", content[: len(content) // 4 * 4]))
        return header + self._read(HEADER.size - len(header)), files

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
