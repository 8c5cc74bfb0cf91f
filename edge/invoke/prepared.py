"""What is worked out once for a version and used by each of its invocations.

Neighbours: `invoker.py` asks for it; `sandbox/` is handed its parts.
Invariant: it depends on the version, what it is called by and the host's settings only, never on a
request.
"""

from collections import OrderedDict
from dataclasses import dataclass

from edge.config import HostSettings, SandboxSettings
from edge.host.grants import GrantSet, parse_grants
from edge.model.function import GuestKind, Version
from edge.model.ids import function_arn
from edge.sandbox.abi import Envelope
from edge.sandbox.component.envelope import TextEnvelope
from edge.sandbox.component.http import HttpEnvelope
from edge.sandbox.instance import Allowance


@dataclass(frozen=True, slots=True)
class Prepared:
    """A version's envelope, allowance and grants, ready to use."""

    envelope: Envelope | TextEnvelope | HttpEnvelope
    allowance: Allowance
    grants: GrantSet


class Preparations:
    """The prepared versions of a worker, the least recently used let go beyond `kept_max`."""

    def __init__(self, sandbox: SandboxSettings, host: HostSettings) -> None:
        self._sandbox = sandbox
        self._host = host
        self._kept_max = sandbox.loaded_max
        self._kept: OrderedDict[tuple[str, str, str], Prepared] = OrderedDict()

    def get(self, version: Version, qualifier: str) -> Prepared:
        """The version's preparation for who calls it by `qualifier`, made at the first call."""
        key = (version.function, version.revision_id, qualifier)
        prepared = self._kept.get(key)
        if prepared is None:
            prepared = self._kept[key] = self._prepare(version, qualifier)
            while len(self._kept) > self._kept_max:
                self._kept.popitem(last=False)
        return prepared

    def _prepare(self, version: Version, qualifier: str) -> Prepared:
        sandbox, limits = self._sandbox, version.settings.limits
        fuel_max = limits.timeout_ms * sandbox.fuel_per_ms
        allowance = Allowance(
            fuel_max=fuel_max,
            memory_bytes_max=limits.memory_bytes_max,
            first_slice_fuel=min(sandbox.slice_fuel_alone, fuel_max),
            host_ns_per_slice=sandbox.host_us_per_slice * 1_000,
            answer_bytes_max=self._host.payload_bytes_max,
        )
        envelope = _envelope(version, function_arn(version.function, qualifier))
        return Prepared(envelope, allowance, parse_grants(version.settings.grants))


def _envelope(version: Version, arn: str) -> Envelope | TextEnvelope | HttpEnvelope:
    if version.artifact.kind is GuestKind.COMPONENT:
        return TextEnvelope(version, arn)
    if version.artifact.kind is GuestKind.WASI_HTTP:
        return HttpEnvelope()
    return Envelope(version, arn)
