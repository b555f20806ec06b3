# The compiled module has no annotations: to a type checker, what it offers is untyped.
from typing import Any

def __getattr__(name: str) -> Any: ...
