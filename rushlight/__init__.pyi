# The functions of this package come from the op table at import, so a type checker cannot see them: they are untyped.
from typing import Any

def __getattr__(name: str) -> Any: ...
