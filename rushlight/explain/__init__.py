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
