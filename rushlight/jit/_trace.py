"""Names of the tracer."""

from rushlight.jit import ScriptModule as TopLevelTracedModule
from rushlight.jit import TracerWarning, TracingCheckError, is_tracing, trace, trace_module

__all__ = ["TopLevelTracedModule", "TracerWarning", "TracingCheckError", "is_tracing", "trace", "trace_module"]
