"""What a step of the story changed in the customer view."""

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message

from chassis.api.messages import shown_amount, value_name
from rapport.customer.v1 import view_pb2
from rapport_tools.cli.view_sections import value


def changes(before: view_pb2.CustomerView, after: view_pb2.CustomerView) -> str:
    """What is different in the later view, a line each, with + for new and - for gone."""
    old, new = _lines(before), _lines(after)
    gone = [f"- {line}" for line in old if line not in new]
    come = [f"+ {line}" for line in new if line not in old]
    return "\n".join(gone + come)


def _lines(view: view_pb2.CustomerView) -> Sequence[str]:
    """The view in lines of which each stands for itself."""
    paid = " ".join(map(shown_amount, view.value.lifetime_values)) or "0"
    day = "%a %d %b %Y"
    return [
        *(
            f"{name}, in the care of {named(view.relationship_manager)}"
            for name in [view.display_name]
            if name
        ),
        f"value    {paid} {value_name(view.value, 'band')}",
        *(f"case     {_said(part.topic)}, {state_of(part)}" for part in view.cases),
        *(
            f"promise  {_said(part.kind)} of {named(part.reference)}, {state_of(part)}"
            f", due {part.due_time.ToDatetime():{day}}"
            + (
                f", now expected {part.forecast_time.ToDatetime():{day}}"
                if part.HasField("forecast_time")
                else ""
            )
            for part in view.promises
        ),
        *(f"message  {_said(part.kind)}, {state_of(part)}{_because(part)}" for part in view.notices),
        *(f"advised  {value_name(part, 'rule').replace('_', ' ').lower()}" for part in view.advice),
        *(f"holds    {part.balance} {_unit(part)}" for part in view.loyalty.balances),
        *(
            f"{section.name.rpartition('/')[2]:8} {cell.label} {value(cell)}"
            for section in view.sections
            for cell in section.cells
        ),
        *(
            f"goodwill {part.points} {_unit(part)}, {state_of(part)}{_because(part)}"
            for part in view.loyalty.goodwill
        ),
    ]


def _unit(part: view_pb2.BalancePart | view_pb2.GoodwillPart) -> str:
    return part.unit.rpartition("/")[2]


def named(name: str) -> str:
    """As people say it: `Alice` for `agents/alice`, `order 5021` for `orders/5021`."""
    collection, _, end = name.rpartition("/")
    return _said(end).title() if collection == "agents" else f"{collection.removesuffix('s')} {end}".strip()


def _said(code: str) -> str:
    return code.replace("-", " ")


def state_of(part: Message) -> str:
    """As people say it: `at risk`."""
    return value_name(part, "state").replace("_", " ").lower()


def _because(part: Any) -> str:
    return f": {_said(part.reason_code)}" if part.reason_code else ""
