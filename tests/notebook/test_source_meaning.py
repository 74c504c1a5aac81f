"""Which edits of source change its meaning, in a module and in the cells of a trial."""

from __future__ import annotations

import ast

import pytest

from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.source_meaning import meaning
from hpo_lab.notebook.trial_code import CodeChange, TrialCode

DOCUMENTED = 'def f(x: int) -> int:\n    """Square."""\n    return x * x\n'
FIELDS = 'class A:\n    """Settings."""\n    x: int = 0\n\n    def get(self) -> int:\n        "G"\n'
DRAWS = "class C:\n    @property\n    def v(self):\n        return draw()\nc = C()\n"
COUNTS = (
    "class C:\n    def __len__(self):\n        return count()\n"
    "    def __add__(self, other):\n        return count()\nc = C()\n"
)
SAME = [
    ("x = 1_000", "x =  1000  # a thousand"),
    ("x = 'a' 'b'", 'x = u"ab"'),
    ("a = 1\npass", "a = 1"),
    ("def f():\n    pass", "def f():\n    'F'"),
    # Docstrings and signatures of what is only called
    (f"{DOCUMENTED}y = f(2)", "def f(x):\n    return x * x\ny = f(2)"),
    (f"{DOCUMENTED}y = list(map(f, [2]))", "def f(x): return x * x\ny = list(map(f, [2]))"),
    (f"{FIELDS}y = A().get()", f"{FIELDS}y = A().get()".replace("Settings", "The settings")),
    (f"{FIELDS}y = A().get()", f"{FIELDS}y = A().get()".replace('"G"', '"Gets."')),
    (f"{FIELDS}a = A()\ny = a.get()", f"{FIELDS}a = A()\ny = a.get()".replace("-> int", "")),
    ("'''Text.'''\nx = 1", "x = 1"),
    # Local variables
    ("def f():\n    x: int = 1\n    return x", "def f():\n    x = 1\n    return x"),
    ("def f(s):\n    s.x: int = 1", "def f(s):\n    s.x = 1"),
    ("def f():\n    x: int", "def f():\n    x: str"),
    # What shows something
    ("x = [1]\nprint('x', x[0])", "x = [1]\nprint(f'{len(x)}', end='', flush=True)\nx"),
    ("for x in g():\n    print(x)\n    y = x", "for x in g():\n    y = x"),
    ("def f(x):\n    print(x)\n    return x", "def f(x):\n    return x"),
    (f"from rich import print\nx = 1\nprint(x)\n{DOCUMENTED}f", "from rich import print\nx = 1"
     f"\n{DOCUMENTED}"),
    (f"{DOCUMENTED}print(f)\ntype(f)", DOCUMENTED),
    ("class C:\n    def __init__(self):\n        self.x = 1\nc = C()\nprint(c.x)",
     "class C:\n    def __init__(self):\n        self.x = 1\nc = C()"),
]  # fmt: skip
CHANGED = [
    ("x = 1", "x = 1.0"),
    ("x: int = 1", "x: float = 1"),
    ("def f():\n    x: int\n    return x", "def f():\n    return x"),
    ("def f(x: check()): pass", "def f(x): pass"),
    ("class A:\n    x: int = 0", "class A:\n    x: str = 0"),
    # A print that is caught, kept, or of another kind
    ("try:\n    cupy\nexcept NameError: a = 1", "try:\n    numpy\nexcept NameError: a = 1"),
    ("with catch() as text:\n    print(1)", "with catch() as text:\n    print(2)"),
    ("import contextlib\nwith contextlib.redirect_stdout(b):\n    f()\ndef f():\n    print(1)",
     "import contextlib\nwith contextlib.redirect_stdout(b):\n    f()\ndef f():\n    print(2)"),
    ("print = log.append\nprint(1)", "print = log.append\nprint(2)"),
    ("from log import print\nprint(1)", "from log import print\nprint(2)"),
    ("def f(len):\n    len(x)", "def f(len):\n    len(y)"),
    ("print(*rows)", "pass"),
    ("1 in rows", "2 in rows"),
    ("load >> fit", "load >> test"),
    ("print(fit())", "print(fit(1))"),
    ("print(1, file=f)", "print(2, file=f)"),
    ("d = defaultdict(list)\nd['a']", "d = defaultdict(list)\nd['b']"),
    # A look that runs code of the notebook, and what is read of a look
    (f"{DRAWS}c.v", f"{DRAWS}pass"),
    (DRAWS.replace("@property", "@functools.cached_property") + "print(c.v)",
     DRAWS.replace("@property", "@functools.cached_property")),
    (f"{COUNTS}print(len(c))", COUNTS),
    (f"{COUNTS}c + 1", COUNTS),
    ("k * 3\nloss = _", "k * 2\nloss = _"),
]  # fmt: skip
READERS = [
    "ArgumentParser(description=f.__doc__)",
    "inspect.getdoc(f)",
    "get_type_hints(f)",
    "eval('f.__doc__, f.__annotations__')",
    "typer.run(f)",
    "TypeAdapter(A)",
    "tools = [f, A]",
    "g = f",
    "run(key=A().get)",
    "serve(A())",
    "a = A()\nserve(a)",
    "def g():\n    a = A()\n    return a",
    "for name in dir(): serve(name)",
    "globals()['f']",
    "class B(A): pass",
    "def g():\n    return f, A",
]


def as_cells(source: str) -> object:
    return TrialCode((ParsedCell(source),)).meaning


def as_module(source: str) -> object:
    return meaning(ast.parse(source))


FORMS = pytest.mark.parametrize("form", [as_cells, as_module])


@FORMS
@pytest.mark.parametrize(("before", "now"), SAME)
def test_what_has_no_part_in_the_meaning(form, before: str, now: str) -> None:
    assert form(before) == form(now)


@FORMS
@pytest.mark.parametrize(("before", "now"), CHANGED)
def test_what_has_a_part_in_the_meaning(form, before: str, now: str) -> None:
    assert form(before) != form(now)


@FORMS
@pytest.mark.parametrize("reader", READERS)
def test_what_may_be_read_has_a_part_in_it(form, reader: str) -> None:
    source = f"{DOCUMENTED}{FIELDS}{reader}"
    edits = {"Square": "f.", "x: int)": "x: str)", '"G"': '"Get."', "get(self) -> int": "get(self)"}
    changed = [form(source.replace(old, new)) != form(source) for old, new in edits.items()]
    assert any(changed), changed


@FORMS
@pytest.mark.parametrize(
    "source",
    [
        f"@command\n{DOCUMENTED}",
        f"@app.command()\n{DOCUMENTED}",
        f"@dataclass\n{FIELDS}",
        FIELDS.replace("A:", "A(Signature):"),
        FIELDS.replace("A:", "A(metaclass=Model):"),
        "'Square'\nArgumentParser(description=__doc__)",
    ],
)
def test_docstrings_that_a_decorator_or_a_base_may_read_count(form, source: str) -> None:
    edited = source.replace("Square", "Cube").replace('"Settings', '"The settings')
    assert form(source) != form(edited)
    if "int" in source:
        assert form(source) != form(source.replace("-> int", "-> str"))


def test_a_cell_reads_what_another_defines() -> None:
    def code(square: str, tuned: str) -> object:
        cells = (DOCUMENTED.replace("Square", square), tuned)
        return TrialCode(tuple(map(ParsedCell, cells))).meaning

    assert code("Square", "y = f(1)") == code("Cube", "y = f(1)")
    assert code("Square", "typer.run(f)") != code("Cube", "typer.run(f)")
    assert code("Square", "%time y = f.__doc__") != code("Cube", "%time y = f.__doc__")


def test_a_change_is_shown_by_its_lines_whatever_ends_lines_elsewhere() -> None:
    source = "a = '\u2028\x0c'\r\nb = {}\r\n"
    before, now = (TrialCode((ParsedCell(source.format(n), label="cell 1"),)) for n in (1, 2))
    assert now.changes(before) == [CodeChange("cell 1", 2, ("b = 1",), ("b = 2",))]


def test_what_a_cell_shows_counts_where_a_magic_captures_it() -> None:
    assert as_cells("%%time\nprint(1)\nx = 1") == as_cells("%%time\nprint(2)\nx = 1")
    assert as_cells("%%capture out\nprint(1)") != as_cells("%%capture out\nprint(2)")


def meanings(*cells: tuple[str, str]) -> object:
    return TrialCode(tuple(ParsedCell(source, id=id) for source, id in cells)).meaning


def test_cells_count_in_their_order_and_as_often_as_they_stand_there() -> None:
    first, again, tuned = ("k = 1", ""), ("k = k * 10", ""), ("loss = k", "")
    assert meanings(first, again, again, tuned) != meanings(first, again, tuned)
    seed, draw = ("import random; random.seed(0)", ""), ("k = random.random()", "")
    assert meanings(seed, draw, seed, tuned) != meanings(seed, draw, tuned)
    assert meanings(first, again, first, tuned) != meanings(first, again, tuned)


def test_a_cell_that_a_session_executes_again_counts_once_unless_it_reads_others() -> None:
    imports, step, tuned = ("import os; os.environ['A'] = '1'", "a"), ("k = k * 10", "b"), ("k", "")
    assert meanings(imports, imports, tuned) == meanings(imports, tuned)
    assert meanings(imports, step, step, tuned) != meanings(imports, step, tuned)
    assert meanings(imports, (imports[0], "c"), tuned) != meanings(imports, tuned)
