"""Where the compiled half of the package is, when Python has found the source folder before the installed package.

`python -m` puts the current directory first on the path, so in a clone it imports this folder, which holds nothing compiled. The
package then continues as the installed one.
"""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec


def continue_as_installed():
    """Turns the package and its `core`, both half imported, to the folders of the installed package."""
    package, core = sys.modules["rushlight"], sys.modules["rushlight.core"]
    # (Every finder is asked: that of an editable installation knows where the compiled half is built.)
    if find_spec("rushlight.core._core") is not None:
        return
    here = os.path.dirname(os.path.dirname(os.path.abspath(package.__file__)))
    elsewhere = [entry for entry in sys.path if os.path.abspath(entry) != here]
    spec = PathFinder.find_spec("rushlight", elsewhere)
    if spec is None or spec.origin is None:
        raise ImportError(f"{here} holds Rushlight's source, with nothing compiled: run `pip install .` there first")
    package.__spec__, package.__file__, package.__path__ = spec, spec.origin, spec.submodule_search_locations
    core.__path__ = [os.path.join(folder, "core") for folder in spec.submodule_search_locations]
