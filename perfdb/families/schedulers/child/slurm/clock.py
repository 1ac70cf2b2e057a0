"""How far the controller's clock is ahead of ours, from whole seconds that it tells."""

import time

# Each question halves what is not known, of a second at first, as far as the way there and back allows.
_MOST_QUESTIONS, _GOOD_S = 8, 0.02


def offset(second, now=time.time, sleep=time.sleep):
    """(seconds that it is ahead, how well that is known). `second` asks for its clock, cut to whole seconds.

    An answer `s`, asked for at `a` and there at `b`, was cut from an instant between s and s + 1, so the clock is ahead by more than
    s - b and less than s + 1 - a. The next question is put when the middle of what is left says that a second turns.
    """
    low, high = float("-inf"), float("inf")
    for _ in range(_MOST_QUESTIONS):
        asked = now()
        said = second()
        heard = now()
        low, high = max(low, said - heard), min(high, said + 1 - asked)
        middle = (low + high) / 2
        if high - low < 2 * _GOOD_S:
            break
        sleep(-(now() + middle) % 1.0)
    return middle, abs(high - low) / 2
