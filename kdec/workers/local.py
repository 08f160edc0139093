"""Workers on this machine: processes of one command, each with a `TF_CONFIG` of its own."""

import contextlib
import json
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

_LAST_LINES = 5
_LOOK_EVERY = 0.1  # seconds
_GRACE = 60.0  # seconds


def local_configs(count: int) -> list[str]:
    """Return a `TF_CONFIG` for each of some workers on this machine, on ports that are free.

    Example:
    >>> from kdec.workers.local import local_configs
    >>> len(local_configs(2))
    2
    """
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    return [
        json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})
        for index in range(count)
    ]


def run_local(command: Sequence[str], count: int) -> int:
    """Run a command as that many workers on this machine; return the exit code.

    Worker 0 writes to the terminal. What another one has written last is shown if it is the one
    that fails first, for the others fail with it.

    Args:
        command: Program and arguments, the same for all.
        count: Int, number of workers; they share the processor's cores.
    """
    threads = str(max(1, (os.cpu_count() or 1) // count))
    with contextlib.ExitStack() as stack:
        logs = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(count - 1)]
        processes = [
            subprocess.Popen(
                command,
                env={"TF_NUM_INTRAOP_THREADS": threads, **os.environ, "TF_CONFIG": config},
                stdout=log,
                stderr=log and subprocess.STDOUT,
            )
            for config, log in zip(local_configs(count), [None, *logs], strict=True)
        ]
        try:
            failing = _first_to_fail(processes)
        finally:
            for process in processes:
                process.kill()
        if failing is None:
            return 0
        code = processes[failing].returncode
        if failing > 0:
            log = logs[failing - 1]
            log.seek(0)
            lines = "".join(log.readlines()[-_LAST_LINES:])
            sys.stderr.write(f"Worker {failing} ended with {code}:\n{lines}")
    return code


def _first_to_fail(processes):
    """Wait for all processes; return the number of the first that fails, None if none does.

    When one has failed the others, which may wait for it to join, have a minute.
    """
    first, end = None, math.inf
    while True:
        codes = [process.poll() for process in processes]
        if first is None and any(codes):
            first, end = next(i for i, code in enumerate(codes) if code), time.monotonic() + _GRACE
        if None not in codes or time.monotonic() > end:
            return first
        time.sleep(_LOOK_EVERY)
