"""What the text of a fuzzed program calls by name, for one package."""

import math


def names_for(torch):
    """The names that programs use: T makes a tensor in a state, first takes the first tensor of a result."""

    def T(seed, shape, dtype, state):
        kind = getattr(torch, dtype)
        count = math.prod(shape)
        values = [((seed * 31 + i * 17) % 23 - 11) / 8 for i in range(count)]
        if not kind.is_floating_point and not kind.is_complex:
            values = [abs(int(4 * value)) % 4 for value in values]
        elif kind.is_complex:
            values = [complex(value, -value / 2) for value in values]
        t = torch.tensor(values, dtype=kind).reshape(shape)
        if state == "transposed" and len(shape) > 1:
            return t.transpose(0, -1).contiguous().transpose(0, -1)
        if state == "gapped":
            return torch.stack((t, t), -1)[..., 0]
        if state == "expanded" and shape and shape[0]:
            return t[:1].expand(shape)
        if state == "part":
            return torch.stack((t, t))[1]
        if not kind.is_floating_point and not kind.is_complex:
            return t
        if state == "leaf":
            return t.requires_grad_()
        if state == "result":
            return t.requires_grad_() * 1
        if state == "view":
            return (t.requires_grad_() * 1)[...]
        if state == "stale_view":
            base = torch.stack((t, t))
            part = base[1]
            base.add_(torch.zeros(shape, dtype=kind, requires_grad=True))
            return part
        return t

    def first(result):
        while isinstance(result, (tuple, list)) and result:
            result = result[0]
        return result

    class Index:
        def __index__(self):
            return 1

    class Shrinking(list):
        def __len__(self):
            return 2

    return {"torch": torch, "F": torch.nn.functional, "T": T, "first": first, "Index": Index, "Shrinking": Shrinking}
