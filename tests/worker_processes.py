"""Functions run as several workers on this machine, each in a process of its own."""

import multiprocessing
import os
import traceback

from kdec.workers import local_configs

# A server that has loaded TensorFlow forks the workers, so that it loads once for all tests.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tensorflow", "keras", "sklearn.utils.validation", "kdec.workers"])
_LONGEST = 570  # seconds; before, a worker that hangs is found


def run_workers(function, count: int, *arguments) -> list:
    """Return what a function returns, or the error that it raises, on each worker.

    A worker that was killed has its exit code instead.

    Args:
        function: Of a module that a new process can import.
        count: Number of workers.
        *arguments: Of the function, the same for all.
    """
    workers = []
    for config in local_configs(count):
        receiver, sender = _CONTEXT.Pipe(duplex=False)
        process = _CONTEXT.Process(target=_work, args=(sender, config, function, arguments))
        process.start()
        sender.close()
        workers.append((process, receiver))
    return [_result(process, receiver) for process, receiver in workers]


def _work(sender, config, function, arguments):
    os.environ["TF_CONFIG"] = config
    try:
        result = function(*arguments)
    except Exception as error:
        traceback.print_exc()
        result = error
    sender.send(result)
    # TensorFlow would take ten seconds to close its server.
    os._exit(0)


def _result(process, receiver):
    try:
        if receiver.poll(_LONGEST):
            return receiver.recv()
        process.kill()
        raise TimeoutError("A worker hangs")
    except EOFError:
        process.join()
        return process.exitcode
