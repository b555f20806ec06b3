"""The Transformer (Vaswani et al., 2017): its encoder and decoder, and their layers."""

import copy
import math

import rushlight as torch
from rushlight.core import warn_user

from .. import functional as F
from ..init import xavier_uniform_
from .container import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .multihead_attention import MultiheadAttention
from .normalization import LayerNorm

__all__ = ["Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer"]


def _generate_square_subsequent_mask(sz, device=None, dtype=None):
    """A mask by which each step sees itself and those before: zeros, and minus infinity above the diagonal."""
    return torch.triu(torch.full((sz, sz), -math.inf, dtype=dtype, device=device), 1)


def _get_seq_len(src, batch_first):
    """How many steps a batch, or a sequence, has."""
    size = src.size()
    return size[0] if len(size) == 2 else size[1 if batch_first else 0]


def _detect_is_causal_mask(mask, is_causal=None, size=None):
    """Whether a mask is the one of `generate_square_subsequent_mask`, or `is_causal` says so."""
    if is_causal is not None or mask is None:
        return bool(is_causal)
    steps = mask.size(-2) if size is None else size
    causal = _generate_square_subsequent_mask(steps, device=mask.device, dtype=mask.dtype)
    return mask.size() == causal.size() and bool((mask == causal).all())


def _get_clones(module, N):
    return ModuleList([copy.deepcopy(module) for _ in range(N)])


def _get_activation_fn(activation):
    if activation == "relu":
        return F.relu
    if activation == "gelu":
        return F.gelu
    raise RuntimeError(f"activation should be relu/gelu, not {activation}")


class _Layer(Module):
    """What the layers of encoder and decoder share: the network of each step, norms, and residual connections."""

    def _build(self, d_model, dim_feedforward, dropout, activation, layer_norm_eps, norm_first, bias, blocks, made):
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **made)
        self.norm_first = norm_first
        for block in range(1, blocks + 1):
            setattr(self, f"norm{block}", LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **made))
        for block in range(1, blocks + 1):
            setattr(self, f"dropout{block}", Dropout(dropout))

    def _joined(self, x, norm, block):
        """A block with its residual connection, and its norm before or after."""
        return x + block(norm(x)) if self.norm_first else norm(x + block(x))

    def _sa_block(self, x, attn_mask, key_padding_mask, is_causal=False):
        x = self.self_attn(
            x, x, x, attn_mask=attn_mask, key_padding_mask=key_padding_mask, is_causal=is_causal, need_weights=False
        )[0]
        return self.dropout1(x)

    def __setstate__(self, state):
        super().__setstate__(state)
        if not hasattr(self, "activation"):
            self.activation = F.relu


class TransformerEncoderLayer(_Layer):
    """A layer of the encoder: attention of the steps to each other, then a network of one hidden layer for each step.

    Called with the steps (steps, batch, d_model), `src_mask` (steps, steps) and `src_key_padding_mask` (batch, steps), as
    `MultiheadAttention` takes them; the result has the shape of the input.

    Args:
        d_model: The features of a step.
        nhead: The number of heads.
        dim_feedforward: The features of the hidden layer.
        dropout: The probability of dropout.
        activation: "relu", "gelu", or a function.
        norm_first: Whether norms stand before the blocks instead of after them.
        batch_first, bias, layer_norm_eps: As in the layers that it is made of, `MultiheadAttention`, `Linear` and `LayerNorm`.

    >>> import rushlight as torch
    >>> torch.nn.TransformerEncoderLayer(8, 2, 16)(torch.zeros(5, 3, 8)).shape
    torch.Size([5, 3, 8])
    """

    def __init__(
        self,
        d_model,
        nhead,
        dim_feedforward=2048,
        dropout=0.1,
        activation=F.relu,
        layer_norm_eps=1e-5,
        batch_first=False,
        norm_first=False,
        bias=True,
        device=None,
        dtype=None,
    ):
        made = {"device": device, "dtype": dtype}
        super().__init__()
        self.self_attn = MultiheadAttention(d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, **made)
        self._build(d_model, dim_feedforward, dropout, activation, layer_norm_eps, norm_first, bias, 2, made)
        if isinstance(activation, str):
            activation = _get_activation_fn(activation)
        if activation is F.relu or isinstance(activation, torch.nn.ReLU):
            self.activation_relu_or_gelu = 1
        elif activation is F.gelu or isinstance(activation, torch.nn.GELU):
            self.activation_relu_or_gelu = 2
        else:
            self.activation_relu_or_gelu = 0
        self.activation = activation

    def forward(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
        src_key_padding_mask = F._canonical_mask(
            src_key_padding_mask, "src_key_padding_mask", F._none_or_dtype(src_mask), "src_mask", src.dtype
        )
        src_mask = F._canonical_mask(src_mask, "src_mask", None, "", src.dtype, False)
        if self._is_fast(src):
            attention, norms = self.self_attn, (self.norm1, self.norm2)
            return torch._transformer_encoder_layer_fwd(
                src,
                attention.embed_dim,
                attention.num_heads,
                attention.in_proj_weight,
                attention.in_proj_bias,
                attention.out_proj.weight,
                attention.out_proj.bias,
                self.activation_relu_or_gelu == 2,
                self.norm_first,
                self.norm1.eps,
                *(x for layer in (*norms, self.linear1, self.linear2) for x in (layer.weight, layer.bias)),
                *attention.merge_masks(src_mask, src_key_padding_mask, src),
            )
        x = self._joined(src, self.norm1, lambda x: self._sa_block(x, src_mask, src_key_padding_mask, is_causal))
        return self._joined(x, self.norm2, self._ff_block)

    def _is_fast(self, src):
        """Whether PyTorch takes its fast path: in evaluation, of parts that are all its own and that nobody watches."""
        return (
            self.activation_relu_or_gelu
            and self.norm1.eps == self.norm2.eps
            and self.self_attn._is_fast(src, src, src, None, None, False)
            and not any(module._forward_hooks or module._forward_pre_hooks for module in self.modules())
            and not (torch.is_grad_enabled() and any(parameter.requires_grad for parameter in self.parameters()))
        )

    def _ff_block(self, x):
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerDecoderLayer(_Layer):
    """A layer of the decoder: attention of the steps to each other and to what the encoder made, then a network for each step.

    Arguments are those of `TransformerEncoderLayer`.

    >>> import rushlight as torch
    >>> layer = torch.nn.TransformerDecoderLayer(8, 2, 16)
    >>> layer(torch.zeros(5, 3, 8), torch.zeros(7, 3, 8)).shape
    torch.Size([5, 3, 8])
    """

    def __init__(
        self,
        d_model,
        nhead,
        dim_feedforward=2048,
        dropout=0.1,
        activation=F.relu,
        layer_norm_eps=1e-5,
        batch_first=False,
        norm_first=False,
        bias=True,
        device=None,
        dtype=None,
    ):
        made = {"device": device, "dtype": dtype}
        super().__init__()
        for name in ("self_attn", "multihead_attn"):
            attention = MultiheadAttention(d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, **made)
            setattr(self, name, attention)
        self._build(d_model, dim_feedforward, dropout, activation, layer_norm_eps, norm_first, bias, 3, made)
        self.activation = _get_activation_fn(activation) if isinstance(activation, str) else activation

    def forward(
        self,
        tgt,
        memory,
        tgt_mask=None,
        memory_mask=None,
        tgt_key_padding_mask=None,
        memory_key_padding_mask=None,
        tgt_is_causal=False,
        memory_is_causal=False,
    ):
        x = self._joined(tgt, self.norm1, lambda x: self._sa_block(x, tgt_mask, tgt_key_padding_mask, tgt_is_causal))
        x = self._joined(
            x, self.norm2, lambda x: self._mha_block(x, memory, memory_mask, memory_key_padding_mask, memory_is_causal)
        )
        return self._joined(x, self.norm3, self._ff_block)

    def __setstate__(self, state):
        # As in PyTorch, a copy whose activation is a module computes relu: models that were trained so are the same here.
        super().__setstate__(state)
        self.__dict__.setdefault("activation", F.relu)

    def _mha_block(self, x, mem, attn_mask, key_padding_mask, is_causal=False):
        x = self.multihead_attn(
            x, mem, mem, attn_mask=attn_mask, key_padding_mask=key_padding_mask, is_causal=is_causal, need_weights=False
        )[0]
        return self.dropout2(x)

    def _ff_block(self, x):
        return self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))


def _why_not_nested(encoder_layer):
    """Why PyTorch would not leave the padding out with such layers; "" where it would."""
    if not isinstance(encoder_layer, TransformerEncoderLayer):
        return "encoder_layer was not TransformerEncoderLayer"
    attention = encoder_layer.self_attn
    for holds, text in (
        (not encoder_layer.norm_first, "encoder_layer.norm_first was True"),
        (
            attention.batch_first,
            "encoder_layer.self_attn.batch_first was not True(use batch_first for better inference performance)",
        ),
        (attention._qkv_same_embed_dim, "encoder_layer.self_attn._qkv_same_embed_dim was not True"),
        (attention.in_proj_bias is not None, "encoder_layer.self_attn was passed bias=False"),
        (encoder_layer.activation_relu_or_gelu, "encoder_layer.activation_relu_or_gelu was not True"),
        (encoder_layer.norm1.eps == encoder_layer.norm2.eps, "encoder_layer.norm1.eps was not equal to encoder_layer.norm2.eps"),
        (attention.num_heads % 2 == 0, "encoder_layer.self_attn.num_heads is odd"),
    ):
        if not holds:
            return text
    return ""


class TransformerEncoder(Module):
    """Layers of the encoder one above the other, copies of the one given, and a norm.

    Args:
        encoder_layer: A `TransformerEncoderLayer`.
        num_layers: How many copies there are.
        norm: A module that comes last.
        enable_nested_tensor: Whether the steps that `src_key_padding_mask` hides come out as zeros in evaluation without
            gradients, as PyTorch leaves them out then.
        mask_check: Taken for other programs' sake.

    >>> import rushlight as torch
    >>> layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> torch.nn.TransformerEncoder(layer, 2)(torch.zeros(3, 5, 8)).shape
    torch.Size([3, 5, 8])
    """

    def __init__(self, encoder_layer, num_layers, norm=None, enable_nested_tensor=True, mask_check=True):
        super().__init__()
        self.layers = _get_clones(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.use_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check
        reason = _why_not_nested(encoder_layer)
        if enable_nested_tensor and reason:
            warn_user(f"enable_nested_tensor is True, but self.use_nested_tensor is False because {reason}")
            self.use_nested_tensor = False

    def forward(self, src, mask=None, src_key_padding_mask=None, is_causal=None):
        src_key_padding_mask = F._canonical_mask(
            src_key_padding_mask, "src_key_padding_mask", F._none_or_dtype(mask), "mask", src.dtype
        )
        mask = F._canonical_mask(mask, "mask", None, "", src.dtype, False)
        batch_first = self.layers[0].self_attn.batch_first
        is_causal = _detect_is_causal_mask(mask, is_causal, _get_seq_len(src, batch_first))
        hidden = self._left_out(src, mask, src_key_padding_mask)
        output = src
        for layer in self.layers:
            output = layer(output, src_mask=mask, is_causal=is_causal, src_key_padding_mask=src_key_padding_mask)
        if hidden is not None:
            output = output.masked_fill(hidden.unsqueeze(-1), 0)
        return output if self.norm is None else self.norm(output)

    def _left_out(self, src, mask, src_key_padding_mask):
        """The steps (batch, steps) that PyTorch would leave out; None where it would compute all."""
        if not (
            self.use_nested_tensor
            and torch.backends.mha.get_fastpath_enabled()
            and src_key_padding_mask is not None
            and mask is None
            and src.dim() == 3
            and not self.layers[0].training
            and not (torch.is_grad_enabled() and any(x.requires_grad for x in (src, *self.layers[0].parameters())))
        ):
            return None
        seen = src_key_padding_mask.logical_not()
        if self.mask_check and (seen.long().diff(dim=1) > 0).any():
            return None  # Only padding at the end is left out.
        if not seen.any():
            raise RuntimeError("to_padded_tensor: at least one constituent tensor should have non-zero numel")
        return seen.logical_not()


class TransformerDecoder(Module):
    """Layers of the decoder one above the other, copies of the one given, and a norm.

    Args:
        decoder_layer: A `TransformerDecoderLayer`.
        num_layers: How many copies there are.
        norm: A module that comes last.

    >>> import rushlight as torch
    >>> layer = torch.nn.TransformerDecoderLayer(8, 2, 16)
    >>> torch.nn.TransformerDecoder(layer, 2)(torch.zeros(5, 3, 8), torch.zeros(7, 3, 8)).shape
    torch.Size([5, 3, 8])
    """

    def __init__(self, decoder_layer, num_layers, norm=None):
        super().__init__()
        self.layers = _get_clones(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt,
        memory,
        tgt_mask=None,
        memory_mask=None,
        tgt_key_padding_mask=None,
        memory_key_padding_mask=None,
        tgt_is_causal=None,
        memory_is_causal=False,
    ):
        steps = _get_seq_len(tgt, self.layers[0].self_attn.batch_first)
        tgt_is_causal = _detect_is_causal_mask(tgt_mask, tgt_is_causal, steps)
        output = tgt
        for layer in self.layers:
            output = layer(
                output,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=tgt_is_causal,
                memory_is_causal=memory_is_causal,
            )
        return output if self.norm is None else self.norm(output)


class Transformer(Module):
    """An encoder of the source and a decoder of the target (Vaswani et al., 2017).

    Shapes: src (S, N, d_model), tgt (T, N, d_model), output (T, N, d_model); with `batch_first` N comes first. Embeddings,
    positions and the last linear layer are not part of it.

    Args:
        num_encoder_layers, num_decoder_layers: How many layers either has.
        custom_encoder, custom_decoder: Modules that stand in for the whole of either.
        d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias: Those of
            `TransformerEncoderLayer`.

    Raises:
        RuntimeError: The batches differ, or the features are not `d_model`.

    >>> import rushlight as torch
    >>> net = torch.nn.Transformer(8, 2, 1, 1, 16, batch_first=True)
    >>> net(torch.zeros(3, 5, 8), torch.zeros(3, 7, 8)).shape
    torch.Size([3, 7, 8])
    """

    def __init__(
        self,
        d_model=512,
        nhead=8,
        num_encoder_layers=6,
        num_decoder_layers=6,
        dim_feedforward=2048,
        dropout=0.1,
        activation=F.relu,
        custom_encoder=None,
        custom_decoder=None,
        layer_norm_eps=1e-5,
        batch_first=False,
        norm_first=False,
        bias=True,
        device=None,
        dtype=None,
    ):
        made = {"device": device, "dtype": dtype}
        super().__init__()
        layer = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        if custom_encoder is not None:
            self.encoder = custom_encoder
        else:
            encoder_layer = TransformerEncoderLayer(*layer, **made)
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **made)
            self.encoder = TransformerEncoder(encoder_layer, num_encoder_layers, norm)
        if custom_decoder is not None:
            self.decoder = custom_decoder
        else:
            decoder_layer = TransformerDecoderLayer(*layer, **made)
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **made)
            self.decoder = TransformerDecoder(decoder_layer, num_decoder_layers, norm)
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src,
        tgt,
        src_mask=None,
        tgt_mask=None,
        memory_mask=None,
        src_key_padding_mask=None,
        tgt_key_padding_mask=None,
        memory_key_padding_mask=None,
        src_is_causal=None,
        tgt_is_causal=None,
        memory_is_causal=False,
    ):
        batch = 0 if self.batch_first else 1
        if src.dim() != tgt.dim() or (src.dim() == 3 and src.size(batch) != tgt.size(batch)):
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.size(-1) != self.d_model or tgt.size(-1) != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz, device=None, dtype=None):
        """A mask by which each step sees itself and those before: zeros, and minus infinity above the diagonal.

        >>> import rushlight as torch
        >>> torch.nn.Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        return _generate_square_subsequent_mask(sz, device, dtype)

    def _reset_parameters(self):
        for parameter in self.parameters():
            if parameter.dim() > 1:
                xavier_uniform_(parameter)
