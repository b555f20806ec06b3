"""Values that are there later."""

import threading

__all__ = ["Future", "collect_all", "wait_all"]


class Future:
    """A value that somebody sets, once, and others wait for; functions are called when it is there.
    `devices` are those of its tensors: none.

    >>> import rushlight as torch
    >>> future = torch.futures.Future()
    >>> later = future.then(lambda f: f.value() + 1)
    >>> future.set_result(1)
    >>> later.wait()
    2
    """

    def __init__(self, *, devices=None):
        self._condition = threading.Condition()
        self._done = False
        self._value = None
        self._error: BaseException | None = None
        self._callbacks: list = []

    def __class_getitem__(cls, item):
        return cls

    def done(self) -> bool:
        """Whether there is a value or an error."""
        return self._done

    def wait(self):
        """Waits for the value and returns it; an error is raised."""
        with self._condition:
            self._condition.wait_for(lambda: self._done)
        return self.value()

    def value(self):
        """The value, which must be there; an error is raised."""
        if not self._done:
            raise RuntimeError("Future has not been completed yet.")
        if self._error is not None:
            raise self._error
        return self._value

    def _complete(self, value, error):
        with self._condition:
            if self._done:
                raise RuntimeError(
                    "Attempting to mark a completed Future as complete again. Note that a Future can only be marked completed once."
                )
            self._value, self._error, self._done = value, error, True
            callbacks, self._callbacks = self._callbacks, []
            self._condition.notify_all()
        for callback in callbacks:
            callback(self)

    def set_result(self, result) -> None:
        """Sets the value, and calls what waits for it."""
        self._complete(result, None)

    def set_exception(self, result) -> None:
        """Sets an error, which is raised for whoever asks for the value."""
        if not isinstance(result, BaseException):
            raise AssertionError(f"{result} is of type {type(result)}, not an Exception.")
        self._complete(None, result)

    def add_done_callback(self, callback) -> None:
        """Calls `callback(self)` when the value is there: at once where it is."""
        with self._condition:
            if not self._done:
                self._callbacks.append(callback)
                return
        callback(self)

    def then(self, callback):
        """A Future of `callback(self)`, which is called when the value is there."""
        later: Future = Future()

        def call(done):
            try:
                result = callback(done)
            except Exception as error:
                later.set_exception(error)
            else:
                later.set_result(result)

        self.add_done_callback(call)
        return later


def collect_all(futures):
    """A Future of the list of `futures`, when all are done.

    >>> import rushlight as torch
    >>> first, second = torch.futures.Future(), torch.futures.Future()
    >>> both = torch.futures.collect_all([first, second])
    >>> first.set_result(1)
    >>> second.set_result(2)
    >>> [future.wait() for future in both.wait()]
    [1, 2]
    """
    futures = list(futures)
    collected: Future = Future()
    left = [len(futures)]
    lock = threading.Lock()

    def count(done):
        with lock:
            left[0] -= 1
            last = left[0] == 0
        if last:
            collected.set_result(futures)

    if not futures:
        collected.set_result(futures)
    for future in futures:
        future.add_done_callback(count)
    return collected


def wait_all(futures) -> list:
    """The values of all `futures`, when they are there; the first error is raised.

    >>> import rushlight as torch
    >>> future = torch.futures.Future()
    >>> future.set_result(1)
    >>> torch.futures.wait_all([future])
    [1]
    """
    return [future.wait() for future in collect_all(futures).wait()]
