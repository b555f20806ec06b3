"""Memory that processes share: files that are in memory alone, passed on as descriptors or found by name."""

import _posixshmem  # type: ignore[import-not-found]
import contextlib
import fcntl
import os
import secrets
import struct
import threading
from multiprocessing import resource_tracker, util

from rushlight import core
from rushlight.core import MappedFile

_USERS = struct.Struct("q")  # how many processes know a named file, behind its data


def _create(size: int) -> int:
    """A new file of `size` bytes, without a name."""
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("torch", os.MFD_CLOEXEC)
    else:
        name = _free_name()
        file = _posixshmem.shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode=0o600)
        _posixshmem.shm_unlink(name)
    try:
        os.ftruncate(file, size)
    except OSError:
        os.close(file)
        raise
    return file


def _free_name() -> str:
    return f"/torch_{os.getpid()}_{secrets.token_hex(6)}"


def new(size: int) -> MappedFile:
    """Shared memory that has a descriptor."""
    return MappedFile(_create(size), size)


def new_named(size: int) -> MappedFile:
    """Shared memory that has a name, under which it stays until the last process that knows it drops it. It keeps no descriptor."""
    name = _free_name()
    file = _posixshmem.shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode=0o600)
    os.ftruncate(file, size + _USERS.size)
    # (Should every process be killed, Python's tracker removes the file.)
    resource_tracker.register(name, "shared_memory")
    return _known(MappedFile(file, size, name=name), +1)


def open_named(name: str, size: int) -> MappedFile:
    """The memory behind a name that `new_named` made, on behalf of which one use was counted when the name was sent."""
    return _known(MappedFile(_posixshmem.shm_open(name, os.O_RDWR, mode=0o600), size, name=name), 0)


def _known(memory: MappedFile, more: int) -> MappedFile:
    memory.close()
    if more:
        count_user(memory.name, memory.size, more)
    # (Also called where a process ends with it, be it one of multiprocessing's, which ends without Python's own end.)
    util.Finalize(memory, _drop, (memory.name, memory.size, os.getpid()), exitpriority=0)
    return memory


def count_user(name: str, size: int, more: int) -> None:
    """Counts a user more or less of a named file, and removes it with the last."""
    file = _posixshmem.shm_open(name, os.O_RDWR, mode=0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        users = _USERS.unpack(os.pread(file, _USERS.size, size))[0] + more
        os.pwrite(file, _USERS.pack(users), size)
        if users <= 0:
            _posixshmem.shm_unlink(name)
            resource_tracker.unregister(name, "shared_memory")
    finally:
        os.close(file)


def _drop(name: str, size: int, owner: int) -> None:
    # (A fork has the memory, not the count.)
    if os.getpid() == owner:
        with contextlib.suppress(FileNotFoundError):
            count_user(name, size, -1)


def share(storage, named: bool) -> MappedFile:
    """Moves a storage's memory, for every tensor over it, to where other processes can have it; it may be there already."""
    memory = core.mapped_file(storage)
    if memory is not None and not memory.private and (memory.file < 0 or not named):
        return memory
    memory = (new_named if named else new)(len(storage))
    core.move_to_file(storage, memory, threading.current_thread() is not threading.main_thread())
    return memory
