"""Every example in a docstring prints what it says: those of the modules, their classes and functions, and of the ops."""

import doctest
import importlib
import pkgutil

import pytest

import rushlight

GLOBALS = {"rushlight": rushlight, "torch": rushlight}


def modules():
    yield rushlight
    for module in pkgutil.walk_packages(rushlight.__path__, "rushlight."):
        # (utils.tensorboard needs a package that need not be installed; the plugin makes the whole process one where torch is Rushlight.)
        if not module.name.endswith(("__main__", ".pytest_plugin")) and ".tensorboard" not in module.name:
            yield importlib.import_module(module.name)


class Finder(doctest.DocTestFinder):
    """Looks past functions of the core: test_manual.py runs what they show."""

    def _find(self, tests, obj, *rest):
        if not isinstance(obj, rushlight.core.Callable):
            super()._find(tests, obj, *rest)


def examples():
    finder = Finder(exclude_empty=True)
    parser = doctest.DocTestParser()
    for module in list(modules()):  # all imported first: a look at a module may import another, and change its names
        for test in finder.find(module, extraglobs=GLOBALS):
            if test.examples:
                yield pytest.param(test, id=test.name)
    overloaded = {f.__name__: f for f in rushlight.ops.namespaces["torch"].values() if isinstance(f, rushlight.core.Overloaded)}
    for name, op in {**rushlight.ops.table, **overloaded}.items():
        test = parser.get_doctest(op.function.__doc__ or "", dict(GLOBALS), f"op {name}", None, None)
        if test.examples:
            yield pytest.param(test, id=test.name)


@pytest.mark.parametrize("test", list(examples()))
def test_example(test):
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)
