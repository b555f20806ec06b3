"""Checkpoints that several processes write."""

from rushlight.distributed._one_process import classes, functions

__all__ = [
    "DefaultLoadPlanner",
    "DefaultSavePlanner",
    "FileSystemReader",
    "FileSystemWriter",
    "HuggingFaceStorageReader",
    "HuggingFaceStorageWriter",
    "async_save",
    "load",
    "load_state_dict",
    "save",
    "save_state_dict",
]

globals().update(
    classes(
        __name__,
        "DefaultLoadPlanner",
        "DefaultSavePlanner",
        "FileSystemReader",
        "FileSystemWriter",
        "HuggingFaceStorageReader",
        "HuggingFaceStorageWriter",
    )
)
globals().update(functions(__name__, "async_save", "load", "load_state_dict", "save", "save_state_dict"))
