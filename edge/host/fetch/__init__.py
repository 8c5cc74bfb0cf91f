"""Outbound HTTP for guests: to granted hosts, at checked addresses, within bounds.

    calls.py      the operation `fetch`: arguments in, answer out
    request.py    what is asked for, checked: URL, method, headers, body
    fetcher.py    one exchange after another until there is an answer that is no redirect
    redirects.py  the request that a redirect asks for
    network.py    resolving, checking and connecting, in one step
    addresses.py  which addresses are public

Invariant: no connection is opened to a host that was not granted, nor to an address that is
neither public nor granted by itself.
"""
