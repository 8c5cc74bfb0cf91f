"""A change of a function that takes its time: creating it, or updating it.

Neighbours: `registry/progress.py` keeps track; `deploy/updates.py` carries changes out;
`front/lambda_api/` tells them as State and LastUpdateStatus.
"""

from dataclasses import dataclass
from enum import StrEnum

from edge.model.function import Version


class Reason(StrEnum):
    """Why a change failed, in the words of Lambda's LastUpdateStatusReasonCode."""

    FUNCTION = "FunctionError"
    CONFIGURATION = "InvalidConfiguration"
    ZIP_FILE = "InvalidZipFileException"
    INTERNAL = "InternalError"


@dataclass(frozen=True, slots=True)
class Progress:
    """One change. `failed` is None while it runs, and says why it ended once it failed.

    `draft` is what is being created, None for an update; `base_revision` is the revision that an
    update began from. `alive_ms` is when its process last said that it is at it, in Unix ms.
    """

    function: str
    token: str
    alive_ms: int
    base_revision: str = ""
    draft: Version | None = None
    failed: Reason | None = None
    message: str = ""
