"""How large a contribution may be, so that judging a hostile one stays cheap: a second, and a bounded share of memory."""

from datetime import UTC, datetime, timedelta

MIB = 1024 * 1024

# A thousand repetitions of four iterations each, and half as much again.
LARGEST_RECORD_FILE = 3 * MIB
# A byte and a comma make a value. pydantic tells up to four faults of each that is wrong, at two kilobytes a fault.
# Those of an iteration's metrics are found sound one by one, and do not count.
MOST_VALUES = 20_000
LARGEST_SAMPLES = 8 * MIB
MOST_CELLS = 400_000
MOST_COLUMNS = 64
# Searching text for secrets takes a microsecond a character and more.
LARGEST_TEXT = MIB // 2
LONGEST_SEARCH_S = 0.5
LARGEST_SUMS = MIB // 8
LARGEST_MACHINE = 64 * 1024
LARGEST_REMARK = 256 * 1024
LARGEST_CONFIG = 128 * 1024
# A thousand repetitions leave a log each.
MOST_FILES = 1100
DEEPEST = 6
MOST_CHANGES = 100_000
MOST_FAULTS_A_RECORD = 30
MOST_FAULTS = 10_000

EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
# Clocks are wrong by hours, not by days.
AHEAD = timedelta(days=1)
