"""Starting TensorFlow: nothing on the standard error, which is whole again afterwards."""

import os
import subprocess
import sys

CODE = """
import os, sys
from kdec.quiet import import_tensorflow
import_tensorflow()
import tensorflow as tf
import keras, numpy as np
for _ in range(8):
    keras.Sequential([keras.layers.Dense(1)]).predict(np.zeros((2, 2)), verbose=0)
os.write(2, b"from C; ")
print("from Python", file=sys.stderr)
"""


def test_tensorflow_starts_and_predicts_without_a_word_and_other_messages_show():
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    ended = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stderr == "from C; from Python\n"
    assert ended.stdout == ""
