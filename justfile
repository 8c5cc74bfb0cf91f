# What is done with this project, by name. `pip install rust-just` gives `just`.

python := env("PYTHON", "python")

# Serve the sample functions and print the curl lines that work.
up:
    {{python}} -m edge up guests

# Everything CI checks.
check: lint types test

# Generated messages at the door, against a second reading of them.
fuzz count="200000" seed="1":
    {{python}} -m tests.front.door.fuzz {{count}} {{seed}}

lint:
    {{python}} -m ruff check .
    {{python}} -m ruff format --check .

types:
    {{python}} -m mypy

test *args:
    {{python}} -m pytest {{args}}

# One table: medians and p99, ratios within the run, machine and commit.
bench *args:
    {{python}} -m bench {{args}}

# Mixed load for so many minutes: memory, threads and descriptors must stay flat.
soak minutes="60":
    {{python}} -m bench.soak {{minutes}}
