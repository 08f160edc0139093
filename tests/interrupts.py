"""What ends a training as Ctrl-C would."""

import keras


class Kill(keras.callbacks.Callback):
    """Raises KeyboardInterrupt at the start of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt
