"""The transforms under the name `functorch`, each with the advice to use another."""

import functools

from rushlight import func
from rushlight._functorch import make_functional as modules
from rushlight.core import warn_user

__all__ = [
    "combine_state_for_ensemble",
    "functionalize",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "make_functional",
    "make_functional_with_buffers",
    "vjp",
    "vmap",
]


def deprecated(function, successor):
    """`function` with a warning that names its successor."""
    name = function.__name__
    guide = "the PyTorch 2.0 release notes and/or the `torch.func` migration guide for more details"
    text = (
        f"We've integrated functorch into PyTorch. As the final step of the integration, `functorch.{name}` is deprecated as of PyTorch 2.0 "
        f"and will be deleted in a future version of PyTorch >= 2.3. Please use `{successor}` instead; see {guide} "
        "https://pytorch.org/docs/main/func.migrating.html"
    )

    @functools.wraps(function)
    def warned(*args, **kwargs):
        warn_user(text, FutureWarning)
        return function(*args, **kwargs)

    return warned


functionalize = deprecated(func.functionalize, "torch.func.functionalize")
grad = deprecated(func.grad, "torch.func.grad")
grad_and_value = deprecated(func.grad_and_value, "torch.func.grad_and_value")
hessian = deprecated(func.hessian, "torch.func.hessian")
jacfwd = deprecated(func.jacfwd, "torch.func.jacfwd")
jacrev = deprecated(func.jacrev, "torch.func.jacrev")
jvp = deprecated(func.jvp, "torch.func.jvp")
vjp = deprecated(func.vjp, "torch.func.vjp")
vmap = deprecated(func.vmap, "torch.vmap")
combine_state_for_ensemble = deprecated(modules.combine_state_for_ensemble, "torch.func.stack_module_state")
make_functional = deprecated(modules.make_functional, "torch.func.functional_call")
make_functional_with_buffers = deprecated(modules.make_functional_with_buffers, "torch.func.functional_call")
