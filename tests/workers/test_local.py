"""Processes of one command on this machine."""

import json
import sys

from kdec.workers import local_configs, run_local

_FAIL = """
import json, os, sys
index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
print("this is", index, flush=True)
sys.exit(3 if index == 1 else 0)
"""


def test_each_worker_has_a_port_of_its_own():
    configs = [json.loads(config) for config in local_configs(3)]
    assert [config["task"]["index"] for config in configs] == [0, 1, 2]
    assert configs[0]["cluster"] == configs[2]["cluster"]
    assert len(set(configs[0]["cluster"]["worker"])) == 3


def test_the_first_writes_and_one_that_ends_otherwise_is_shown(capfd):
    assert run_local([sys.executable, "-c", _FAIL], 3) == 3
    out, err = capfd.readouterr()
    assert out == "this is 0\n"
    assert err == "Worker 1 ended with 3:\nthis is 1\n"
