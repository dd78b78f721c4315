"""What members must have of points, whatever has become of them: dictionaries, and no ledger."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

from loyalty.domain.lots import Activation, Expiry, LotPolicy

FOREVER, HELD_H, FIXED_DAY = 10**9, 10, 6
NOW, LATER, BY_HAND = Activation.IMMEDIATE, Activation.AFTER_DAYS, Activation.ON_ACTION
POLICIES: list[LotPolicy | None] = [
    None,
    LotPolicy(NOW, Expiry.AFTER_EARNING, expiry_days=2, grace_days=1),
    LotPolicy(LATER, Expiry.AFTER_EARNING, 1, 5),
    LotPolicy(BY_HAND, Expiry.AFTER_EARNING, expiry_days=3, grace_days=2),
    LotPolicy(NOW, Expiry.AFTER_ACTIVITY, expiry_days=2),
    LotPolicy(NOW, Expiry.FIXED_DATE, expiry_date=date(2026, 3, 2) + timedelta(days=FIXED_DAY)),
    LotPolicy(LATER, Expiry.NEVER, 2),
]
MEMBERS = 3
Lot = dict[str, Any]
NEVER: Lot = {
    "state": "ACTIVE",
    "activates": None,
    "ends": FOREVER,
    "activity": 0,
    "grace": 0,
    "late": False,
    "origin": None,
    "left": 0,
}


def brought(lot: Lot, origin: Any) -> Lot:
    """One like it for another member, empty."""
    return {key: lot[key] for key in NEVER} | {"origin": origin, "left": 0}


class Model:
    """Members' points. Times are hours; a lot says what is left of it and when it ends."""

    def __init__(self) -> None:
        self.now = 0
        self.members: list[dict[str, Any]] = [
            {"plain": 0, "lots": [], "closed": False, "into": None, "heir": None} for _ in range(MEMBERS)
        ]
        self.transfers: list[dict[str, Any]] = []
        self.reservations: list[dict[str, Any]] = []
        self.made = 0

    def end(self, days: int) -> int:
        return (self.now // 24 + days + 1) * 24

    def ended(self, lot: Lot) -> bool:
        return lot["state"] == "EXPIRED" or lot["ends"] <= self.now

    def usable(self, of: dict[str, Any]) -> list[Lot]:
        lots = [lot for lot in of["lots"] if lot["state"] == "ACTIVE" and lot["left"] and not self.ended(lot)]
        return sorted(lots, key=lambda lot: lot["ends"])

    def put(self, of: dict[str, Any], new: Lot, amount: int) -> Lot:
        kind = ("state", "activates", "ends", "activity", "grace", "late", "origin")
        waits = new["state"] == "PENDING" and new["activates"] is None
        alike = [each for each in of["lots"] if each["left"] and all(each[k] == new[k] for k in kind)]
        lot = new if waits or not alike else alike[0]
        self.fill(of, lot, amount)
        return lot

    def fill(self, of: dict[str, Any], lot: Lot, amount: int) -> None:
        """Lots are numbered, so that what became of one elsewhere can be told."""
        if all(lot is not each for each in of["lots"]):
            self.made += 1
            lot["number"] = self.made
            of["lots"].append(lot)
        lot["left"] += amount

    def there(self, lot: Lot, member: int) -> Lot:
        """What became of a lot that a merge brought to a member: the last of it that holds something."""
        lots = self.members[member]["lots"]
        if any(lot is each for each in lots):
            return lot
        numbered = {each["number"]: each for of in self.members for each in of["lots"]}
        became = []
        for each in lots:
            on = each
            while on and on is not lot:
                on = numbered.get(on["origin"])
            became += [each] if on else []
        became.sort(key=lambda each: (each["left"] > 0, each["number"]))
        return became[-1] if became else brought(lot, lot["number"])

    def whole(self, member: int) -> int:
        """Who has what a member had: a membership that it is part of, or that got it at the closing."""
        of = self.members[member]
        got = of["into"] if of["into"] is not None else of["heir"]
        return member if got is None else self.whole(got)

    def reserved(self, *members: int | None) -> bool:
        return any(each["state"] == "RESERVED" and each["member"] in members for each in self.reservations)

    def renew(self, of: dict[str, Any], drained: list[tuple[Lot, int]] | None = None) -> None:
        """What holds something, or held it until now, ends later."""
        for lot in of["lots"]:
            holds = lot["left"] or any(lot is each for each, _ in drained or ())
            if lot["activity"] and holds and not self.ended(lot):
                lot["ends"] = self.end(lot["activity"])

    def earn(self, member: int, amount: int, policy: LotPolicy | None) -> str:
        of, parts = self.members[member], []
        if of["closed"]:
            too_late = policy and policy.expiry_date and self.now >= (FIXED_DAY + 1) * 24
            return "EXPIRY_PASSED" if too_late else "MEMBERSHIP_CLOSED"
        if policy is None:
            of["plain"] += amount
        else:
            ends = self.end(policy.expiry_days) if policy.expiry_days else FOREVER
            ends = (FIXED_DAY + 1) * 24 if policy.expiry_date else ends
            if ends <= self.now:
                return "EXPIRY_PASSED"
            days = policy.activation_days
            new = {
                "state": "ACTIVE" if policy.activation is NOW else "PENDING",
                "activates": self.end(days - 1) if days else None,
                "ends": ends,
                "activity": policy.expiry_days if policy.expiry is Expiry.AFTER_ACTIVITY else 0,
                "grace": policy.grace_days,
                "late": False,
                "origin": None,
                "left": 0,
            }
            parts = [(self.put(of, new, amount), amount)]
        self.renew(of)
        self.transfers.append({"member": member, "earned": amount, "parts": parts, "undone": False})
        return ""

    def take(self, member: int, amount: int) -> tuple[list[tuple[Lot, int]], int] | None:
        of, parts = self.members[member], []
        if amount > of["plain"] + sum(lot["left"] for lot in self.usable(of)):
            return None
        for lot in self.usable(of):
            part = min(lot["left"], amount)
            if part:
                lot["left"], amount = lot["left"] - part, amount - part
                parts.append((lot, part))
        of["plain"] -= amount
        return parts, amount

    def spend(self, member: int, amount: int) -> str:
        if self.members[member]["closed"]:
            return "MEMBERSHIP_CLOSED"
        taken = self.take(member, amount)
        if taken is None:
            return "INSUFFICIENT_BALANCE"
        self.renew(self.members[member], taken[0])
        self.transfers.append({"member": member, "earned": 0, "taken": taken, "undone": False})
        return ""

    def give(self, member: int, other: int, amount: int) -> str:
        """From one member to another, what ends first, with its ends."""
        if self.members[member]["closed"] or self.members[other]["closed"]:
            return "MEMBERSHIP_CLOSED"
        taken = self.take(member, amount)
        if taken is None:
            return "INSUFFICIENT_BALANCE"
        parts, plain = taken
        for lot, part in parts:
            self.put(self.members[other], brought(lot, None), part)
        self.members[other]["plain"] += plain
        self.renew(self.members[member], parts)
        self.renew(self.members[other])
        return ""

    def close(self, member: int, other: int | None) -> str:
        """All that a member has goes to another, with its ends, or is forfeited."""
        of = self.members[member]
        if of["closed"] or (other is not None and self.members[other]["closed"]):
            return "MEMBERSHIP_CLOSED"
        if self.reserved(member, other):
            return "RESERVATIONS_OPEN"
        for lot in [lot for lot in of["lots"] if lot["left"]]:
            if other is not None:
                self.put(self.members[other], brought(lot, None), lot["left"])
            lot["left"] = 0
        if other is not None:
            self.members[other]["plain"] += of["plain"]
        of["plain"], of["closed"], of["heir"] = 0, True, other
        return ""

    def reopen(self, member: int) -> str:
        of = self.members[member]
        if not of["closed"] or of["into"] is not None:
            return "MEMBERSHIP_NOT_CLOSED"
        of["closed"], of["heir"] = False, None
        return ""

    def join(self, member: int, other: int) -> str:
        """One membership is part of another: what it brings stays told from the rest, and can come back."""
        of, into = self.members[member], self.members[other]
        if of["closed"] or into["closed"]:
            return "MEMBERSHIP_CLOSED"
        if self.reserved(member, other):
            return "RESERVATIONS_OPEN"
        for lot in [lot for lot in of["lots"] if lot["left"]]:
            self.put(into, brought(lot, lot["number"]), lot["left"])
            lot["left"] = 0
        if of["plain"]:
            self.put(into, NEVER | {"origin": ("plain", member)}, of["plain"])
        of["plain"], of["closed"], of["into"] = 0, True, other
        return ""

    def part(self, member: int) -> str:
        """What is left of what it brought is its own again, as usable as it is by now."""
        of = self.members[member]
        if of["into"] is None:
            return "MEMBERSHIP_NOT_MERGED"
        into = self.members[of["into"]]
        if into["closed"]:
            return "MEMBERSHIP_CLOSED"
        if self.reserved(member, of["into"]):
            return "RESERVATIONS_OPEN"
        own = {lot["number"]: lot for lot in of["lots"]}
        for lot in [lot for lot in into["lots"] if lot["left"]]:
            if lot["origin"] == ("plain", member):
                of["plain"] += lot["left"]
            elif original := own.get(lot["origin"]):
                original |= {key: lot[key] for key in ("state", "activates", "ends")}
                original["left"] += lot["left"]
            else:
                continue
            lot["left"] = 0
        of["closed"], of["into"] = False, None
        return ""

    def give_back(self, member: int, taken: tuple[list[tuple[Lot, int]], int]) -> None:
        of = self.members[member]
        of["plain"] += taken[1]
        for lot, amount in taken[0]:
            if not self.ended(lot):
                self.fill(of, lot, amount)
            else:
                ends = self.now if lot["late"] else self.end(lot["grace"])  # grace is had once
                self.put(of, NEVER | {"ends": ends, "late": True, "grace": lot["grace"]}, amount)

    def undo(self, i: int) -> str:
        transfer = self.transfers[i]
        member, amount = self.whole(transfer["member"]), transfer["earned"]
        of = self.members[member]
        put = [(self.there(lot, member), n) for lot, n in transfer.get("parts", ())]
        if transfer["undone"]:
            return "ALREADY_REVERSED"
        if of["closed"]:
            return "MEMBERSHIP_CLOSED"
        if not amount:
            taken, plain = transfer["taken"]
            self.give_back(member, ([(self.there(lot, member), n) for lot, n in taken], plain))
        elif put and put[0][0]["state"] == "PENDING":
            if put[0][0]["left"] < amount:  # gone when the membership was closed
                return "INSUFFICIENT_BALANCE"
            put[0][0]["left"] -= amount
        else:
            if amount > of["plain"] + sum(lot["left"] for lot in self.usable(of)):
                return "INSUFFICIENT_BALANCE"
            for lot, n in put:
                part = min(lot["left"], n) if lot["state"] == "ACTIVE" else 0
                lot["left"], amount = lot["left"] - part, amount - part
            if not put:
                part = min(of["plain"], amount)
                of["plain"], amount = of["plain"] - part, amount - part
            self.take(member, amount)
        transfer["undone"] = True
        return ""

    def reserve(self, member: int, amount: int) -> str:
        if self.members[member]["closed"]:
            return "MEMBERSHIP_CLOSED"
        taken = self.take(member, amount)
        if taken is None:
            return "INSUFFICIENT_BALANCE"
        self.renew(self.members[member], taken[0])
        made = {"member": member, "amount": amount, "taken": taken, "state": "RESERVED"}
        self.reservations.append(made | {"expires": self.now + HELD_H})
        return ""

    def end_reservation(self, i: int, state: str) -> str:
        held = self.reservations[i]
        if held["state"] != "RESERVED" or (state == "COMMITTED" and self.now >= held["expires"]):
            return "RESERVATION_ENDED"
        held["state"] = state
        if state == "COMMITTED":
            told = {"member": held["member"], "earned": 0, "taken": held["taken"], "undone": False}
            self.transfers.append(told)
        else:
            self.give_back(held["member"], held["taken"])
        return ""

    def activate(self, lot: Lot) -> str:
        if lot["state"] != "PENDING" or not lot["left"] or self.ended(lot):
            return "LOT_NOT_PENDING"
        lot["state"] = "ACTIVE"
        return ""

    def tick(self) -> None:
        for i, held in enumerate(self.reservations):
            if held["expires"] <= self.now:
                self.end_reservation(i, "EXPIRED")
        for lot in (lot for of in self.members for lot in of["lots"] if lot["left"]):
            if lot["ends"] <= self.now:
                lot["state"], lot["left"] = "EXPIRED", 0
            elif lot["activates"] is not None and lot["activates"] <= self.now:
                lot["state"] = "ACTIVE"

    def seen(self, member: int) -> tuple[int, int, int, Counter[tuple[str, int]]]:
        """What is active, pending and reserved, and what is left by state and end."""
        of, lots = self.members[member], Counter[tuple[str, int]]()
        for lot in of["lots"]:
            lots[lot["state"], lot["ends"]] += lot["left"]
        sums = {
            state: sum(n for (kind, _), n in lots.items() if kind == state) for state in ("ACTIVE", "PENDING")
        }
        held = sum(
            each["amount"]
            for each in self.reservations
            if each["member"] == member and each["state"] == "RESERVED"
        )
        return of["plain"] + sums["ACTIVE"], sums["PENDING"], held, +lots
