"""What a rule may cost. A hostile text is refused when it is compiled; no evaluation runs long.

The library bounds the depth of a text (32) and the rounds of all loops (10,000), and its patterns take time
that is linear in the text. Left are values that double at each step of a chain (15 steps of `map` took 26 s
and 3 GB), and loops over much. So nothing in a rule builds a value larger than what it was given, and the
cost of the whole is estimated beforehand, as API servers of Kubernetes do.
"""

from collections.abc import Iterator

from chassis.rules.checked import Node, Tree, children, form
from chassis.rules.refusing import at

MAX_CHARACTERS = 4_000
MAX_COST = 20_000  # nodes looked at: some milliseconds
UNKNOWN_LENGTH = 100  # rounds that a loop counts for whose length only the values know
COSTS = {"matches": 100, "contains": 10}
WRITTEN_OUT = ("const_expr", "ident_expr", "select_expr")
GROWING = frozenset({"add_string", "add_bytes", "add_list"})
REFUSED = {
    "dyn": "types are checked",
    "type": "types are known beforehand",
    "bytes": "compare texts",
    "string": "compare numbers as numbers",
}


def check(tree: Tree, text: str) -> None:
    """BadRule for a text that may run long, or that asks for what a rule has no use for."""
    for node in nodes(tree.root):
        if why := _refused(tree, node):
            raise at(text, tree.offsets[node.id], why)
    cost = _cost(tree.root)
    if cost > MAX_COST:
        why = f"It may take {cost} steps, and {MAX_COST} are allowed: put no loop into a loop over as much."
        raise at(text, tree.offsets[tree.root.id], why)


def nodes(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for child in children(node):
        yield from nodes(child)


def machinery(node: Node) -> bool:
    """Whether it is how a loop is carried out, and nothing that the author wrote."""
    return any(arg.ident_expr.name.startswith("@") for arg in node.call_expr.args)


def _refused(tree: Tree, node: Node) -> str:
    call = node.call_expr
    if call.function in REFUSED:
        return f"{call.function}() is not for rules: {REFUSED[call.function]}."
    if call.function == "matches" and form(call.args[-1]) != "const_expr":
        return "A pattern is written out."
    if tree.overloads.get(node.id, frozenset()) & GROWING and not machinery(node):
        return "+ is for numbers and times: a rule compares, and builds nothing."
    if form(node) == "struct_expr":
        return "A rule compares, and builds nothing."
    if any(form(element) not in WRITTEN_OUT for element in node.list_expr.elements):
        return "A list holds constants and values, nothing that is made of them."
    if form(node) == "comprehension_expr" and _maps(node):
        return "map() is not for rules: ask of each element with all(), exists() or filter()."
    return ""


def _maps(node: Node) -> bool:
    """Whether a loop collects something else than elements of what it goes over, as `filter` does."""
    loop = node.comprehension_expr
    if form(loop.accu_init) != "list_expr":
        return False
    step = loop.loop_step.call_expr
    collected = (step if step.function == "_+_" else step.args[1].call_expr).args[1].list_expr.elements[0]
    return bool(collected.ident_expr.name != loop.iter_var)


def _cost(node: Node) -> int:
    if form(node) != "comprehension_expr":
        return COSTS.get(node.call_expr.function, 1) + sum(_cost(child) for child in children(node))
    loop = node.comprehension_expr
    over = loop.iter_range
    rounds = len(over.list_expr.elements) if form(over) == "list_expr" else UNKNOWN_LENGTH
    each = _cost(loop.loop_condition) + _cost(loop.loop_step)
    return _cost(over) + _cost(loop.accu_init) + rounds * each + _cost(loop.result)
