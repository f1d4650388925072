"""An Airflow DAG: hours of scooter trips from their providers through S3 into PostgreSQL and on to Socrata, a task an hour block."""

import os
import sys

sys.path.append(os.path.dirname(__file__))  # also where this is a folder below the DAGs'

from culvert_flow import DAG, CronDataIntervalTimetable, Culvert, Param, common, json, pool, summary  # noqa: E402

with DAG(
    "culvert_mds",
    description="MDS trips: provider to S3, to PostgreSQL, to Socrata",
    doc_md="""The blocks of the data interval, and those of the day before it that are not published yet.

To do a longer time, trigger it with `from` and `to`: at most 1000 blocks a run, so again until nothing is left.
Each block is claimed by the task that does it; one that another task has is tried again later.

Once a day the doctor asks each provider for an hour of trips.  Nothing waits for it: what one provider lacks holds up no other.""",
    schedule=CronDataIntervalTimetable("15 * * * *", timezone="UTC"),
    # Two runs may meet the same block: its claim decides.
    max_active_runs=4,
    params={
        "providers": Param([], type="array", items={"type": "string"}, description="none for all of the schedule"),
        "from": Param("", type="string", description="blocks that end after this time, UTC, such as 2026-01-31T00:00:00Z"),
        "to": Param("", type="string", description="... and not after this"),
    },
    **common(),
):
    connections = ["culvert_postgres", "culvert_s3", "culvert_socrata", "culvert_mds", "culvert_slack"]
    Culvert(
        task_id="doctor",
        flow="mds",
        connections=connections,
        pool=pool("culvert_mds"),
        env={"HOUR": "{{ data_interval_end.hour if data_interval_end | default(none) else 0 }}"},
        bash_command='[ "$HOUR" = 0 ] || exit 99; culvert doctor mds --quiet',
    )
    blocks = Culvert(
        task_id="blocks",
        flow="mds",
        connections=["culvert_postgres"],
        env={
            # In a backfill the hours before are other runs'.
            "FROM": "{{ params['from'] or data_interval_start - timedelta(days=0 if dag_run.run_type == 'backfill' else 1) }}",
            "TO": "{{ params['to'] or data_interval_end }}",
            "NAMES": "{{ params.providers | join('\\n') }}",
        },
        bash_command='culvert mds blocks --since "$FROM" --until "$TO" --providers "$NAMES" --limit 1000',
        output_processor=json.loads,
    )
    run = Culvert.partial(
        task_id="run",
        flow="mds",
        connections=connections,
        pool=pool("culvert_mds"),
        max_active_tis_per_dag=8,
        map_index_template="{{ task.settings['PROVIDER'] }} {{ task.settings['BLOCK'] }}",
        bash_command='culvert mds run --provider "$PROVIDER" --time-max "$BLOCK" --interval 1 --incomplete-only --no-logs',
    ).expand(settings=blocks.output)
    run >> summary("run")
