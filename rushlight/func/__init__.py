"""Transforms of functions: derivatives of functions as functions, and functions of one example as functions of a batch."""

from rushlight.func import functions
from rushlight.func.derivatives import grad, grad_and_value, jvp, linearize, vjp
from rushlight.func.functionalization import debug_unwrap, functionalize
from rushlight.func.jacobians import hessian, jacfwd, jacrev
from rushlight.func.modules import functional_call, replace_all_batch_norm_modules_, stack_module_state
from rushlight.func.rearrangement import rearrange
from rushlight.func.vmap import vmap

__all__ = [
    "debug_unwrap",
    "functional_call",
    "functionalize",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "rearrange",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "vjp",
    "vmap",
]

# To whom it says where it comes from, each is of this package.
for _name in __all__:
    globals()[_name].__module__ = __name__
