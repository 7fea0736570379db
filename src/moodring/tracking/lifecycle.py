"""The life of a run: it begins, ends, is found again and is closed."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Literal

from mlflow.entities import Run, RunStatus

from moodring.errors import warn
from moodring.models.result import Result
from moodring.params.pipeline import Params
from moodring.tracking.attempts import abandoned, claimed, is_left
from moodring.tracking.runs import ATTEMPT_TAG, ResultRun
from moodring.tracking.store import Experiment, StoreError, reaching

How = Literal["found", "completed", "restored", "evaluated"]


@contextlib.contextmanager
def training_run(
    params: Params, data_sha256: str, key: str, corpus_sha256: str | None = None
) -> Iterator[ResultRun]:
    """Open a training's run. It ends as FAILED unless it is finished, also on Ctrl-C and SIGTERM.

    A run that a killed process left continues if it belongs to this attempt, with the tag `resumed`. Runs of
    other killed processes are closed.

    Args:
        params: the parameters.
        data_sha256: of the corpus, and of the vectors if there are any.
        key: of the attempt; see `attempts.key_of`.
        corpus_sha256: of the corpus alone; None: there are no vectors.

    Raises:
        StoreError: the store cannot be opened.
    """
    experiment = Experiment(params.dataset)
    with claimed(key) as attempt:
        close_abandoned()
        with _ending(ResultRun(experiment, params, data_sha256, attempt, corpus_sha256)) as run:
            run.open(continued={"resumed": "true"}, created={})
            yield run


def finish_training(run: ResultRun, result: Result) -> str | None:
    """Finish a training's run after its files are written, and discard its attempt.

    Returns:
        The id of the result's run. None if the store cannot be reached: then the attempt stays, and
        evaluation or `moodring sync` completes the run from the result's files.
    """
    try:
        run_id = run.finish(result)
    except StoreError as error:
        warn(f"{error} The result is complete; run `moodring sync` later to send its run {run.run_id}.")
        return None
    run.attempt.discard()
    return run_id


def result_run(
    experiment: Experiment,
    params: Params,
    data_sha256: str,
    result: Result,
    key: str,
    corpus_sha256: str | None = None,
) -> tuple[Run, How]:
    """A result's run, with the parameters of its evaluation as tags.

    It is found, or completed after a training that could not finish it, or restored from the files. If the
    store has the model's training with another evaluation only, this evaluation gets a run of its own: a run
    with the history and the duration of the training.

    Args:
        experiment: the dataset's.
        params: the parameters.
        data_sha256: of the corpus, and of the vectors if there are any.
        result: the result.
        key: of the attempt that a training may have left.
        corpus_sha256: of the corpus alone; None: there are no vectors.

    Raises:
        StoreError: the store cannot be written.
    """
    with reaching() as client:
        found = experiment.claim(result.models_md5, params, data_sha256)
        if found is not None and not is_left(key):
            return found, "found"
        trained = experiment.trained(result.models_md5, params, data_sha256)
        with (
            claimed(key) as attempt,
            _ending(ResultRun(experiment, params, data_sha256, attempt, corpus_sha256)) as run,
        ):
            if found is None and trained and not attempt.again:
                run.open_again(trained[0])
            else:
                run.open(continued={}, created={"restored": "true"})
            run_id = run.finish(result, of_evaluation=True)
            attempt.discard()
        how: How = "completed" if run.continued else "evaluated" if trained else "restored"
        return client.get_run(run_id), "found" if found else how


def close_abandoned() -> list[str]:
    """End, as KILLED, the runs that killed processes of this checkout left RUNNING; return their ids.

    Raises:
        StoreError: the store cannot be opened.
    """
    closed = left_running()
    with reaching() as client:
        for run_id in closed:
            client.set_terminated(run_id, RunStatus.to_string(RunStatus.KILLED))
    return closed


def left_running() -> list[str]:
    """The ids of the runs that killed processes of this checkout left RUNNING.

    Raises:
        StoreError: the store cannot be opened.
    """
    left = {attempt.id for attempt in abandoned()}
    if not left:
        return []
    with reaching() as client:
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        running = client.search_runs(
            experiments, f"tags.{ATTEMPT_TAG} != '' and attributes.status = 'RUNNING'"
        )
    return [str(run.info.run_id) for run in running if run.data.tags[ATTEMPT_TAG] in left]


@contextlib.contextmanager
def _ending(run: ResultRun) -> Iterator[ResultRun]:
    """End the run as FAILED unless it was finished, also after a signal that ends the process."""

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise SystemExit(128 + number)

    signals = (signal.SIGTERM, signal.SIGHUP) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, end) for number in signals}
    try:
        yield run
    finally:
        run.fail()
        for number, handler in before.items():
            signal.signal(number, handler)
