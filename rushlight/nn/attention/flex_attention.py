"""Attention with scores and masks that are functions of the positions, and the masks by blocks that go with it."""

import math
from collections.abc import Callable
from typing import NamedTuple

import rushlight as torch
from rushlight import Tensor, vmap

__all__ = [
    "AuxOutput",
    "AuxRequest",
    "BlockMask",
    "FlexKernelOptions",
    "and_masks",
    "create_block_mask",
    "create_mask",
    "flex_attention",
    "noop_mask",
    "or_masks",
]

_DEFAULT_SPARSE_BLOCK_SIZE = 128
_LARGE_SPARSE_BLOCK_SIZE = 1 << 30
FlexKernelOptions = dict
_mask_mod_signature = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
_score_mod_signature = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]


class AuxRequest(NamedTuple):
    """What `flex_attention` returns besides the output.

    Args:
        lse: Whether the logarithms of the sums of the scores' exponentials.
        max_scores: Whether the largest scores.

    >>> import rushlight as torch
    >>> from rushlight.nn.attention.flex_attention import AuxRequest
    >>> AuxRequest(lse=True).lse
    True
    """

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What an `AuxRequest` asked for: `lse`, the logarithms of the sums of the scores' exponentials, and `max_scores`;
    None for the rest.

    >>> import rushlight as torch
    >>> from rushlight.nn.attention.flex_attention import AuxOutput
    >>> AuxOutput().lse is None
    True
    """

    lse: "Tensor | None" = None
    max_scores: "Tensor | None" = None


def noop_mask(batch, head, token_q, token_kv):
    """A mask by which all is seen, whatever `batch`, `head`, `token_q` and `token_kv` are.

    >>> import rushlight as torch
    >>> from rushlight.nn.attention.flex_attention import create_mask, noop_mask
    >>> bool(create_mask(noop_mask, 1, 1, 2, 2).all())
    True
    """
    return batch.new_ones(size=(), dtype=torch.bool)


def _identity(score, batch, head, token_q, token_kv):
    return score


def _joined(name, join, start, mask_mods):
    if not all(map(callable, mask_mods)):
        raise RuntimeError(f"All inputs should be callable mask_mods: {mask_mods}")

    def joined(b, h, q_idx, kv_idx):
        result = b.new_full((), start, dtype=torch.bool)
        for mask in mask_mods:
            result = join(result, mask(b, h, q_idx, kv_idx))
        return result

    joined.__name__ = joined.__qualname__ = name
    return joined


def or_masks(*mask_mods):
    """A mask by which is seen what one of the given ones sees.

    >>> import rushlight as torch
    >>> from rushlight.nn.attention.flex_attention import create_mask, or_masks
    >>> mask = or_masks(lambda b, h, q, kv: q == kv, lambda b, h, q, kv: kv == 0)
    >>> create_mask(mask, 1, 1, 3, 3)
    tensor([[[[ True, False, False],
              [ True,  True, False],
              [ True, False,  True]]]])
    """
    return _joined("or_mask", lambda a, b: a | b, False, mask_mods)


def and_masks(*mask_mods):
    """A mask by which is seen what all of the given ones see.

    >>> import rushlight as torch
    >>> from rushlight.nn.attention.flex_attention import and_masks, create_mask
    >>> mask = and_masks(lambda b, h, q, kv: q >= kv, lambda b, h, q, kv: q - kv < 2)
    >>> create_mask(mask, 1, 1, 3, 3)
    tensor([[[[ True, False, False],
              [ True,  True, False],
              [False,  True,  True]]]])
    """
    return _joined("and_mask", lambda a, b: a & b, True, mask_mods)


def _at_positions(function, with_score):
    """A function of (score, batch, head, query, key) or (batch, head, query, key) for all positions at once."""
    first = (0,) if with_score else ()
    for place in (3, 2, 1, 0):
        dims = [None] * 4
        dims[place] = 0
        function = vmap(function, in_dims=(*first, *dims))
    return function


def _positions(*sizes):
    return [torch.arange(size) for size in sizes]


def create_mask(mod_fn, B, H, Q_LEN, KV_LEN, device=None):
    """The mask that a function of (batch, head, query, key) describes, or the scores that one of scores makes of zeros.

    Args:
        mod_fn: The function: of the four, or of a score and the four.
        B, H, Q_LEN, KV_LEN: How many there are of each; the result has this shape, with 1 for None.

    >>> import rushlight as torch
    >>> from rushlight.nn.attention.flex_attention import create_mask
    >>> create_mask(lambda b, h, q, kv: q >= kv, 1, 1, 2, 2)
    tensor([[[[ True, False],
              [ True,  True]]]])
    """
    from inspect import Parameter, signature  # (slow to import, and seldom needed)

    sizes = (B or 1, H or 1, Q_LEN, KV_LEN)
    named = [each for each in signature(mod_fn).parameters.values() if each.default is Parameter.empty]
    if len(named) == 5:
        made = _at_positions(mod_fn, True)(torch.zeros(sizes), *_positions(*sizes))
        return torch.where(torch.isneginf(made), False, True)
    return _at_positions(mod_fn, False)(*_positions(*sizes)).broadcast_to(sizes)


def _pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


def _in_order(dense):
    """Of each row of blocks how many are there, and which: those come first."""
    dense = dense.to(torch.int32)
    order = torch.argsort(dense, dim=-1, descending=True, stable=True)
    return dense.sum(-1, dtype=torch.int32), order.to(torch.int32)


def _dense(counts, indices):
    """The other way."""
    columns = indices.shape[-1]
    there = (torch.arange(columns) < counts.unsqueeze(-1)).to(torch.int32)
    return torch.zeros(indices.shape, dtype=torch.int32).scatter_add_(-1, indices.to(torch.int64), there)


def _turned(counts, indices):
    return (None, None) if counts is None else _in_order(_dense(counts, indices).transpose(-2, -1))


class BlockMask:
    """Which blocks of scores are seen in part or in full, and the function that says what of them. `create_block_mask` makes one.

    Args:
        seq_lengths: How many queries and keys there are.
        kv_num_blocks, kv_indices: How many blocks of keys each block of queries sees in part, and which.
        full_kv_num_blocks, full_kv_indices: Those that it sees in full.
        q_num_blocks, q_indices, full_q_num_blocks, full_q_indices: The same the other way.
        BLOCK_SIZE: The queries and keys of a block.
        mask_mod: The function of (batch, head, query, key).

    >>> import rushlight as torch
    >>> from rushlight.nn.attention.flex_attention import create_block_mask
    >>> mask = create_block_mask(lambda b, h, q, kv: q >= kv, None, None, 256, 256)
    >>> mask.shape, mask.kv_num_blocks
    ((1, 1, 256, 256), tensor([[[1, 1]]], dtype=torch.int32))
    """

    def __init__(
        self,
        seq_lengths,
        kv_num_blocks,
        kv_indices,
        full_kv_num_blocks,
        full_kv_indices,
        q_num_blocks,
        q_indices,
        full_q_num_blocks,
        full_q_indices,
        BLOCK_SIZE=(_DEFAULT_SPARSE_BLOCK_SIZE, _DEFAULT_SPARSE_BLOCK_SIZE),
        mask_mod=noop_mask,
    ):
        if kv_indices.dim() < 2:
            raise RuntimeError("BlockMask must have at least 2 dimensions")
        self.seq_lengths = seq_lengths
        self.kv_num_blocks, self.kv_indices = kv_num_blocks, kv_indices
        self.full_kv_num_blocks, self.full_kv_indices = full_kv_num_blocks, full_kv_indices
        self.q_num_blocks, self.q_indices = q_num_blocks, q_indices
        self.full_q_num_blocks, self.full_q_indices = full_q_num_blocks, full_q_indices
        self.BLOCK_SIZE = BLOCK_SIZE
        self.mask_mod = mask_mod

    @classmethod
    def from_kv_blocks(
        cls,
        kv_num_blocks,
        kv_indices,
        full_kv_num_blocks=None,
        full_kv_indices=None,
        BLOCK_SIZE=_DEFAULT_SPARSE_BLOCK_SIZE,
        mask_mod=None,
        seq_lengths=None,
        compute_q_blocks=True,
    ):
        """A mask of which the blocks of keys for each block of queries are known."""
        if kv_indices.dim() < 2:
            raise RuntimeError("BlockMask must have at least 2 dimensions")
        if (full_kv_num_blocks is None) != (full_kv_indices is None):
            raise AssertionError("full_kv_num_blocks and full_kv_indices must be both provided or omitted")
        blocks = _pair(BLOCK_SIZE)
        if seq_lengths is None:
            seq_lengths = (kv_indices.shape[-2] * blocks[0], kv_indices.shape[-1] * blocks[1])
        turned = (None,) * 4
        if compute_q_blocks:
            turned = (*_turned(kv_num_blocks, kv_indices), *_turned(full_kv_num_blocks, full_kv_indices))
        given = (seq_lengths, kv_num_blocks, kv_indices, full_kv_num_blocks, full_kv_indices)
        return cls(*given, *turned, blocks, noop_mask if mask_mod is None else mask_mod)

    def _tensors(self):
        names = ("kv_num_blocks", "kv_indices", "full_kv_num_blocks", "full_kv_indices")
        names += ("q_num_blocks", "q_indices", "full_q_num_blocks", "full_q_indices")
        return {name: getattr(self, name) for name in names}

    def as_tuple(self, flatten=True):
        """Lengths, tensors, block sizes and function, in the order that the class takes them."""
        lengths, blocks = (self.seq_lengths, self.BLOCK_SIZE) if flatten else ((self.seq_lengths,), (self.BLOCK_SIZE,))
        return (*lengths, *self._tensors().values(), *blocks, self.mask_mod)

    def _changed(self, change):
        made = [None if x is None else change(x) for x in self._tensors().values()]
        return BlockMask(self.seq_lengths, *made, self.BLOCK_SIZE, self.mask_mod)

    @property
    def shape(self):
        """(batch, heads, queries, keys)."""
        return (*self.kv_indices.shape[:-2], *self.seq_lengths)

    def __getitem__(self, index):
        index = index if isinstance(index, tuple) else (index,)
        index = tuple(slice(i, i + 1 or None) if isinstance(i, int) else i for i in index)
        return self._changed(lambda x: x[index])

    def numel(self):
        """How many scores there are."""
        return math.prod(self.shape)

    def to_dense(self):
        """Of every block 1 where some of it is seen."""
        seen = _dense(self.kv_num_blocks, self.kv_indices)
        return seen if self.full_kv_num_blocks is None else seen | _dense(self.full_kv_num_blocks, self.full_kv_indices)

    def sparsity(self):
        """How many percent of the scores need not be computed."""
        computed = self.kv_num_blocks.sum()
        if self.full_kv_num_blocks is not None:
            computed = computed + self.full_kv_num_blocks.sum()
        return 100 * (1 - computed.item() * self.BLOCK_SIZE[0] * self.BLOCK_SIZE[1] / self.numel())

    def to(self, device):
        """The same on a device."""
        return self._changed(lambda x: x.to(device))

    def to_string(self, grid_size=(20, 20), limit=4):
        """A picture of the blocks, for at most `limit` pairs of batch and head; each character stands for one block or more."""
        dense = self.to_dense()
        rows, columns = dense.shape[-2:]
        grid = (rows, columns) if grid_size == -1 else _pair(grid_size)
        down, across = -(-rows // grid[0]) or 1, -(-columns // grid[1]) or 1
        pictures = []
        for count, place in enumerate(torch.cartesian_prod(*_positions(*dense.shape[:-2], 1)).tolist()):
            if count == limit:
                pictures.append("...\nTo print out more of the mask, set the `limit` argument to BlockMask.to_string.")
                break
            blocks = dense[tuple(place[:-1])]
            lines = [
                "".join("██" if (blocks[i : i + down, j : j + across] > 0).any() else "  " for j in range(0, columns, across))
                for i in range(0, rows, down)
            ]
            pictures.append(f"{tuple(place[:-1])}\n" + "\n".join(lines) + "\n")
        return "\n".join(pictures)

    def __str__(self):
        return f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%, \n{self.to_string()})"

    def __repr__(self):
        lines = [f"{name}={None if x is None else x.shape}" for name, x in self._tensors().items()]
        name = getattr(self.mask_mod, "__name__", repr(self.mask_mod))
        lines += [f"BLOCK_SIZE={self.BLOCK_SIZE}", f"shape={self.shape}", f"sparsity={self.sparsity():.2f}%", f"mask_mod={name}"]
        return "BlockMask(\n    " + ",\n    ".join(lines) + "\n)"


def create_block_mask(
    mask_mod,
    B,
    H,
    Q_LEN,
    KV_LEN,
    device=None,
    BLOCK_SIZE=_DEFAULT_SPARSE_BLOCK_SIZE,
    _compile=False,
    separate_full_blocks=True,
    compute_dq_write_order=False,
    dq_kv_order=True,
):
    """The blocks in which a function of (batch, head, query, key) sees something, a `BlockMask`.

    Args:
        mask_mod: The function.
        B, H, Q_LEN, KV_LEN: How many there are of each; None for all alike.
        BLOCK_SIZE: The queries and keys of a block: a number, or a pair.
        separate_full_blocks: Whether blocks that are seen in full are listed apart.
        compute_dq_write_order, dq_kv_order: Taken for other devices' sake.

    >>> import rushlight as torch
    >>> from rushlight.nn.attention.flex_attention import create_block_mask
    >>> create_block_mask(lambda b, h, q, kv: q >= kv, None, None, 256, 256).sparsity()
    25.0
    """
    down, across = _pair(BLOCK_SIZE)
    mask = create_mask(mask_mod, B, H, Q_LEN, KV_LEN)
    mask = torch.nn.functional.pad(mask, (0, -KV_LEN % across, 0, -Q_LEN % down))
    blocks = mask.unflatten(-1, (-1, across)).unflatten(-3, (-1, down))
    seen = blocks.sum((-3, -1))
    full = seen == down * across if separate_full_blocks else torch.zeros_like(seen, dtype=torch.bool)
    partial = (seen > 0) & ~full
    return BlockMask.from_kv_blocks(
        *_in_order(partial),
        *(_in_order(full) if separate_full_blocks else (None, None)),
        BLOCK_SIZE=(down, across),
        mask_mod=mask_mod,
        seq_lengths=(Q_LEN, KV_LEN),
    )


def _check(query, key, value, enable_gqa, block_mask):
    if not query.dim() == key.dim() == value.dim() == 4:
        raise NotImplementedError("NYI: query, key, and value must be 4D tensors")
    if torch.is_grad_enabled() and (query.requires_grad or key.requires_grad or value.requires_grad):
        raise NotImplementedError(
            "FlexAttention does not support backward on CPU. Please set the input requires_grad to False or use another device."
        )
    heads, kept = query.size(1), key.size(1)
    if not enable_gqa and heads != kept:
        raise ValueError(
            f"Expect query and key/value to have the same number of heads but got Hq={heads} and Hkv={kept}. Try setting "
            "enable_gqa=True for GQA."
        )
    if enable_gqa and heads % kept:
        raise ValueError(f"Expect number of query heads to be a multiple of kv heads for GQA but got Hq={heads} and Hkv={kept}.")
    if block_mask is not None and (query.size(2) > block_mask.seq_lengths[0] or key.size(2) > block_mask.seq_lengths[1]):
        raise ValueError(
            f"block_mask was created for block_mask.shape={block_mask.shape} but got q_len={query.size(2)} and "
            f"kv_len={key.size(2)}."
        )


def flex_attention(
    query,
    key,
    value,
    score_mod=None,
    block_mask=None,
    scale=None,
    enable_gqa=False,
    return_lse=False,
    kernel_options=None,
    *,
    return_aux=None,
):
    """Attention whose scores a function changes, and of which another says what is seen: softmax(score_mod(q kᵀ scale)) v.

    Shapes: query (batch, heads, queries, width), key and value (batch, heads or a divisor, keys, width). As in PyTorch it has no
    derivatives on the CPU (NotImplementedError).

    Args:
        score_mod: A function of (score, batch, head, query, key).
        block_mask: What is seen, a `BlockMask` of `create_block_mask`.
        scale: The factor of scores, by default 1 / √width.
        enable_gqa: Whether several heads of the query share one of key and value.
        return_lse, return_aux: What else is returned: the older way, and an `AuxRequest`.
        kernel_options: Taken for other devices' sake.

    >>> import rushlight as torch
    >>> from rushlight.nn.attention.flex_attention import flex_attention
    >>> x = torch.eye(2).view(1, 1, 2, 2)
    >>> flex_attention(x, x, x, score_mod=lambda score, b, h, q, kv: score - 100.0 * (q != kv)).round(decimals=3)
    tensor([[[[1., 0.],
              [0., 1.]]]])
    """
    _check(query, key, value, enable_gqa, block_mask)
    if return_aux is not None and return_aux.max_scores:
        raise NotImplementedError("Returning max scores is not supported on CPU/MPS.")
    groups = query.size(1) // key.size(1)
    key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    wide = torch.promote_types(query.dtype, torch.float32)
    scores = (query @ key.to(query.dtype).transpose(-2, -1)).to(wide) * (query.size(-1) ** -0.5 if scale is None else scale)
    places = _positions(*scores.shape)
    if score_mod is not None:
        scores = _at_positions(score_mod, True)(scores, *places)
    if block_mask is not None:
        seen = _at_positions(block_mask.mask_mod, False)(*places)
        scores = torch.where(seen, scores, -math.inf)
    lse = scores.logsumexp(-1)
    weights = (scores - lse.masked_fill(lse == -math.inf, 0).unsqueeze(-1)).exp()
    output = (weights.to(query.dtype) @ value.to(query.dtype)).to(query.dtype)
    if return_lse:
        return output, lse
    return output if return_aux is None else (output, AuxOutput(lse if return_aux.lse else None))
