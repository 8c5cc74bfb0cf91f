"""edge: Lambda-style functions in WebAssembly, on one small host."""

__version__ = "0.1.0"
