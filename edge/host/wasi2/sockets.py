"""`wasi:sockets`: there is no network. What has an error code answers it (the sandbox's rule)."""

from edge.host.wasi2.context import Context, Functions, Resource


class Network(Resource):
    """Stands for the network that sockets would use; every socket is refused."""

    __slots__ = ()
    KIND = "network"


def instance_network(context: Context) -> Network:
    """Programs ask for it before they try anything."""
    return Network()


INSTANCE_NETWORK: Functions = {"instance-network": instance_network}
