"""Autograd explains itself: why a gradient is None or zero, what the graph looks like, what backward does, what it keeps.

| question | answer |
|---|---|
| Why is `x.grad` None, or zero? Why does `x` not require grad? | `why(x)`, `why(x, loss)` |
| What does the graph look like? | `picture(loss)` |
| What does backward do, step by step? | `steps(loss)`, `steps(loss).walk()` |
| Which operation made the first NaN? | `first_nonfinite(loss)`, `first_nonfinite(function)` |
| What memory does backward keep, and who holds the graph? | `saved(loss)`, `holders()` |
| What does a compiled function replay, and why not more? | `capture(function)` |

Inside `with watch():` even operations that leave no trace are noted, for `why`.

>>> import rushlight as torch
>>> from rushlight import explain
>>> x = torch.tensor([1., 2.], requires_grad=True)
>>> y = x * 2
>>> explain.why(y).cause
'not_leaf'
"""

from rushlight._late import late as _late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rushlight.explain._capture import Capture, capture
    from rushlight.explain._causes import Answer, Answers
    from rushlight.explain._finite import Nonfinite, first_nonfinite
    from rushlight.explain._memory import Holder, Holders, Saved, holders, saved
    from rushlight.explain._picture import Picture, picture
    from rushlight.explain._steps import Step, steps
    from rushlight.explain._watch import watch
    from rushlight.explain._why import why

__all__ = [
    "Answer",
    "Answers",
    "Capture",
    "Holder",
    "Holders",
    "Nonfinite",
    "Picture",
    "Saved",
    "Step",
    "capture",
    "first_nonfinite",
    "holders",
    "picture",
    "saved",
    "steps",
    "watch",
    "why",
]


def _missing(name, package):
    if name.startswith("_"):
        return AttributeError(f"module {package!r} has no attribute {name!r}")  # (a part of this package that is imported first)
    from rushlight._alias import missing

    return missing(name, package)


_LATE = {
    name: f"rushlight.explain.{module}:{name}"
    for module, names in {
        "_capture": ("Capture", "capture"),
        "_causes": ("Answer", "Answers"),
        "_finite": ("Nonfinite", "first_nonfinite"),
        "_memory": ("Holder", "Holders", "Saved", "holders", "saved"),
        "_picture": ("Picture", "picture"),
        "_steps": ("Step", "steps"),
        "_watch": ("watch",),
        "_why": ("why",),
    }.items()
    for name in names
}
"""Errors ask for a note: each part is imported when it is used."""
__getattr__ = _late(__name__, _LATE, _missing)


def __dir__():
    return sorted({*globals(), *_LATE})
