"""An Airflow DAG: a shop's orders of a day into PostgreSQL."""

import os
import sys

sys.path.append(os.path.dirname(__file__))  # also where this is a folder below the DAGs'

from culvert_flow import DAG, CronDataIntervalTimetable, Culvert, Param, common  # noqa: E402

with DAG(
    "culvert_orders",
    description="orders: a zip of JSON batches to PostgreSQL",
    doc_md="""The zip of the day on which the data interval begins.

Where it lies is SOURCE in the Variable `culvert_orders`, such as `s3://bucket/orders-{date}.zip`.""",
    schedule=CronDataIntervalTimetable("0 8 * * *", timezone="UTC"),
    # A day's orders are merged after those of the day before; newer ones win in any case.
    max_active_runs=1,
    params={
        "source": Param("", type="string", description="another zip than the day's"),
    },
    **common(),
):
    connections = ["culvert_postgres", "culvert_s3", "culvert_slack"]
    settings = {
        "RUN_DATE": "{{ data_interval_start | ds if data_interval_start | default(none) else '' }}",
        "FROM": "{{ params.source }}",
    }
    doctor = Culvert(
        task_id="doctor",
        flow="orders",
        connections=connections,
        env=settings,
        bash_command='[ -z "$FROM" ] || export SOURCE="$FROM"; culvert doctor orders --quiet',
    )
    doctor >> Culvert(
        task_id="load",
        flow="orders",
        connections=connections,
        env={**settings, "LOCK_WAIT": "600"},
        bash_command='culvert orders load ${FROM:+"$FROM"}',
    )
