"""Each error that may end a command says what to do next: one sentence more than what is wrong.

Every place that makes an error of our own trees is read as text, with the words it is put together from: names of the
function, constants, what other functions return. Somewhere in them a clause must begin with something to do.
"""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from promises.sentences import says_what_to_do

from flows.endings import EXPECTED
from providers.errors import ProviderError

ROOT = Path(__file__).parents[2]
ROOMS = ("schemas", "transforms", "checks", "providers", "sql", "reports", "writes", "flows")
PASSED_ON = {
    *(
        "transforms/calendars/business_days.py",
        "transforms/calendars/closed_days.py",
        "transforms/delinquency/buckets.py",
    ),
    *("schemas/conventions.py", "schemas/options.py", "flows/values.py"),
}
"""Their `ValueError`s are what a command says of a value that was given."""
MEMBERS = {"Unfit", "Remark", "BucketError"}
"""Of no tree, and part of what an error says."""
TELLS_ANOTHER = {
    ("flows/commands/init.py", "_checked"): "what a check of an answer says",
    ("flows/commands/schedule.py", "_calendar"): "UnknownCalendarError",
    ("flows/commands/schedule.py", "_weekday"): "weekday_number",
    ("flows/commands/schedule.py", "closed_days"): "own_days",
    ("flows/commands/schedule.py", "weekend"): "weekend_days",
    ("flows/commands/stored.py", "rebuild"): "the fault of each fetch",
    ("flows/commands/writes/plans.py", "carry_out"): "Impossible, UnknownPlan",
    ("flows/endings.py", "ending"): "any error of the trees",
    ("flows/steps/loading.py", "blaming"): "what broke the load",
    ("flows/steps/pipeline.py", "_reconcile"): "the fault of each provider",
    ("flows/steps/places.py", "require_places"): "CannotWrite",
    ("sql/storage/commit_log.py", "_broken"): "the advice of whose chain it is",
    ("sql/storage/landing.py", "pages"): "Damaged",
}
"""Places that repeat what another error says, which is looked at where it is made: file and function, and whose."""
LEAST = 90
"""Fewer than the files with their kinds of errors: so that a walk that finds nothing is noticed."""


Functions = tuple[ast.FunctionDef, ...]


@dataclass
class Module:
    """The names a module binds: its constants, its functions and methods, and what it imports from our rooms."""

    path: Path
    tree: ast.Module
    constants: dict[str, ast.expr] = field(default_factory=dict)
    functions: dict[str, list[ast.FunctionDef]] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)


@cache
def module(name: str) -> Module | None:
    """Return the module of a dotted name of ours."""
    stem = ROOT.joinpath(*name.split("."))
    path = next((one for one in (stem.with_suffix(".py"), stem / "__init__.py") if one.is_file()), None)
    if path is None or stem.relative_to(ROOT).parts[0] not in ROOMS:
        return None
    found = Module(path, ast.parse(path.read_text(encoding="utf-8")))
    for node in ast.walk(found.tree):
        match node:
            case ast.FunctionDef():
                found.functions.setdefault(node.name, []).append(node)
            case ast.ImportFrom(module=str(source)):
                found.imported |= {one.asname or one.name: (source, one.name) for one in node.names}
    for node in found.tree.body:
        for target, value in bound(node):
            found.constants[target] = value
    return found


def bound(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield each name that a statement binds, with what it is bound to."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                yield from ((name.id, value) for name in names if isinstance(name, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            yield name, value
        case ast.AugAssign(target=ast.Name(id=name), value=value):
            yield name, value


def parts(node: ast.AST) -> list[ast.expr]:
    """Return what a text is put together from, or chosen among."""
    match node:
        case ast.JoinedStr(values=values):
            return [one.value for one in values if isinstance(one, ast.FormattedValue)]
        case ast.Call(func=ast.Attribute(value=within, attr="join" | "get"), args=args):
            return [within, *args]
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
            return [one, other]
        case ast.BoolOp(values=values) | ast.List(elts=values) | ast.Tuple(elts=values) | ast.Dict(values=values):
            return values
        case ast.GeneratorExp(elt=one) | ast.ListComp(elt=one) | ast.Starred(value=one) | ast.Subscript(value=one):
            return [one]
    return []


def texts(node: ast.AST | None, where: Module, inside: Functions, seen: frozenset[int] = frozenset()) -> Iterator[str]:
    """Yield every text that `node` may stand for, as far as it is written somewhere; a value in it is an ellipsis."""
    if node is None or id(node) in seen:
        return
    seen |= {id(node)}
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in values)
        case ast.Name(id=name):
            yield from named(name, where, inside, seen)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            yield from returned(name, where, seen)
    for part in parts(node):
        yield from texts(part, where, inside, seen)


def named(name: str, where: Module, inside: Functions, seen: frozenset[int]) -> Iterator[str]:
    """Yield every text that a name is bound to in the function, in the module, or where the module has it from."""
    for function in inside:
        for node in ast.walk(function):
            for target, value in bound(node):
                if target == name:
                    yield from texts(value, where, inside, seen)
    if name in where.constants:
        yield from texts(where.constants[name], where, (), seen)
    elif name in where.imported and (other := module(where.imported[name][0])) is not None:
        yield from named(where.imported[name][1], other, (), seen)


def returned(name: str, where: Module, seen: frozenset[int]) -> Iterator[str]:
    """Yield every text that a function of the module, or one that it imports from ours, returns or yields."""
    for function in where.functions.get(name, []):
        for node in ast.walk(function):
            if isinstance(node, ast.Return | ast.Yield | ast.YieldFrom):
                yield from texts(node.value, where, (function,), seen)
    if name in where.imported and (other := module(where.imported[name][0])) is not None:
        yield from returned(where.imported[name][1], other, seen)


def kinds() -> Iterator[type[BaseException]]:
    """Yield every class of the trees whose errors end a command as they are."""
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py") if path.stem != "__main__"):
        if re.search(r"^class \w+\(.*(?:Error|Exception)", path.read_text(encoding="utf-8"), re.MULTILINE):
            importlib.import_module(dotted(path))  # so that the classes below ours are there
    todo = list(EXPECTED)
    while todo:
        kind = todo.pop()
        yield kind
        todo += [one for one in kind.__subclasses__() if one.__module__.partition(".")[0] in ROOMS]


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@dataclass(frozen=True)
class Made:
    """A place that makes an error: its file, the function, the class, and every text the error may be put together from."""

    file: str
    function: str
    kind: str
    texts: tuple[str, ...]
    instead: tuple[str, ...]
    """Of those, what stands in place of the advice of its class."""


def made(ours: set[str]) -> Iterator[Made]:
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        where = module(dotted(path))
        assert where is not None
        file = str(path.relative_to(ROOT))
        yield from _made(where.tree, where, (), ours | ({"ValueError"} if file in PASSED_ON else set()), file)


def _made(node: ast.AST, where: Module, inside: Functions, ours: set[str], file: str) -> Iterator[Made]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            kind = ast.unparse(child.func).rpartition(".")[2]
            given = [*child.args, *(each.value for each in child.keywords)]
            if kind in ours and given:
                said = tuple(text for one in given for text in texts(one, where, inside))
                steps = [each.value for each in child.keywords if each.arg == "next_step"]
                instead = tuple(text for one in steps for text in texts(one, where, inside))
                yield Made(file, inside[-1].name if inside else "", kind, said, instead)
        deeper = (*inside, child) if isinstance(child, ast.FunctionDef) else inside
        yield from _made(child, where, deeper, ours, file)


def test_each_error_says_what_to_do_next():
    trees = set(kinds())
    advised = {kind.__name__: kind.advice for kind in trees if issubclass(kind, ProviderError)}
    assert [name for name, advice in advised.items() if not says_what_to_do(advice)] == []
    places = list(made({kind.__name__ for kind in trees} | MEMBERS))
    assert len({(one.file, one.kind) for one in places}) > LEAST
    silent = {
        (one.file, one.function)
        for one in places
        if not any(map(says_what_to_do, (one.instead or (advised[one.kind],)) if one.kind in advised else one.texts))
    }
    assert silent == set(TELLS_ANOTHER)


@pytest.mark.parametrize(
    ("source", "is_told"),
    [
        ("raise UsageError(f'{file} is empty')", False),
        ("raise UsageError(f'{file} is empty; fill it')", True),
        ("raise UsageError('it is empty. Then call it again')", True),
        ("raise UsageError(f'{word} is unknown; known are {words}')", True),
        ("raise UsageError('the name is too long to use')", False),
        ("raise UsageError('; '.join(f'{one} is wrong' for one in found))", False),
        (
            "HINT = 'look again'\ndef f():\n    message = f'wrong: {x}'\n    raise UsageError(f'{message}; {HINT}')",
            True,
        ),
        ("def hint():\n    return 'give another'\ndef f():\n    raise UsageError(f'wrong; {hint()}')", True),
    ],
)
def test_an_error_that_leaves_its_reader_alone_is_seen(source, is_told, tmp_path):
    tree = ast.parse(source)
    functions = {node.name: [node] for node in tree.body if isinstance(node, ast.FunctionDef)}
    constants = {name: value for node in tree.body for name, value in bound(node)}
    where = Module(tmp_path, tree, constants, functions)
    [one] = _made(tree, where, (), {"UsageError"}, "")
    assert any(map(says_what_to_do, one.texts)) is is_told
