"""What was once tried out in `functorch.experimental`."""

from rushlight._functorch.apis import chunk_vmap
from rushlight._functorch.deprecated import functionalize, hessian, jacfwd, jvp
from rushlight.func import replace_all_batch_norm_modules_

__all__ = ["chunk_vmap", "functionalize", "hessian", "jacfwd", "jvp", "replace_all_batch_norm_modules_"]
