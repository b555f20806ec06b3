"""The learners' documents: every example prints what stands under it, in both languages; what they name and show exists.

tests/parity/test_documents_live.py runs the same examples with PyTorch.
"""

import ast
import contextlib
import io
import re
import textwrap
from pathlib import Path

import pytest

import rushlight

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
DOCUMENTS = ("autograd", "build_an_engine")
LANGUAGES = ("", ".zh")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def read(name):
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def blocks(text):
    """(line, language, content) of each fenced block."""
    return [(text.count("\n", 0, match.start(2)), match[1], match[2]) for match in FENCE.finditer(text)]


def examples(text):
    """(line, code, what it prints) of each block of Python: the text block after it, if any, is its output."""
    found = blocks(text)
    for (line, language, content), (_, following, output) in zip(found, [*found[1:], (0, "", "")]):
        if language == "python":
            yield line, content, output if following == "text" else ""


@pytest.fixture
def torch():
    """`import torch` in an example means Rushlight."""
    with rushlight.as_torch():
        yield


@pytest.mark.parametrize("name", (*DOCUMENTS, "replay"))
def test_examples_print_what_stands_under_them(name, torch):
    namespace = {"__name__": name}
    for line, code, expected in examples(read(name)):
        # Moved down to their lines, so that a traceback points into the document.
        compiled = compile("\n" * line + code, str(DOCS / f"{name}.md"), "exec")
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compiled, namespace)
        assert out.getvalue() == expected, f"{name}.md, the example in line {line + 1}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_blocks_are_code_and_output(name):
    languages = [language for _, language, _ in blocks(read(name))]
    assert set(languages) == {"python", "text"}
    assert all(before == "python" for before, after in zip(["", *languages], languages) if after == "text")


def structure(text):
    """What a document consists of, without its words: blocks as they are, headings, pictures, tables and paragraphs."""
    at = 0
    for fence in [*FENCE.finditer(text), None]:
        for part in text[at : fence.start() if fence else len(text)].split("\n\n"):
            if part.strip().startswith("!["):
                yield re.search(r"\((.*?)\)", part)[1]
            elif part.strip().startswith("|"):
                yield re.findall(r"\]\((\.\./.*?)\): (.*?) \|", part)
            elif part.strip():
                yield re.match(r"\s*(#*)", part)[1] or "paragraph"
        if fence:
            yield fence[0]
            at = fence.end()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_languages_agree(name):
    assert list(structure(read(name))) == list(structure(read(f"{name}.zh")))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name, language):
    targets = re.findall(r"\]\(([^)#:]+)\)", FENCE.sub("", read(name + language)))
    assert targets
    assert [target for target in targets if not (DOCS / target).exists()] == []


def test_the_engine_is_small():
    """Blocks without output are the engine; those with output try it."""
    engine = [code for _, code, output in examples(read("build_an_engine")) if not output]
    lines = [line for code in engine for line in code.splitlines() if line.strip()]
    assert 100 < len(lines) < 200


def defined_names(path):
    """The functions and classes that a Python or Cython file defines, at any depth."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        kinds = (ast.FunctionDef, ast.ClassDef)
        return {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)}
    return set(re.findall(r"^\s*(?:cdef|cpdef|def|class)\b[^=(:\n]*?\b(\w+)\s*(?:\(|:$)", text, re.MULTILINE))


def test_the_real_source_is_where_the_tutorial_says():
    named = re.findall(r"\[`(rushlight/[^`]+)`\]\([^)]*\): (.*?) \|", read("build_an_engine"))
    assert len(named) > 10
    missing = [
        (path, name)
        for path, listed in named
        for name in re.findall(r"`(\w+)`", listed)
        if name not in defined_names(ROOT / path)
    ]
    assert missing == []


def test_output_is_compared_with_the_block_before_it():
    text = textwrap.dedent("""
        ```python
        print(1)
        ```

        ```text
        1
        ```

        ```python
        quiet = 2
        ```
        """)
    assert [example[1:] for example in examples(text)] == [("print(1)\n", "1\n"), ("quiet = 2\n", "")]
