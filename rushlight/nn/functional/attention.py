"""Attention: of queries to keys and values, and of several heads with their projections."""

import math

import rushlight as torch
from rushlight.core import warn_user
from rushlight.ops import layers

from .linear import linear

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]


def scaled_dot_product_attention(*args, **kwargs):
    """scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, *, scale=None, enable_gqa=False)

    softmax(q kᵀ scale + mask) v (Vaswani et al., 2017), with scale = 1 / √width where none is given.

    Shapes: query (..., queries, width), key (..., keys, width), value (..., keys, out), mask broadcast to (..., queries, keys): numbers that
    are added, or True where a key is seen. With `is_causal` query i sees the keys up to i. With `enable_gqa` several neighbouring heads
    (dimension -3) of the query have one of key and value.

    >>> import rushlight as torch
    >>> x = torch.eye(2)
    >>> torch.nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True, scale=0.0)
    tensor([[1.0000, 0.0000],
            [0.5000, 0.5000]])
    """
    return layers.scaled_dot_product_attention(*args, **kwargs)


def _mha_shape_check(query, key, value, key_padding_mask, attn_mask, num_heads):
    """Whether there is a batch; refuses numbers of dimensions that do not fit."""
    ndim = query.dim()
    if ndim not in (2, 3):
        raise AssertionError(f"query should be unbatched 2D or batched 3D tensor but received {ndim}-D query tensor")
    kind = f"For {'batched' if ndim == 3 else 'unbatched'} ({ndim}-D) `query`, expected"
    if key.dim() != ndim or value.dim() != ndim:
        raise AssertionError(
            f"{kind} `key` and `value` to be {ndim}-D but found {key.dim()}-D and {value.dim()}-D tensors respectively"
        )
    if key_padding_mask is not None and key_padding_mask.dim() != ndim - 1:
        raise AssertionError(
            f"{kind} `key_padding_mask` to be `None` or {ndim - 1}-D but found {key_padding_mask.dim()}-D tensor instead"
        )
    if attn_mask is not None:
        if attn_mask.dim() not in (2, 3):
            raise AssertionError(f"{kind} `attn_mask` to be `None`, 2-D or 3-D but found {attn_mask.dim()}-D tensor instead")
        if ndim == 2 and attn_mask.dim() == 3:
            expected = (num_heads, query.shape[0], key.shape[0])
            if attn_mask.shape != expected:
                raise AssertionError(f"Expected `attn_mask` shape to be {expected} but got {attn_mask.shape}")
    return ndim == 3


def _none_or_dtype(input):
    """The dtype of a mask, or None where there is none."""
    if input is None:
        return None
    if isinstance(input, torch.Tensor):
        return input.dtype
    raise RuntimeError("input to _none_or_dtype() must be None or torch.Tensor")


def _canonical_mask(mask, mask_name, other_type, other_name, target_type, check_other=True):
    """A mask as numbers to add: minus infinity where one of bools is True."""
    if mask is None:
        return None
    is_float = torch.is_floating_point(mask)
    if mask.dtype is not torch.bool and not is_float:
        raise AssertionError(f"only bool and floating types of {mask_name} are supported")
    if check_other and other_type is not None and mask.dtype is not other_type:
        warn_user(f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type for both instead.")
    return mask if is_float else torch.zeros_like(mask, dtype=target_type).masked_fill_(mask, -math.inf)


def _in_projection_packed(q, k, v, w, b=None):
    """The projections by one matrix, whose thirds are those of query, key and value; one product for what is the same tensor."""
    width = q.size(-1)
    if k is v:
        if q is k:
            joined = linear(q, w, b)
            return tuple(joined.unflatten(-1, (3, width)).unsqueeze(0).transpose(0, -2).squeeze(-2).contiguous())
        w_q, w_kv = w.split([width, width * 2])
        b_q, b_kv = (None, None) if b is None else b.split([width, width * 2])
        joined = linear(k, w_kv, b_kv)
        joined = joined.unflatten(-1, (2, width)).unsqueeze(0).transpose(0, -2).squeeze(-2).contiguous()
        return linear(q, w_q, b_q), joined[0], joined[1]
    biases = (None,) * 3 if b is None else b.chunk(3)
    return tuple(linear(x, weight, bias) for x, weight, bias in zip((q, k, v), w.chunk(3), biases))


def _in_projection(q, k, v, w_q, w_k, w_v, b_q=None, b_k=None, b_v=None):
    """The projections by a matrix each."""
    width, keys, values = q.size(-1), k.size(-1), v.size(-1)
    for name, tensor, shape in (
        ("query", w_q, (width, width)),
        ("key", w_k, (width, keys)),
        ("value", w_v, (width, values)),
    ):
        if tensor.shape != shape:
            raise AssertionError(f"expecting {name} weights shape of {shape}, but got {tensor.shape}")
    for name, tensor in (("query", b_q), ("key", b_k), ("value", b_v)):
        if tensor is not None and tensor.shape != (width,):
            raise AssertionError(f"expecting {name} bias shape of {(width,)}, but got {tensor.shape}")
    return linear(q, w_q, b_q), linear(k, w_k, b_k), linear(v, w_v, b_v)


def _with_one_more(mask, count=1):
    """A mask of keys, of which there are more: these are seen."""
    return None if mask is None else torch.nn.functional.pad(mask, (0, count))


def _heads_of_keys(given, static, name, keys, batch, num_heads, head_dim):
    """Keys or values of each head [batch * heads, keys, head_dim]: those given, or `static` ones."""
    if static is None:
        return given.view(keys, batch * num_heads, head_dim).transpose(0, 1)
    if static.size(0) != batch * num_heads:
        raise AssertionError(f"expecting {name}.size(0) of {batch * num_heads}, but got {static.size(0)}")
    if static.size(2) != head_dim:
        raise AssertionError(f"expecting {name}.size(2) of {head_dim}, but got {static.size(2)}")
    return static


def _checked_attn_mask(attn_mask, tgt_len, src_len, bsz, num_heads):
    """A mask as [batch * heads or 1, queries, keys]."""
    if attn_mask is None:
        return None
    if attn_mask.dim() == 2:
        correct, given = (tgt_len, src_len), attn_mask.unsqueeze(0)
    elif attn_mask.dim() == 3:
        correct, given = (bsz * num_heads, tgt_len, src_len), attn_mask
    else:
        raise RuntimeError(f"attn_mask's dimension {attn_mask.dim()} is not supported")
    if attn_mask.shape != correct:
        raise RuntimeError(f"The shape of the {attn_mask.dim()}D attn_mask is {attn_mask.shape}, but should be {correct}.")
    return given


def _separately_projected(query, key, value, weights, bias):
    """The projections by a matrix each, which must be there."""
    for name, weight in zip("qkv", weights):
        if weight is None:
            raise AssertionError(f"use_separate_proj_weight is True but {name}_proj_weight is None")
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    return _in_projection(query, key, value, *weights, *biases)


def _with_padding(attn_mask, key_padding_mask, bsz, num_heads, src_len):
    """The mask of the scores of all heads, with that of the keys."""
    if key_padding_mask is None:
        return attn_mask
    for place, size in enumerate((bsz, src_len)):
        if key_padding_mask.shape[place] != size:
            raise AssertionError(f"Expected key_padded_mask.shape[{place}] to be {size}, but got {key_padding_mask.shape[place]}")
    padding = key_padding_mask.view(bsz, 1, 1, src_len).expand(-1, num_heads, -1, -1)
    padding = padding.reshape(bsz * num_heads, 1, src_len)
    return padding if attn_mask is None else attn_mask + padding


def _check_embedding(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight):
    embed_dim = query.shape[-1]
    if embed_dim != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {embed_dim}")
    if embed_dim // num_heads * num_heads != embed_dim:
        raise AssertionError(f"embed_dim {embed_dim} not divisible by num_heads {num_heads}")
    if use_separate_proj_weight:
        if key.shape[:2] != value.shape[:2]:
            raise AssertionError(f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}")
    elif key.shape != value.shape:
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")


def _attended(q, k, v, attn_mask, dropout_p, is_causal, need_weights, bsz, num_heads):
    """What each head takes from the values, side by side [queries * batch, embed_dim], and the weights where they are needed."""
    tgt_len, src_len, head_dim = q.size(1), k.size(1), q.size(2)
    if need_weights:
        if is_causal and attn_mask is None:
            raise AssertionError("FIXME: is_causal not implemented for need_weights")
        scaled = q * math.sqrt(1.0 / head_dim)
        scores = scaled.bmm(k.transpose(-2, -1)) if attn_mask is None else torch.baddbmm(attn_mask, scaled, k.transpose(-2, -1))
        weights = scores.softmax(-1)
        if dropout_p > 0.0:
            weights = torch.dropout(weights, dropout_p, True)
        output = weights.bmm(v).transpose(0, 1).reshape(tgt_len * bsz, num_heads * head_dim)
        return output, weights
    if attn_mask is not None:
        attn_mask = (
            attn_mask.unsqueeze(0) if attn_mask.size(0) == 1 else attn_mask.view(bsz, num_heads, attn_mask.size(1), src_len)
        )
    q, k, v = (x.view(bsz, num_heads, x.size(1), head_dim) for x in (q, k, v))
    output = scaled_dot_product_attention(q, k, v, attn_mask, dropout_p, is_causal)
    return output.permute(2, 0, 1, 3).contiguous().view(bsz * tgt_len, num_heads * head_dim), None


def _native_multi_head_attention(
    query,
    key,
    value,
    embed_dim,
    num_head,
    qkv_weight,
    qkv_bias,
    proj_weight,
    proj_bias,
    mask=None,
    need_weights=True,
    average_attn_weights=True,
    mask_type=None,
):
    """multi_head_attention_forward in evaluation, of (batch, steps, embed_dim): what PyTorch's layers take on their fast path.

    True in `mask` is a key that is not looked at: by any query (queries, keys) with a `mask_type` of 0, of an example (batch, keys) with 1,
    and of an example, head and query (batch, heads, queries, keys) with 2.
    """
    if mask is not None and mask_type == 2:
        if mask.shape != (query.shape[0], num_head, query.shape[1], key.shape[1]):
            raise RuntimeError("For mask_type == 2 mask shape should match input shape")
        mask = mask.flatten(0, 1)
    turned = query.transpose(0, 1)  # (what is one tensor stays one, and is projected once)
    turned_key = turned if key is query else key.transpose(0, 1)
    turned_value = turned if value is query else turned_key if value is key else value.transpose(0, 1)
    masks = {"key_padding_mask" if mask_type == 1 else "attn_mask": _canonical_mask(mask, "mask", None, "", query.dtype, False)}
    output, weights = multi_head_attention_forward(
        turned,
        turned_key,
        turned_value,
        embed_dim,
        num_head,
        qkv_weight,
        qkv_bias,
        None,
        None,
        False,
        0.0,
        proj_weight,
        proj_bias,
        training=False,
        average_attn_weights=average_attn_weights and need_weights,
        **masks,
    )
    # (By way of the weights even where nobody wants them: a query that may look at no key is NaN here, not zero.)
    return output.transpose(0, 1).contiguous(), weights if need_weights else None


def _transformer_encoder_layer_fwd(
    src,
    embed_dim,
    num_heads,
    qkv_weight,
    qkv_bias,
    proj_weight,
    proj_bias,
    use_gelu,
    norm_first,
    eps,
    norm_weight_1,
    norm_bias_1,
    norm_weight_2,
    norm_bias_2,
    ffn_weight_1,
    ffn_bias_1,
    ffn_weight_2,
    ffn_bias_2,
    mask=None,
    mask_type=None,
):
    """A layer of a transformer's encoder in evaluation, of (batch, steps, embed_dim); `mask` is as _native_multi_head_attention's."""

    def first_norm(x):
        return torch.layer_norm(x, (embed_dim,), norm_weight_1, norm_bias_1, eps)

    def second_norm(x):
        return torch.layer_norm(x, (embed_dim,), norm_weight_2, norm_bias_2, eps)

    def attend(x):
        weights = qkv_weight, qkv_bias, proj_weight, proj_bias
        return _native_multi_head_attention(x, x, x, embed_dim, num_heads, *weights, mask, False, False, mask_type)[0]

    def feed_forward(x):
        hidden = linear(x, ffn_weight_1, ffn_bias_1)
        return linear(layers.gelu(hidden) if use_gelu else torch.relu(hidden), ffn_weight_2, ffn_bias_2)

    if norm_first:
        x = src + attend(first_norm(src))
        return x + feed_forward(second_norm(x))
    x = first_norm(src + attend(src))
    return second_norm(x + feed_forward(x))


def _masked_causally(attn_mask, is_causal, key_padding_mask, need_weights, dtype):
    """The mask of queries and keys that is added, and whether what is causal may be left to the kernel."""
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None
    else:
        attn_mask = _canonical_mask(attn_mask, "attn_mask", None, "", dtype, False)
        if key_padding_mask is not None:
            is_causal = False
    return attn_mask, is_causal


def _has_learned_key(bias_k, bias_v, static_k, static_v):
    """Whether there is one more key with its value, both learned."""
    if (bias_k is None) != (bias_v is None):
        given, missing = ("bias_v", "bias_k") if bias_k is None else ("bias_k", "bias_v")
        raise AssertionError(f"{given} is set but {missing} is None")
    if bias_k is None:
        return False
    for static, name in ((static_k, "key"), (static_v, "value")):
        if static is not None:
            raise AssertionError(f"bias cannot be added to static {name}.")
    return True


def multi_head_attention_forward(
    query,
    key,
    value,
    embed_dim_to_check,
    num_heads,
    in_proj_weight,
    in_proj_bias,
    bias_k,
    bias_v,
    add_zero_attn,
    dropout_p,
    out_proj_weight,
    out_proj_bias,
    training=True,
    key_padding_mask=None,
    need_weights=True,
    attn_mask=None,
    use_separate_proj_weight=False,
    q_proj_weight=None,
    k_proj_weight=None,
    v_proj_weight=None,
    static_k=None,
    static_v=None,
    average_attn_weights=True,
    is_causal=False,
):
    """Attention of several heads, each with its own part of the projections (Vaswani et al., 2017): the output, and the weights.

    What `nn.MultiheadAttention` calls with its parameters.

    Shapes: query (queries, batch, embed_dim), key and value (keys, batch, *), or all without the batch.

    Args:
        embed_dim_to_check, num_heads: The features of the query, and how many heads share them out.
        in_proj_weight, in_proj_bias: The projections of query, key and value below each other: (3 * embed_dim, embed_dim) and (3
            * embed_dim).
        use_separate_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight: Whether there are three matrices instead, and
            these.
        bias_k, bias_v, add_zero_attn: One more key and value, learned, or zero.
        dropout_p, training: The probability of dropout of the weights, where `training`.
        out_proj_weight, out_proj_bias: The last projection.
        key_padding_mask, attn_mask, need_weights, average_attn_weights, is_causal: As in a call of `nn.MultiheadAttention`.
        static_k, static_v: Projected keys and values to take as they are.

    >>> import rushlight as torch
    >>> x, eye = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.eye(2)
    >>> output, weights = torch.nn.functional.multi_head_attention_forward(
    ...     x, x, x, 2, 1, eye.repeat(3, 1), None, None, None, False, 0.0, eye, None
    ... )
    >>> output
    tensor([[0.6698, 0.3302],
            [0.3302, 0.6698]])
    """
    is_batched = _mha_shape_check(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not is_batched:
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    tgt_len, bsz, embed_dim = query.shape
    src_len = key.shape[0]
    key_padding_mask = _canonical_mask(key_padding_mask, "key_padding_mask", _none_or_dtype(attn_mask), "attn_mask", query.dtype)
    attn_mask, is_causal = _masked_causally(attn_mask, is_causal, key_padding_mask, need_weights, query.dtype)
    _check_embedding(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    head_dim = embed_dim // num_heads
    if use_separate_proj_weight:
        q, k, v = _separately_projected(query, key, value, (q_proj_weight, k_proj_weight, v_proj_weight), in_proj_bias)
    elif in_proj_weight is None:
        raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
    else:
        q, k, v = _in_projection_packed(query, key, value, in_proj_weight, in_proj_bias)
    attn_mask = _checked_attn_mask(attn_mask, tgt_len, src_len, bsz, num_heads)
    if _has_learned_key(bias_k, bias_v, static_k, static_v):
        k, v = torch.cat([k, bias_k.repeat(1, bsz, 1)]), torch.cat([v, bias_v.repeat(1, bsz, 1)])
        attn_mask, key_padding_mask = _with_one_more(attn_mask), _with_one_more(key_padding_mask)
    q = q.view(tgt_len, bsz * num_heads, head_dim).transpose(0, 1)
    k = _heads_of_keys(k, static_k, "static_k", k.shape[0], bsz, num_heads, head_dim)
    v = _heads_of_keys(v, static_v, "static_v", v.shape[0], bsz, num_heads, head_dim)
    if add_zero_attn:
        nothing = torch.zeros((bsz * num_heads, 1, head_dim), dtype=k.dtype, device=k.device)
        k, v = torch.cat([k, nothing], 1), torch.cat([v, nothing], 1)
        attn_mask, key_padding_mask = _with_one_more(attn_mask), _with_one_more(key_padding_mask)
    src_len = k.size(1)
    attn_mask = _with_padding(attn_mask, key_padding_mask, bsz, num_heads, src_len)
    output, weights = _attended(q, k, v, attn_mask, dropout_p if training else 0.0, is_causal, need_weights, bsz, num_heads)
    output = linear(output, out_proj_weight, out_proj_bias)
    output = output.view(tgt_len, bsz, output.size(1))
    if weights is not None:
        weights = weights.view(bsz, num_heads, tgt_len, src_len)
        if average_attn_weights:
            weights = weights.mean(1)
    if is_batched:
        return output, weights
    return output.squeeze(1), None if weights is None else weights.squeeze(0)
