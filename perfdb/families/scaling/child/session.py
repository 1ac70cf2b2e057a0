"""One session under way, and what is known of it once it is over."""


class Session:
    """All moments are seconds since the load's beginning, None where it did not come to that.

    `sent`: when its connection was begun. `opened`: when its connect was through. `stepped`: when its step was sent.
    `answered`: when that was answered. `closed`: when it was over. `took`: how long each phase lasted, by name.
    `held`: how long it waited for the barrier. `fault`: what it failed of, `close_fault`: what a close after a success failed of.
    """

    __slots__ = (
        "answered",
        "began",
        "buffer",
        "close_fault",
        "closed",
        "connected",
        "ended",
        "fault",
        "held",
        "next",
        "number",
        "opened",
        "out",
        "phase",
        "read",
        "scheduled",
        "seen",
        "sent",
        "sock",
        "stepped",
        "talk",
        "took",
    )

    def __init__(self, number, scheduled, sent, seen):
        self.number = number
        self.scheduled = scheduled
        self.sent = self.began = sent
        self.seen = seen
        self.phase = "connect"
        self.took = {}
        self.held = 0.0
        self.buffer = bytearray()
        self.out = b""
        self.connected = self.ended = False
        self.sock = self.talk = self.read = self.next = None
        self.opened = self.stepped = self.answered = self.closed = self.fault = self.close_fault = None

    @property
    def total(self):
        """From its schedule to the answer to its step, or to its failure, without the wait for the barrier."""
        return (self.closed if self.answered is None else self.answered) - self.scheduled - self.held
