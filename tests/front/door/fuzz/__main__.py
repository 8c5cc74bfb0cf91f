"""`python -m tests.front.door.fuzz COUNT [SEED]`: as many streams as one likes, and a tally.

Neighbours: `laws.py`.
"""

import sys

from tests.front.door.fuzz.laws import run

for case, number in sorted(run(int(sys.argv[1]), int((*sys.argv, "1")[2])).items()):
    print(f"{number:>10,}  {case}")
