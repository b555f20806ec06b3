"""Files from the network that programs keep: weights, and where they lie."""

import hashlib
import os
import re
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlparse

__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]

HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")
ENV_TORCH_HOME = "TORCH_HOME"
ENV_XDG_CACHE_HOME = "XDG_CACHE_HOME"
DEFAULT_CACHE_DIR = "~/.cache"
READ_DATA_CHUNK = 128 * 1024
MODULE_HUBCONF = "hubconf.py"
_hub_dir: str | None = None


def _get_torch_home() -> str:
    return os.path.expanduser(os.getenv(ENV_TORCH_HOME, os.path.join(os.getenv(ENV_XDG_CACHE_HOME, DEFAULT_CACHE_DIR), "torch")))


def get_dir() -> str:
    """Where downloads are kept: what `set_dir` has set, or "hub" in $TORCH_HOME (~/.cache/torch).

    >>> import rushlight as torch
    >>> isinstance(torch.hub.get_dir(), str)
    True
    """
    return _hub_dir if _hub_dir is not None else os.path.join(_get_torch_home(), "hub")


def set_dir(d) -> None:
    """Sets where downloads are kept: the folder `d`.

    >>> import rushlight as torch
    >>> before = torch.hub.get_dir()
    >>> torch.hub.set_dir("/tmp/models")
    >>> torch.hub.get_dir()
    '/tmp/models'
    >>> torch.hub.set_dir(before)
    """
    global _hub_dir
    _hub_dir = os.path.expanduser(d)


def download_url_to_file(url, dst, hash_prefix=None, progress=True) -> None:
    """Downloads to a file, which is there when it is whole.

    Args:
        url: Where it comes from.
        dst: The path of the file.
        hash_prefix: What the SHA-256 of the content must begin with.
        progress: Whether a bar is shown.

    Raises:
        RuntimeError: It begins with something else.

    >>> import rushlight as torch
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "there").write_text("weights")
    >>> torch.hub.download_url_to_file((folder / "there").as_uri(), str(folder / "here"), progress=False)
    >>> (folder / "here").read_text()
    'weights'
    """
    from urllib.request import Request, urlopen

    dst = os.path.expanduser(dst)
    digest = hashlib.sha256()
    with urlopen(Request(url, headers={"User-Agent": "torch.hub"})) as source:
        handle, part = tempfile.mkstemp(suffix=".partial", dir=os.path.dirname(dst) or ".")
        try:
            with os.fdopen(handle, "wb") as file:
                while chunk := source.read(READ_DATA_CHUNK):
                    file.write(chunk)
                    digest.update(chunk)
            if hash_prefix is not None and not digest.hexdigest().startswith(hash_prefix):
                raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "{digest.hexdigest()}")')
            os.chmod(part, 0o644)
            os.replace(part, dst)
        finally:
            if os.path.exists(part):
                os.remove(part)


def load_state_dict_from_url(
    url, model_dir=None, map_location=None, progress=True, check_hash=False, file_name=None, weights_only=False
):
    """Loads what `torch.save` has written from the network, or from the file that an earlier call has kept.

    Args:
        url: Where it comes from.
        model_dir: The folder of the files that are kept, by default "checkpoints" in `get_dir`.
        map_location, weights_only: As in `torch.load`.
        progress: Whether a bar is shown.
        check_hash: Whether the SHA-256 must begin with what stands behind the last "-" in the file's name.
        file_name: The name of the file that is kept; by default that of the address.

    >>> import rushlight as torch
    >>> import contextlib, io, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> torch.save({"weight": torch.ones(2)}, folder / "model.pt")
    >>> with contextlib.redirect_stdout(io.StringIO()):
    ...     state = torch.hub.load_state_dict_from_url((folder / "model.pt").as_uri(), str(folder / "kept"), progress=False)
    >>> state
    {'weight': tensor([1., 1.])}
    """
    import rushlight as torch

    model_dir = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    os.makedirs(model_dir, exist_ok=True)
    name = os.path.basename(urlparse(url).path) if file_name is None else file_name
    cached = os.path.join(model_dir, name)
    if not os.path.exists(cached):
        sys.stdout.write(f'Downloading: "{url}" to {cached}\n')
        found = HASH_REGEX.search(name) if check_hash else None
        download_url_to_file(url, cached, found[1] if found else None, progress=progress)
    return torch.load(cached, map_location=map_location, weights_only=weights_only)


load_url = load_state_dict_from_url


def _hubconf(repo_or_dir, source):
    """The module hubconf.py of a folder."""
    import importlib.util

    if source not in ("github", "local"):
        raise ValueError(f'Unknown source: "{source}". Allowed values: "github" | "local".')
    if source == "github":
        raise RuntimeError(f"torch.hub: Rushlight downloads no programs; clone {repo_or_dir} and use source='local'")
    folder = os.path.expanduser(str(repo_or_dir))
    path = Path(folder) / MODULE_HUBCONF
    spec = importlib.util.spec_from_file_location("hubconf", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    sys.path.insert(0, folder)
    try:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    return module


def _entry(module, name):
    if not isinstance(name, str):
        raise ValueError("Invalid input: model should be a string of function name")
    function = getattr(module, name, None)
    if function is None or not callable(function):
        raise RuntimeError(f"Cannot find callable {name} in hubconf")
    return function


def load(
    repo_or_dir, model, *args, source="github", trust_repo=None, force_reload=False, verbose=True, skip_validation=False, **kwargs
):
    """What the function `model` of hubconf.py in a folder (source="local") gives.

    Raises: RuntimeError where a program would have to be downloaded.

    Args:
        repo_or_dir: The folder, or with source="github" a repository, which is an error.
        model: The name of the function.
        source: "local", or "github".
        trust_repo, force_reload, verbose, skip_validation: How a repository would be downloaded.

    >>> import rushlight as torch
    >>> torch.hub.load("owner/name", "model")
    Traceback (most recent call last):
        ...
    RuntimeError: torch.hub: Rushlight downloads no programs; clone owner/name and use source='local'
    """
    return _entry(_hubconf(repo_or_dir, source), model)(*args, **kwargs)


def help(github, model, force_reload=False, skip_validation=False, trust_repo=None):
    """Raises: programs are not downloaded.

    Args:
        github: The repository.
        model: The name of a function of it.
        force_reload, skip_validation, trust_repo: How it would be downloaded.

    >>> import rushlight as torch
    >>> torch.hub.help("owner/name", "model")
    Traceback (most recent call last):
        ...
    RuntimeError: torch.hub: Rushlight downloads no programs; clone owner/name and use source='local'
    """
    return _entry(_hubconf(github, "github"), model).__doc__


def list(github, force_reload=False, skip_validation=False, trust_repo=None, verbose=True):
    """Raises: programs are not downloaded.

    Args:
        github: The repository.
        force_reload, skip_validation, trust_repo, verbose: How it would be downloaded.

    >>> import rushlight as torch
    >>> torch.hub.list("owner/name")
    Traceback (most recent call last):
        ...
    RuntimeError: torch.hub: Rushlight downloads no programs; clone owner/name and use source='local'
    """
    module = _hubconf(github, "github")
    return [name for name in dir(module) if callable(getattr(module, name)) and not name.startswith("_")]


class _Faketqdm:
    """A progress bar that shows nothing, where tqdm is not installed."""

    def __init__(self, iterable=None, *args, **kwargs):
        self.iterable = iterable

    def __iter__(self):
        return iter(() if self.iterable is None else self.iterable)

    def update(self, n=1):
        """Nothing."""

    def set_description(self, *args, **kwargs):
        """Nothing."""

    def close(self):
        """Nothing."""

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return None


def __getattr__(name):
    if name != "tqdm":
        raise AttributeError(f"module 'torch.hub' has no attribute '{name}'")
    try:
        from tqdm import tqdm  # type: ignore[import-untyped]
    except ImportError:
        return _Faketqdm
    return tqdm
