"""`edge audit`: who changed what. And what verbs that need no host write there.

Neighbours: `client.py` fetches it, `key.py` writes what it does to a data directory;
`storage/audit.py` keeps it.
"""

import os
import pwd
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import click

from edge.cli.client import ControlPlane
from edge.cli.documents import AuditDocument
from edge.cli.options import json_option
from edge.cli.output import print_json, print_table, print_warning, printable
from edge.model.audit import AuditRecord, Stage
from edge.model.errors import EdgeError, StorageFailure
from edge.model.ids import new_request_id
from edge.storage.audit import AUDIT, AuditLog

_HEADER = ("TIME", "WHO", "FROM", "ACTION", "RESOURCE", "OUTCOME")


@click.command()
@click.option(
    "-n", "--limit", type=click.IntRange(1, 1_000), default=100, show_default=True,
    help="How many records, the newest.",
)  # fmt: skip
@click.option("--before", metavar="CURSOR", help="Only records older than an earlier answer's.")
@json_option
def audit(limit: int, before: str | None, as_json: bool) -> None:
    """Show who changed what on the host, and who was refused, the newest last."""
    with ControlPlane() as control:
        page = control.audit(limit, before)
    if as_json:
        print_json(page)
        return
    print_table(_HEADER, [_row(record) for record in _changes(page["records"])])
    if page["next"]:
        click.echo(f"older ones: edge audit --before {page['next']}", err=True)


def _changes(records: Sequence[AuditDocument]) -> Iterator[AuditDocument]:
    """One record for each change: how it ended, or that it began if that is all."""
    ended = {record["id"] for record in records if record["stage"] != Stage.BEGUN}
    for record in records:
        if record["stage"] != Stage.BEGUN or record["id"] not in ended:
            yield record


def _row(record: AuditDocument) -> tuple[str, ...]:
    outcome = record["stage"] + (f" {record['status']}" if record["status"] else "")
    told = (record["time"], record["who"], record["source"] or "here", record["action"])
    return tuple(printable(text) for text in (*told, record["resource"], outcome))


@contextmanager
def audited(data: Path, action: str, resource: str) -> Iterator[None]:
    """Write to a data directory's audit log that the body changes something there.

    Raises StorageFailure when that cannot be written: then nothing is changed. What the body did is
    told by its end, which is only warned of when it cannot be written.
    """
    record = AuditRecord(new_request_id(), f"local:{_user()}", "", "", action, resource, "")
    with closing(AuditLog(data / AUDIT, bytes_max=None)) as log:
        log.append(record.at(Stage.BEGUN).document())
        end = record.at(Stage.DONE)
        try:
            yield
        except EdgeError as error:
            end = record.at(Stage.FAILED, reason=error.message)
            raise
        finally:
            try:
                log.append(end.document())
            except StorageFailure as failure:
                print_warning(f"the audit log lacks the end of this: {failure.message}")


def _user() -> str:
    """Who runs this: the name of the process's user, or its number."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
