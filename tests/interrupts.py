"""What ends a program at a chosen moment: Ctrl-C, `kill -9`, a full disk."""

import contextlib
import errno
import itertools
import os
import shutil
import sys

import keras


class Kill(keras.callbacks.Callback):
    """Raises KeyboardInterrupt at the start of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


class Killed(BaseException):
    """Raised where a `kill -9` would have ended the process."""


@contextlib.contextmanager
def killed_at(folder, number, remains, cut=0.5):
    """End the block as `kill -9` would, before the change `number` to `folder`, counted from 0.

    What the kill leaves on the disk is copied to `remains`: the block still clears up behind
    itself. If the change is a file's renaming, the kill comes while that file is being written, and
    the share `cut` of it is there. Does nothing if there are fewer changes.
    """

    def kill(i, kind, path):
        if i == number:
            os.makedirs(remains)
            if os.path.exists(folder):
                shutil.copytree(folder, remains, dirs_exist_ok=True)
            if kind == "os.rename":
                copied = os.path.join(remains, os.path.relpath(path, folder))
                os.truncate(copied, int(cut * os.path.getsize(copied)))
            raise Killed

    with contextlib.suppress(Killed), _each_change(folder, kill):
        yield


@contextlib.contextmanager
def disk_full_at(folder, number):
    """Have no room on the device from the change `number` to `folder` on, counted from 0."""

    def fail(i, kind, path):
        if i >= number and kind in ("open", "os.mkdir", "os.rename"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with _each_change(folder, fail):
        yield


@contextlib.contextmanager
def changes_counted(folder):
    """Yield a list to which each change to `folder` adds its kind."""
    kinds = []
    with _each_change(folder, lambda i, kind, path: kinds.append(kind)):
        yield kinds


@contextlib.contextmanager
def _each_change(folder, act):
    """Call `act(i, kind, path)` before each change to `folder` that Python makes."""
    numbers = itertools.count()

    def watch(kind, path):
        if path.startswith(str(folder)):
            _watchers.clear()  # What `act` itself does is no change of the program's.
            try:
                act(next(numbers), kind, path)
            finally:
                _watchers.append(watch)

    _watchers.append(watch)
    try:
        yield
    finally:
        _watchers.clear()


# An audit hook cannot be removed again: there is this one, and it looks for a watcher here.
_watchers = []
_KINDS = {"open", "os.rename", "os.remove", "os.mkdir", "shutil.rmtree"}


def _tell_watcher(kind, arguments):
    if not _watchers or kind not in _KINDS or not isinstance(arguments[0], (str, os.PathLike)):
        return
    if kind != "open" or (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR):
        _watchers[-1](kind, str(arguments[0]))


sys.addaudithook(_tell_watcher)
