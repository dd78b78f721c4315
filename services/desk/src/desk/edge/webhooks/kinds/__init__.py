"""The kinds of webhooks, by their names: each module here declares one, or several that are much alike."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from desk.edge.webhooks.kind import Kind

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for module in iter_modules(__path__)
    for kind in import_module(f"{__name__}.{module.name}").DECLARED
}
