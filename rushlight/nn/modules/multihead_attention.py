"""Attention of several heads."""

import rushlight as torch

from .. import functional as F
from ..init import constant_, xavier_normal_, xavier_uniform_
from ..parameter import Parameter
from .linear import NonDynamicallyQuantizableLinear
from .module import Module

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attention of several heads side by side (Vaswani et al., 2017).

    Args:
        embed_dim: The features of query and output, which the heads share out among them.
        num_heads: How many heads there are; it divides `embed_dim`.
        dropout: The probability of dropout of the weights.
        bias: Whether the projections have a bias.
        add_bias_kv, add_zero_attn: Whether one more key and value are learned, or are zero.
        kdim, vdim: The features of key and value, where those are others.
        batch_first: Whether tensors are (batch, steps, features) instead of (steps, batch, features).

    Called with query, key and value, it returns the output and (unless `need_weights` is false) the weights, which are averaged over the heads
    if `average_attn_weights`. `key_padding_mask` (batch, keys) and `attn_mask` (queries, keys) or (batch * heads, queries, keys) are numbers to
    add, or True where a key is not to be seen.

    >>> import rushlight as torch
    >>> x = torch.zeros(5, 2, 8)
    >>> output, weights = torch.nn.MultiheadAttention(8, 4)(x, x, x)
    >>> output.shape, weights.shape
    (torch.Size([5, 2, 8]), torch.Size([2, 5, 5]))
    """

    def __init__(
        self,
        embed_dim,
        num_heads,
        dropout=0.0,
        bias=True,
        add_bias_kv=False,
        add_zero_attn=False,
        kdim=None,
        vdim=None,
        batch_first=False,
        device=None,
        dtype=None,
    ):
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        made = {"device": device, "dtype": dtype}
        shapes = {
            "in_proj_weight": (3 * embed_dim, embed_dim),
            "q_proj_weight": (embed_dim, embed_dim),
            "k_proj_weight": (embed_dim, self.kdim),
            "v_proj_weight": (embed_dim, self.vdim),
        }
        here = list(shapes)[:1] if self._qkv_same_embed_dim else list(shapes)[1:]
        for name in [*here, *(name for name in shapes if name not in here)]:
            self.register_parameter(name, Parameter(torch.empty(shapes[name], **made)) if name in here else None)
        self.register_parameter("in_proj_bias", Parameter(torch.empty(3 * embed_dim, **made)) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, **made)
        self.bias_k = Parameter(torch.empty((1, 1, embed_dim), **made)) if add_bias_kv else None
        self.bias_v = Parameter(torch.empty((1, 1, embed_dim), **made)) if add_bias_kv else None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self):
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            constant_(self.in_proj_bias, 0.0)
            constant_(self.out_proj.bias, 0.0)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                xavier_normal_(bias)

    def __setstate__(self, state):
        state.setdefault("_qkv_same_embed_dim", True)
        super().__setstate__(state)

    def forward(
        self,
        query,
        key,
        value,
        key_padding_mask=None,
        need_weights=True,
        attn_mask=None,
        average_attn_weights=True,
        is_causal=False,
    ):
        is_batched = query.dim() == 3
        if self._is_fast(query, key, value, key_padding_mask, attn_mask, is_causal):
            merged, kind = self.merge_masks(attn_mask, key_padding_mask, query)
            return torch._native_multi_head_attention(
                query,
                key,
                value,
                self.embed_dim,
                self.num_heads,
                self.in_proj_weight,
                self.in_proj_bias,
                self.out_proj.weight,
                self.out_proj.bias,
                merged,
                need_weights,
                average_attn_weights,
                kind,
            )
        key_padding_mask = F._canonical_mask(
            key_padding_mask, "key_padding_mask", F._none_or_dtype(attn_mask), "attn_mask", query.dtype
        )
        attn_mask = F._canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, False)
        if self.batch_first and is_batched:
            # What is one tensor stays one, and is projected once.
            turned = query.transpose(1, 0)
            turned_key = turned if key is query else key.transpose(1, 0)
            value = turned if value is query else turned_key if value is key else value.transpose(1, 0)
            query, key = turned, turned_key
        separate = {} if self._qkv_same_embed_dim else {
            "use_separate_proj_weight": True,
            "q_proj_weight": self.q_proj_weight,
            "k_proj_weight": self.k_proj_weight,
            "v_proj_weight": self.v_proj_weight,
        }  # fmt: skip
        output, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
            **separate,
        )
        if self.batch_first and is_batched:
            output = output.transpose(1, 0)
        return output, weights

    def _is_fast(self, query, key, value, key_padding_mask, attn_mask, is_causal):
        """Whether PyTorch takes its fast path, whose output is row-major: attention to itself in evaluation, batch first."""
        return (
            self.batch_first
            and query.dim() == 3
            and query is key is value
            and not self.training
            and not self._is_differentiated(query)
            and torch.backends.mha.get_fastpath_enabled()
            and self._qkv_same_embed_dim
            and self.in_proj_bias is not None
            and self.bias_k is None
            and not self.add_zero_attn
            and self.num_heads % 2 == 0
            and query.dtype is self.in_proj_weight.dtype
            and not (is_causal and attn_mask is None)
            and not any(mask is not None and mask.is_floating_point() for mask in (key_padding_mask, attn_mask))
        )

    def _is_differentiated(self, query):
        given = query, self.in_proj_weight, self.in_proj_bias, self.out_proj.weight, self.out_proj.bias
        return torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in given)

    def merge_masks(self, attn_mask, key_padding_mask, query):
        """Both masks as one (batch, heads, queries, keys), and its kind: None without masks, 1 of keys alone, else 2."""
        kind, merged = None, None
        if key_padding_mask is not None:
            kind, merged = 1, key_padding_mask
        if attn_mask is not None:
            batch, steps, _ = query.shape
            kind = 2
            if attn_mask.dim() == 3:
                attn_mask = attn_mask.view(batch, -1, steps, steps)
            else:
                attn_mask = attn_mask.view(1, 1, steps, steps).expand(batch, self.num_heads, -1, -1)
            merged = attn_mask
            if key_padding_mask is not None:
                keys = key_padding_mask.view(batch, 1, 1, steps).expand(-1, self.num_heads, -1, -1)
                merged = attn_mask + keys
        return merged, kind


# Where files and programs find it.
MultiheadAttention.__module__ = __name__.replace("multihead_attention", "activation")
