"""Sources of the components that are measured; `bench/toolchains.py` builds them."""
