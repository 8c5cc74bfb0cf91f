"""Deploy: validate → snapshot → compile → write → register, readable as that sentence.

Neighbours: `front/` asks for deploys; `sandbox/` builds, `registry/` remembers.
Invariant: a version is registered only when every file it needs is on disk.
"""
