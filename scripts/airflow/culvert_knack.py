"""An Airflow DAG: records of Knack apps into S3, and from there to Socrata, ArcGIS Online and other apps, a container at a time."""

import os
import sys

sys.path.append(os.path.dirname(__file__))  # also where this is a folder below the DAGs'

from culvert_flow import DAG, CronDataIntervalTimetable, Culvert, Param, common, json, pool, summary, task_group  # noqa: E402

SINCE = ("{{ '' if params.full else since(data_interval_start | default(none), prev_data_interval_end_success | default(none)) }}")

with DAG(
    "culvert_knack",
    description="Knack: records to S3, to Socrata, to ArcGIS Online and to other apps",
    doc_md="""What was modified since the data interval began moves; the first time, everything.

A failed run's interval is taken up by the next run, too.  Triggered with `full`, it publishes everything anew.
Nothing waits for the doctor: what one app lacks holds up no other.""",
    schedule=CronDataIntervalTimetable("0 10 * * *", timezone="UTC"),
    # The commands' own lock is a machine's; over several it is this.
    max_active_runs=1,
    params={
        "env": Param("prod", type="string", enum=["prod", "dev"]),
        "full": Param(False, type="boolean", description="everything, not only what was modified"),
    },
    **common(),
):
    environment = {"KNACK_ENV": "{{ params.env }}", "CHANGED_SINCE": SINCE}
    lists = {
        what: Culvert(task_id=what, flow="knack", bash_command=f"culvert knack list {what}", output_processor=json.loads)
        for what in ("apps", "containers", "copies")
    }
    Culvert.partial(
        task_id="doctor",
        flow="knack",
        connections=["culvert_s3", "culvert_socrata", "culvert_agol", "culvert_slack", "culvert_knack_{APP}"],
        pool=pool("culvert_knack"),
        map_index_template="{{ task.settings['APP'] }}",
        env=environment,
        bash_command='culvert doctor knack --app-name "$APP" --env "$KNACK_ENV" --quiet',
    ).expand(settings=lists["apps"].output)
    metadata = Culvert.partial(
        task_id="metadata",
        flow="knack",
        connections=["culvert_s3", "culvert_slack", "culvert_knack_{APP}"],
        pool=pool("culvert_knack"),
        max_active_tis_per_dag=4,
        map_index_template="{{ task.settings['APP'] }}",
        env=environment,
        bash_command='culvert knack metadata --app-name "$APP" --env "$KNACK_ENV"',
    ).expand(settings=lists["apps"].output)

    @task_group
    def container(settings):
        arguments = '--app-name "$APP" --container "$CONTAINER" --env "$KNACK_ENV" --date'
        each = {
            "flow": "knack",
            "settings": settings,
            "env": environment,
            "max_active_tis_per_dag": 4,
            "map_index_template": "{{ task.settings['APP'] }} {{ task.settings['CONTAINER'] }}",
        }
        to_s3 = Culvert(
            task_id="to_s3",
            connections=["culvert_s3", "culvert_slack", "culvert_knack_{APP}"],
            pool=pool("culvert_knack"),
            bash_command=f'culvert knack to-s3 {arguments} "$CHANGED_SINCE"',
            **each,
        )
        # Nothing new in Knack is no reason to leave out what an earlier run could not publish.
        for sink, service in (("socrata", "culvert_socrata"), ("agol", "culvert_agol")):
            to_s3 >> Culvert(
                task_id=f"to_{sink}",
                connections=["culvert_s3", "culvert_slack", service],
                pool=pool(service),
                trigger_rule="none_failed",
                # What must not be replaced is upserted whole.
                bash_command=f"""
                    [ -n "${sink.upper()}" ] || exit 99
                    [ "${sink.upper()}" = replace ] || : "${{CHANGED_SINCE:=1970-01-02T00:00:00Z}}"
                    culvert knack to-{sink} {arguments} "$CHANGED_SINCE" """,
                **each,
            )

    containers = container.expand(settings=lists["containers"].output)
    metadata >> containers
    # It compares with what the other app has in S3, so all of them come first.
    to_knack = Culvert.partial(
        task_id="to_knack",
        flow="knack",
        connections=["culvert_s3", "culvert_slack", "culvert_knack_{DEST}"],
        pool=pool("culvert_knack"),
        trigger_rule="none_failed",
        max_active_tis_per_dag=4,
        map_index_template="{{ task.settings['APP'] }} {{ task.settings['CONTAINER'] }} {{ task.settings['DEST'] }}",
        env=environment,
        bash_command='culvert knack to-knack --app-name "$APP" --container "$CONTAINER" --env "$KNACK_ENV" --app-name-dest "$DEST" --date "$CHANGED_SINCE"',
    ).expand(settings=lists["copies"].output)
    containers >> to_knack >> summary("container.to_s3", "container.to_socrata", "container.to_agol", "to_knack")
