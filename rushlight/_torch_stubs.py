"""`python -m rushlight --install-torch-stubs`: editors and type checkers take `import torch` for Rushlight, in environments that ask for it.

What is installed is a package of stubs, `torch-stubs` (the name that PEP 561 gives to the types of `torch`), in which every module hands on
the names of Rushlight's. No program ever imports it. `--remove-torch-stubs` removes it, as `pip uninstall rushlight-torch-stubs` does.
"""

import shutil
import sys
import sysconfig
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from rushlight import version

_PACKAGE = Path(__file__).parent
_NAME = "rushlight-torch-stubs"


def _is_public(path: Path) -> bool:
    names = path.relative_to(_PACKAGE).with_suffix("").parts
    return not any(name.startswith("_") for name in names if name != "__init__") and names[0] not in (
        "core",
        "ops",
        "pytest_plugin",
    )


def _names(module: str) -> list[str] | None:
    """The public names of a module; None where it needs a package that is not installed (utils.tensorboard)."""
    try:
        found = import_module(module)
    except ModuleNotFoundError:
        return None
    told = vars(found).get("__all__") or [name for name in dir(found) if not name.startswith("_") or name == "__version__"]
    # (A name in `__all__` that is not there yet is a module.)
    return sorted(name for name in told if not isinstance(getattr(found, name, found), ModuleType))


def stubs() -> dict[str, str]:
    """Path in `torch-stubs` -> text of its stubs: one for each public module of Rushlight.

    Every name is written out: checkers do not follow a star into a module that computes its `__all__`.
    """
    found = {}
    for path in sorted({path.with_suffix(".pyi") for path in _PACKAGE.rglob("*.py*") if path.suffix in (".py", ".pyi")}):
        if not _is_public(path):
            continue
        inner = path.relative_to(_PACKAGE)
        module = ".".join(["rushlight", *inner.with_suffix("").parts]).removesuffix(".__init__")
        names = _names(module)
        text = (
            f"from {module} import *\n"
            if names is None
            else "".join(f"from {module} import {name} as {name}\n" for name in names)
        )
        if path.name == "__init__.pyi":
            places = [*path.parent.glob("[!_]*.py"), *(place.parent for place in path.parent.glob("[!_]*/__init__.py"))]
            # (A function that has the name of its module is the function.)
            children = sorted({place.stem for place in places if _is_public(place)} - set(names or ()))
            text = "".join(f"from . import {child} as {child}\n" for child in children) + text
        found[inner.as_posix()] = text
    return found


def _places(folder: Path) -> tuple[Path, Path]:
    return folder / "torch-stubs", folder / f"{_NAME.replace('-', '_')}-{version.rushlight}.dist-info"


def _metadata_folders(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{_NAME.replace('-', '_')}-*.dist-info"))


def install(folder: Path | None = None) -> str:
    """Installs the stubs in this environment, in the place of those of an earlier version; returns what there is to say."""
    folder = folder or Path(sysconfig.get_path("purelib"))
    package, metadata = _places(folder)
    if find_spec("torch") is not None:
        raise FileExistsError("PyTorch is installed in this environment, with types of its own: no stubs were installed")
    if package.exists() and not _metadata_folders(folder):
        raise FileExistsError(f"{package} is there already and is not Rushlight's: no stubs were installed")
    remove(folder)
    texts = {f"{package.name}/{path}": text for path, text in stubs().items()}
    own = {
        "METADATA": f"Metadata-Version: 2.1\nName: {_NAME}\nVersion: {version.rushlight}\nSummary: torch is Rushlight, for editors\n",
        "INSTALLER": "rushlight\n",
    }
    texts.update({f"{metadata.name}/{name}": text for name, text in own.items()})
    record = f"{metadata.name}/RECORD"
    texts[record] = "".join(f"{path},,\n" for path in [*texts, record])
    for path, text in texts.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return f"Installed {package}: in editors and type checkers `import torch` is Rushlight. --remove-torch-stubs removes it."


def remove(folder: Path | None = None) -> str:
    """Removes what `install` put into this environment."""
    folder = folder or Path(sysconfig.get_path("purelib"))
    ours = _metadata_folders(folder)
    for place in [*ours, _places(folder)[0]] if ours else []:
        shutil.rmtree(place, ignore_errors=True)
    return f"Removed {_places(folder)[0]}." if ours else "No stubs of Rushlight's for torch are installed here."


def main(option: str) -> int:
    """Does what the option of the command line asks for; returns the exit status."""
    try:
        print(install() if option == "--install-torch-stubs" else remove())
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
