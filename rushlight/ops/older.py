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


def require_indices(name, given):
    """Refuses what is no tensor of integers, as the index of a sparse tensor is."""
    if given.is_floating_point() or given.is_complex() or given.dtype is torch.bool:
        raise NotImplementedError(f"\"{name}\" not implemented for '{given.dtype.legacy_name}'")


@composite(method=False, signature="Tensor input, int size, *, bool out_int32=False")
def _convert_indices_from_coo_to_csr(input, size, out_int32=False):
    """Where each of `size` rows begins, of elements whose rows `input` has in order; behind the last row, how many there are."""
    if input.ndim > 1:
        raise RuntimeError(f"Input is supposed to be a vector, but got {input.ndim} dimensional tensor.")
    require_indices("convert_indices_from_coo_to_csr_cpu", input)
    return torch.searchsorted(input.flatten(), torch.arange(size + 1, dtype=input.dtype), out_int32=out_int32)


@composite(method=False, signature="Tensor crow_indices, Tensor col_indices, *, bool out_int32=False, bool transpose=False")
def _convert_indices_from_csr_to_coo(crow_indices, col_indices, out_int32=False, transpose=False):
    """The rows and columns of elements, from where the rows begin; `transpose` gives the columns first. Batches stand in rows before them."""
    require_indices("convert_indices_from_csr_to_coo_cpu", crow_indices)
    counts = crow_indices.diff()
    places = torch.ones_like(counts).nonzero().T.repeat_interleave(counts.flatten().long(), 1)
    *lead, rows = places
    columns = col_indices.flatten().long()
    made = torch.stack([*lead, columns, rows] if transpose else [*lead, rows, columns])
    return made.int() if out_int32 else made


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
