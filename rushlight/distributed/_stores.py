"""Stores of keys and values that processes share, and errors of communication."""

import datetime
import threading

ONE_PROCESS = "Rushlight communicates within one process only: world_size must be 1"


class Store:
    """Values by keys that processes share: within this process.

    >>> import rushlight as torch
    >>> store = torch.distributed.HashStore()
    >>> store.set("key", "value"); store.get("key")
    b'value'
    """

    def __init__(self):
        self._values: dict = {}
        self._changed = threading.Condition()
        self.timeout = datetime.timedelta(minutes=5)

    def set(self, key, value):
        """Sets a value, text or bytes."""
        with self._changed:
            self._values[key] = value.encode() if isinstance(value, str) else bytes(value)
            self._changed.notify_all()

    def get(self, key):
        """The value, which is waited for."""
        self.wait([key])
        return self._values[key]

    def add(self, key, amount):
        """Adds to a number and returns the sum."""
        with self._changed:
            total = int(self._values.get(key, b"0")) + amount
            self._values[key] = str(total).encode()
            self._changed.notify_all()
            return total

    def wait(self, keys, timeout=None):
        """Waits until there are values of all keys."""
        seconds = (timeout or self.timeout).total_seconds()
        with self._changed:
            if not self._changed.wait_for(lambda: all(key in self._values for key in keys), seconds):
                raise RuntimeError(
                    "wait timeout after " + f"{int(seconds * 1000)}ms, keys: {', '.join('/' + key for key in keys)}"
                )

    def check(self, keys):
        """Whether there are values of all keys."""
        return all(key in self._values for key in keys)

    def compare_set(self, key, expected_value, desired_value):
        """Sets a value where the key has the expected one, or none and none is expected; returns what it has then."""
        with self._changed:
            found = self._values.get(key)
            if found == expected_value.encode() or (found is None and not expected_value):
                self._values[key] = desired_value.encode()
                self._changed.notify_all()
            return self._values.get(key, expected_value.encode())

    def delete_key(self, key):
        """Forgets a value; whether there was one."""
        with self._changed:
            return self._values.pop(key, None) is not None

    def num_keys(self):
        """How many values there are."""
        return len(self._values)

    def set_timeout(self, timeout):
        """Sets how long `get` and `wait` wait."""
        self.timeout = timeout


class HashStore(Store):
    """A store in this process' memory.

    >>> import rushlight as torch
    >>> store = torch.distributed.HashStore()
    >>> store.add("count", 2), store.add("count", 3)
    (2, 5)
    """


class FileStore(Store):
    """A store that processes would share by a file: of one process, which keeps the values itself.

    Args:
        file_name: The file's path; nothing is written.
        world_size: How many processes there are; without effect.

    >>> import rushlight as torch
    >>> store = torch.distributed.FileStore("values", 1)
    >>> store.set("key", "value"); store.get("key")
    b'value'
    """

    def __init__(self, file_name, world_size=-1):
        super().__init__()
        self.path = file_name


class TCPStore(Store):
    """A store that processes would reach over the network: of one process, which is the one that keeps the values.

    Args:
        host_name: The host of the process that keeps the values.
        port: The port that it listens at; nobody listens.
        world_size: How many processes there are; without effect.
        is_master: Whether this process keeps the values: others cannot be reached.
        timeout: How long a value is waited for; without effect.

    Raises:
        torch.distributed.DistNetworkError: Another process keeps the values.

    >>> import rushlight as torch
    >>> store = torch.distributed.TCPStore("localhost", 29500, 1, is_master=True)
    >>> store.set("key", "value"); store.get("key")
    b'value'
    """

    def __init__(self, host_name, port=0, world_size=None, is_master=False, timeout=None, **kwargs):
        super().__init__()
        if not is_master:
            raise DistNetworkError(
                f"The client socket has failed to connect to any network address of ({host_name}, {port}): {ONE_PROCESS}"
            )
        self.host, self.port = host_name, port


class PrefixStore(Store):
    """A store whose keys stand behind a prefix in another one.

    Args:
        prefix: What stands before each key.
        store: The other store.

    >>> import rushlight as torch
    >>> store = torch.distributed.HashStore()
    >>> torch.distributed.PrefixStore("mine", store).set("key", "value")
    >>> store.get("mine/key")
    b'value'
    """

    def __init__(self, prefix, store):
        super().__init__()
        self.prefix, self.underlying_store = prefix, store

    def set(self, key, value):
        """Sets a value."""
        self.underlying_store.set(f"{self.prefix}/{key}", value)

    def get(self, key):
        """The value, which is waited for."""
        return self.underlying_store.get(f"{self.prefix}/{key}")

    def add(self, key, amount):
        """Adds to a number and returns the sum."""
        return self.underlying_store.add(f"{self.prefix}/{key}", amount)

    def wait(self, keys, timeout=None):
        """Waits until there are values of all keys."""
        self.underlying_store.wait([f"{self.prefix}/{key}" for key in keys], timeout)


class DistError(RuntimeError):
    """An error of communication.

    >>> import rushlight as torch
    >>> issubclass(torch.distributed.DistError, RuntimeError)
    True
    """


class DistBackendError(DistError):
    """An error of the way of communication.

    >>> import rushlight as torch
    >>> issubclass(torch.distributed.DistBackendError, torch.distributed.DistError)
    True
    """


class DistNetworkError(DistError):
    """An error of the network.

    >>> import rushlight as torch
    >>> issubclass(torch.distributed.DistNetworkError, torch.distributed.DistError)
    True
    """


class DistStoreError(DistError):
    """An error of a store.

    >>> import rushlight as torch
    >>> issubclass(torch.distributed.DistStoreError, torch.distributed.DistError)
    True
    """


class QueueEmptyError(DistStoreError):
    """A queue of a store has nothing.

    >>> import rushlight as torch
    >>> issubclass(torch.distributed.QueueEmptyError, torch.distributed.DistStoreError)
    True
    """
