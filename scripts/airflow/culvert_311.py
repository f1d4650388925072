"""An Airflow DAG: MyLA311 service requests into PostgreSQL, a task a year."""

import os
import sys

sys.path.append(os.path.dirname(__file__))  # also where this is a folder below the DAGs'

from culvert_flow import DAG, CronDataIntervalTimetable, Culvert, Param, common, json, pool, summary  # noqa: E402

with DAG(
    "culvert_311",
    description="MyLA311 service requests: Socrata to PostgreSQL",
    doc_md="""What was updated since the data interval began goes into the table; the first time, everything.

A failed run's interval is loaded by the next run, too.  To load whole years, trigger it with `full` and `years`.""",
    schedule=CronDataIntervalTimetable("30 9 * * *", timezone="UTC"),
    max_active_runs=1,
    params={
        "full": Param(False, type="boolean", description="load whole years, not only what was updated"),
        "years": Param([], type="array", items={"type": "integer"}, description="years to load, or none for all that are configured"),
    },
    **common(),
):
    connections = ["culvert_postgres", "culvert_socrata", "culvert_slack"]
    doctor = Culvert(task_id="doctor", flow="311", connections=connections, bash_command="culvert doctor 311 --quiet")
    years = Culvert(
        task_id="years",
        flow="311",
        env={"YEARS": "{{ params.years | join(' ') }}"},
        bash_command="culvert 311 load --list",
        output_processor=json.loads,
    )
    load = Culvert.partial(
        task_id="load",
        flow="311",
        connections=connections,
        pool=pool("culvert_socrata"),
        # One merges into the table at a time, and the next one waits for it.
        max_active_tis_per_dag=2,
        map_index_template="{{ task.settings['YEARS'] }}",
        env={
            # A day earlier: the source's clock is the city's, without a zone.
            "CHANGED_SINCE": "{{ '' if params.full else since(data_interval_start | default(none),"
            " prev_data_interval_end_success | default(none), timedelta(days=1)) }}",
            "LOCK_WAIT": "3600",
        },
        bash_command="""
            if [ -n "$CHANGED_SINCE" ]; then
                MODE=update culvert 311 load --since "$CHANGED_SINCE"
            else
                MODE=full culvert 311 load
            fi""",
    ).expand(settings=years.output)
    doctor >> years
    load >> summary("load")
