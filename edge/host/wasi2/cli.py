"""`wasi:cli`: the function's own environment, its log for standard output, and its end."""

from edge.host.charges import FUEL_PER_BYTE
from edge.host.log import LEVEL_INFO, LEVEL_WARN
from edge.host.session import GuestExit
from edge.host.wasi2.context import Context, Functions
from edge.host.wasi2.io import InputStream, LogOutput
from edge.host.wasi2.results import Err, Ok


def get_environment(context: Context) -> list[tuple[str, str]]:
    """The variables given at deploy."""
    variables = list(context.session.environment)
    size = sum(len(name) + len(value) for name, value in variables)
    context.session.charge(FUEL_PER_BYTE * size)
    return variables


def get_arguments(context: Context) -> list[str]:
    """The program's name alone."""
    return list(context.session.arguments or (context.session.function,))


def initial_cwd(context: Context) -> None:
    """There is none."""


def exit_with(context: Context, status: Ok | Err) -> None:
    """End the guest."""
    raise GuestExit(int(isinstance(status, Err)))


def exit_with_code(context: Context, code: int) -> None:
    """End the guest."""
    raise GuestExit(code)


def get_stdin(context: Context) -> InputStream:
    """Empty."""
    return InputStream(context.session.stdin)


def get_stdout(context: Context) -> LogOutput:
    """The log."""
    return LogOutput(context.session.log, LEVEL_INFO)


def get_stderr(context: Context) -> LogOutput:
    """The log, as warnings."""
    return LogOutput(context.session.log, LEVEL_WARN)


def no_terminal(context: Context) -> None:
    """No stream is a terminal."""


ENVIRONMENT: Functions = {
    "get-environment": get_environment,
    "get-arguments": get_arguments,
    "initial-cwd": initial_cwd,
}
EXIT: Functions = {"exit": exit_with, "exit-with-code": exit_with_code}
STDIN: Functions = {"get-stdin": get_stdin}
STDOUT: Functions = {"get-stdout": get_stdout}
STDERR: Functions = {"get-stderr": get_stderr}
TERMINAL_STDIN: Functions = {"get-terminal-stdin": no_terminal}
TERMINAL_STDOUT: Functions = {"get-terminal-stdout": no_terminal}
TERMINAL_STDERR: Functions = {"get-terminal-stderr": no_terminal}
