"""Functions that want the same worker get the same of it, whatever they ask for."""

from hypothesis import given
from hypothesis import strategies as st

from edge.sandbox.shares import ACCOUNTS_MAX, Accounts, FairQueue


def _serve(queue: FairQueue[str], accounts: Accounts, fuel: dict[str, int], turns: int) -> None:
    """Give out turns; whoever had one asks again at once."""
    for _ in range(turns):
        function = queue.pop()
        assert function is not None
        accounts.charge(function, fuel[function])
        queue.push(function, function)


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 10_000), min_size=2),
    st.integers(1, 50),
)
def test_nobody_gets_ahead_by_more_than_a_turn(fuel: dict[str, int], backlog: int) -> None:
    """Of functions that always want more, each has used the same, to one turn's fuel."""
    accounts = Accounts()
    queue: FairQueue[str] = FairQueue(accounts)
    for function in fuel:
        for _ in range(backlog if function == "a" else 1):
            queue.push(function, function)
    _serve(queue, accounts, fuel, 500)
    standing = [accounts.of(function) for function in fuel]
    assert max(standing) - min(standing) <= 2 * max(fuel.values())


def test_idleness_cannot_be_saved_up() -> None:
    """A function that comes back after a while takes turns with the others, not all of them."""
    accounts = Accounts()
    queue: FairQueue[str] = FairQueue(accounts)
    queue.push("busy", "busy")
    _serve(queue, accounts, {"busy": 100}, 1_000)
    queue.push("back", "back")
    _serve(queue, accounts, {"busy": 100, "back": 100}, 100)
    assert abs(accounts.of("back") - accounts.of("busy")) <= 100


def test_a_light_function_goes_before_those_that_wait() -> None:
    """Whoever used less than all that wait need not wait; whoever used more must."""
    accounts = Accounts()
    queue: FairQueue[str] = FairQueue(accounts)
    assert queue.is_before("anyone")
    accounts.charge("heavy", 1_000)
    queue.push("heavy", "heavy")
    assert queue.is_before("light")
    accounts.charge("heavier", 2_000)
    assert not queue.is_before("heavier")


def test_what_was_taken_out_does_not_come_up() -> None:
    """An item that was removed is not served, and its function's others still are."""
    queue: FairQueue[str] = FairQueue(Accounts())
    for item in ("first", "second"):
        queue.push("f", item)
    queue.push("g", "only")
    queue.remove("f", "first")
    queue.remove("g", "only")
    assert [queue.pop(), queue.pop()] == ["second", None]
    assert not queue


def test_accounts_are_bounded() -> None:
    """Functions that were seen once are forgotten, as soon as they are behind the clock."""
    accounts = Accounts()
    for number in range(3 * ACCOUNTS_MAX):
        accounts.charge(f"f{number}", 1)
        accounts.serve(f"f{number}")
        accounts.charge("always", 10)
        accounts.serve("always")
    assert len(accounts._used) <= ACCOUNTS_MAX + 1
