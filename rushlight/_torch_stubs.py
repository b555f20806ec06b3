"""`python -m rushlight --install-torch-stubs`: editors and type checkers take `import torch` for Rushlight, in environments that ask for it.

What is installed is a package of stubs, `torch-stubs` (the name that PEP 561 gives to the types of `torch`), in which every module hands on
the names of Rushlight's. No program ever imports it. `--remove-torch-stubs` removes it, as `pip uninstall rushlight-torch-stubs` does.
"""

import shutil
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

from rushlight import version

_PACKAGE = Path(__file__).parent
_NAME = "rushlight-torch-stubs"
_SPECIAL = {"__version__": "str"}  # names that a star does not hand on


def _is_public(path: Path) -> bool:
    names = path.relative_to(_PACKAGE).with_suffix("").parts
    return not any(name.startswith("_") for name in names if name != "__init__") and names[0] not in (
        "core",
        "ops",
        "pytest_plugin",
    )


def stubs() -> dict[str, str]:
    """Path in `torch-stubs` -> text of its stubs: one for each public module of Rushlight."""
    found = {}
    for path in sorted({path.with_suffix(".pyi") for path in _PACKAGE.rglob("*.py*") if path.suffix in (".py", ".pyi")}):
        if not _is_public(path):
            continue
        inner = path.relative_to(_PACKAGE)
        module = ".".join(["rushlight", *inner.with_suffix("").parts]).removesuffix(".__init__")
        text = f"from {module} import *\n"
        if path.name == "__init__.pyi":
            folders = {child.parent.name for child in path.parent.glob("*/__init__.py") if not child.parent.name.startswith("_")}
            files = {child.stem for child in path.parent.glob("*.py") if not child.stem.startswith("_")}
            children = sorted((folders | files) - ({"core", "ops", "pytest_plugin"} if module == "rushlight" else set()))
            # (The star comes last: a function that has the name of its module is the function.)
            text = "".join(f"from . import {child} as {child}\n" for child in children) + text
        if module == "rushlight":
            text += "".join(f"{name}: {kind}\n" for name, kind in _SPECIAL.items())
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
