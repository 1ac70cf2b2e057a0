"""What makes loads alike, so that what one host bears may be set against what several bear. Pure."""

from __future__ import annotations

from perfdb.families.scaling.spec import ScalingSpec

# Which loads there were, how often, how many clients shared them and who looked on may differ; the criterion is the
# ceilings' own.
_SHAPED = ("ramp_s", "patience_s")
_TIMED = ("poisson", "warm_up_s", "steady_s", "fault_after")


def kind_of(spec: ScalingSpec, machine: str, path: str) -> str:
    """How the loads of a run were made, in words; what is as it is unless asked for is not said.

    Args:
        machine: From which they were made, itself or by the nodes that it asked for.
        path: Of the service's address: what a plain GET got.
    """
    names = (*_SHAPED, *(_TIMED if spec.window is not None else ()))
    values = ((name, getattr(spec, name), ScalingSpec.model_fields[name].default) for name in names)
    told = [f"{name} {value}" for name, value, default in values if value != default]
    what = f"get {path}" if spec.mode == "get" else spec.mode
    where = machine if spec.clients_on is None else f"nodes of {spec.clients_on} on {machine}"
    return ", ".join([what, spec.shape, *told, f"from {where}"])
