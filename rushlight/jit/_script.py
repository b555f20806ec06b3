"""Names of the compiler of TorchScript."""

from rushlight.jit import (
    Attribute,
    RecursiveScriptModule,
    ScriptFunction,
    ScriptModule,
    ScriptWarning,
    interface,
    script,
    script_method,
)

__all__ = [
    "Attribute",
    "RecursiveScriptModule",
    "ScriptFunction",
    "ScriptModule",
    "ScriptWarning",
    "interface",
    "script",
    "script_method",
]
