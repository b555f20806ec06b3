"""Anomaly mode: backward looks for NaN, and an error in it shows where the forward was."""

from rushlight import core
from rushlight._warned import FOLDER
from rushlight.core import warn_user

__all__ = ["detect_anomaly", "set_detect_anomaly"]


def is_anomaly_enabled() -> bool:
    """Whether backward checks for NaN and names the forward line.

    >>> import rushlight as torch
    >>> torch.is_anomaly_enabled()
    False
    """
    return core.anomaly_mode()[0]


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode checks for NaN.

    >>> import rushlight as torch
    >>> torch.is_anomaly_check_nan_enabled()
    True
    """
    return core.anomaly_mode()[1]


def switch(enabled, check_nan):
    """Sets anomaly mode, if these are flags."""
    for place, (name, value) in enumerate({"enabled": enabled, "check_nan": check_nan}.items(), 1):
        if not isinstance(value, bool):
            raise TypeError(
                f"set_anomaly_enabled(): argument '{name}' (position {place}) must be bool, not {type(value).__name__}"
            )
    core.set_anomaly_mode(enabled, check_nan)


class detect_anomaly:
    """Inside, forward remembers its tracebacks; backward checks every gradient for NaN, and an error shows the forward of its node.

    Args:
        check_nan: Whether a NaN is an error.

    >>> import rushlight as torch
    >>> x = torch.tensor(0., requires_grad=True)
    >>> with torch.autograd.detect_anomaly():  # doctest: +SKIP
    ...     (x.sqrt() * 0).backward()
    Traceback (most recent call last):
    RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output.
    """

    def __init__(self, check_nan=True):
        self.before = core.anomaly_mode()
        self.check_nan = check_nan
        warn_user(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for debugging."
        )

    def __enter__(self):
        switch(True, self.check_nan)

    def __exit__(self, *exception):
        core.set_anomaly_mode(*self.before)


class set_detect_anomaly:
    """Sets anomaly mode at once; as a context manager, puts back what was before at its end.

    Args:
        mode: On or off.
        check_nan: Whether a NaN in backward is an error.

    >>> import rushlight as torch
    >>> with torch.autograd.set_detect_anomaly(True):
    ...     torch.is_anomaly_enabled()
    True
    """

    def __init__(self, mode, check_nan=True):
        self.before = core.anomaly_mode()
        switch(mode, check_nan)

    def __enter__(self):
        return None

    def __exit__(self, *exception):
        core.set_anomaly_mode(*self.before)


def warn_of_anomaly(node):
    """In anomaly mode an error in backward is preceded by a warning that shows where the node was made, and what induced that."""
    text, did = "Error detected in", "caused the error"
    while node is not None:
        lines = node.metadata.get("traceback_")
        said = (
            "No forward pass information available. Enable detect anomaly during forward pass for more information."
            if lines is None
            else f"Traceback of forward call that {did}:\n{''.join(lines)}"
        )
        warn_user(f"{text} {node.name()}. {said}")
        node = node.metadata.get("parent_")
        text, did = "\n\nPrevious calculation was induced by", "induced the previous calculation"


def remember_traceback(node):
    """Gives a node the stack at which it was made, and the node whose backward made it."""
    import traceback

    frames = [frame for frame in traceback.extract_stack() if not frame.filename.startswith(FOLDER)]
    node.metadata["traceback_"] = traceback.format_list(frames)
    parent = core.current_node()
    if parent is not None:
        node.metadata["parent_"] = parent
