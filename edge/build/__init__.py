"""Builds: from a source in some language to a module or component, on the caller's machine.

    find    path -> Language, Project    `languages.py`: whose source is this
    digest  Project -> key               `cache.py`: was exactly this compiled before
    compile Project -> .wasm             one file per language

Neighbours: `edge/cli` builds and then deploys what came of it; the host never compiles a source.
Invariant: the same inputs give the same bytes, whatever the directory, the user and the day.
"""
