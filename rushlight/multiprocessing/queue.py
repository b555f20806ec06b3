"""Python's queues, which pickle as everything does that goes between processes: with tensors in shared memory."""

import pickle
from multiprocessing.queues import Queue, SimpleQueue
from multiprocessing.reduction import ForkingPickler

__all__ = ["ConnectionWrapper", "Queue", "SimpleQueue"]


class ConnectionWrapper:
    """A connection of any kind, with objects that pickle so.

    Args:
        conn: The connection.

    >>> import rushlight as torch
    >>> import multiprocessing
    >>> from rushlight.multiprocessing.queue import ConnectionWrapper
    >>> receiver, sender = multiprocessing.Pipe(duplex=False)
    >>> ConnectionWrapper(sender).send(torch.ones(2)); ConnectionWrapper(receiver).recv()
    tensor([1., 1.])
    """

    def __init__(self, conn):
        self.conn = conn

    def send(self, obj):
        self.send_bytes(ForkingPickler.dumps(obj, pickle.HIGHEST_PROTOCOL))

    def recv(self):
        return pickle.loads(self.recv_bytes())

    def __getattr__(self, name):
        # (While it is being unpickled it has no connection yet.)
        if "conn" in self.__dict__:
            return getattr(self.conn, name)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute 'conn'")
