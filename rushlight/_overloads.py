"""What PyTorch calls a call of one of its ops: modes and classes with a `__torch_dispatch__` are told the overload by its name."""

from rushlight.core import Tensor

__all__ = ["overload_of"]

_ALWAYS = {
    **dict.fromkeys(
        ("add", "sub", "mul", "div", "index", "slice", "slice_copy", "split", "split_copy", "unsafe_split"), "Tensor"
    ),
    **dict.fromkeys(
        ("transpose", "transpose_copy", "unbind", "unbind_copy", "select", "select_copy", "softmax", "log_softmax"), "int"
    ),
    **dict.fromkeys(("var", "std", "var_mean", "std_mean"), "correction"),
    "where": "self",
    "bucketize": "Tensor",
}
"""Those of which one overload is called, and it is not the default one: a number beside a tensor counts as a tensor."""

_BY_SECOND = {
    **dict.fromkeys(
        [
            "eq",
            "ne",
            "lt",
            "le",
            "gt",
            "ge",
            "remainder",
            "fmod",
            "bitwise_and",
            "bitwise_or",
            "bitwise_xor",
            "__lshift__",
            "__rshift__",
            "copysign",
            "fill",
            "rsub",
        ],
        ("Tensor", "Scalar"),
    ),
    **dict.fromkeys(("bitwise_left_shift", "bitwise_right_shift"), ("Tensor", "Tensor_Scalar")),
    "pow": ("Tensor_Tensor", "Tensor_Scalar"),
    "xlogy": ("Tensor", "Scalar_Other"),
    "bernoulli_": ("Tensor", "float"),
    "searchsorted": ("Tensor", "Scalar"),
    "clamp": ("Tensor", "default"),
    "clamp_min": ("Tensor", "default"),
    "clamp_max": ("Tensor", "default"),
}
"""Those that are told apart by what the second argument is: a tensor, or a number."""

_BY_THIRD = {"masked_fill": ("Tensor", "Scalar"), "index_fill": ("int_Tensor", "int_Scalar"), "lerp": ("Tensor", "Scalar")}

_OF_DIMS = {
    "sum": "dim_IntList",
    "mean": "dim",
    "prod": "dim_int",
    "max": "dim",
    "min": "dim",
    "median": "dim",
    "nanmedian": "dim",
}
"""Reductions, and what those of some dimensions are called."""

_IN_PLACE = {"pow_": ("Tensor", "Scalar"), "div_": "Tensor"}

_NAMED = {
    "_index": "index Tensor", "_index_put": "index_put default", "_where": "where self", "_to_dtype": "_to_copy default",
    "_lerp_scalar": "lerp Scalar", "_lerp_tensor": "lerp Tensor", "_max_all": "max default", "_min_all": "min default",
    "squeeze_all": "squeeze default", "squeeze_one": "squeeze dim", "squeeze_dims": "squeeze dims", "view_as_dtype": "view dtype",
    "median_of_all": "median default", "nanmedian_of_all": "nanmedian default", "_clamp_between": "clamp default",
    "_clamp_above": "clamp_max default", "_clamp_below": "clamp_min default", "sort_along": "sort default", "_round": "round default",
    "coordinates": "nonzero default", "scatter_value": "scatter value", "scatter_tensor": "scatter src", "bernoulli_of": "bernoulli default",
    "unique2": "_unique2 default",
}  # fmt: skip
"""Ops that have another name here, and take the same arguments."""


def _one_of(pair, value):
    return pair[0] if isinstance(value, Tensor) else pair[1]


def overload_of(name, args, kwargs, in_place=False):
    """The name of an op and that of its overload for a call, as PyTorch has them."""
    if name in _NAMED:
        name, found = _NAMED[name].split()
    elif name == "div" and (len(args) > 2 or kwargs.get("rounding_mode")):
        found = "Tensor_mode"
    elif in_place and name + "_" in _IN_PLACE:
        found = _IN_PLACE[name + "_"]
        found = found if isinstance(found, str) else _one_of(found, args[1])
    elif name in ("pow", "remainder", "bitwise_and", "bitwise_or", "bitwise_xor") and not isinstance(args[0], Tensor):
        found = "Scalar" if name == "pow" else "Scalar_Tensor"
    elif name in _BY_SECOND and len(args) > 1:
        found = _one_of(_BY_SECOND[name], args[1])
    elif name in _BY_THIRD and len(args) > 2:
        found = _one_of(_BY_THIRD[name], args[2])
    elif name in ("any", "all") and len(args) > 1 and args[1] is not None:
        found = "dim" if isinstance(args[1], int) else "dims"
    elif name in ("split", "split_copy") and not isinstance(args[1], int):
        name, found = name.replace("split", "split_with_sizes"), "default"
    elif name == "fill_where":
        name, found = "masked_fill", _one_of(_BY_THIRD["masked_fill"], args[2])
    elif name in _OF_DIMS:
        found = _OF_DIMS[name] if len(args) > 1 and args[1] is not None else "default"
    else:
        found = _ALWAYS.get(name, "default")
    if "out" in kwargs:
        found = "out" if found in ("default", "Tensor") and name not in _BY_SECOND else f"{found.removeprefix('dim_')}_out"
    return name + "_" if in_place else name, found
