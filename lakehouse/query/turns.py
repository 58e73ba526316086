"""Whose question is next: those who ask take turns, so that nobody waits behind somebody else's many questions.

One rule: it decides and nothing else; whoever holds it has a lock around every call.
"""

from collections import Counter, OrderedDict


class Ticket:
    """The place of one question in the line of its asker; `cancelled` when it is wanted no more."""

    def __init__(self, asker: str, token: str = "") -> None:
        self.asker, self.token = asker, token
        self.cancelled = False


class Turns:
    """Askers in turn, each with a line of tickets, and how many questions of each are running.

    The asker without a name is Lakeport itself: it takes turns, but may run as much at once as there is room for.
    """

    def __init__(self, most: int) -> None:
        """No named asker runs more than `most` at once."""
        self._most = most
        self._lines: OrderedDict[str, list[Ticket]] = OrderedDict()
        self._running: Counter[str] = Counter()

    def join(self, ticket: Ticket) -> None:
        """The ticket waits now, behind the others of its asker."""
        self._lines.setdefault(ticket.asker, []).append(ticket)

    def next(self) -> Ticket | None:
        """Whose turn it is; None when nobody waits who may run more."""
        return next((line[0] for asker, line in self._lines.items() if not self.is_full(asker)), None)

    def start(self, ticket: Ticket) -> None:
        """It runs, and all other askers come before its own from here on."""
        self.leave(ticket)
        self._running[ticket.asker] += 1
        if ticket.asker in self._lines:
            self._lines.move_to_end(ticket.asker)

    def leave(self, ticket: Ticket) -> None:
        """It waits no more; nothing happens when it did not."""
        line = self._lines.get(ticket.asker, [])
        if ticket in line:
            line.remove(ticket)
            if not line:
                del self._lines[ticket.asker]

    def end(self, ticket: Ticket) -> None:
        """A ticket that was started runs no more."""
        self._running[ticket.asker] -= 1
        if not self._running[ticket.asker]:
            del self._running[ticket.asker]

    def is_full(self, asker: str) -> bool:
        """Whether the asker runs as much as it may."""
        return bool(asker) and self._running[asker] >= self._most
