"""rearrange: reshape and permute, said with named dimensions (the notation of einops: Rogozhnikov, ICLR 2022)."""

import math
import re

import rushlight as torch

__all__ = ["rearrange"]

ELLIPSIS = "…"


def read_side(text):
    """One side of a pattern as a list of groups, each a list of names: what stands in parentheses is one dimension."""
    if text.count("(") != text.count(")"):
        raise ValueError(f"Imbalanced parentheses in expression: '{text}'")
    if "." in text:
        if text.count("...") != 1 or text.count(".") != 3:
            raise ValueError("Expression may contain dots only inside ellipsis (...); only one ellipsis for tensor ")
        text = text.replace("...", ELLIPSIS)
    groups, inner, seen = [], None, set()
    for word in re.findall(rf"[()]|\w+|{ELLIPSIS}|\S", text):
        if word == "(":
            if inner is not None:
                raise ValueError("Axis composition is one-level (brackets inside brackets not allowed)")
            inner = []
        elif word == ")":
            if inner is None:
                raise ValueError("Brackets are not balanced")
            groups.append(inner)
            inner = None
        elif word == "1":
            if inner is None:
                groups.append([])
        else:
            check_name(word, seen)
            seen.add(word)
            if inner is None:
                groups.append([word])
            else:
                inner.append(word)
    return groups


def check_name(word, seen):
    """Refuses what cannot name a dimension, and a name that is there already."""
    if word in seen:
        raise ValueError(f"Indexing expression contains duplicate dimension '{word}'")
    if word == ELLIPSIS:
        return
    if not re.fullmatch(r"\w+", word):
        raise ValueError(f"Unknown character '{word}'")
    if word.isdigit():
        raise ValueError("rearrange only supports unnamed axes of size 1")
    if not word.isidentifier():
        raise ValueError(f"Invalid axis identifier: {word}\nnot a valid python identifier")
    if word[0] == "_" or word[-1] == "_":
        raise ValueError(f"Invalid axis identifier: {word}\naxis name should should not start or end with underscore")


def names_of(groups):
    return {name for group in groups for name in group}


def sizes_of(left, shape, given):
    """The size of every named dimension; of those in one group, one may be unknown. An ellipsis has a tuple of sizes."""
    named = len(left) - ([ELLIPSIS] in left)
    if named > len(shape) or (named != len(shape) and [ELLIPSIS] not in left):
        raise ValueError(
            f"Number of dimensions in pattern ({len(left)}) must be equal to the number of dimensions in the tensor ({len(shape)})"
        )
    sizes, place = {}, 0
    for group in left:
        if group == [ELLIPSIS]:
            count = len(shape) - named
            sizes[ELLIPSIS] = tuple(shape[place : place + count])
            place += count
            continue
        size, place = shape[place], place + 1
        unknown = [name for name in group if name not in given]
        known = math.prod(given[name] for name in group if name in given)
        if len(unknown) > 1:
            raise ValueError(f"cannot infer the sizes of two dimensions at once {unknown[0]} and {unknown[1]}")
        if size % max(known, 1) or (not unknown and size != known):
            described = tuple("?" if name in unknown else given[name] for name in group)
            raise ValueError(f"inferred dimension does not evenly fit into larger dimension: {size} vs {described}")
        for name in group:
            sizes[name] = (given.get(name, size // max(known, 1)),)
    return sizes


def rearrange(tensor, pattern, **axes_lengths):
    """`tensor` with its dimensions reordered, joined and split as `pattern` says.

    A pattern names the dimensions before and after `->`. Names in parentheses are one dimension, split or joined; `...` stands for any
    number of dimensions, `1` for one of size 1. Sizes that cannot be inferred are given by name. A list of tensors is stacked first.

    >>> import rushlight as torch
    >>> images = torch.zeros(2, 3, 8, 8)
    >>> torch.func.rearrange(images, "n c h w -> n (h w) c").shape
    torch.Size([2, 64, 3])
    >>> torch.func.rearrange(images, "n c (h a) w -> n (a c) h w", a=2).shape
    torch.Size([2, 6, 4, 8])
    """
    if not isinstance(tensor, torch.Tensor):
        tensor = torch.stack(tensor)
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError("Pattern must contain a single '->' separator")
    left, right = map(read_side, sides)
    if ELLIPSIS in names_of(right) - names_of(left):
        raise ValueError(f"Ellipsis found in right side, but not left side of a pattern {pattern}")
    lonely = names_of(left) ^ names_of(right)
    if lonely:
        raise ValueError(f"Identifiers only on one side of rearrange expression (should be on both): {lonely}")
    strangers = set(axes_lengths) - names_of(left)
    if strangers:
        raise ValueError(f"Identifiers not found in rearrange expression: {strangers}")
    sizes = sizes_of(left, tensor.shape, axes_lengths)
    split, places = [], {}
    for name in [name for group in left for name in group]:
        places[name] = range(len(split), len(split) + len(sizes[name]))
        split += sizes[name]
    order = [place for group in right for name in group for place in places[name]]
    joined = []
    for group in right:
        if group == [ELLIPSIS]:
            joined += sizes[ELLIPSIS]
        else:
            joined.append(math.prod(size for name in group for size in sizes[name]))
    return tensor.reshape(split).permute(order).reshape(joined)
