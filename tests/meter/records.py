"""Usage records for tests: plain ones, and a strategy for all that matter to a bill."""

from hypothesis import strategies as st

from edge.meter.bill import NEVER_RAN, Tariff
from edge.model.ids import LATEST
from edge.model.outcome import Outcome
from edge.model.usage import Usage

TARIFF = Tariff()
TIME_MS = 1_700_000_000_000  # 2023-11-14, UTC
DAY_MS = 86_400_000


def usage(
    number: int = 0,
    *,
    function: str = "hello",
    time_ms: int = TIME_MS,
    outcome: Outcome = Outcome.OK,
    fuel: int = 123_456,
) -> Usage:
    """A record as `invoke/` makes it; `number` is its request id."""
    billed_ms = 0 if outcome in NEVER_RAN else TARIFF.billed_ms(fuel)
    return Usage(
        time_ms=time_ms,
        request_id=str(number),
        function=function,
        version=LATEST,
        source="http",
        outcome=outcome,
        fuel=0 if outcome in NEVER_RAN else fuel,
        billed_ms=billed_ms,
        memory_mb=128,
        wall_us=40,
        restore_us=6,
        host_us=1,
        memory_peak_bytes=65_536,
        bytes_in=200,
        bytes_out=120,
        calls={"kv.get": 2},
    )


usages = st.builds(
    usage,
    st.integers(0, 10**6),
    function=st.sampled_from(["a", "b", "c"]),
    time_ms=st.integers(0, 3).map(lambda day: TIME_MS + day * DAY_MS),
    outcome=st.sampled_from(Outcome),
    fuel=st.integers(0, 10**13),
)
