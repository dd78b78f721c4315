"""What every servicer of a service's own contracts is made of.

class PromiseRpc(Rpc, PromiseServiceServicer):
clock: PromiseClock

KeepPromise = change(pb.KeepPromiseRequest, usecases.keep_promise, Promise)

app.serve(PromiseRpc(app, clock=clock))
"""

import inspect
from typing import Any

from chassis.db.database import Database
from chassis.explain.explainer import Explainer


class Rpc:
    """The database and the explainer of a service, its `App`, and what else the use cases of a servicer want.

    That is given by the names that the class declares; TypeError without one.
    """

    def __init__(self, app: Any, **own: Any) -> None:
        self.db: Database = app.db
        self.explainer: Explainer = app.explainer
        vars(self).update(own)
        if missing := [name for name in inspect.get_annotations(type(self)) if not hasattr(self, name)]:
            raise TypeError(f"{type(self).__name__} is not given {', '.join(missing)}")
