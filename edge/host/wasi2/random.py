"""`wasi:random`: the system's own randomness, fresh at each call, also where less would do."""

from os import urandom

from edge.host.charges import FUEL_PER_RANDOM_BYTE
from edge.host.wasi2.context import Context, Functions, Misuse
from edge.model.limits import KIB

RANDOM_BYTES_MAX = 64 * KIB
"""In one call: it all happens in one slice."""

_WORD_BYTES = 8


def random_bytes(context: Context, length: int) -> bytes:
    """So many bytes."""
    if length > RANDOM_BYTES_MAX:
        raise Misuse(f"at most {RANDOM_BYTES_MAX} random bytes can be had in one call")
    context.session.charge(FUEL_PER_RANDOM_BYTE * length)
    return urandom(length)


def random_word(context: Context) -> int:
    """A u64."""
    return int.from_bytes(random_bytes(context, _WORD_BYTES), "little")


def insecure_seed(context: Context) -> tuple[int, int]:
    """Two u64, to seed hashing with."""
    return random_word(context), random_word(context)


RANDOM: Functions = {"get-random-bytes": random_bytes, "get-random-u64": random_word}
INSECURE: Functions = {
    "get-insecure-random-bytes": random_bytes,
    "get-insecure-random-u64": random_word,
}
INSECURE_SEED: Functions = {"insecure-seed": insecure_seed, "get-insecure-seed": insecure_seed}
