"""What the site has beside docs/: the README as its first page, a reference made from docstrings, the sources that pages link to, and the
course as notebooks."""

import ast
import html
import importlib
import inspect
import itertools
import json
import re
import sys
import tempfile
import textwrap
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT), str(ROOT / "examples")]

import notebooks  # noqa: E402  (beside this file)
import pages  # noqa: E402  (of the examples)

from benchmarks.chart import chart  # noqa: E402
from rushlight.explain import _causes  # noqa: E402

LINK = re.compile(r"\]\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)")
FACT = re.compile(r"^(Shapes|Dtypes|Derivatives|Raises|Note): ", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
MODULES = (
    *("rushlight", "rushlight.Tensor", "rushlight.autograd", "rushlight.explain", "rushlight.func", "rushlight.nn"),
    *("rushlight.nn.functional", "rushlight.nn.init", "rushlight.nn.utils", "rushlight.optim", "rushlight.optim.lr_scheduler"),
    *("rushlight.distributions", "rushlight.linalg", "rushlight.fft", "rushlight.special", "rushlight.sparse"),
    *("rushlight.utils.data", "rushlight.utils.checkpoint", "rushlight.amp", "rushlight.compiler", "rushlight.library"),
    *("rushlight.fx", "rushlight.jit", "rushlight.distributed", "rushlight.cuda", "rushlight.multiprocessing"),
)
ONE_PAGE = 60_000
"""So many characters of a reference are one page; what has more is a page for each letter."""


def outside_fences(change, text):
    """The text with `change` made to what is not in a block of code."""
    parts, at = [], 0
    for fence in FENCE.finditer(text):
        parts += [change(text[at : fence.start()]), fence[0]]
        at = fence.end()
    return "".join([*parts, change(text[at:])])


def source_page(path):
    """The page of the site that shows a file or folder of the repository."""
    return f"source/{path.relative_to(ROOT)}/index.md" if path.is_dir() else f"source/{path.relative_to(ROOT)}.md"


def with_links_inside(text, folder, page):
    """The text with its links to files of the repository turned into links to pages of the site; and those files."""
    sources, up = set(), "../" * page.count("/")

    def turned(match):
        path = (folder / match[1]).resolve()
        if not path.exists():
            return match[0]  # a link between pages, or a broken one: MkDocs looks at both
        if path.is_relative_to(ROOT / "docs"):
            return f"]({up}{path.relative_to(ROOT / 'docs')}{match[2] or ''})"
        sources.add(path)
        return f"]({up}{source_page(path)})"

    return outside_fences(lambda part: LINK.sub(turned, part), text), sources


def shown(path):
    """A page with a file of the repository, or with the names in a folder."""
    name = path.relative_to(ROOT)
    if path.is_dir():
        names = sorted(item.name + "/" * item.is_dir() for item in path.iterdir() if not item.name.startswith(("_", ".")))
        return f"# `{name}/`\n\n" + "".join(f"- `{item}`\n" for item in names)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        # It is read here as it is in a terminal: its own links lead to places of the repository.
        return f"# {name}\n\n````markdown\n{text}\n````\n"
    language = {".py": "python", ".pxi": "cython", ".pxd": "cython", ".pyx": "cython", ".h": "cpp", ".cpp": "cpp"}.get(
        path.suffix, "text"
    )
    return f"# `{name}`\n\n````{language}\n{text}\n````\n"


def plain(text):
    """Text of a docstring: only its `code` means anything."""
    return "`".join(part if i % 2 else re.sub(r"([\\*_<>\[\]#|~])", r"\\\1", part) for i, part in enumerate(text.split("`")))


def arguments(lines):
    """The lines of a docstring about arguments, as a list."""
    items = inspect.cleandoc("\n".join(lines)).splitlines()
    joined = re.sub(r"\n +", " ", "\n".join(items)).splitlines()
    return "\n".join(
        re.sub(r"^([\w, ]+)( \(.*?\))?: (.*)$", lambda m: f"- `{m[1]}`{plain(m[2] or '')}: {plain(m[3])}", each)
        for each in joined
    )


def docstring(text):
    """A docstring as Markdown: examples and indented parts are code, arguments and facts are lists, the rest is text."""
    out = []
    for block in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        if not (lines := block.splitlines()):
            continue
        if lines[0] in ("Arguments:", "Args:") and len(lines) > 1:
            out.append(f"{lines[0]}\n\n{arguments(lines[1:])}")
            continue
        if FACT.match(block):
            out.append(FACT.sub(r"- **\1**: ", plain(block)))
            continue
        head = [] if lines[0].startswith((" ", ">>>")) else lines[:1]
        while head and len(head) < len(lines) and not lines[len(head)].startswith((" ", ">>>")):
            head.append(lines[len(head)])
        body = "\n".join(lines[len(head) :])
        out += [plain("\n".join(head))] if head else []
        out += [f"```{'pycon' if '>>>' in body else 'text'}\n{inspect.cleandoc(body)}\n```"] if body else []
    return "\n\n".join(out)


def entries(owner):
    """(name, what the reference says of it) of every public name with a docstring of its own: its signature and its docstring."""
    for name in sorted(vars(owner) if inspect.isclass(owner) else dir(owner), key=str.lower):
        value = getattr(owner, name)
        text = getattr(value, "__doc__", None)
        if name.startswith("_") or not callable(value) or not text or text == type(value).__doc__:
            continue
        if getattr(value, "parser", None) is not None:
            signature, _, text = text.partition("\n\n")  # (as errors print it)
            signature = f"```text\n{signature}\n```"
        else:
            try:
                signature = f"```python\n{name}{inspect.signature(value)}\n```"
            except (TypeError, ValueError):
                signature = f"```python\n{name}(…)\n```"
        yield name, f"## {name}\n\n{signature}\n\n{docstring(text)}\n"


def reference(module):
    """The pages of a module, by their names."""
    package, _, kind = module.rpartition(".")
    owner = getattr(importlib.import_module(package), kind) if kind[:1].isupper() else importlib.import_module(module)
    found = list(entries(owner))
    title = module.replace("rushlight", "torch", 1)
    head = f"# {title}\n\n{docstring(owner.__doc__ or '')}\n\n"
    if sum(len(text) for _, text in found) < ONE_PAGE:
        return {f"reference/{module}.md": head + "\n".join(text for _, text in found)}
    made = {}
    for letter, group in itertools.groupby(found, lambda entry: entry[0][0].lower()):
        names, texts = zip(*group)
        page = f"{module}.{letter}.md"
        made[f"reference/{page}"] = f"# {title}: {letter.upper()}\n\n" + "\n".join(texts)
        head += f"[{letter.upper()}]({page}): {' '.join(f'`{name}`' for name in names)}\n\n"
    return made | {f"reference/{module}.md": head}


def known_differences():
    """Rows of a table: the programs that knowingly print something else, from the tests that run them on both libraries."""
    tree = ast.parse((ROOT / "tests/parity/semantic_differences.py").read_text(encoding="utf-8"))
    for node in tree.body:
        for mark in getattr(node, "decorator_list", ()):
            if isinstance(mark, ast.Call) and mark.func.id == "differs":
                values = {word.arg: ast.literal_eval(word.value) for word in mark.keywords}
                reason = plain(ast.literal_eval(mark.args[0]))
                yield f"| {node.name.replace('_', ' ')} | {reason} | `{values['pytorch']}` | `{values['rushlight']}` |"


def support(text):
    """The page of every name, as a page for each package, by its name; and as what stays: where they are, and how much each has."""
    head, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    packages: dict = {}
    for section in sections:
        packages.setdefault(re.match(r"## (torch(?:\.\w+)?)", section)[1], []).append(section)
    made, rows = {}, []
    for package, sections in packages.items():
        made[f"support/{package}.md"] = f"# {package}\n\n" + "".join(sections)
        counts = dict.fromkeys(("Here", "Answering", "Missing", "Not there"), 0)
        for word, names in re.findall(r"^([A-Z][a-z ]+): (`.*)", "".join(sections), re.MULTILINE):
            counts[word] += names.count(" ") + 1
        rows.append(f"| [{package}](support/{package}.md) | {' | '.join(str(count or '') for count in counts.values())} |\n")
    table = "| package | here | answering | missing | not there |\n|---|---|---|---|---|\n" + "".join(rows)
    return made, head + table


def causes(page):
    """A heading for each cause that `explain.why` gives and that the page has none for, what it means and what helps."""
    for cause, fix in _causes.FIXES.items():
        if f"{{#{cause}}}" in page:
            continue
        meaning = (_causes.CUTS | _causes.MEANINGS)[cause]
        meaning = f"{meaning[0].upper()}{meaning[1:]}.\n\n"
        yield f"### `{cause}` {{#{cause}}}\n\n{plain(meaning)}What helps: {plain(fix)}.\n"


def benchmark():
    """The ratios in the README's table of numbers, drawn as the benchmarks draw theirs: a reader sees what is claimed, once."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text[text.index("<!-- numbers -->") : text.index("<!-- numbers end -->")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")]
    ratios = {}
    for name, *_, ratio in rows[2:]:
        name = textwrap.shorten(re.sub(r"\[(.*?)\]\(.*?\)|[`*]", r"\1", name), 56, placeholder=" …")
        ratios[f"training: {html.escape(name)}"] = float(ratio)
    return chart(ratios)


def on_files(files, config):
    """Adds the pages that are made."""
    worker = (Path(__file__).parent / "iframe-worker.js").read_text(encoding="utf-8")
    made = {"pictures/benchmark.svg": benchmark(), "assets/iframe-worker.js": worker}
    made["index.md"], sources = with_links_inside((ROOT / "README.md").read_text(encoding="utf-8"), ROOT, "index.md")
    for file in files.documentation_pages():
        path = Path(file.abs_src_path)
        sources |= with_links_inside(path.read_text(encoding="utf-8"), path.parent, file.src_uri)[1]
    made |= {source_page(path): f"---\nsearch: {{exclude: true}}\n---\n\n{shown(path)}" for path in sources}
    for module in MODULES:
        made |= reference(module)
    listed = "".join(f"- [{module.replace('rushlight', 'torch', 1)}]({module}.md)\n" for module in MODULES)
    made |= support((ROOT / "docs/support.md").read_text(encoding="utf-8"))[0]
    made["reference/index.md"] = f"# Reference\n\nMade from the docstrings.\n\n{listed}"
    for name in notebooks.COURSE:
        made[f"notebooks/{name}.ipynb"] = json.dumps(notebooks.notebook(name), ensure_ascii=False, indent=1)
    with tempfile.TemporaryDirectory() as folder:
        list(pages.write(Path(folder)))
        made |= {f"pages/{path.name}": path.read_text(encoding="utf-8") for path in Path(folder).iterdir()}
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown, page, config, files):
    """Turns links into the repository into links to pages; fills in what is made; offers the notebooks and pages to click through."""
    name = page.file.src_uri
    if page.file.generated_by:
        return markdown
    if name == "differences.md":
        markdown = markdown.replace("<!-- known differences -->", "\n".join(known_differences()))
    if name == "support.md":
        markdown = support(markdown)[1]
    if name == "performance.md":
        markdown = markdown.replace("<!-- benchmark -->", "![How many times faster](pictures/benchmark.svg)")
    if name == "explain.md":
        markdown = re.sub(r"<!-- (\w+\.html) -->", r" ([open it](pages/\1))", markdown)
    if name == "errors.md":
        markdown = markdown.replace("<!-- causes -->", "\n".join(causes(markdown)))
    if name.removesuffix(".md") in notebooks.COURSE:
        word = "本页的 notebook" if ".zh" in name else "this page as a notebook"
        markdown = markdown.replace("\n\n", f"\n\n[{word}](notebooks/{name.removesuffix('.md')}.ipynb)\n\n", 1)
    return with_links_inside(markdown, ROOT / "docs", name)[0]
