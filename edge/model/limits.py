"""What one function may use: defaults, bounds, and the checks at deploy.

Source of the figures: `docs/architecture.md`, after AWS Lambda's own quotas.
"""

from dataclasses import dataclass

from edge.model.errors import InvalidConfiguration

KIB = 1024
MIB = 1024 * KIB

TIMEOUT_MS_DEFAULT = 3_000
TIMEOUT_MS_MAX = 900_000
MEMORY_MB_DEFAULT = 128
MEMORY_MB_MAX = 4_096
ENVIRONMENT_BYTES_MAX = 4 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one invocation of one function."""

    timeout_ms: int = TIMEOUT_MS_DEFAULT
    memory_mb: int = MEMORY_MB_DEFAULT

    def __post_init__(self) -> None:
        """Refuse what no host would run; raises InvalidConfiguration."""
        if not 1 <= self.timeout_ms <= TIMEOUT_MS_MAX:
            raise InvalidConfiguration(
                f"timeout must be between 1 ms and {TIMEOUT_MS_MAX // 1000} s,"
                f" not {self.timeout_ms} ms"
            )
        if not 1 <= self.memory_mb <= MEMORY_MB_MAX:
            raise InvalidConfiguration(
                f"memory must be between 1 and {MEMORY_MB_MAX} MB, not {self.memory_mb}"
            )

    @property
    def memory_bytes_max(self) -> int:
        """The linear memory a guest may grow to."""
        return self.memory_mb * MIB
