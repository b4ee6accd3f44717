"""Ray: started on this machine, or joined where it runs."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from realtime.cluster.tasks import ClusterOptions
from realtime.enhance.host import silenced
from realtime.errors import DeviceError, SettingError

#: Seconds in which a cluster's head must take a connection. Ray itself tries for minutes, and writes about each try.
CONNECT_SECONDS = 5.0
#: Bytes of Ray's shared memory, its least: what travels between driver and workers is small.
OBJECT_STORE_BYTES = 80_000_000


def import_ray() -> Any:
    """Ray. Raises SettingError that says what to install."""
    try:
        import ray
    except ImportError as error:
        raise SettingError("a cluster needs Ray: install mbllen-realtime[cluster]") from error
    return ray


@contextmanager
def connected(options: ClusterOptions) -> Iterator[Any]:
    """Ray, joined to the cluster of `options` or started here, and left or stopped in the end. A process that has
    joined one already stays in it.

    Raises DeviceError where there is no cluster at that address.
    """
    ray = import_ray()
    if ray.is_initialized():
        yield ray
        return
    if options.address is None:
        # "local" also where RAY_ADDRESS is set, or a cluster was started by hand.
        where: dict[str, Any] = {"address": "local", "include_dashboard": False}
        where["object_store_memory"] = OBJECT_STORE_BYTES
        if "RAY_worker_niceness" not in os.environ:
            where["_system_config"] = {"worker_niceness": 0}  # Ray's own is 15: workers would give way to everything
    else:
        _check_reachable(options.address)
        where = {"address": options.address}
    level = logging.INFO if options.verbose else logging.CRITICAL
    for name in () if options.verbose else ("ray", "ray._private", "ray.util"):
        logging.getLogger(name).setLevel(level)
    try:
        with _own_signals(), warnings.catch_warnings(), nullcontext() if options.verbose else silenced():
            warnings.simplefilter("default" if options.verbose else "ignore")
            ray.init(**where, logging_level=level, log_to_driver=options.verbose, configure_logging=options.verbose)
        if not options.verbose:
            _silence()
    except (OSError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        raise DeviceError(_no_cluster(options.address, error)) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _no_cluster(address: str | None, error: Exception) -> str:
    """The line about a cluster that cannot be started or joined."""
    if type(error).__name__ == "AuthenticationError":  # Ray's text is a page
        return f"the Ray cluster at {address} wants a token: put it into ~/.ray/auth_token or RAY_AUTH_TOKEN"
    reason = " ".join(str(error).split())
    if address is None:
        return f"the Ray cluster cannot be started here: {reason}"
    # Ray says no more when a token is missing: with an address given it sends one only if asked to.
    hint = "" if "RAY_AUTH_MODE" in os.environ else "; if it wants a token, set RAY_AUTH_MODE=token"
    return f"the Ray cluster at {address} cannot be joined: {reason}{hint}"


def _check_reachable(address: str) -> None:
    """Raises DeviceError where nothing answers, and SettingError for what is no address."""
    if address == "auto":
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise SettingError(f"ray address {address!r} is neither auto nor HOST:PORT, with or without ray:// before it")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DeviceError(f"no Ray cluster answers at {address}: {reason}") from error


def _silence() -> None:
    """Keeps what Ray prints about workers that died, even with ``log_to_driver=False``, off standard output."""
    try:
        from ray._private import worker
    except ImportError:
        return  # a version that has no such thing
    if hasattr(worker, "print_to_stdstream"):
        worker.print_to_stdstream = lambda *args, **kwargs: None


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keeps this process's handling of SIGTERM, which Ray replaces."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
