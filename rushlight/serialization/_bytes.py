"""Files to read from: opened, and read to the last byte asked for."""

import io
import os
import struct
from contextlib import contextmanager


@contextmanager
def opened(f):
    """A file to read from, of a path or as it was given."""
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            yield file
        return
    try:
        f.seek(f.tell())
    except (io.UnsupportedOperation, AttributeError) as error:
        if "seek" not in str(error) and "tell" not in str(error):
            raise
        raise type(error)(
            f"{error}. You can only torch.load from a file that is seekable. Please pre-load the data into a buffer like io.BytesIO and try "
            "to load from it instead."
        ) from None
    yield f


def read_exactly(file, memory):
    """Fills a buffer from a file."""
    done, size = 0, memory.nbytes
    while done < size:
        if hasattr(file, "readinto"):
            count = file.readinto(memory[done:])
        else:
            content = file.read(size - done)
            count = len(content)
            memory[done : done + count] = content
        if not count:
            raise RuntimeError(f"unexpected EOF, expected {size - done} more bytes. The file might be corrupted.")
        done += count


def read_numbers(file, count):
    """The next `count` integers of 8 bytes."""
    content = bytearray(8 * count)
    read_exactly(file, memoryview(content))
    return struct.unpack(f"<{count}q", content)
