"""Scaled dot-product attention: softmax(q kᵀ / √width) v, by blocks in one kernel, or written out in ops.

The kernel keeps the logarithm of each row's sum of exponentials, from which backward finds the weights again, a block at a time.
"""

import math

import rushlight as torch
from rushlight import _settings, core
from rushlight.core import empty_like_layout, empty_tensor
from rushlight.ops._declare import composite, kernel, op
from rushlight.ops._rules import c_name, may_be_differentiated
from rushlight.ops.neural import run_softmax, softmax_backward, softmax_kernel, softmax_vjp


@op(
    vjp=softmax_vjp,
    fused=softmax_backward,
    jvp=lambda x_t, out, dim: softmax_vjp(x_t.to(out.dtype), out, dim),
    method=False,
    out=False,
    batch="reduction.along_one",
    flat="saturated",
    signature="Tensor input, int dim, dtype? dtype=None",
)
def _safe_softmax(x, dim, dtype=None):
    """softmax, but zeros where all of a row is minus infinity."""
    out = run_softmax(softmax_kernel, "softmax", x, dim, dtype)
    return out.masked_fill_((x == -math.inf).all(dim, keepdim=True), 0) if x.numel() else out


# ---- in one kernel --------------------------------------------------------------------------------------------------------
def wide(x):
    """Halves in float32, in which attention is computed."""
    return x.float() if x.dtype.itemsize == 2 else x


def with_dense_rows(x):
    """As the kernel reads it."""
    x = wide(x)
    return x if x.stride(3) == 1 and x.stride(2) >= x.shape[3] else x.contiguous()


def mask_of_scores(attn_mask, query, key):
    """A mask for every score, without a copy."""
    if attn_mask is None:
        return None
    shape = (*query.shape[:3], key.shape[2])
    return (attn_mask if attn_mask.dtype is torch.bool else attn_mask.to(wide(query).dtype)).expand(shape)


def attention_in_ops(query, key, value, dropout_p, is_causal, attn_mask, scale):
    """What the op computes."""
    groups = query.shape[1] // key.shape[1]
    made = written_out(*map(wide, (query, key, value)), mask_of_scores(attn_mask, query, key), 0.0, is_causal, scale, groups)
    return made.to(query.dtype)


def attention_vjp(g, query, key, value, dropout_p, is_causal, attn_mask, scale, output, logsumexp, wanted):
    places = tuple(i for i, is_wanted in enumerate(wanted) if is_wanted)
    given = (query, key, value, dropout_p, is_causal, attn_mask, scale)
    found = dict(zip(places, core.differentiate(attention_in_ops, given, g, places), strict=True))
    return tuple(map(found.get, range(3)))


def attention_fused(g, query, key, value, dropout_p, is_causal, attn_mask, scale, output, logsumexp, wanted):
    if core.are_alike(query, key, value, output):
        inputs, gradients = (query, key, value, output), [empty_like_layout(x) for x in (query, key, value)]
    else:
        inputs = tuple(map(with_dense_rows, (query, key, value, output)))
        made = [empty_like_layout(wide(x)) for x in (query, key, value)]
        gradients = [x if x.stride(3) == 1 and x.stride(2) >= x.shape[3] else empty_tensor(x.shape, x.dtype) for x in made]
    mask = mask_of_scores(attn_mask, query, key)
    kernel("attention_gradient")(*gradients, with_dense_rows(g), *inputs, logsumexp, mask, scale_of(query, scale), is_causal)
    return tuple(x.to(query.dtype) if is_wanted else None for x, is_wanted in zip(gradients, wanted, strict=True))


def attention_jvp(query_t, key_t, value_t, query, key, value, dropout_p, is_causal, attn_mask, scale):
    given = {"query": query, "key": key, "value": value}
    tangents = dict(zip(given, (query_t, key_t, value_t), strict=True))
    pushed = [name for name in given if tangents[name] is not None]

    def run(*values):
        return attention_in_ops(
            **given | dict(zip(pushed, values)), dropout_p=0.0, is_causal=is_causal, attn_mask=attn_mask, scale=scale
        )

    return torch.func.jvp(run, tuple(map(given.get, pushed)), tuple(map(tangents.get, pushed)))[1]


def scale_of(query, scale):
    return 1.0 / math.sqrt(query.shape[-1]) if scale is None else float(scale)


@op(
    joint=attention_vjp,
    fused=attention_fused,
    inputs=("query", "key", "value"),
    jvp=attention_jvp,
    outputs=("output", "logsumexp"),
    differentiable=("output",),
    method=False,
    out=False,
    batch="recurrent.attention",
    public="scaled_dot_product_attention",
    signature=(
        "Tensor query, Tensor key, Tensor value, float dropout_p=0.0, bool is_causal=False, *, Tensor? attn_mask=None, "
        "float? scale=None"
    ),
)
def _scaled_dot_product_flash_attention_for_cpu(query, key, value, dropout_p=0.0, is_causal=False, attn_mask=None, scale=None):
    """Attention of [batch, heads, queries, width] to [batch, heads (or a divisor), keys, width], and the logarithms of the weights' sums."""
    if dropout_p:
        raise RuntimeError("scaled_dot_product_attention_flash_attention: Currently do not support dropout > 0")
    if not (query.ndim == key.ndim == value.ndim == 4) or not query.shape[3] == key.shape[3] == value.shape[3]:
        raise RuntimeError("scaled_dot_product_attention_flash_attention: Accept only 4 dims inputs shape of {B, H, T, K}")
    batch, heads, queries, width = query.shape
    if key.shape != value.shape or key.shape[0] != batch or not key.numel() or heads % key.shape[1]:
        raise RuntimeError("scaled_dot_product_attention_flash_attention: K/V should have the same shape, and fit Q")
    if core.are_alike(query, key, value):
        inputs, out = (query, key, value), empty_like_layout(query)
    else:
        inputs, out = list(map(with_dense_rows, (query, key, value))), empty_like_layout(wide(query))
        if out.stride(3) != 1 or out.stride(2) < width:
            out = empty_tensor(query.shape, out.dtype)
    logsumexp = empty_tensor((batch, heads, queries), out.dtype)
    mask = mask_of_scores(attn_mask, query, key)
    kernel("attention")(out, logsumexp, *inputs, mask, scale_of(query, scale), is_causal)
    return out if out.dtype is query.dtype else out.to(query.dtype), logsumexp


def fits_kernel(query, key, value, attn_mask, dropout_p, enable_gqa):
    """Whether the kernel computes it: as PyTorch's fused one on the CPU does."""
    if dropout_p > 0 or not (query.ndim == key.ndim == value.ndim == 4) or not query.is_floating_point():
        return False
    if core.are_alike(query, key, value) and attn_mask is None:
        return query.numel() > 0
    if not all(x.stride(3) == 1 or x.shape[3] == 1 for x in (query, key, value)):
        return False
    if key.shape != value.shape or query.shape[3] != key.shape[3] or query.shape[0] != key.shape[0]:
        return False
    heads, kept = query.shape[1], key.shape[1]
    if (heads != kept and not (enable_gqa and kept and heads % kept == 0)) or not query.numel() or not key.numel():
        return False
    if attn_mask is None:
        return True
    # (A mask that is differentiated goes the other way.)
    if may_be_differentiated(attn_mask) or attn_mask.ndim not in (2, 4):
        return False
    sizes = (*query.shape[:3], key.shape[2])[-attn_mask.ndim :]
    return all(given in (1, size) for given, size in zip(attn_mask.shape, sizes))


# ---- written out ----------------------------------------------------------------------------------------------------------
def written_out(*given):
    weights, value = weighed(*given)
    return weights @ value


def weighed(query, key, value, attn_mask, dropout_p, is_causal, scale, groups=1, dropout_mask=None):
    """The weights of attention, and what they weigh."""
    if groups > 1:
        key, value = key.repeat_interleave(groups, -3), value.repeat_interleave(groups, -3)
    scale = scale_of(query, scale) if query.shape[-1] else 1.0
    root = math.sqrt(abs(scale))
    scores = (query * math.copysign(root, scale)) @ (key * root).transpose(-2, -1)
    for mask in (attn_mask, torch.ones(scores.shape[-2:], dtype=torch.bool).tril() if is_causal else None):
        if mask is not None:
            if mask.dtype is torch.bool:
                mask = torch.zeros_like(mask, dtype=query.dtype).masked_fill_(mask.logical_not(), -math.inf)
            scores = scores + mask
    weights = _safe_softmax(scores, -1)
    if dropout_p > 0 and dropout_mask is None:
        weights = torch.dropout(weights, dropout_p, True)
    return weights, value


def groups_of(query, key, value, enable_gqa):
    """How many heads of the queries share one of keys and values."""
    if not enable_gqa or query.ndim <= 2:
        return 1
    heads, kept = query.size(-3), key.size(-3)
    if kept == 0 or heads % kept or value.size(-3) != kept:
        raise RuntimeError("Number of heads in key and value must divide the number of heads in ")
    return heads // kept


def check_causal(attn_mask, is_causal):
    if is_causal and attn_mask is not None:
        raise RuntimeError("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")


def check_attention(query, key, value, attn_mask):
    if not query.dtype is key.dtype is value.dtype:
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{c_name(query.dtype)} key.dtype: {c_name(key.dtype)} and value.dtype: {c_name(value.dtype)} instead."
        )
    if query.ndim < 2 or key.ndim < 2 or value.ndim < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{query.ndim} key.dim: {key.ndim} and value.dim: {value.ndim} instead."
        )
    if attn_mask is not None and attn_mask.dtype not in (torch.bool, torch.float32, query.dtype):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{c_name(attn_mask.dtype)} and  query.dtype: {c_name(query.dtype)} instead."
        )


@composite(
    namespace="nn",
    method=False,
    signature=(
        "Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0.0, bool is_causal=False, *, "
        "float? scale=None, bool enable_gqa=False"
    ),
)
def scaled_dot_product_attention(
    query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, *, scale=None, enable_gqa=False
):
    """softmax(q kᵀ / √width + mask) v."""
    check_attention(query, key, value, attn_mask)
    enabled = _settings.attention_kernels
    if enabled["flash"] and fits_kernel(query, key, value, attn_mask, dropout_p, enable_gqa):
        return _scaled_dot_product_flash_attention_for_cpu(
            query, key, value, dropout_p, is_causal, attn_mask=attn_mask, scale=scale
        )[0]
    if not enabled["math"]:
        raise RuntimeError(
            "No available kernel.  Aborting execution."
            if enabled["flash"]
            else "No viable backend for scaled_dot_product_attention was found. This is likely due to turning off both the math "
            "kernel and the fused kernels."
        )
    check_causal(attn_mask, is_causal)
    groups = groups_of(query, key, value, enable_gqa)
    return written_out(*map(wide, (query, key, value)), attn_mask, dropout_p, is_causal, scale, groups).to(query.dtype)


@composite(
    method=False,
    signature=(
        "Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0.0, bool is_causal=False, "
        "Tensor? dropout_mask=None, *, float? scale=None, bool enable_gqa=False"
    ),
)
def _scaled_dot_product_attention_math(
    query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, dropout_mask=None, *, scale=None, enable_gqa=False
) -> "tuple[torch.Tensor, torch.Tensor]":
    """scaled_dot_product_attention written out in ops, and its weights. `dropout_mask` says which of them are kept."""
    check_causal(attn_mask, is_causal)
    groups = groups_of(query, key, value, enable_gqa)
    if attn_mask is not None and attn_mask.dtype is torch.bool:
        attn_mask = attn_mask.to(
            wide(query).dtype
        )  # (PyTorch adds it like any other: bools become numbers before they come here.)
    given = (*map(wide, (query, key, value)), attn_mask, dropout_p, is_causal, scale, groups, dropout_mask)
    weights, value = weighed(*given)
    if dropout_mask is None:
        made = weights @ value
    else:
        made = weights.masked_fill(dropout_mask.logical_not(), 0) @ (value / (1 - dropout_p))
    return made.to(query.dtype), weights.to(query.dtype)


@composite(
    method=False,
    signature=(
        "Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0.0, bool is_causal=False, *, "
        "float? scale=None, bool enable_gqa=False"
    ),
)
def _fused_sdp_choice(
    query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, *, scale=None, enable_gqa=False
) -> "int":
    """Which way scaled_dot_product_attention goes: 1 for the kernel, 0 for ops, -1 for none that is enabled."""
    enabled = _settings.attention_kernels
    if enabled["flash"] and fits_kernel(query, key, value, attn_mask, dropout_p, enable_gqa):
        return 1
    return 0 if enabled["math"] else -1
