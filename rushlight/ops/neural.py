"""What neural networks are made of, besides activations, normalization, dropout and losses: softmax, embedding, bilinear."""

import rushlight as torch
from rushlight import core
from rushlight.core import empty_tensor, wrap_dim
from rushlight.ops._declare import composite, kernel, op, short_way
from rushlight.ops._rules import c_name, conjugate, not_implemented, require_index
from rushlight.ops.scan import contiguous_like

softmax_kernel, softmax_gradient_kernel = kernel("softmax"), kernel("softmax_gradient")
log_softmax_kernel, log_softmax_gradient_kernel = kernel("log_softmax"), kernel("log_softmax_gradient")
index_select_kernel = kernel("index_select")


def run_softmax(run, name, x, dim, dtype):
    """Forward of both: `x` in the wanted dtype through the kernel."""
    if dtype is not None and dtype != x.dtype:
        x = x.to(dtype)
    dim = dim if 0 <= dim < x.ndim else wrap_dim(dim, x.ndim)
    if not x.is_floating_point() and x.numel():
        kind = "_lastdim" if x.dim() == 0 or dim % x.dim() == x.dim() - 1 else ""
        raise NotImplementedError(f"\"{name}{kind}_kernel_impl\" not implemented for '{x.dtype.legacy_name}'")
    out = contiguous_like(x)
    if x.is_floating_point():
        run(out, x, dim)
    return out


def softmax_vjp(g, out, dim):
    return out * (g - (g * out).sum(dim, keepdim=True))


def softmax_vjp_tangent(grad_output_t, output_t, grad_output, output, dim):
    moved = 0 if grad_output_t is None else softmax_vjp(grad_output_t, output, dim)
    if output_t is None:
        return moved
    own = (grad_output * output).sum(dim, keepdim=True)
    return moved + output_t * (grad_output - own) - output * (grad_output * output_t).sum(dim, keepdim=True)


@op(
    derives=softmax_vjp,
    inputs=("grad_output", "output"),
    jvp=softmax_vjp_tangent,
    batch="reduction.along_two",
    plain=short_way("ffd", "along", "softmax_gradient"),
    name="SoftmaxBackwardDataBackward0",
)
def softmax_backward(grad_output, output, dim):
    """y (g - Σ g y), what softmax's cotangent becomes."""
    made = contiguous_like(output)
    softmax_gradient_kernel(made, grad_output, output, wrap_dim(dim, output.ndim))
    return made


def log_softmax_vjp(g, out, dim):
    return g - out.exp() * g.sum(dim, keepdim=True)


def log_softmax_vjp_tangent(grad_output_t, output_t, grad_output, output, dim):
    moved = 0 if grad_output_t is None else log_softmax_vjp(grad_output_t, output, dim)
    return moved if output_t is None else moved - output_t * output.exp() * grad_output.sum(dim, keepdim=True)


@op(
    derives=log_softmax_vjp,
    inputs=("grad_output", "output"),
    jvp=log_softmax_vjp_tangent,
    batch="reduction.along_two",
    plain=short_way("ffd", "along", "log_softmax_gradient"),
    name="LogSoftmaxBackwardDataBackward0",
)
def log_softmax_backward(grad_output, output, dim):
    """g - exp(y) Σ g, what log_softmax's cotangent becomes."""
    made = contiguous_like(output)
    log_softmax_gradient_kernel(made, grad_output, output, wrap_dim(dim, output.ndim))
    return made


@op(
    vjp=softmax_vjp,
    fused=softmax_backward,
    jvp=lambda x_t, out, dim: softmax_vjp(x_t.to(out.dtype), out, dim),
    plain=short_way("fd-", "along", "softmax"),
    real=True,
    batch="reduction.along_one",
    flat="saturated",
    overload="int",
)
def softmax(x, dim, dtype=None):
    """exp(x) / Σ exp(x) along `dim`; with `dtype`, `x` is cast first.

    >>> import rushlight
    >>> rushlight.tensor([0., 0.]).softmax(0)
    tensor([0.5000, 0.5000])
    """
    return run_softmax(softmax_kernel, "softmax", x, dim, dtype)


@op(
    vjp=log_softmax_vjp,
    fused=log_softmax_backward,
    jvp=lambda x_t, out, dim: x_t - (x_t * out.exp()).sum(dim, keepdim=True),
    plain=short_way("fd-", "along", "log_softmax"),
    real=True,
    batch="reduction.along_one",
    flat="saturated",
    overload="int",
)
def log_softmax(x, dim, dtype=None):
    """log(softmax(x)) along `dim`, without cancellation."""
    return run_softmax(log_softmax_kernel, "log_softmax", x, dim, dtype)


softmax.title, log_softmax.title = "_softmax", "_log_softmax"


def gradient_along(name, run, grad_output, output, dim, input_dtype, out):
    """What both functions of PyTorch's backward do: `run`, after their checks."""
    wrap_dim(dim, output.ndim)
    if grad_output.shape != output.shape:
        raise RuntimeError(
            "Expected tensor for argument #1 'grad' to have same size as tensor for argument #2 'output'; but "
            f"{list(grad_output.shape)} does not equal {list(output.shape)} (while checking arguments for {name}_backward)"
        )
    for dtype in (output.dtype, input_dtype if grad_output.dtype is torch.float32 else grad_output.dtype):
        if dtype is not grad_output.dtype:
            raise RuntimeError(f"expected scalar type {grad_output.dtype.legacy_name} but found {dtype.legacy_name}")
    if not output.is_floating_point():
        kind = "_lastdim" if output.ndim == 0 or dim % output.ndim == output.ndim - 1 else ""
        raise not_implemented(f"{name}_backward{kind}_kernel_impl", output.dtype)
    made = run(grad_output, output, dim)
    return made if out is None else core.written_out(f"_{name}_backward_data", out, made)


def refuse_wider(half_to_float):
    if half_to_float:
        raise RuntimeError("softmax with half to float conversion is not supported on CPU")


@composite(method=False, signature="Tensor input, int dim, bool half_to_float")
def _softmax(input, dim, half_to_float):
    """softmax; an error with `half_to_float`, which is for other devices."""
    refuse_wider(half_to_float)
    return softmax(input, dim)


@composite(method=False, signature="Tensor input, int dim, bool half_to_float")
def _log_softmax(input, dim, half_to_float):
    """log_softmax; an error with `half_to_float`, which is for other devices."""
    refuse_wider(half_to_float)
    return log_softmax(input, dim)


def mask_over(x, mask, dim, mask_type):
    """The mask of each element of `x`, after what there is to check: of pairs of places (0), of places of each sample (1), or of all (2)."""
    if mask.dtype is not torch.bool:
        raise RuntimeError("Mask should be a boolean tensor")
    if mask.dim() != 2 or x.dim() != 4:
        mask_type = 2
    elif mask_type not in (0, 1, 2):
        wrap_dim(dim, x.dim())
        if mask_type is None:
            raise RuntimeError("Mask Type should be defined")
        raise RuntimeError("Mask Type should be 0 (src_mask) or 1 (src_key_padding_mask), or 2 (default_mask)")
    samples, places = (x.shape[0], x.shape[2]) if x.dim() == 4 else (0, 0)
    wanted, told = (((places, places), "be (L, L)"), ((samples, places), "be (B, L)"), (tuple(x.shape), "match input shape"))[
        mask_type
    ]
    if tuple(mask.shape) != wanted:
        raise RuntimeError(f"For mask_type == {mask_type} mask shape should {told}")
    return mask.view(samples, 1, 1, places) if mask_type == 1 else mask


@composite(method=False, signature="Tensor input, Tensor mask, int? dim=None, int? mask_type=None")
def _masked_softmax(input, mask, dim=None, mask_type=None):
    """softmax over what `mask` does not cover: nothing is left where it covers all, and the elements there are nan."""
    dim = -1 if dim is None else dim
    covered = mask_over(input, mask, dim, mask_type)
    dim = wrap_dim(dim, input.dim())
    if not input.is_floating_point():
        raise not_implemented("masked_softmax", input.dtype)
    return softmax(input.masked_fill(covered, -torch.inf), dim)


@composite(
    method=False,
    signature="Tensor grad_output, Tensor output, int dim, dtype input_dtype, *, Tensor grad_input=None",
)
def _softmax_backward_data(grad_output, output, dim, input_dtype, *, grad_input=None):
    """The cotangent of softmax's input, from that of its `output`."""
    return gradient_along("softmax", softmax_backward, grad_output, output, dim, input_dtype, grad_input)


@composite(method=False, signature="Tensor grad_output, Tensor output, int dim, dtype input_dtype, *, out")
def _log_softmax_backward_data(grad_output, output, dim, input_dtype, *, out=None):
    """The cotangent of log_softmax's input, from that of its `output`."""
    return gradient_along("log_softmax", log_softmax_backward, grad_output, output, dim, input_dtype, out)


# ---- embedding ------------------------------------------------------------------------------------------------------------


@op(
    vjp=lambda g, row_g_shape, indices, padding_idx: (
        g.index_select(0, indices.reshape(-1)).reshape(row_g_shape) * indices.ne(padding_idx).unsqueeze(-1)
    ),
    linear=True,
    method=False,
    out=False,
    name="EmbeddingDenseBackwardBackward0",
    batch="indexing.embedding_gradient",
)
def _embedding_gradient(row_g, indices, rows, padding_idx, scale_grad_by_freq):
    """The rows of `row_g` summed where `indices` sends them; the row `padding_idx` stays 0."""
    out = empty_tensor((rows, row_g.shape[-1]), row_g.dtype)
    kernel("embedding_gradient")(out, row_g, indices, padding_idx, scale_grad_by_freq)
    return out


def sparse_embedding_gradient(g, weight_shape, indices, padding_idx, scale_grad_by_freq):
    """The gradient as a sparse tensor of the rows that were looked up."""
    if scale_grad_by_freq:
        raise RuntimeError("embedding_backward: scale_grad_by_freq not supported with sparse gradients")
    if not g.numel():
        indices, g = indices[:0], g.new_empty(0)
    rows = g.reshape(indices.numel(), weight_shape[1])
    if padding_idx != -1:
        kept = (indices != padding_idx).nonzero().reshape(-1)
        indices, rows = indices[kept], rows[kept]
    return torch.sparse_coo_tensor(indices.unsqueeze(0), rows, weight_shape)


@op(
    vjp={
        "weight": lambda g, weight_shape, indices, padding_idx, scale_grad_by_freq, sparse: (
            sparse_embedding_gradient(g, weight_shape, indices.reshape(-1), padding_idx, scale_grad_by_freq)
            if sparse
            else torch._embedding_gradient(g, indices, weight_shape[0], padding_idx, scale_grad_by_freq)
        )
    },
    jvp=lambda weight_t, indices: torch.embedding(weight_t, indices),
    plain=short_way("cl", "looked up", "index_select"),
    method=False,
    out=False,
    batch="indexing.embedding",
    any_place=True,
)
def embedding(weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    """The rows of `weight` that `indices` names. The row `padding_idx` gets no gradient."""
    if weight.dim() != 2:
        raise RuntimeError("'weight' must be 2-D")
    require_index("embedding", indices)
    shape = indices.shape
    out = empty_tensor((indices.numel(), weight.shape[1]), weight.dtype)
    rows = indices if len(shape) == 1 else indices.reshape(-1)
    index_select_kernel(out, weight, rows if rows.dtype is torch.int64 else rows.to(torch.int64), 0)
    return out if len(shape) == 1 else out.reshape((*shape, weight.shape[1]))


BACKWARD = "Tensor grad_output, Tensor indices, int num_weights, int padding_idx, bool scale_grad_by_freq"


@composite(namespace="aten", method=False, signature=BACKWARD)
def embedding_dense_backward(grad_output, indices, num_weights, padding_idx, scale_grad_by_freq):
    """The gradient of an embedding's table."""
    return torch._embedding_gradient(grad_output, indices, num_weights, padding_idx, scale_grad_by_freq)


@composite(namespace="aten", method=False, signature=BACKWARD)
def embedding_sparse_backward(grad_output, indices, num_weights, padding_idx, scale_grad_by_freq):
    """The gradient of an embedding's table, as a sparse tensor."""
    shape = (num_weights, grad_output.shape[-1])
    return sparse_embedding_gradient(grad_output, shape, indices.reshape(-1), padding_idx, scale_grad_by_freq)


@composite(namespace="aten", method=False, signature=BACKWARD + ", bool sparse")
def embedding_backward(grad_output, indices, num_weights, padding_idx, scale_grad_by_freq, sparse):
    """The gradient of an embedding's table, as a sparse tensor or a dense one."""
    backward = embedding_sparse_backward if sparse else embedding_dense_backward
    return backward(grad_output, indices, num_weights, padding_idx, scale_grad_by_freq)


@composite(method=False, signature="Tensor input, Tensor indices, float max_norm, float norm_type")
def embedding_renorm_(weight, indices, max_norm, norm_type=2.0):
    """Scales the rows of `weight` that `indices` names, where their norm is over `max_norm`; in place."""
    core.refuse_batch_into("embedding_renorm_", weight, indices)
    require_index("embedding_renorm_", indices, place=2)
    # A change that no derivative sees, in forward mode either.
    forward_mode = core.set_forward_ad_enabled(False)
    try:
        with torch.no_grad():
            chosen = indices.reshape(-1).unique().long()
            if core.is_expanded(weight):
                # Rows that are one in memory are scaled one after the other.
                for row in map(weight.__getitem__, chosen.tolist()):
                    length = torch.linalg.vector_norm(row, norm_type)
                    if length > max_norm:
                        row.mul_(max_norm / (length.item() + 1e-7))
                return weight
            rows = weight.index_select(0, chosen)
            length = torch.linalg.vector_norm(rows, norm_type, 1, keepdim=True).double()
            # (a number over a tensor would be rounded twice)
            scale = torch.full_like(length, max_norm).div(length + 1e-7).to(rows.dtype)
            weight.index_copy_(0, chosen, torch.where(length > max_norm, rows * scale, rows))
    finally:
        core.set_forward_ad_enabled(forward_mode)
    return weight


@op(
    vjp={
        "x1": lambda g, x2, weight: three_way(g, conjugate(weight), conjugate(x2)),
        "x2": lambda g, x1, weight: three_way(g, conjugate(weight).transpose(1, 2), conjugate(x1)),
        "weight": lambda g, x1, x2: torch.matmul(
            (g.unsqueeze(-1) * conjugate(x1).unsqueeze(-2)).flatten(-2).t(), conjugate(x2)
        ).reshape(g.shape[1], x1.shape[1], x2.shape[1]),
    },
    jvp=lambda x1_t, x2_t, weight_t, x1, x2, weight: trilinear_jvp(x1_t, x2_t, weight_t, x1, x2, weight),
    method=False,
    out=False,
    name="TrilinearBackward0",
    batch="products.trilinear",
)
def _trilinear(x1, weight, x2):
    """Σ_ij x1[n, i] weight[o, i, j] x2[n, j] for rows n: [n, o]."""
    return torch.matmul(torch.matmul(x1.unsqueeze(0), weight).permute(1, 0, 2), x2.unsqueeze(-1)).squeeze(-1)


def three_way(g, weight, x2):
    """Σ_oj g[n, o] weight[o, i, j] x2[n, j]: [n, i]."""
    joined = (g.unsqueeze(-1) * x2.unsqueeze(-2)).flatten(-2)
    return torch.matmul(joined, weight.permute(0, 2, 1).reshape(-1, weight.shape[1]))


def trilinear_jvp(x1_t, x2_t, weight_t, x1, x2, weight):
    total = 0
    if x1_t is not None:
        total = total + torch._trilinear(x1_t, weight, x2)
    if weight_t is not None:
        total = total + torch._trilinear(x1, weight_t, x2)
    return total if x2_t is None else total + torch._trilinear(x1, weight, x2_t)


@composite(method=False)
def bilinear(input1, input2, weight, bias=None):
    """x1ᵀ A x2 + b over the last dimensions: inputs [..., I] and [..., J], weight [O, I, J], bias [O]."""
    given = {"input1": input1, "input2": input2, "weight": weight} | ({} if bias is None else {"bias": bias})
    if any(x.dtype is not input1.dtype for x in given.values()):
        names = ", ".join(f"{name}: {c_name(x.dtype)}" for name, x in given.items())
        raise RuntimeError(f"All tensors must have the same dtype, got {names}")
    if input1.dim() != input2.dim():
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {input1.dim()} and {input2.dim()}")
    for d in range(input1.dim() - 1):
        if input1.shape[d] != input2.shape[d]:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {d}: got {input1.shape[d]} and {input2.shape[d]}"
            )
    for which, given, d in (("input1", input1, 1), ("input2", input2, 2)):
        if given.size(-1) != weight.size(d):
            raise RuntimeError(
                f"bilinear(): {which} size does not match weight size: got {given.size(-1)} but expected {weight.size(d)}"
            )
    if bias is not None and bias.size(0) != weight.size(0):
        raise RuntimeError(f"bilinear(): bias size does not match weight size: got {bias.size(0)} but expected {weight.size(0)}")
    out = torch._trilinear(input1.reshape(-1, input1.shape[-1]), weight, input2.reshape(-1, input2.shape[-1]))
    out = out.reshape(*input1.shape[:-1], weight.shape[0])
    return out if bias is None else out + bias
