"""Writes the type stubs of a package whose compiled modules are still in the folder of its build: `make_stubs_of_build.py MODULE=FILE …`."""

import sys
from importlib.util import spec_from_file_location
from pathlib import Path

FILES = dict(argument.split("=", 1) for argument in sys.argv[1:])


class CompiledModules:
    """Finds the modules in FILES."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        return spec_from_file_location(name, FILES[name]) if name in FILES else None


sys.meta_path.insert(0, CompiledModules)
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
__import__("make_stubs").write()
