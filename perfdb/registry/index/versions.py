"""Versions as text that sorts as versions do."""

from __future__ import annotations

# Longer ones are no version that anybody released.
LONGEST = 200


def version_key(text: str) -> str | None:
    """A text for a version such that texts compare as the versions do; None for what is no version.

    Equal versions (`2025.8` and `2025.8.0`) have equal keys. The order is that of the packaging library (PEP 440).
    """
    from packaging.version import Version

    if len(text) > LONGEST:
        return None
    try:
        version = Version(text)
    except ValueError:
        return None
    release = list(version.release)
    while release and release[-1] == 0:
        release.pop()
    parts = ["".join(f"1{_number(part)}" for part in release), "0"]
    if version.pre is not None:
        parts += ["1", version.pre[0][0], _number(version.pre[1])]
    else:  # a development release comes before the alphas, a final one after the candidates
        parts.append("0" if version.post is None and version.dev is not None else "2")
    parts.append("0" if version.post is None else f"1{_number(version.post)}")
    parts.append("1" if version.dev is None else f"0{_number(version.dev)}")
    for part in version.local.split(".") if version.local else ():
        parts.append(f"2{_number(int(part))}" if part.isdigit() else f"1{part}!")
    return _number(version.epoch) + "".join(parts) + "0"


def _number(value: int) -> str:
    """Digits that sort as the number does: how many there are comes first."""
    digits = str(value)
    return f"{len(digits):03}{digits}"
