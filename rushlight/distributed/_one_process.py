"""Names for what needs several processes: calling them says that there is one."""

from rushlight._absent import answering
from rushlight._absent_words import of_class
from rushlight.distributed.distributed_c10d import ONE_PROCESS


def _error(module, name):
    return RuntimeError(f"{module.replace('rushlight', 'torch', 1)}.{name}: {ONE_PROCESS}")


class _OfSeveral:
    def __init__(self, *args, **kwargs):
        raise _error(type(self).__module__, type(self).__name__)


def classes(module, *names):
    """A class for each name, of which no object can be made."""
    made = {}
    for name in names:
        doc = of_class(module, name, _error(module, name)) or "Needs several processes."
        made[name] = type(name, (_OfSeveral,), {"__module__": module, "__doc__": doc})
    return made


def functions(module, *names):
    """A function for each name, which raises."""
    return answering(module, {f"{name}(*args, **kwargs)": _error(module, name) for name in names})
