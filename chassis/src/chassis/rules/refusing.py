"""What is wrong with a rule's text, said so that its author can mend it: where, and what there is instead."""

import difflib
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import EnumDescriptor

# As the library words them; what it words in another way is passed on as it is.
ERROR = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)$", re.MULTILINE)
NO_FIELD = re.compile(r"undefined field '([^']*)' not found in struct '([^']*)'")
NO_NAME = re.compile(r"undeclared reference to '([^']*)'")
NO_OVERLOAD = re.compile(
    r"no matching overload for '_(?:==|!=|<=?|>=?|[-+*/%])_' applied to '\((.*), (.*)\)'"
)
NO_VALUE = "'type(*error*)' cannot be the operand"
STATUS = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]\s*$")
EXPECTING = re.compile(r"^Syntax error: | expecting \{.*")
# What is no number by itself, and what of it is.
NUMBERS = {
    "google.type.Money": "is an amount of money: write {0}.units, its whole units, and {0}.currency_code",
    "google.type.Decimal": "is a decimal: write double({0}.value), and a number with a point, such as 3.0",
}
_OPERAND = r"([a-zA-Z_]\w*(?:\.\w+|\[\d+\])*)"  # what can be repeated in other words
OPERAND_BEFORE = re.compile(rf"(?<![\w.)\][]){_OPERAND}\s*$")
OPERAND_AFTER = re.compile(rf"[=!<>+*/%\s-]*{_OPERAND}(?![\w.[(])")
SHOWN = 80  # characters of a line, around the caret
FUNCTIONS = (
    *(
        "all",
        "contains",
        "double",
        "duration",
        "endsWith",
        "exists",
        "exists_one",
        "filter",
        "getDate",
        "getDayOfMonth",
    ),
    *("getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds", "getMinutes", "getMonth"),
    *("getSeconds", "has", "int", "matches", "size", "startsWith", "timestamp"),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `line` and `column` count from 1, and are 0 for the whole text."""

    line: int
    column: int
    message: str


class BadRule(ValueError):
    """A text that is no rule. `problems` is what was found; as a text it has each, with a caret."""

    def __init__(self, text: str, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(_shown(text, problem) for problem in problems))
        self.problems = tuple(problems)


class Undecided(Exception):
    """A rule that could not say yes or no of these values: a division by zero, a key that a map lacks."""


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column of a character, both from 1."""
    before = text[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")


def at(text: str, offset: int, message: str) -> BadRule:
    """The refusal for one problem at one character."""
    return BadRule(text, [Problem(*place(text, offset), message)])


def no_field(message: Any, field: str, readable: Container[str]) -> str:
    """The refusal of a field that a message does not have, or that may not be read."""
    there = [each.name for each in message.fields if each.name in readable]
    return f"{message.name} has no field {field}.{_instead(field, there)}"


def of_library(
    text: str,
    told: str,
    names: Iterable[str],
    enums: Mapping[str, EnumDescriptor],
    fields: Mapping[str, Any],
) -> BadRule:
    """The refusal for what the library said of a text, with what exists where a name is unknown."""
    readable = {each.message.DESCRIPTOR.full_name: each.names for each in fields.values()}
    problems = []
    for line, column, message in ERROR.findall(told):
        place = max(int(line), 0), max(int(column), 0)
        written = _line(text, place[0])
        said = _explained(message, written, place[1], sorted([*names, *enums]), enums, readable)
        column_of_name = place[1] + (written[place[1] - 1 :][:1] == ".")
        problems.append(Problem(place[0], column_of_name, said))
    return BadRule(text, list(dict.fromkeys(problems)) or [Problem(0, 0, plain(told))])


def plain(told: str) -> str:
    """A message of the library without its status codes."""
    return STATUS.sub("", STATUS.sub("", told)).strip()


def _explained(
    message: str,
    line: str,
    column: int,
    names: Sequence[str],
    enums: Mapping[str, EnumDescriptor],
    readable: Mapping[str, Container[str]],
) -> str:
    before, after = re.search(r"[\w.]*$", line[: max(column - 1, 0)]), line[max(column - 1, 0) :]
    if match := NO_FIELD.search(message):
        field, struct = match.groups()
        described = descriptor_pool.Default().FindMessageTypeByName(struct)
        return no_field(described, field, readable.get(struct) or [f.name for f in described.fields])
    if NO_VALUE in message and before and (enum := enums.get(before[0])):
        value = after.removeprefix(".").split(" ")[0]
        return f"{before[0]} has no value {value}.{_instead(value, list(enum.values_by_name))}"
    if match := NO_NAME.search(message):
        called = after.startswith("(")
        there = FUNCTIONS if called else names
        return f"{match[1]}{'()' if called else ''} is not known.{_instead(match[1], there)}"
    if (match := NO_OVERLOAD.search(message)) and (told := _no_number(match.groups(), line, column)):
        return told
    if "'<EOF>'" in message:
        return "The text ends where more is expected."
    return plain(EXPECTING.sub("", message))


def _no_number(types: Sequence[str], line: str, column: int) -> str:
    """What to write of something that is compared as a number and is none; empty where nobody knows."""
    if sorted(types) == ["double", "int"]:
        return "A number with a point is compared with one that has one, too: 3.0, not 3."
    before, after = OPERAND_BEFORE.search(line[: column - 1]), OPERAND_AFTER.match(line[column - 1 :])
    for kind, operand in zip(types, (before, after), strict=True):
        if kind in NUMBERS:
            written = operand[1] if operand else ""
            return f"{written or 'This'} {NUMBERS[kind].format(written or 'x')}."
    return ""


def _instead(name: str, there: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, there, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"{meant} There is: {', '.join(there)}."


def _shown(text: str, problem: Problem) -> str:
    if not problem.line:
        return problem.message
    first = max(problem.column - 1 - SHOWN // 2, 0)
    line = _line(text, problem.line)[first : first + SHOWN]
    caret = re.sub(r"[^\t]", " ", line[: problem.column - 1 - first]) + "^"
    return f"line {problem.line}, column {problem.column}: {problem.message}\n{line}\n{caret}"


def _line(text: str, number: int) -> str:
    return [*text.split("\n"), ""][max(number, 1) - 1]
