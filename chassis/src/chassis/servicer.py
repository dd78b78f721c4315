"""What every servicer of a service's own contracts is made of.

class PromiseRpc(Rpc, PromiseServiceServicer):
clock: PromiseClock

KeepPromise = change(pb.KeepPromiseRequest, usecases.keep_promise, Promise)

app.serve(PromiseRpc(app, clock=clock))
"""

import inspect
from typing import Any, Protocol

from chassis.db.database import Database
from chassis.explain.explainer import Explainer


class Serving(Protocol):
    """A service that serves: its database, and what explains its resources."""

    db: Database
    explainer: Explainer


class Rpc:
    """The database, the explainer, and what else the use cases of a servicer want.

    Args:
        app: the service.
        own: by the names that the class declares; TypeError without one.
    """

    def __init__(self, app: Serving, **own: Any) -> None:
        self.db, self.explainer = app.db, app.explainer
        vars(self).update(own)
        if missing := [name for name in inspect.get_annotations(type(self)) if not hasattr(self, name)]:
            raise TypeError(f"{type(self).__name__} is not given {', '.join(missing)}")
