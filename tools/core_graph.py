"""The graph of the core's files: who uses what of whom, read from the sources.

    python tools/core_graph.py             the edges that run up between floors, and circles of files
    python tools/core_graph.py record      what one file uses, and who uses it
    python tools/core_graph.py --tags      a file `tags`, by which editors jump to definitions in the core

A name belongs to the file that defines it; those of the header (_core.pxd) to nobody, so layouts and virtual methods make no edge.
"""

import re
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

CORE = Path(__file__).parent.parent / "rushlight" / "core"
HEADER = ("_core.pxd", "array/kernels.pxi")
FLOORS = ("array", "graph", "calls", "drivers", "backward", "transforms", "replay", "python")

WORD = r"[A-Za-z_]\w*"
TEXT = re.compile(r'(?P<prefix>[rbfRBF]*)(?P<quote>"""|\'\'\'|"|\')(?P<body>(?:\\.|(?!(?P=quote)).)*)(?P=quote)|#[^\n]*', re.S)
MADE_IN_C = re.compile(r"(?:struct|class|define|static)\b[^;={}()\n]*?\b((?:rl|RL)_\w+)")
# What defines a name: at the start of a line, in C declarations (a cname may follow), and in lists.
DEFINES = (
    re.compile(rf"(?:cdef |cpdef )?(?:class|struct|union) ({WORD})"),
    re.compile(rf"(?:cdef |cpdef |def )(?:inline )?(?:[^=\n(]*?[ *])?({WORD})\("),
    re.compile(rf"cdef (?!class|enum|extern|struct|inline)[^=(\n]*?[ *]({WORD})(?:\[[^\n]*)?(?: =[^\n]*)?$"),
    re.compile(rf"ctypedef [^\n]*?\(\*({WORD})"),
)
IN_C = re.compile(rf'    (?:cdef )?(?:cppclass |struct )?[^=(\n]*?\b({WORD})(?: "")?(?:\(.*|\[.*)?:?$')


def without_texts(source):
    """Code alone: strings and comments are empty, but for what f-strings compute and what is C."""

    def emptied(found):
        lines = "\n" * found.group().count("\n")
        if found["quote"] is None:
            return ""
        computed = " ".join(re.findall(r"\{([^{}]*)\}", found["body"])) if "f" in found["prefix"].lower() else ""
        c = "".join(f" {name}" for name in re.findall(r"\b(?:rl|RL)_\w+", found["body"])) if found["quote"] == '"""' else ""
        return f'""{lines} {computed}{c} ' if computed or c else f'""{lines}'

    return "\n".join(line.rstrip() for line in TEXT.sub(emptied, source).split("\n"))


def blocks(code):
    """The statements of a file at its outermost level and the methods of its classes: (number of the first line, text)."""
    start, found = 1, []
    method = re.compile(r"    (?:@|def |cdef [^=\n]*\()")
    for number, line in enumerate(code.split("\n"), 1):
        in_class = found and re.match(r"(?:cdef )?class |    (?:@|c?def )", found[0])
        if found and (not line or (line[0] in " )" and not (in_class and method.match(line)))):
            found.append(line)
            continue
        if found:
            yield start, "\n".join(found)
        start, found = number, [line]
    yield start, "\n".join(found)


def definitions(source):
    """Name -> number of the line where a file defines it, for every name that other files might use."""
    names = {}
    for start, text in blocks(without_texts(source)):
        lines = text.split("\n")
        if re.match(r"cdef (?:extern|enum)", text):
            for offset, line in enumerate(lines[1:], 1):
                inside = re.findall(rf"({WORD})", line.partition("=")[0]) if text.startswith("cdef enum") else IN_C.findall(line)
                for name in inside if re.match(r"    \S", line) else ():
                    names.setdefault(name, start + offset)
            continue
        several = re.match(rf"(?:cdef {WORD} )?({WORD}(?: = {WORD})?(?:, {WORD}(?: = {WORD})?)*)(?: = [^=]|$)", lines[0])
        for name in re.findall(rf"(?:^|, )({WORD})", several[1]) if several else ():
            names.setdefault(name, start)
        for pattern in DEFINES:
            found = pattern.match(lines[0])
            if found and not lines[0].startswith(" "):
                names.setdefault(found[1], start)
    for number, line in enumerate(source.split("\n"), 1):
        for name in MADE_IN_C.findall(line):
            names.setdefault(name, number)
    return names


def locals_of(text):
    """The names that a function binds itself: parameters, variables, targets of loops and comprehensions; the members of a struct."""
    if re.match(r"(?:cdef |ctypedef )(?:struct|union)", text):
        return set(re.findall(rf"({WORD})(?:\[[^\n]*)?(?=,|$)", text, re.M))
    if not re.match(r"\s*(?:@|c?p?def |class )", text):
        return set()
    head, _, body = text.partition(":\n")
    names = set(re.findall(rf"({WORD})(?=\s*(?:[,)=:]|not None|or None))", head.partition("(")[2]))
    if head.startswith("    "):  # a method, which nobody calls without its object
        names.update(re.findall(rf"({WORD})\(", head.partition("(")[0] + "("))
    for line in body.split("\n"):
        declared = re.match(r"\s+cdef (?:const )?[\w.\[\]]+(?:\[[^\]]*\])?[ *&]+(.*)", line)
        if declared:
            names.update(re.findall(rf"(?:^|,)\s*[*&]*({WORD})", re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", declared[1])))
        assigned = re.match(r"\s+((?:[\w*]+, )*[\w*]+)(?: = | [-+*/&|]?= |: )", line)
        if assigned and not re.match(r"\s+(?:else|try|finally)\b", line):
            names.update(re.findall(WORD, assigned[1]))
        for targets in re.findall(r"\bfor ((?:\(?\w+\)?, )*\(?\w+\)?) in\b", line):
            names.update(re.findall(WORD, targets))
    for line in re.findall(r"\bglobal (.*)", body):
        names.difference_update(re.findall(WORD, line))
    return names


def used(source):
    """The names that a file uses and does not bind where it uses them."""
    names = set()
    for _, text in blocks(without_texts(source)):
        free = set(re.findall(rf"(?<![\w.])({WORD})(?!\w|\s*=[^=])", text))
        for line in re.findall(r"\bglobal (.*)", text):
            free.update(re.findall(WORD, line))
        names |= free - locals_of(text)
    return names


class Graph:
    """The files of the core, in the order of their floors, and `edges`: (file, other file) -> the names that one uses of the other."""

    def __init__(self, core=CORE):
        self.sources = {path.relative_to(core).as_posix(): path.read_text() for path in sorted(core.rglob("*.pxi"))}
        self.sources = dict(sorted(self.sources.items(), key=lambda item: FLOORS.index(item[0].partition("/")[0])))
        header = set().union(*(definitions((core / name).read_text()) for name in HEADER))
        self.defined = {name: definitions(source) for name, source in self.sources.items() if name not in HEADER}
        self.owner = {}
        for file, names in self.defined.items():
            for name in names.keys() - header:
                self.owner.setdefault(name, file)
        self.edges = {}
        for file in self.defined:
            for name in sorted(used(self.sources[file]) - self.defined[file].keys()):
                if name in self.owner:
                    self.edges.setdefault((file, self.owner[name]), []).append(name)

    def upward(self):
        """The edges to a higher floor."""
        return {edge: names for edge, names in self.edges.items() if floor_of(edge[0]) < floor_of(edge[1])}

    def circles(self, without=()):
        """Files that all lead to each other, leaving some edges out: one such set, or none."""
        after = {
            file: [other for (one, other) in self.edges if one == file and (one, other) not in without] for file in self.defined
        }
        try:
            TopologicalSorter(after).prepare()
        except CycleError as error:
            return [tuple(sorted(set(error.args[1])))]
        return []


def floor_of(file):
    """0 for the lowest."""
    return FLOORS.index(file.partition("/")[0])


def tags():
    """The lines of a tags file."""
    lines = []
    for path in [*sorted(CORE.rglob("*.px[id]")), *sorted(CORE.rglob("*.h"))]:
        for name, number in definitions(path.read_text()).items():
            lines.append(f'{name}\t{path.relative_to(Path.cwd())}\t{number};"\n')
    return sorted(lines)


def main(arguments):
    if arguments == ["--tags"]:
        Path("tags").write_text("".join(tags()))
        return
    graph = Graph()
    for (file, other), names in graph.edges.items():
        wanted = any(name in file or name in other for name in arguments) if arguments else floor_of(file) < floor_of(other)
        if wanted:
            print(f"{file} -> {other}: {', '.join(names)}")
    if not arguments:
        print(f"{len(graph.defined)} files, {len(graph.edges)} edges, {len(graph.upward())} up")
        for circle in graph.circles():
            print("a circle of", len(circle), "files:", ", ".join(circle))


if __name__ == "__main__":
    main(sys.argv[1:])
