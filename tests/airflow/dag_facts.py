"""dag_facts - imports DAG files as Airflow would, and says what tests/airflow.t asks of each: one line of JSON a DAG.

Run by the Python that Airflow is installed for.  A warning that our code brought about fails it.
"""
import importlib
import json
import runpy
import sys
import warnings

try:
    from airflow.providers.standard.operators.bash import BashOperator
    importlib.import_module("airflow.sdk")
except ImportError:
    from airflow.operators.bash import BashOperator
    importlib.import_module("airflow.models.param")
# What these modules warn about when they are loaded is not about the DAGs.
importlib.import_module("airflow.timetables.interval")


def facts(path):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        names = runpy.run_path(path)
    for warning in seen:
        if "scripts/airflow" in warning.filename or "Removed" in warning.category.__name__:
            sys.exit(f"{warning.filename}:{warning.lineno}: {warning.category.__name__}: {warning.message}")
    dag = next(value.dag for value in names.values() if hasattr(value, "task_id"))
    tasks = [{
        "task": task.task_id,
        "bash": issubclass(getattr(task, "operator_class", None) or type(task), BashOperator),
        "retries": task.retries,
        "backoff": float(task.retry_exponential_backoff),
        "pool": task.pool,
        "mapped": type(task).__name__ == "MappedOperator" or task.task_id.startswith("container."),
        "rule": str(getattr(task.trigger_rule, "value", task.trigger_rule)),
    } for task in dag.tasks]
    return {"dag": dag.dag_id, "catchup": dag.catchup, "timetable": type(dag.timetable).__name__,
            "timeout": dag.dagrun_timeout.total_seconds(), "tasks": tasks}


for path in sys.argv[1:]:
    print(json.dumps(facts(path)))
