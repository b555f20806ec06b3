"""Which modules are wrapped."""

from rushlight.distributed._one_process import classes, functions

__all__ = [
    "ModuleWrapPolicy",
    "always_wrap_policy",
    "enable_wrap",
    "lambda_auto_wrap_policy",
    "size_based_auto_wrap_policy",
    "transformer_auto_wrap_policy",
    "wrap",
]

globals().update(classes(__name__, "ModuleWrapPolicy"))
globals().update(
    functions(
        __name__,
        "always_wrap_policy",
        "enable_wrap",
        "lambda_auto_wrap_policy",
        "size_based_auto_wrap_policy",
        "transformer_auto_wrap_policy",
        "wrap",
    )
)
