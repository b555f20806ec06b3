"""What must be so of the parts of a sparse tensor, as `check_invariants` asks for it."""

import rushlight as torch
from rushlight.sparse._tensor import COMPRESSED, flat_places


def require(condition, text):
    if not condition:
        raise RuntimeError(text)


def check_places(indices, size):
    """Every place is one of the tensor's."""
    for dim, row in enumerate(indices if indices.numel() else ()):
        least, most = int(row.min()), int(row.max())
        require(least >= 0, f"found negative index {least} for dim {dim}")
        require(most < size[dim], f"size is inconsistent with indices: for dim {dim}, size is {size[dim]} but found index {most}")


def check_order(indices, size):
    """The places are in order, each once."""
    require(
        bool((flat_places(indices, size).diff() > 0).all()),
        "cannot set is_coalesced to true if indices correspond to uncoalesced COO tensor",
    )


def check_compressed(layout, starts, others, values, size):
    """Offsets that begin at 0 and never fall, and within each line places that rise."""
    offsets, plain, dim = COMPRESSED[layout]
    lines, count, across = ("rows", "nrows", "ncols") if dim == 0 else ("columns", "ncols", "nrows")
    require(starts.dim() >= 1, f"{offsets} must have dimensionality >= 1 but got {starts.dim()}")
    require(
        starts.dim() == others.dim(),
        f"{offsets} and {plain} dimensionalities must be equal but got {starts.dim()} and {others.dim()}, respectively",
    )
    require(values.dim(), "values must have dimensionality > sum of batch and block dimensionalities (=0 + 0) but got 0")
    require(
        len(size) == 1 + values.dim(),
        f"tensor dimensionality must be sum of batch, base, and dense dimensionalities (=0 + 2 + {values.dim() - 1}) but got {len(size)}",
    )
    rows, columns = size[dim], size[1 - dim]
    require(
        starts.shape[-1] == rows + 1,
        f"{offsets}.shape[-1] must be equal to the number of {lines} + 1 (={rows + 1}), but got {starts.shape[-1]}",
    )
    nnz = values.shape[0]
    require(
        others.shape[-1] == nnz,
        f"{plain}.shape[-1] must be equal to nnz (={nnz}) as defined by values.shape[0], but got {others.shape[-1]}",
    )
    kinds = starts.dtype, others.dtype
    require(
        kinds[0] is kinds[1],
        f"{offsets} and {plain} must have the same dtype, bot got {kinds[0].legacy_name} and {kinds[1].legacy_name}, respectively",
    )
    require(
        kinds[0] in (torch.int32, torch.int64), f"{offsets} and {plain} dtype must be Int or Long, but got {kinds[0].legacy_name}"
    )
    require(int(starts[0]) == 0, f"`{offsets}[..., 0] == 0` is not satisfied.")
    require(int(starts[-1]) == nnz, f"`{offsets}[..., -1] == nnz` is not satisfied.")
    steps = starts.diff()
    require(
        bool(((steps >= 0) & (steps <= columns)).all()),
        f"`0 <= {offsets}[..., 1:] - {offsets}[..., :-1] <= {across}` is not satisfied.",
    )
    require(bool(((others >= 0) & (others < columns)).all()), f"`0 <= {plain} < {across}` is not satisfied.")
    rising = others.diff() > 0
    between = starts[1:-1]
    rising[between[(between > 0) & (between < nnz)].long() - 1] = True  # (from one line to the next they may fall)
    require(
        bool(rising.all()),
        f"`{plain}[..., {offsets}[..., i - 1]:{offsets}[..., i]] for all i = 1, ..., {count} are sorted and distinct along the last "
        "dimension values` is not satisfied.",
    )
