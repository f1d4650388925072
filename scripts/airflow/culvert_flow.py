"""What the DAGs of Culvert's flows have in common: how a command runs, and where its settings come from.

A task is a BashOperator that runs one command of the package.  Three things are added to what Airflow has:
the exit status alone decides whether a task is tried again (culvert-status(7)); Connections and a Variable
become the command's environment when it starts, so that no secret is in a command line, in a rendered
template, or in the metadata database a second time; and what a mapped task is about (a year, a container, an
hour) comes as `settings`, since Airflow maps env= only as a whole, and then without templates.

For Airflow 2.11 and 3.
"""

import json
import os
import re
from datetime import timedelta

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG, BaseHook, Param, Variable, task_group
    from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowNotFoundException, AirflowSkipException
    from airflow.sdk.log import mask_secret

    NO_DEFAULT, DOUBLED = "default", 2.0
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.decorators import task_group
    from airflow.exceptions import AirflowException, AirflowFailException, AirflowNotFoundException, AirflowSkipException
    from airflow.hooks.base import BaseHook
    from airflow.models import Variable
    from airflow.models.param import Param
    from airflow.operators.bash import BashOperator
    from airflow.utils.log.secrets_masker import mask_secret

    NO_DEFAULT, DOUBLED = "default_var", True
# In 3 a cron string alone makes data intervals of no length.
from airflow.timetables.interval import CronDataIntervalTimetable

import pendulum

__all__ = ["DAG", "Culvert", "CronDataIntervalTimetable", "Param", "START", "common", "json", "pool", "since", "summary", "task_group", "total"]

START = pendulum.datetime(2015, 1, 1, tz="UTC")  # what is older than that can be no run

# Unavailable, no memory, input or output, try again; a signal.  All other statuses say that something must be mended first.
RETRIED = {69, 71, 74, 75, 129, 130, 137, 143}
NOTHING_NEW = 99

# Which variables of the command a Connection's fields become.  A Connection that is not there is none of the task's
# business: then the worker's own environment and the files below /etc/culvert say it.
CONNECTIONS = {
    "culvert_postgres": {"host": "PGHOST", "port": "PGPORT", "login": "PGUSER", "password": "PGPASSWORD", "schema": "PGDATABASE",
                         "extra.sslmode": "PGSSLMODE"},
    "culvert_s3": {"login": "AWS_ACCESS_KEY_ID", "password": "AWS_SECRET_ACCESS_KEY", "extra.aws_session_token": "AWS_SESSION_TOKEN",
                   "extra.region_name": "AWS_REGION", "extra.endpoint_url": "AWS_ENDPOINT_URL"},
    "culvert_socrata": {"login": "SOCRATA_KEY_ID", "password": "SOCRATA_KEY_SECRET", "extra.app_token": "SOCRATA_APP_TOKEN"},
    "culvert_agol": {"login": "AGOL_USERNAME", "password": "AGOL_PASSWORD"},
    "culvert_slack": {"password": "SLACK_WEBHOOK_URL"},
    "culvert_mds": {"password": "FERNET_KEY"},
    "culvert_knack_{APP}": {"login": "KNACK_APP_ID", "password": "KNACK_API_KEY"},  # one an app of apps.json
    "culvert_knack_{DEST}": {"login": "KNACK_APP_ID_DEST", "password": "KNACK_API_KEY_DEST"},
}
SECRET = {"PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "SOCRATA_KEY_SECRET", "SOCRATA_APP_TOKEN", "AGOL_PASSWORD",
          "SLACK_WEBHOOK_URL", "FERNET_KEY", "KNACK_API_KEY", "KNACK_API_KEY_DEST"}


def from_connection(name, fields):
    """The variables that this Connection has something for."""
    try:
        connection = BaseHook.get_connection(name)
    except AirflowNotFoundException:
        return {}
    found = {}
    for field, variable in fields.items():
        value = connection.extra_dejson.get(field[6:]) if field.startswith("extra.") else getattr(connection, field)
        if value not in (None, ""):
            found[variable] = str(value)
            if variable in SECRET:
                mask_secret(str(value))
    return found


def from_variable(name):
    """The settings in a Variable: a JSON object such as {"BUCKET": "city-data"}, every key of the flow's .conf among them."""
    settings = Variable.get(name, deserialize_json=True, **{NO_DEFAULT: None}) or {}
    if not isinstance(settings, dict) or not all(re.fullmatch("[A-Z_][A-Z0-9_]*", key) for key in settings):
        raise AirflowFailException(f'Variable {name}: want a JSON object such as {{"BUCKET": "city-data"}}')
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}


class Culvert(BashOperator):
    """One command of the package.

    :param flow: settings come from the Variable culvert_FLOW
    :param connections: whose login the command needs, of CONNECTIONS
    :param settings: more environment, of a mapped task
    """

    template_fields = (*BashOperator.template_fields, "settings")

    def __init__(self, *, flow=None, connections=(), settings=None, **kwargs):
        kwargs.setdefault("env", {})
        super().__init__(append_env=True, skip_on_exit_code=NOTHING_NEW, **kwargs)
        self.flow = flow
        self.connections = connections
        self.settings = settings

    def get_env(self, context):
        settings = self.settings or {}
        env = {**super().get_env(context), "EMPTY_EXIT": str(NOTHING_NEW)}
        for name in self.connections:
            env.update(from_connection(name.format(**settings), CONNECTIONS[name]))
        if self.flow:
            env.update(from_variable(f"culvert_{self.flow}"))
        ti = context["ti"]
        # In the load log, and in application_name, which is cut short: which try of which task of which run it was.
        env["CULVERT_RUN_ID"] = f"{ti.task_id}.{ti.map_index}.{ti.try_number} {ti.run_id}"
        return {**env, **self.env, **settings}

    def execute(self, context):
        try:
            return super().execute(context)
        except AirflowSkipException:
            raise
        except AirflowException as why:
            process = self.subprocess_hook.sub_process
            status = process.returncode if process else None
            if status is None or status < 0 or status in RETRIED:
                raise
            raise AirflowFailException(f"exit status {status}: trying again does not help, see culvert-status(7)") from why


def pool(name):
    """The pool, where CULVERT_POOLS names it: a task of a pool that does not exist would wait for ever."""
    return name if name in os.environ.get("CULVERT_POOLS", "").split() else "default_pool"


def since(start, succeeded, overlap=timedelta(0)):
    """From where an incremental load begins: this data interval's start, or earlier where the runs before it failed.

    Empty, which means everything, for the first run that succeeds.  Both are lazy, and None is false in them.
    """
    if not start or not succeeded:
        return ""
    return (min(start, succeeded) - overlap).in_timezone("UTC").strftime("%Y-%m-%dT%H:%M:%S")


def total(receipts):
    """One receipt of many: how many there are, and what their counts add up to; empty where there is none."""
    counts = {}
    receipts = [json.loads(line) for line in receipts or [] if line]
    for receipt in receipts:
        for key, value in receipt.items():
            if key not in ("run_id", "seconds") and isinstance(value, int) and not isinstance(value, bool):
                counts[key] = counts.get(key, 0) + value
    return json.dumps({"tool": "total", "tasks": len(receipts), **counts}) if receipts else ""


def summary(*task_ids):
    """The task at the end of mapped ones: its receipt is the sum of theirs, and it is skipped where all of them were."""
    return Culvert(
        task_id="summary",
        trigger_rule="none_failed",
        env={"TOTAL": "{{ total(ti.xcom_pull(task_ids=%r)) }}" % list(task_ids)},
        bash_command='[ -n "$TOTAL" ] || exit 99; printf "%s\\n" "$TOTAL"',
    )


def common():
    """What every DAG gives its tasks and templates."""
    return {
        "catchup": False,
        "start_date": START,
        "dagrun_timeout": timedelta(hours=24),
        "tags": ["culvert"],
        "user_defined_macros": {"since": since, "total": total, "timedelta": timedelta},
        "default_args": {
            "owner": "culvert",
            "retries": 6,  # over an hour in all, as long as a dead machine's claim of a block holds
            "retry_delay": timedelta(minutes=1),
            "retry_exponential_backoff": DOUBLED,
            "max_retry_delay": timedelta(hours=1),
        },
    }
