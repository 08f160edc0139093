"""Workers on this machine: processes of one command, each with a `TF_CONFIG` of its own."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence

_LAST_LINES = 5


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

    The first worker writes to the terminal. What others write is shown only if they end otherwise
    than the first.

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
            codes = [process.wait() for process in processes]
        finally:
            for process in processes:
                process.kill()
        for index, log in enumerate(logs, start=1):
            if codes[index] != codes[0]:
                log.seek(0)
                lines = "".join(log.readlines()[-_LAST_LINES:])
                sys.stderr.write(f"Worker {index} ended with {codes[index]}:\n{lines}")
    return max(codes, key=abs)
