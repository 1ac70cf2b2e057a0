"""What a throughput run can be asked for."""

from __future__ import annotations

import ast
import re
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _iterate(value: str) -> str:
    if value in ("estimate", "exponential"):
        return value
    if re.fullmatch(r"[1-9][0-9]{0,8}(,[1-9][0-9]{0,8})*", value):
        return value
    raise ValueError("it is `estimate`, `exponential` or task counts such as `10,1000,1000`")


def _resources(value: str) -> str:
    # parsl-perf evaluates this text as Python, so only a literal may reach it.
    try:
        literal = ast.literal_eval(value)
        ast.literal_eval(repr(literal))  # fails for 1e999: written out as inf, it would be a name to parsl-perf
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        literal = None
    if not isinstance(literal, dict):
        raise ValueError("it is a dictionary such as {'cores': 1, 'memory': 0, 'disk': 0}")
    return repr(literal)


class ThroughputSpec(BaseModel):
    """parsl-perf's own options, how often to repeat it, and whether to probe latencies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time: Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)] = Field(
        120.0, description="seconds that parsl-perf aims at for an iteration"
    )
    iterate: Annotated[str, AfterValidator(_iterate)] = Field(
        "estimate", description="`estimate`, `exponential`, or task counts such as 10,1000,1000"
    )
    argsize: Annotated[int, Field(ge=0, le=1 << 30)] = Field(0, description="bytes of payload in each task's argument")
    resources: Annotated[str, AfterValidator(_resources)] | None = Field(
        None, description="parsl_resource_specification of each task, a dictionary"
    )
    reps: Annotated[int, Field(ge=1, le=1000)] = Field(
        3, description="repetitions, each a fresh parsl-perf; all are kept, the spread is shown"
    )
    probe: bool = Field(True, description="measure task latencies as well, in a child of its own")

    @model_validator(mode="after")
    def _warm_iteration_possible(self) -> Self:
        if self.iterate.isdigit():
            raise ValueError(
                f"iterate={self.iterate} is one iteration, the cold one: name at least two, such as 10,{self.iterate}"
            )
        return self

    def parsl_perf_flags(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """This spec as parsl-perf's command line.

        Args:
            known: The flags that this release of parsl-perf has.

        Raises:
            ValueError: the spec needs a flag that it has not.
        """
        flags: list[str] = ["--time", f"{self.time:.15g}"]
        for flag, value, default in (
            ("--iterate", self.iterate, "estimate"),
            ("--argsize", str(self.argsize), "0"),
            ("--resources", self.resources, None),
        ):
            if flag in known:
                flags += [flag, value] if value is not None else []
            elif value != default:
                raise ValueError(f"this release's parsl-perf has no {flag}")
        return tuple(flags)
