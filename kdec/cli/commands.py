"""The command line: `kdec list`, `run`, `cluster`, `report` and `weights`.

TensorFlow loads when a run starts, not for help or for a wrong option.
"""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

import kdec
from kdec import pretrained
from kdec.cli.cluster import cluster
from kdec.cli.console import (
    console,
    figure_cell,
    print_error,
    print_files,
    print_plain,
    show_log,
)
from kdec.cli.endings import BAD_INPUT, check_folder, one_line_errors
from kdec.cli.starting import start_tensorflow
from kdec.experiments import EXPERIMENTS, find_experiment, report
from kdec.whole_files import written_whole

app = typer.Typer(
    help="Deep clustering for Keras 3: rerun the experiments, with figures anyone can get again.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
# Typer gives this class no public name, and it is Click's own only in older versions.
_UsageError = typer.BadParameter.__base__


class Preset(StrEnum):
    """How much of an experiment to run."""

    quick = "quick"
    full = "full"


class Precision(StrEnum):
    """In which floating-point format networks compute, a Keras dtype policy."""

    float32 = "float32"
    mixed_bfloat16 = "mixed_bfloat16"


def main() -> None:
    """Run the command line; bad input ends it with one line and exit code 2."""
    try:
        exit_code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except _UsageError as error:
        message = error.format_message()
        message += "" if message.endswith((".", "?")) else "."
        print_error(f"{message} See `kdec --help`, `kdec run --help`.")
        exit_code = BAD_INPUT
    sys.exit(exit_code)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print_plain(f"kdec {kdec.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Options of `kdec` itself."""


@app.command("list")
def list_experiments() -> None:
    """List the experiments."""
    table = Table("experiment", "source", "what it does", "full-size data")
    for experiment in EXPERIMENTS.values():
        table.add_row(experiment.name, experiment.source, experiment.summary, experiment.full_data)
    console.print(table)


@app.command("report")
def write_report(
    results: Annotated[
        Path,
        typer.Option(
            help="Folder of the records, EXPERIMENT/DATA-PRESET-seedSEED.json.",
            exists=True,
            file_okay=False,
        ),
    ] = Path("results"),
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("RESULTS.md"),
) -> None:
    """Write the table of all recorded runs beside the sources' figures."""
    with one_line_errors():
        text = report(results)
        with written_whole(out) as partial:
            partial.write_text(text)
    print_plain(f"Wrote {out}")


@app.command("weights")
def list_weights() -> None:
    """List the trained models that come with kdec."""
    # A name cut short would be of no use.
    table = Table(Column("name", no_wrap=True), "what it is, and its figures", show_lines=True)
    for row in pretrained.available():
        figures = ", ".join(f"{name} {value:.4f}" for name, value in row["metrics"].items())
        origin = f"{row['data']}, seed {row['seed']}"
        table.add_row(row["name"], f"{row['what']}\n{origin}: {figures.replace('_', ' ')}")
    console.print(table)
    console.print('Load one in Python by kdec.load_pretrained("NAME").', highlight=False)


app.command("cluster")(cluster)


@app.command("run")
def run_experiment(
    name: Annotated[str, typer.Argument(help="Experiment; `kdec list` shows them.")],
    data: Annotated[
        str | None,
        typer.Option(help="Data set. Default: a small one if quick, the source's if full."),
    ] = None,
    preset: Annotated[
        Preset, typer.Option(help="quick: minutes, on small data; full: as in the source.")
    ] = Preset.quick,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of everything random.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the run. Default: runs/NAME-DATA-PRESET-seedSEED."),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Trained model to start from: .h5 weights or .keras."
        ),
    ] = None,
    precision: Annotated[
        Precision | None,
        typer.Option(
            help="What networks compute in; weights, codes and losses stay in float32. Default: "
            "float32, and for the convolutions of neighbor-contrast the fastest."
        ),
    ] = None,
) -> None:
    """Run an experiment; the same command again goes on with an interrupted one."""
    full = preset is Preset.full
    with one_line_errors():
        experiment = find_experiment(name)
        overrides = _overrides(experiment, weights, precision)
    data = data or (experiment.full_data if full else experiment.quick_data)
    ending = f"-{precision}" if precision else ""
    out = out or Path("runs") / f"{name}-{data}-{preset}{ending}-seed{seed}"
    with one_line_errors(out):
        # Before all that may import Keras, as a download does. Experiments train on no other.
        os.environ["KERAS_BACKEND"] = "tensorflow"
        os.environ.setdefault("MPLBACKEND", "agg")
        dataset = kdec.load_data(data, seed=seed)
        check_folder(out)
        show_log()
        start_tensorflow()
        from kdec.experiments import execute

        result = execute(experiment, dataset, preset.value, seed, out, **overrides)
    console.print(_results_table(result))
    print_files(out)


def _overrides(experiment, weights, precision):
    """What `execute` is given of these two options, if they are."""
    overrides = {}
    if weights is not None:
        _check_takes(experiment, "weights", weights, "an experiment that starts from some")
        overrides["weights"] = str(weights)
    if precision is not None:
        _check_takes(experiment, "precision", precision, "an experiment that trains networks")
        overrides["precision"] = precision.value
    return overrides


def _check_takes(experiment, option, value, kind):
    """Raise a ValueError if an experiment has no use for an option."""
    able = [other.name for other in EXPERIMENTS.values() if getattr(other, f"takes_{option}")]
    if experiment.name not in able:
        raise ValueError(
            f"Expected no --{option}, or {kind}, out of {able}. "
            f"Received: {experiment.name!r} with --{option} {value}"
        )


def _results_table(result):
    table = Table("system", title=result["command"])
    names = list(dict.fromkeys(name for row in result["metrics"].values() for name in row))
    for name in names:
        heading = name.upper() if len(name) == 3 else name.replace("_", " ")
        table.add_column(heading, justify="right")
    for system, row in result["metrics"].items():
        table.add_row(system, *(figure_cell(name, row.get(name)) for name in names))
    return table
