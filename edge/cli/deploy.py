"""`edge deploy`: build what a path declares, and make it live.

Neighbours: `up` deploys through `ship` too; `compile.py` makes the modules.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import click

from edge.cli.client import ControlPlane
from edge.cli.compile import compile_function
from edge.cli.documents import InfoDocument
from edge.cli.info import module_pairs
from edge.cli.manifest import Declaration
from edge.cli.options import Assignment, Duration, json_option, rate_options
from edge.cli.output import print_json, print_pairs, print_warning, progress
from edge.cli.project import find_functions
from edge.cli.shared import AUTH_TYPES, SharedChange
from edge.model.function import Settings
from edge.model.limits import MEMORY_MB_MAX
from edge.model.rate import Rate


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the options say over the manifest; None and empty leave it as it stands there."""

    memory_mb: int | None
    timeout_ms: int | None
    environment: tuple[tuple[str, str], ...]
    grants: tuple[str, ...]
    snapshot: bool

    def over(self, settings: Settings) -> Settings:
        """`settings` with these in force; raises InvalidConfiguration."""
        limits = {
            "memory_mb": self.memory_mb,
            "timeout_ms": self.timeout_ms,
        }
        given = {key: value for key, value in limits.items() if value is not None}
        return replace(
            settings,
            limits=replace(settings.limits, **given),
            environment=tuple({**dict(settings.environment), **dict(self.environment)}.items()),
            grants=_unique((*settings.grants, *self.grants)),
            snapshot=settings.snapshot and self.snapshot,
        )


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--name", help="Name a file's function, or choose one of a manifest's.")
@click.option(
    "--memory", type=click.IntRange(1, MEMORY_MB_MAX), metavar="MB", help="Memory in megabytes."
)
@click.option("--timeout", type=Duration(), metavar="DURATION", help="Such as 500ms or 3s.")
@click.option("--env", type=Assignment(), multiple=True, metavar="KEY=VALUE", help="Environment.")
@click.option("--grant", multiple=True, help="kv, kv:NAMESPACE or fetch:HOST[:PORT].")
@click.option(
    "--concurrency", type=click.IntRange(min=0), metavar="N", help="Most invocations at a time."
)
@rate_options
@click.option("--auth", type=click.Choice(AUTH_TYPES), help="Who may call its URL.")
@click.option("--no-snapshot", is_flag=True, help="Start every sandbox from the plain module.")
@json_option
def deploy(
    path: Path,
    name: str | None,
    memory: int | None,
    timeout: int | None,
    env: tuple[tuple[str, str], ...],
    grant: tuple[str, ...],
    concurrency: int | None,
    rate: Rate | None,
    auth: str | None,
    no_snapshot: bool,
    as_json: bool,
) -> None:
    """Build and deploy the functions of PATH.

    PATH is a source or .wasm file, an edge.toml, a directory with one or with a project, or a
    directory of such directories.
    What is not said, here or in the manifest, has its default.
    """
    overrides = Overrides(memory, timeout, env, grant, not no_snapshot)
    shared = SharedChange(concurrency, rate, auth)
    declared = [
        replace(
            declaration,
            settings=overrides.over(declaration.settings),
            shared=declaration.shared.under(shared),
        )
        for declaration in find_functions(path, name)
    ]
    with ControlPlane() as control:
        deployed = []
        for declaration in declared:
            module = compile_function(declaration)
            deployed.append(ship(control, declaration, module))
            if not as_json:
                _show(deployed[-1])
    if as_json:
        print_json({"functions": deployed})


def ship(control: ControlPlane, declaration: Declaration, module: bytes) -> InfoDocument:
    """Make `module` the live version of the declared function; raises CommandFailed."""
    with progress(f"deploying {declaration.name}"):
        return control.deploy(declaration.name, module, declaration.settings, declaration.shared)


def change_text(function: InfoDocument) -> str:
    """`deployed`, or `unchanged` where it was live already."""
    return "deployed" if function.get("changed", True) else "unchanged"


def _show(function: InfoDocument) -> None:
    click.echo(f"{change_text(function)} {click.style(function['name'], bold=True)}")
    print_pairs(module_pairs(function), indent=2)
    for warning in function["snapshot"]["warnings"]:
        print_warning(f"{function['name']}: {warning}")
