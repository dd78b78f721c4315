"""The actions, by their ids: whatever a module here makes, each its own or several that are much alike."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from desk.pages.actions.action import Action

FOUND = [
    each
    for module in iter_modules(__path__)
    for each in vars(import_module(f"{__name__}.{module.name}")).values()
    if isinstance(each, Action)
]
ACTIONS: Mapping[str, Action] = {each.id: each for each in FOUND}
