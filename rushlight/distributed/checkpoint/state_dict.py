"""States of modules that lie on several processes."""

from rushlight.distributed._one_process import classes, functions

__all__ = [
    "StateDictOptions",
    "get_model_state_dict",
    "get_optimizer_state_dict",
    "get_state_dict",
    "set_model_state_dict",
    "set_optimizer_state_dict",
    "set_state_dict",
]

globals().update(classes(__name__, "StateDictOptions"))
globals().update(
    functions(
        __name__,
        "get_model_state_dict",
        "get_optimizer_state_dict",
        "get_state_dict",
        "set_model_state_dict",
        "set_optimizer_state_dict",
        "set_state_dict",
    )
)
