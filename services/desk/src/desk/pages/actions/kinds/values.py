"""Which of several values of an attribute stands: a person pins one, or leaves it to the rule again."""

import asyncio
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from babel.numbers import parse_decimal

from chassis.api.messages import day, moment
from chassis.errors import invalid
from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, Undo, Values
from desk.pages.customer.things import attribute, is_of_profile, thing_of, value_of
from desk.ui.speech import Speech
from rapport.customer.v1 import attribute_service_pb2 as pb
from rapport.customer.v1.attribute_pb2 import Attribute, AttributeValue, TypedValue

NEW = "new"  # of what is chosen from: none that was observed
TEXT_MAX = 1000
_INPUTS: Mapping[Any, str] = {Attribute.TYPE_DATE: "date"}


async def _get(doing: Doing) -> AttributeValue:
    asked = pb.GetAttributeValueRequest(name=doing.on)
    return await doing.look.services.attributes.GetAttributeValue(asked)


async def _declared(doing: Doing) -> Attribute:
    name = f"attributes/{doing.on.rpartition('/')[2]}"
    return await doing.look.services.attributes.GetAttribute(pb.GetAttributeRequest(name=name))


async def _open_pin(doing: Doing) -> Values:
    say, (seen, declared) = doing.look.say, await asyncio.gather(_get(doing), _declared(doing))
    observed = [each for each in (seen.standing, *seen.others) if each.observation and each.HasField("value")]
    choices = {
        Attribute.TYPE_CODE: say.choices(declared.codes),
        Attribute.TYPE_BOOLEAN: [("true", say("yes")), ("false", say("no"))],
    }.get(declared.type)
    return {
        "etag": seen.etag,
        "what": attribute(seen, say),
        "sentence": say("Stands now: {value}.", value=value_of(seen.standing.value, seen.attribute, say)),
        "observation": "" if observed else NEW,
        "said": [(each.observation, _said(each, seen, say)) for each in observed]
        + [(NEW, say("another value"))],
        "choices": choices and [("", ""), *choices],
        "type": _INPUTS.get(declared.type, "text"),
    }


def _said(each: AttributeValue.Candidate, seen: AttributeValue, say: Speech) -> str:
    """A value to choose: `premium, web form, 3 October`."""
    told = (value_of(each.value, seen.attribute, say), say.code(each.source))
    return ", ".join((*told, say.on(moment(each.observe_time))))


async def _pin(doing: Doing) -> Done:
    """The value that was chosen, or the one that nobody said so far."""
    look, seen = doing.look, await _get(doing)
    request = doing.request(pb.PinAttributeValueRequest, source="desk")
    is_new, typed = doing.text("observation") == NEW, doing.text("value")
    if is_new != bool(typed):
        told = N_("must be given") if is_new else N_("must be empty unless another value is chosen")
        raise invalid("value", "REQUIRED" if is_new else "INVALID_CODE", told)
    if is_new:
        request.value.CopyFrom(typed_value(typed, (await _declared(doing)).type, look.say))
    else:
        request.observation = doing.text("observation")
    pinned = await look.services.attributes.PinAttributeValue(request)
    told = look.say("Pinned: {what}.", what=thing_of(pinned, look.say))
    return Done(told, doing.on, _back(doing, seen, pinned.etag))


def _back(doing: Doing, seen: AttributeValue, etag: str) -> Undo:
    """What was pinned before is pinned again; without, nothing is."""
    if seen.pinner:
        return PIN.undo(doing, doing.on, observation=seen.standing.observation, etag=etag)
    return RELEASE.undo(doing, doing.on, etag=etag)


_WRONG: Mapping[Any, tuple[str, str]] = {
    Attribute.TYPE_DATE: ("INVALID_TIME", N_("must be a day")),
    Attribute.TYPE_WHOLE_NUMBER: ("INVALID_NUMBER", N_("must be a whole number")),
    Attribute.TYPE_DECIMAL: ("INVALID_NUMBER", N_("must be a number")),
}


def typed_value(typed: str, type: Any, say: Speech) -> TypedValue:
    """A value of an attribute's type, of what was typed as they write it. INVALID_TIME, INVALID_NUMBER."""
    try:
        return _read(typed, type, say)
    except (ValueError, OverflowError):  # NumberFormatError is a ValueError
        raise invalid("value", *_WRONG[type]) from None


def _read(typed: str, type: Any, say: Speech) -> TypedValue:
    match type:
        case Attribute.TYPE_CODE:
            return TypedValue(code=typed)
        case Attribute.TYPE_BOOLEAN:
            return TypedValue(boolean=typed == "true")
        case Attribute.TYPE_DATE:
            return TypedValue(date=day(date.fromisoformat(typed)))
        case Attribute.TYPE_WHOLE_NUMBER:
            number = _number(typed, say)
            if number != number.to_integral_value():
                raise ValueError
            return TypedValue(whole_number=int(number))
        case Attribute.TYPE_DECIMAL:
            return TypedValue(decimal=format(_number(typed, say), "f"))
    return TypedValue(text=typed)


def _number(typed: str, say: Speech) -> Decimal:
    number: Decimal = parse_decimal(typed, locale=say.locale, strict=True)
    if not number.is_finite():
        raise ValueError
    return number


async def _open_release(doing: Doing) -> Values:
    say, seen = doing.look.say, await _get(doing)
    told = (
        say("The value stays until somebody says otherwise: an import may.")
        if is_of_profile(seen.attribute)
        else say("What comes first by the rule stands again.")
    )
    return {"etag": seen.etag, "what": attribute(seen, say), "sentence": told}


async def _release(doing: Doing) -> Done:
    look, seen = doing.look, await _get(doing)
    released = await look.services.attributes.ReleaseAttributeValue(
        doing.request(pb.ReleaseAttributeValueRequest)
    )
    told = look.say("Released: {what}.", what=thing_of(released, look.say))
    is_pinned_anew = bool(seen.pinner) and not is_of_profile(seen.attribute)
    again = {"observation": seen.standing.observation, "etag": released.etag}
    return Done(told, doing.on, PIN.undo(doing, doing.on, **again) if is_pinned_anew else None)


_pinned = partial(Action, permission="customer.attribute_values.write")
PIN = _pinned(
    id="pin",
    label=N_("Pin a value"),
    fields=[
        Field("observation", N_("Which value stands"), among="said"),
        Field("value", N_("Another value"), required=False, most=TEXT_MAX),
    ],
    button=N_("Pin"),
    consequence=N_("It stands until it is released, whatever others say."),
    open=_open_pin,
    do=_pin,
    template="pages/actions/kinds/pin.html",
)
RELEASE = _pinned(
    id="release",
    label=N_("Release the value"),
    button=N_("Release"),
    open=_open_release,
    do=_release,
)
