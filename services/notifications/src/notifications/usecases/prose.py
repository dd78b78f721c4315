"""The language of notices: prose with variables, conditions, comparisons and a few filters.

Loops, calls and arithmetic are refused when a text is kept, which is also what keeps a text from using up the
service.
"""

import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import SandboxedEnvironment

from chassis.api.text import NOT_TEXT
from notifications.usecases.filters import SAYING

NUMBER_MAX = 10**15
_OF_JINJA = ("capitalize", "default", "lower", "title", "trim", "upper")
FILTERS = (*_OF_JINJA, *SAYING)
TESTS = ("defined", "undefined")
_NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Const,
    nodes.Filter,
    nodes.Keyword,
    nodes.Test,
)


def _environment(autoescape: bool) -> SandboxedEnvironment:
    made = SandboxedEnvironment(
        undefined=jinja2.StrictUndefined, autoescape=autoescape, keep_trailing_newline=True
    )
    made.globals.clear()
    made.filters = {name: made.filters[name] for name in _OF_JINJA} | SAYING
    made.tests = {name: made.tests[name] for name in TESTS}
    return made


_PLAIN, _MARKUP = _environment(autoescape=False), _environment(autoescape=True)


@functools.lru_cache(512)
def variables_of(source: str) -> frozenset[str]:
    """The variables that a Jinja text uses. jinja2.TemplateSyntaxError when it is none or says too much."""
    try:
        tree = _PLAIN.parse(source)
        for node in _walk(tree):
            _check_node(node)
        compiled(source)  # finds unknown filters and tests
        return frozenset(meta.find_undeclared_variables(tree))
    except jinja2.TemplateSyntaxError:
        raise
    except (RecursionError, MemoryError, SyntaxError) as error:
        raise jinja2.TemplateSyntaxError("it is nested too deeply", 1) from error
    # 5,000 digits, a bad escape.
    except (jinja2.TemplateError, ValueError, OverflowError) as error:
        raise jinja2.TemplateSyntaxError("it holds a value that cannot be read", 1) from error


@functools.lru_cache(4096)
def names_in(source: str) -> frozenset[str]:
    """The variables of a text that `variables_of` has accepted, partials left out."""
    return frozenset(meta.find_undeclared_variables(_PLAIN.parse(source)))


@functools.lru_cache(512)
def needed_in(source: str) -> frozenset[str]:
    """The variables that stand anywhere without a default in a text that `variables_of` has accepted."""
    return frozenset(_bare(_PLAIN.parse(source)))


def _bare(node: nodes.Node) -> Iterator[str]:
    covered = getattr(node, "node", None) if _is_cover(node) else None
    for child in node.iter_child_nodes():
        if not isinstance(child, nodes.Name):
            yield from _bare(child)
        elif child is not covered:
            yield child.name


def _is_cover(node: nodes.Node) -> bool:
    """Whether it has something to say of a value that is not there."""
    return isinstance(node, nodes.Test) or (isinstance(node, nodes.Filter) and node.name == "default")


@functools.lru_cache(1024)
def compiled(source: str, *, markup: bool = False) -> jinja2.Template:
    """The text, ready to render; as `markup`, whatever is no part of the text itself is escaped in it."""
    return (_MARKUP if markup else _PLAIN).from_string(source)


@functools.lru_cache(512)
def said_by(*sources: str) -> Mapping[str, frozenset[str]]:
    """By which filters variables are said in Jinja texts that `variables_of` accepts."""
    found = defaultdict[str, set[str]](set)
    for source in sources:
        for said in _PLAIN.parse(source).find_all(nodes.Filter):
            if said.name in SAYING and said.node is not None:
                for each in _walk(said.node):
                    if isinstance(each, nodes.Name):
                        found[each.name].add(said.name)
    return {name: frozenset(filters) for name, filters in found.items()}


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child)


def _check_node(node: nodes.Node) -> None:
    """Refuse what a notice has no place for, and values that are no text or no number."""
    if not isinstance(node, _NODES):
        what = type(node).__name__.lower()
        raise jinja2.TemplateSyntaxError(f"a notice has no place for '{what}'", node.lineno)
    if isinstance(node, nodes.Const):
        value = node.value
        if isinstance(value, str) and NOT_TEXT.search(value):
            raise jinja2.TemplateSyntaxError("text must hold no control characters", node.lineno)
        if isinstance(value, int | float) and not abs(value) <= NUMBER_MAX:
            raise jinja2.TemplateSyntaxError(f"numbers must be at most {NUMBER_MAX:,}", node.lineno)
