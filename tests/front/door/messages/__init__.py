"""The table of raw messages: what is sent, the exact answers, and what becomes of the connection.

Each answer is `STATUS` or `STATUS CODE`, the code being that of an error's document.

Neighbours: `test_conformance.py` sends them; `reader.py` reads what comes back, strictly.
"""

from tests.front.door.messages.ambiguous import AMBIGUOUS
from tests.front.door.messages.good import GOOD
from tests.front.door.messages.hostile import HOSTILE
from tests.front.door.messages.odd import ODD

TABLE = {**GOOD, **ODD, **AMBIGUOUS, **HOSTILE}
assert len(TABLE) == sum(map(len, (GOOD, ODD, AMBIGUOUS, HOSTILE))), "a name stands twice"
