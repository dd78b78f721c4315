"""The running stack's broker, as its administrator."""

from rapport_tools.cli import cluster
from rapport_tools.cli.failures import stack_down
from rapport_tools.local.home import Home


def admin_url() -> str:
    """The administrator's connection string. Failure when no stack runs."""
    home = Home.current()
    url = home.read_env().get("RAPPORT_LOCAL_NATS_URL")
    if cluster.is_meant() or home.supervisor() is None or not url:
        raise stack_down()
    return url
