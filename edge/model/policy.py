"""The policy of a function under one qualifier: who else may use it.

Neighbours: `access/permission.py` writes its statements and `access/authority.py` judges by them;
`storage/documents.py` keeps it with its function.
Invariant: no two statements have the same Sid.
"""

from dataclasses import dataclass, replace

from edge.model.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class FunctionPolicy:
    """Pairs of Sid and statement, each statement the JSON text it is shown as.

    `revision_id` is new with every change, so that it names this content and no other.
    """

    qualifier: str
    revision_id: str
    statements: tuple[tuple[str, str], ...]

    def with_statement(self, sid: str, statement: str, revision_id: str) -> "FunctionPolicy":
        """This policy with one statement more. Raises Conflict for a Sid in use."""
        if any(sid == each for each, _ in self.statements):
            raise Conflict(f"statement {sid} exists: remove it, or choose another StatementId")
        statements = (*self.statements, (sid, statement))
        return replace(self, revision_id=revision_id, statements=statements)

    def without_statement(self, sid: str, revision_id: str) -> "FunctionPolicy":
        """This policy with one statement less. Raises NotFound."""
        left = tuple(each for each in self.statements if each[0] != sid)
        if len(left) == len(self.statements):
            raise NotFound(f"statement {sid[:100]} does not exist")
        return replace(self, revision_id=revision_id, statements=left)

    def document(self) -> str:
        """The whole policy as JSON."""
        statements = ",".join(text for _, text in self.statements)
        return f'{{"Version":"2012-10-17","Id":"default","Statement":[{statements}]}}'
