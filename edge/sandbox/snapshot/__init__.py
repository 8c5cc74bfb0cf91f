"""Snapshots: run a module's initialiser once, and write a module that starts where it ended.

The idea is Wizer's. Read the package as `take_snapshot` does, one verb per stage:

    validate, parse   bytes -> ParsedModule      what the module is made of
    refuse                                       what no snapshot can carry
    instrument        -> Instrumented            its whole state exported
    run               -> Initialised             its initialiser, once, within bounds, and its
                                                 primes (`prime`): sample events
    capture           -> State                   memories, globals, tables, segments
    rewrite           -> bytes                   the module that starts in that state

Neighbours: the deploy side calls this in a process of its own (it runs the guest in this one)
and compiles the result. Invariant: a restored instance behaves as one that has just been
initialised, except for what `Snapshot.warnings` says.
"""

from dataclasses import dataclass

from edge.model.errors import InvalidModule, SnapshotRefused
from edge.sandbox.snapshot.capture import capture
from edge.sandbox.snapshot.compile import build_engine, validate
from edge.sandbox.snapshot.instrument import instrument
from edge.sandbox.snapshot.log import LogLine
from edge.sandbox.snapshot.parse import parse
from edge.sandbox.snapshot.refuse import refuse
from edge.sandbox.snapshot.rewrite import rewrite
from edge.sandbox.snapshot.run import run
from edge.sandbox.snapshot.settings import SnapshotSettings

__all__ = ["LogLine", "Snapshot", "SnapshotSettings", "take_snapshot"]

NOTHING_TO_INITIALISE = "it has no initialiser (start, _initialize, edge_init): it runs as it is"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A module that starts where its initialiser ended, and what its deployer should know.

    `init_fuel` is the initialiser's own and what its host calls were charged; `image_bytes`
    are the data bytes of the image; `log` is what the initialiser wrote. `note` says why the
    module came back unchanged, if it did.
    """

    module: bytes
    warnings: tuple[str, ...]
    init_fuel: int
    image_bytes: int
    log: tuple[LogLine, ...]
    note: str = ""


def take_snapshot(module: bytes, settings: SnapshotSettings) -> Snapshot:
    """Initialise the module here and now, and return it in the state that left.

    Raises InvalidModule (not WebAssembly, or an import nobody provides), InitFailed (its
    initialiser trapped, exited or overran), SnapshotRefused (run it from a plain start).
    A module without an initialiser and primes comes back unchanged.
    """
    engine = build_engine(settings)
    validate(engine, module)
    parsed = parse(module)
    refuse(parsed)
    if not parsed.initialisers and not settings.primes:
        return Snapshot(
            module, warnings=(), init_fuel=0, image_bytes=0, log=(), note=NOTHING_TO_INITIALISE
        )
    instrumented = instrument(parsed)
    initialised = run(engine, instrumented, settings)
    state = capture(parsed, instrumented, initialised, settings)
    snapshot = rewrite(parsed, state)
    try:
        validate(engine, snapshot)
    except InvalidModule as error:
        raise SnapshotRefused(f"its state does not fit a module: {error}") from None
    return Snapshot(
        module=snapshot,
        warnings=initialised.host.warnings,
        init_fuel=initialised.fuel,
        image_bytes=sum(image.data_bytes for image in state.memories),
        log=initialised.host.log.close(),
    )
