"""Functions of torch that programs reach by other names: losses as PyTorch's C++ has them, and methods of tensors."""

import rushlight as torch
from rushlight.ops._declare import composite


@composite(method=False, signature="Tensor input")
def _shape_as_tensor(input):
    """The sizes of `input` as a tensor of int64."""
    return torch.tensor(input.shape, dtype=torch.int64)


@composite(
    method=False,
    signature="function Tensor input | function Tensor input, str assert_msg",
)
def _assert_async(input, assert_msg="Expected Tensor with single nonzero value, but got zero"):
    """Raises RuntimeError where the one number of `input` is zero."""
    if not input:
        raise RuntimeError(assert_msg)


REDUCTION = {1: "mean", 2: "sum"}


def loss(name, signature, *, operands=2):
    """A loss of nn.functional whose reduction is a number: 0 (none: so it is where none is given), 1 (mean), 2 (sum).

    What stands behind its operands goes by name.
    """

    def compute(*given, reduction=0, **options):
        function = getattr(torch.nn.functional, name)
        names = [part.split(" ")[1].partition("=")[0] for part in signature.split(", ") if part != "*"]
        options = dict(zip(names, given)) | options
        reduction = options.pop("reduction", reduction)
        inputs = [options.pop(each) for each in names[:operands]]
        each = function(*inputs, **options, reduction="none")
        return getattr(each, REDUCTION[reduction])() if reduction in REDUCTION else each

    compute.__name__, compute.__doc__ = name, f"`torch.nn.functional.{name}` with a number for its reduction."
    composite(name=name, method=False, signature=signature)(compute)


loss("kl_div", "Tensor input, Tensor target, int reduction=0, *, bool log_target=False")
loss("hinge_embedding_loss", "Tensor input, Tensor target, float margin=1.0, int reduction=0")
loss("poisson_nll_loss", "Tensor input, Tensor target, bool log_input, bool full, float eps, int reduction")
for _name in ("margin_ranking_loss", "cosine_embedding_loss"):
    loss(_name, "Tensor input1, Tensor input2, Tensor target, float margin=0.0, int reduction=0", operands=3)
loss(
    "triplet_margin_loss",
    "Tensor anchor, Tensor positive, Tensor negative, float margin=1.0, float p=2, float eps=1e-06, bool swap=False, "
    "int reduction=0",
    operands=3,
)


@composite(
    method=False,
    signature="Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool use_input_stats, "
    "float momentum, float eps, bool cudnn_enabled",
)
def instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, cudnn_enabled):
    """`torch.nn.functional.instance_norm`, with everything given."""
    normalize = torch.nn.functional.instance_norm
    return normalize(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


@composite(method=False, signature="Tensor input")
def get_device(input):
    """-1: the tensor is on the CPU."""
    return input.get_device()


@composite(method=False, signature="Tensor input")
def is_distributed(input):
    """False."""
    return False
