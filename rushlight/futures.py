"""Values that are there later."""

import sys
import threading

__all__ = ["Future", "collect_all", "wait_all"]


def _callback_error(error):
    """What a callback raised, as those see it who wait for its value: with the frames that led there, the innermost first."""
    text = f"Got the following error when running the callback: {type(error).__name__}: {error}"
    trace = error.__traceback__ and error.__traceback__.tb_next  # (behind the frame that calls)
    if trace is not None:
        while trace.tb_next is not None:
            trace = trace.tb_next
        frame, lines = trace.tb_frame, []
        while frame is not None:
            lines.append(f"  {frame.f_code.co_filename}({frame.f_lineno}): {frame.f_code.co_name}\n")
            frame = frame.f_back
        text += f"\n\nAt:\n{''.join(lines)}"
    return RuntimeError(text)


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
        self._error: Exception | None = None  # what was set to be raised
        self._failed: Exception | None = None  # what a callback raised that would have made the value
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
        if self._error is not None or self._failed is not None:
            raise self._error or self._failed
        return self._value

    def __reduce_ex__(self, protocol):
        raise RuntimeError("Can not pickle torch.futures.Future")

    def _complete(self, value=None, error=None, failed=None):
        with self._condition:
            if self._done:
                raise RuntimeError(
                    "Attempting to mark a completed Future as complete again. Note that a Future can only be marked completed once."
                )
            self._value, self._error, self._failed, self._done = value, error, failed, True
            callbacks, self._callbacks = self._callbacks, []
            self._condition.notify_all()
        for callback in callbacks:
            callback(self)

    def set_result(self, result) -> None:
        """Sets the value, and calls what waits for it."""
        self._complete(result)

    def set_exception(self, result) -> None:
        """Sets an error, which is raised for whoever asks for the value."""
        if not isinstance(result, Exception):
            raise AssertionError(f"{result} is of type {type(result)}, not an Exception.")
        self._complete(error=result)

    def add_done_callback(self, callback) -> None:
        """Calls `callback(self)` when the value is there: at once where it is. What it raises is only printed."""

        def call(done):
            try:
                callback(done)
            except BaseException as error:
                print(_callback_error(error), file=sys.stderr)

        self._when_done(call)

    def _when_done(self, call):
        with self._condition:
            if not self._done:
                self._callbacks.append(call)
                return
        call(self)

    def then(self, callback):
        """A Future of `callback(self)`, which is called when the value is there; what it raises is a RuntimeError for whoever waits."""
        later: Future = Future()

        def call(done):
            try:
                result = callback(done)
            except BaseException as error:
                later._complete(failed=_callback_error(error))
            else:
                later._complete(result)

        self._when_done(call)
        return later


def collect_all(futures):
    """A Future of the list of `futures`, when all are done, or of the error of the first one whose callback failed.

    >>> import rushlight as torch
    >>> first, second = torch.futures.Future(), torch.futures.Future()
    >>> both = torch.futures.collect_all([first, second])
    >>> first.set_result(1)
    >>> second.set_result(2)
    >>> [future.wait() for future in both.wait()]
    [1, 2]
    """
    futures = list(futures)
    if any(future is None for future in futures):
        raise RuntimeError("Future can't be None")
    collected: Future = Future()
    left = [len(futures)]
    lock = threading.Lock()

    def count(done):
        with lock:
            over = left[0] == 1 or (left[0] > 0 and done._failed is not None)
            left[0] = 0 if over else left[0] - 1
        if over:
            collected._complete(futures, failed=done._failed)

    if not futures:
        collected.set_result(futures)
    for future in futures:
        future._when_done(count)
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
